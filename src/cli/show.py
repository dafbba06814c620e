"""How the terminal shows tables, plans and progress; the one place that draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from contracts.plan import PlanSummary
from contracts.world import Reference
from pipeline import views
from pipeline.plan import NightPlan
from pipeline.progress import Progress as Report

console = Console()
complaints = Console(stderr=True)


def cell(value: object) -> str:
    """Return a value as a person reads it: thousands separated, money and units with two decimals, null as a dash."""
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NaT:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 1 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d" if value.tzinfo is None else "%m-%d %H:%M")
    return str(value)


def show_table(title: str, frame: pd.DataFrame, *, most: int = 20, timezone: str | None = None) -> None:
    """Print a table, its first `most` rows, and how many more there are."""
    drawn = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for name in frame.columns:
        drawn.add_column(str(name), justify="right" if pd.api.types.is_numeric_dtype(frame[name]) else "left")
    shown = frame.head(most)
    if timezone is not None:
        zoned = [c for c in shown.columns if isinstance(shown[c].dtype, pd.DatetimeTZDtype)]
        shown = shown.assign(**{c: shown[c].dt.tz_convert(timezone) for c in zoned})
    for row in shown.itertuples(index=False):
        drawn.add_row(*(cell(value) for value in row))
    console.print(drawn)
    if len(frame) > most:
        console.print(f"... and {len(frame) - most:,} more rows", style="dim")


def show_summary(summary: PlanSummary) -> None:
    """Print what a plan says of itself."""
    console.print(
        f"[bold]Plan {summary.plan_id}[/bold] for {summary.delivery_date} as of {summary.as_of:%Y-%m-%d %H:%M} UTC "
        f"- {summary.status}, {summary.costs_yuan['total']:,.2f} yuan, model {summary.model_version}"
    )
    if summary.synthetic:
        console.print(f"Synthetic (generated, not given): {', '.join(summary.synthetic)}", style="yellow")
    show_table("Stages", views.stage_view(summary))
    show_table("Cost in yuan", views.cost_view(summary), most=40)


def show_plan(plan: NightPlan, reference: Reference, *, timezone: str) -> None:
    """Print what a planner wants to read of a plan."""
    show_summary(plan.summary)
    show_table("Demand in units", views.demand_view(plan))
    show_table("Orders per supplier", views.supplier_view(plan, reference))
    show_table("Loads per warehouse, zone and wave", views.load_view(plan), most=60, timezone=timezone)
    show_table("Routes", views.trip_view(plan), most=40, timezone=timezone)
    if len(plan.unserved):
        show_table("Not served", plan.unserved)
    show_table("Most money at stake", views.shortage_view(plan, reference.skus)[_STAKE_COLUMNS], most=8)
    for label, sentences in (("Fallback", plan.summary.fallbacks), ("Warning", plan.summary.warnings)):
        for sentence in sentences[:10]:
            console.print(f"[yellow]{label}:[/yellow] {sentence}")
        if len(sentences) > 10:
            console.print(f"... and {len(sentences) - 10} more; all are in the plan's summary", style="dim")


_STAKE_COLUMNS = [
    "warehouse_id",
    "sku_id",
    "name",
    "confirmed",
    "final_mean",
    "available",
    "bought",
    "expected_short",
    "expected_surplus",
    "at_stake_yuan",
]


@contextmanager
def progress_bar(title: str) -> Iterator[Report]:
    """Show a bar for a long step; yields the callable that moves it."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=False) as bars:
        task = bars.add_task(title, total=1.0)

        def report(step: str, fraction: float) -> None:
            bars.update(task, completed=fraction, description=f"{title}: {step}" if fraction < 1 else title)

        yield report
        bars.update(task, completed=1.0, description=title)
