"""Commands of the service: serve, backup, restore, compact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.context import city_of
from cli.show import console, progress_bar


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the `tuancai` command."""
    for command in (serve, backup, restore, compact):
        app.command()(command)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the API; its documentation is at /docs. 启动服务。"""
    from api.app import run_server  # the service's libraries are loaded only when it is served

    settings = city_of(context).settings
    run_server(settings, host=host or settings.service.host, port=port or settings.service.port)


def backup(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="File to write, e.g. city-2026-03-02.tar.")]
) -> None:
    """Back up database, order history and models into one file; the service may keep running. 备份。"""
    from api.backup import back_up

    with progress_bar(f"Back up to {file.name}"):
        report = back_up(city_of(context).settings.storage, file)
    console.print(report.sentence)


def restore(context: typer.Context, file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")]) -> None:
    """Restore a backup into the empty place that the settings name; every file is checked. 恢复。"""
    from api.backup import restore as put_back

    with progress_bar(f"Restore {file.name}"):
        report = put_back(city_of(context).settings.storage, file)
    console.print(report.sentence)


def compact(
    context: typer.Context,
    least: Annotated[int, typer.Option(help="Only dates with at least so many files.", min=2)] = 2,
) -> None:
    """Merge the order files of each delivery date into one, and remove files nobody reads any more. 合并历史文件。"""
    from store import Store

    settings = city_of(context).settings
    store = Store.open(settings.storage, city=settings.city)
    with progress_bar("Compact"):
        done, swept = store.compact(least_files=least), store.sweep()
    store.close()
    console.print(f"{done.sentence} {swept} files that nobody reads any more were removed.")
