"""Commands about plans: plan, plans, show, orders, sorting, loads, routes, export, rerun."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from cli.context import city_of, day_of
from cli.show import console, progress_bar, show_plan, show_table
from contracts.errors import InputError
from pipeline import views
from pipeline.order_words import order_text
from pipeline.risk_outside import read_outside
from pipeline.risk_papers import risk_brief, risk_sheets
from pipeline.risk_words import chat_text
from store import export_tables


class PaperLanguage(StrEnum):
    """Languages papers are printed in."""

    ZH = "zh"
    EN = "en"


PlanId = Annotated[str, typer.Argument(help="Plan id, as `tuancai plans` lists them.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the `tuancai` command."""
    for command in (plan, plans, show, risk, orders, sorting, loads, routes, export, rerun):
        app.command()(command)


def plan(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="Delivery date, e.g. 2026-03-01.")],
    as_of: Annotated[str, typer.Option(help="cutoff, 18:00 (the evening before), or a moment.")] = "cutoff",
    after: Annotated[str | None, typer.Option(help="Plan whose purchase orders are sent already.")] = None,
    begin: Annotated[
        str | None, typer.Option(help="Plan of the date the search begins from; previous: the one before.")
    ] = None,
    stay_near: Annotated[bool, typer.Option(help="Give each line that differs from --begin a price.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write every artefact to this directory.")] = None,
) -> None:
    """Plan a delivery date: purchase orders, sorting waves, routes. 生成计划。"""
    from pipeline.begin import Begin

    if stay_near and begin is None:
        raise InputError("--stay-near needs --begin: the plan to stay near, or previous.")
    city = city_of(context)
    day = day_of(date)
    with progress_bar(f"Plan {date} as of {as_of}") as report:
        start = None if begin is None else Begin(begin, stay_near=stay_near)
        made = city.desk.plan(day, city.moment(as_of, day), after=after, begin=start, progress=report)
    reference = city.desk.store.reference(day)
    show_plan(made, reference, timezone=city.settings.city.timezone)
    if out is not None:
        city.desk.export(made, out)
        console.print(f"Artefacts in {out}")


def plans(context: typer.Context) -> None:
    """List the plans in the store. 计划列表。"""
    show_table("Plans", views.plan_list(city_of(context).desk.store.plan_summaries()), most=50)


def show(context: typer.Context, plan_id: PlanId) -> None:
    """Show a plan. 查看计划。"""
    city = city_of(context)
    made = city.desk.saved_plan(plan_id)
    show_plan(made, city.desk.store.reference(made.summary.delivery_date), timezone=city.settings.city.timezone)


def risk(
    context: typer.Context,
    plan_id: PlanId,
    since: Annotated[
        str | None,
        typer.Option(help="Only what changed since this earlier plan of the night; previous: the one before it."),
    ] = None,
    outside: Annotated[
        Path | None, typer.Option(help="Somebody else's estimate beside ours: a file of warehouse, SKU and units.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this CSV, XLSX or Parquet file.")] = None,
    chat: Annotated[str | None, typer.Option(help="Print the chat text of this warehouse instead.")] = None,
) -> None:
    """Show what may be short or left over at the cutoff, in yuan, and what to top up. 风险表。"""
    city = city_of(context)
    theirs = (
        None
        if outside is None
        else read_outside(outside, city.desk.store.reference(city.desk.store.plan_summary(plan_id).delivery_date))
    )
    table = city.desk.risk_table(plan_id, changed_since=since, outside=theirs)
    timezone = city.settings.city.timezone
    if out is not None:
        sheets = risk_sheets(table) if out.suffix.lower() == ".xlsx" else {"risk": table}
        export_tables(sheets, out, headers="both", timezone=timezone)
        console.print(f"{len(table):,} rows in {out}")
    if chat is not None:
        as_of = pd.Timestamp(city.desk.store.plan_summary(plan_id).as_of)
        text = chat_text(table, chat, as_of=as_of, timezone=timezone)
        console.print(text, markup=False, highlight=False, soft_wrap=True)
        return
    show_table("Risk as of the plan's moment", risk_brief(table), most=30, timezone=timezone)


