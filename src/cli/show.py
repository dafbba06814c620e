"""How the terminal shows tables, plans and progress; the one place that draws."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from contracts.plan import PlanSummary
from contracts.world import Reference
from pipeline import views
from pipeline.plan import NightPlan
from pipeline.progress import Progress as Report

LEAST_COLUMNS = 120
"""Width of output that goes to a file or a pipe; a table of a night does not fit 80 columns."""

console = Console(width=None if sys.stdout.isatty() else LEAST_COLUMNS)
complaints = Console(stderr=True)


def cell(value: object) -> str:
    """Return a value as a person reads it: thousands separated, two decimals, null as a dash, moments as HH:MM."""
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NaT:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d" if value.tzinfo is None else "%m-%d %H:%M")
    return str(value)


def show_table(title: str, frame: pd.DataFrame, *, most: int = 20, timezone: str | None = None) -> None:
    """Print a table, its first `most` rows, and how many more there are."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in frame.columns:
        number = pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != bool
        drawn.add_column(str(name), justify="right" if number else "left", overflow="fold")
    shown = frame.head(most)
    if timezone is not None:
        zoned = [c for c in shown.columns if isinstance(shown[c].dtype, pd.DatetimeTZDtype)]
        shown = shown.assign(**{c: shown[c].dt.tz_convert(timezone) for c in zoned})
    for row in shown.itertuples(index=False):
        drawn.add_row(*(cell(value) for value in row))
    console.print(drawn)
    if len(frame) > most:
        console.print(f"... and {len(frame) - most:,} more rows", style="dim")


def show_summary(summary: PlanSummary, *, timezone: str) -> None:
    """Print what a plan says of itself."""
    as_of = pd.Timestamp(summary.as_of).tz_convert(timezone)
    console.print(
        f"[bold]Plan {summary.plan_id}[/bold] for {summary.delivery_date}, orders until {as_of:%Y-%m-%d %H:%M}: "
        f"{summary.status}, {summary.costs_yuan['total']:,.2f} yuan. Models: {summary.model_version}."
    )
    if summary.synthetic:
        console.print(f"[yellow]Synthetic[/yellow] (made up, not given): {', '.join(summary.synthetic)}")
    show_table("Stages", views.stage_view(summary))
    show_table("Cost in yuan", views.cost_view(summary), most=40)


def show_plan(plan: NightPlan, reference: Reference, *, timezone: str) -> None:
    """Print what a planner wants to read of a plan."""
    show_summary(plan.summary, timezone=timezone)
    show_table("Demand in units", views.demand_view(plan))
    show_table("Orders per supplier", views.supplier_view(plan, reference))
    loads = views.load_view(plan).drop(columns=["late_minutes"] if not plan.wave_loads["late_minutes"].any() else [])
    show_table("Loads per warehouse, zone and wave", loads, most=60, timezone=timezone)
    show_table("Routes", views.trip_view(plan).drop(columns="base_id"), most=40, timezone=timezone)
    if len(plan.unserved):
        show_table("Not served", plan.unserved)
    show_table("Most money at stake", views.shortage_view(plan, reference.skus), most=8)
    for label, sentences in (("Fallback", plan.summary.fallbacks), ("Warning", plan.summary.warnings)):
        for sentence in sentences[:10]:
            console.print(f"[yellow]{label}[/yellow]: {sentence}")
        if len(sentences) > 10:
            console.print(f"... and {len(sentences) - 10} more; all are in the plan's summary", style="dim")


@contextmanager
def progress_bar(title: str) -> Iterator[Report]:
    """Show a bar for a long step; yields the callable that moves it."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=False) as bars:
        task = bars.add_task(title, total=1.0)

        def report(step: str, fraction: float) -> None:
            bars.update(task, completed=fraction, description=f"{title}: {step}" if fraction < 1 else title)

        yield report
        bars.update(task, completed=1.0, description=title)
