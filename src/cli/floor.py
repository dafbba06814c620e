"""Commands of the floor and of the dispatcher: revise, people, homes, notices."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from cli.context import city_of
from cli.show import console, progress_bar, show_table
from store import export_tables


class Unreported(StrEnum):
    """What a task of an ended wave that nobody reported counts as."""

    SORTED = "sorted"
    OPEN = "open"


PlanId = Annotated[str, typer.Argument(help="Plan id, as `tuancai plans` lists them.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the `tuancai` command."""
    for command in (revise, people, homes, notices):
        app.command()(command)


def revise(
    context: typer.Context,
    plan_id: PlanId,
    at: Annotated[str, typer.Option(help="Moment: 03:10 of the delivery date, 23:40-1 of the evening before.")],
    progress: Annotated[
        Path | None, typer.Option(help="What stations report: task keys with sorted, short, damaged, over units.")
    ] = None,
    cancel: Annotated[list[str] | None, typer.Option(help="Community that is not delivered to; repeatable.")] = None,
    late: Annotated[Path | None, typer.Option(help="Late orders: a file of community, SKU, units.")] = None,
    freeze: Annotated[list[str] | None, typer.Option(help="Route that stays as it is; repeatable.")] = None,
    unreported: Annotated[
        Unreported, typer.Option(help="Tasks of ended waves without a report: sorted whole, or open: planned again.")
    ] = Unreported.SORTED,
    out: Annotated[Path | None, typer.Option(help="Write every artefact to this directory.")] = None,
) -> None:
    """Revise a plan that is out: sort the rest again, mend the routes, change as little as pays. 改派重排。"""
    from pipeline.late import Late, LateOrders, read_late_orders, read_progress

    city = city_of(context)
    day = pd.Timestamp(city.desk.store.plan_summary(plan_id).delivery_date)
    changes = Late(
        progress=None if progress is None else read_progress(progress),
        orders=LateOrders.empty() if late is None else read_late_orders(late),
        cancelled=tuple(cancel or ()),
        frozen=tuple(freeze or ()),
        unreported=unreported.value,
    )
    as_of = city.moment(f"{at}+0" if re.match(r"^\d?\d:\d\d$", at) else at, day)
    with progress_bar(f"Revise {plan_id}") as report:
        made = city.desk.revise(plan_id, changes, as_of=as_of)
        report("planned", 1.0)
    for sentence in made.said:
        console.print(sentence)
    missing = made.left.lacking[made.left.lacking["short_units"] > 0]
    if len(missing):
        show_table("Missing for good", missing, most=30)
    if len(made.plan.unserved):
        show_table("Not served", made.plan.unserved, most=30)
    console.print(f"[bold]Plan {made.plan.summary.plan_id}[/bold], {made.plan.summary.costs_yuan['total']:,.2f} yuan.")
    if out is not None:
        city.desk.export(made.plan, out)
        console.print(f"Artefacts in {out}")


def people(
    context: typer.Context,
    plan_id: PlanId,
    out: Annotated[Path | None, typer.Option(help="Write to this XLSX file.")] = None,
) -> None:
    """Show people, stations and vans to book for a median and a busy outcome of the order book. 排班订车。"""
    from pipeline.replan import people_to_book

    city = city_of(context)
    plan = city.desk.saved_plan(plan_id)
    booking = people_to_book(plan, city.desk.store.reference(plan.summary.delivery_date), city.settings)
    first = ["quantile", "warehouse_id", "temperature_zone", "units", "workers", "worker_hours", "stations"]
    short = [name for name in ("overtime_hours", "workers_missing", "stations_missing") if booking.floors[name].any()]
    show_table("People and stations to book", booking.floors[[*first, *short]], most=60)
    show_table("Vans to book, at least", booking.vans, most=60)
    for sentence in booking.warnings:
        console.print(f"[yellow]Warning[/yellow]: {sentence}")
    if out is not None:
        sheets = {"人员 people": booking.floors, "车辆 vans": booking.vans}
        console.print(f"Written: {export_tables(sheets, out, headers='both')}")


def homes(context: typer.Context, plan_id: PlanId) -> None:
    """Show what communities free to change their warehouse would save on this night. 社区归仓建议。"""
    from pipeline.homes import homes_of

    city = city_of(context)
    plan = city.desk.saved_plan(plan_id)
    found = homes_of(city.desk.store.reference(plan.summary.delivery_date), plan.allotments, city.settings)
    console.print(found.sentence)
    movers = found.homes[found.homes["warehouse_now"] != found.homes["warehouse_free"]]
    show_table("Would change", movers, most=40)
    show_table("Share of the regular worker-hours", found.floors, most=40)


def notices(
    context: typer.Context,
    plan_id: PlanId,
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse.")] = None,
    english: Annotated[bool, typer.Option("--english", help="In English.")] = False,
) -> None:
    """Print what each community will not get, ready to send before the vans leave. 缺货通知。"""
    from pipeline.papers import notices_of

    city = city_of(context)
    plan, reference = city.desk.saved_plan(plan_id), city.desk.store.reference()
    told = notices_of(plan, reference, warehouse_id=warehouse, language="en" if english else "zh")
    if told.empty:
        console.print("Nobody misses anything. 没有缺货。")
    for text in told["text"]:
        console.print(text, markup=False, highlight=False, soft_wrap=True)