def orders(
    context: typer.Context,
    plan_id: PlanId,
    supplier: Annotated[str | None, typer.Option(help="Only this supplier.")] = None,
    chat: Annotated[bool, typer.Option(help="Print the text for the chat of --supplier instead.")] = False,
    english: Annotated[bool, typer.Option(help="That text in English.")] = False,
) -> None:
    """Show purchase orders by supplier. 采购单。"""
    desk = city_of(context).desk
    made = desk.saved_plan(plan_id)
    reference = desk.store.reference(made.summary.delivery_date)
    if chat:
        if supplier is None:
            raise InputError("--chat needs --supplier: whose order is to be told.")
        sent = None if made.summary.after is None else desk.sent_lines(made.summary.after)
        text = order_text(made, reference, supplier, sent=sent, language="en" if english else "zh")
        console.print(text, markup=False, highlight=False, soft_wrap=True)
        return
    if supplier is None:
        show_table("Orders per supplier", views.supplier_view(made, reference), most=200)
    lines = views.order_view(made, reference, supplier)
    hidden = ["unit", "reason", *(["supplier_id"] if supplier else ["locked"])]
    show_table("Purchase lines", lines.drop(columns=hidden), most=500 if supplier else 30)
    console.print("The reason of each line is in the exported workbooks.", style="dim")


def sorting(
    context: typer.Context,
    plan_id: PlanId,
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse.")] = None,
    zone: Annotated[str | None, typer.Option(help="ambient, chilled or frozen.")] = None,
    wave: Annotated[int | None, typer.Option(help="Only this wave.")] = None,
) -> None:
    """Show sorting assignments by warehouse, zone and wave. 分拣任务。"""
    city = city_of(context)
    made = city.desk.saved_plan(plan_id)
    tasks = views.sorting_view(
        made,
        city.desk.store.reference(made.summary.delivery_date),
        warehouse_id=warehouse,
        temperature_zone=zone,
        wave=wave,
    )
    show_table("Sorting assignments", tasks, most=60, timezone=city.settings.city.timezone)


def loads(context: typer.Context, plan_id: PlanId) -> None:
    """Show loads and people per warehouse, zone and wave. 分拣负荷。"""
    city = city_of(context)
    view = views.load_view(city.desk.saved_plan(plan_id))
    show_table("Loads", view, most=200, timezone=city.settings.city.timezone)


def routes(
    context: typer.Context,
    plan_id: PlanId,
    warehouse: Annotated[str | None, typer.Option(help="Only routes from this warehouse or depot.")] = None,
) -> None:
    """Show routes and their stops. 配送路线。"""
    city = city_of(context)
    made, timezone = city.desk.saved_plan(plan_id), city.settings.city.timezone
    show_table("Trips", views.trip_view(made, warehouse), most=200, timezone=timezone)
    stops = views.stop_view(made, city.desk.store.reference(made.summary.delivery_date), warehouse)
    show_table("Stops", stops, most=400 if warehouse else 60, timezone=timezone)
    if len(made.unserved):
        show_table("Not served", made.unserved, most=200)


def export(
    context: typer.Context,
    plan_id: PlanId,
    out: Annotated[Path, typer.Option(help="Directory to write to.")],
    language: Annotated[PaperLanguage, typer.Option(help="Of what is printed: zh or en.")] = PaperLanguage.ZH,
    customers: Annotated[
        Path | None, typer.Option(help="File of order and name: printed masked on hand-out sheets, not kept.")
    ] = None,
) -> None:
    """Write a plan's artefacts: CSV of every table, workbooks per supplier and per warehouse, papers. 导出。"""
    from pipeline.late import read_customers
    from pipeline.papers import PaperWishes

    city = city_of(context)
    names = None if customers is None else read_customers(customers)
    written = city.desk.export(
        city.desk.saved_plan(plan_id), out, wishes=PaperWishes(language=language.value, customers=names)
    )
    console.print(f"{len(written)} files in {out}")


def rerun(context: typer.Context, plan_id: PlanId) -> None:
    """Plan again from the same inputs and say whether the plan is the same. 重算核对。"""
    from pipeline.replay import rerun_plan

    with progress_bar(f"Rerun {plan_id}") as report:
        outcome = rerun_plan(city_of(context).desk, plan_id, progress=report)
    console.print(outcome.sentence)
    if not outcome.identical:
        raise typer.Exit(1)
