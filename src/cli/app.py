"""The `tuancai` command: the night's verbs from a terminal."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from cli import data, demo, floor, models, plans, purchase, reference, scores, service
from cli.context import CityContext
from cli.show import complaints
from contracts.errors import TuancaiError
from contracts.settings import load_settings

app = typer.Typer(
    name="tuancai",
    help="Every evening: a city's group-buying orders into purchase orders, sorting loads and delivery routes. "
    "团采：把全城团购订单变成采购单、分拣任务和配送路线。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(data.import_app, name="import")
app.add_typer(reference.reference_app, name="reference")
app.add_typer(data.world_app, name="world")
app.add_typer(data.supply_app, name="supply")
models.add_commands(app)
scores.add_commands(app)
plans.add_commands(app)
purchase.add_commands(app)
floor.add_commands(app)
service.add_commands(app)
demo.add_commands(app)


@app.callback()
def start(
    context: typer.Context,
    settings: Annotated[
        Path | None, typer.Option(help="TOML file of settings; see docs/settings.md.", envvar="TUANCAI_SETTINGS")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show one log line per step.")] = False,
) -> None:
    """Read the settings and configure logging, once."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("mlflow", "alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="mlflow")
    context.obj = CityContext(load_settings(settings))


def main() -> None:
    """Run the command; an error of ours becomes one sentence and exit code 2, everything else a traceback."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        app()
    except TuancaiError as wrong:
        complaints.print(f"[red]{type(wrong).__name__}[/red]: {wrong}", soft_wrap=True)
        sys.exit(2)
