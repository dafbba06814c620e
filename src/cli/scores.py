"""Commands that score forecasts: backtest on rolling origins, drift of the serving model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.context import city_of
from cli.show import complaints, console, progress_bar, show_table
from contracts.errors import StoreError

DRIFTED = 3
"""Exit code of `tuancai drift --check` when something was found."""


class TableFormat(StrEnum):
    """Formats of tables."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


class Language(StrEnum):
    """Languages of the report."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the `tuancai` command."""
    for command in (backtest, drift):
        app.command()(command)


def backtest(
    context: typer.Context,
    members: Annotated[
        list[str] | None,
        typer.Argument(
            help="Members to score, e.g. champion lightgbm ets theta croston outside_estimate; default the full model, "
            "seasonal naive, daily sales x 8, moving average, and the outside estimate if one was imported."
        ),
    ] = None,
    origins: Annotated[int, typer.Option(help="Rolling origins; one window is noise.", min=1)] = 4,
    horizon: Annotated[int, typer.Option(help="Days ahead.", min=1)] = 7,
    out: Annotated[Path | None, typer.Option(help="Write tables and figures to this folder.")] = None,
    table_format: Annotated[TableFormat, typer.Option("--format", help="Format of the tables.")] = TableFormat.CSV,
    record: Annotated[bool, typer.Option(help="Keep the backtest as an MLflow run.")] = True,
) -> None:
    """Score models on rolling origins by level, category, volume band and lead time. 回测。"""
    from pipeline.backtest_files import write_backtest

    desk = city_of(context).desk
    chosen = members or desk.usual_contestants()
    with progress_bar("Backtest") as report:
        scores = desk.backtest(chosen, origins=origins, horizon=horizon, progress=report)
    show_table("Means over the origins", scores.summary(), most=60)
    show_table("Value added: share of the baseline's error taken away", scores.value_over_baselines(), most=60)
    first = chosen[0]
    hits = scores.coverage[(scores.coverage["model"] == first) & (scores.coverage["by"] == "band")]
    worst = hits.pivot_table(index=["level", "quantile"], values="miss", aggfunc="max").reset_index()
    show_table(f"{first}: widest miss of each quantile in any volume band", worst, most=40)
    if out is not None:
        written = write_backtest(scores, out, form=table_format.value)
        console.print(f"{len(written)} files in {out}: {', '.join(path.name for path in written)}", soft_wrap=True)
    if record:
        try:
            console.print(f"Kept as MLflow run {desk.record_backtest(scores)} (experiment tuancai).")
        except StoreError as down:  # the scores are on the screen; only the record is lost, and that is said
            complaints.print(f"[yellow]Not kept as a run[/yellow]: {down}", soft_wrap=True)


def drift(
    context: typer.Context,
    days: Annotated[int, typer.Option(help="Delivery dates to look back on.", min=3)] = 14,
    language: Annotated[Language, typer.Option(help="Language of the report.")] = Language.BOTH,
    out: Annotated[Path | None, typer.Option(help="Write the weeks' scores to this CSV, XLSX or Parquet file.")] = None,
    check: Annotated[bool, typer.Option(help=f"End with exit code {DRIFTED} when the model has drifted.")] = False,
) -> None:
    """Hold the last weeks' forecasts against what the model promised. 漂移报告。"""
    from store import export_table

    with progress_bar("Drift"):
        report = city_of(context).desk.drift(days=days)
    show_table("Week by week, forecast a day ahead", report.weeks, most=30)
    show_table("Share of demand at or below each quantile", report.coverage, most=30)
    chosen = ("en", "zh") if language is Language.BOTH else (language.value,)
    for one in chosen:
        console.print(report.text(one), soft_wrap=True)
    if out is not None:
        export_table(report.weeks, out)
        console.print(f"{len(report.weeks):,} rows in {out}")
    if check and report.drifted:
        raise typer.Exit(DRIFTED)
