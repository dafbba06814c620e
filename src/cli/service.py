"""The command that serves the API."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.context import city_of


def add_commands(app: typer.Typer) -> None:
    """Add the command to the `tuancai` command."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the API; its documentation is at /docs. 启动服务。"""
    from api.app import run_server  # the service's libraries are loaded only when it is served

    settings = city_of(context).settings
    run_server(settings, host=host or settings.service.host, port=port or settings.service.port)
