"""Commands about a plan's purchase: explain, what-if, compare."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import typer

from cli.context import city_of
from cli.show import console, progress_bar, show_table
from contracts.errors import InputError

PlanId = Annotated[str, typer.Argument(help="Plan id, as `tuancai plans` lists them.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the `tuancai` command."""
    app.command()(explain)
    app.command("what-if")(what_if)
    app.command()(compare)


def explain(context: typer.Context, plan_id: PlanId) -> None:
    """Show what stands behind a purchase: limits that bind, rebates, trucks, campaigns, chance. 采购解释。"""
    from pipeline.purchase_questions import explain_purchase

    found, kept = explain_purchase(city_of(context).desk, plan_id)
    _say_stale(kept.stale)
    console.print(
        f"Certain cost {found.confirmed_yuan:,.2f} yuan, chance costs {found.uncertainty_yuan:,.2f}; asking again at "
        f"the last deadlines would save {found.asking_again_yuan:,.2f} of it."
    )
    show_table("Placed orders left uncovered", found.shortfalls, most=20)
    show_table("Limits that bind, and what one more unit is worth", found.limits, most=20)
    show_table("Rebates reached, and the next", found.rebates, most=40)
    if len(found.trucks):
        show_table("Trucks", found.trucks, most=40)
    if len(kept.plan.groups):
        zone = city_of(context).settings.city.timezone
        show_table("Campaigns with a threshold (成团)", kept.plan.groups, most=40, timezone=zone)


def what_if(
    context: typer.Context,
    plan_id: PlanId,
    without: Annotated[list[str] | None, typer.Option(help="Supplier that takes no order; may be repeated.")] = None,
    price: Annotated[list[str] | None, typer.Option(help="SUPPLIER=FACTOR on all its prices.")] = None,
    demand: Annotated[list[str] | None, typer.Option(help="SKU=FACTOR on what is not ordered yet; * for all.")] = None,
    lock: Annotated[list[str] | None, typer.Option(help="SUPPLIER/SKU/WAREHOUSE: this line stays.")] = None,
    budget: Annotated[float | None, typer.Option(help="Another budget in yuan.")] = None,
    seconds: Annotated[float, typer.Option(help="Seconds to plan again.", min=0.1)] = 10.0,
) -> None:
    """Plan the purchase again under other circumstances and show what changes; nothing is kept. 假设分析。"""
    from optimize.purchase import WhatIf
    from pipeline.purchase_questions import ask_what_if

    change = WhatIf(
        without_suppliers=tuple(without or ()),
        price_factor=_factors(price, "--price"),
        demand_factor=_factors(demand, "--demand"),
        lock=tuple(_line_key(text) for text in lock or ()),
        budget_yuan=budget,
    )
    with progress_bar("What if") as report:
        answer = ask_what_if(city_of(context).desk, plan_id, change, seconds=seconds)
        report("planned", 1.0)
    _say_stale(answer.stale)
    gap = answer.after.report.gap
    console.print(f"{answer.after.report.status}, gap {'unknown' if gap is None else f'{gap:.2%}'}")
    for sentence in answer.after.report.explanation:
        console.print(f"[yellow]Why[/yellow]: {sentence}")
    show_table("Cost in yuan", _beside(answer.before.costs, answer.after.costs), most=20)
    show_table("Lines that change", answer.changes, most=60)


def compare(
    context: typer.Context, plan_id: PlanId, other_id: Annotated[str, typer.Argument(help="The plan to compare with.")]
) -> None:
    """Compare two plans: cost by part, and purchase lines one by one. 方案对比。"""
    from optimize.purchase import change_sheet

    desk = city_of(context).desk
    before, after = desk.saved_plan(plan_id), desk.saved_plan(other_id)
    show_table("Cost in yuan", _beside(before.summary.costs_yuan, after.summary.costs_yuan), most=40)
    show_table("Demand in units", _beside(before.summary.demand_units, after.summary.demand_units))
    show_table("Lines that change", change_sheet(before.purchase_lines, after.purchase_lines), most=200)


def _beside(before: dict[str, float], after: dict[str, float]) -> pd.DataFrame:
    names = [name for name in before if name != "total"]
    names += [name for name in after if name not in before]
    names += ["total"] if "total" in before else []
    rows = [(name, before.get(name, 0.0), after.get(name, 0.0)) for name in names]
    table = pd.DataFrame(rows, columns=["part", "before", "after"])
    return table.assign(difference=table["after"] - table["before"])


def _factors(texts: list[str] | None, option: str) -> dict[str, float]:
    """Return name to factor of texts like S1=1.1.

    Raises
    ------
    InputError
        A text is not of that form.
    """
    found = {}
    for text in texts or ():
        name, _, factor = text.rpartition("=")
        try:
            found[name] = float(factor)
        except ValueError as unreadable:
            raise InputError(f"{option} {text!r} is no NAME=FACTOR, e.g. S1=1.1.") from unreadable
        if not name:
            raise InputError(f"{option} {text!r} is no NAME=FACTOR, e.g. S1=1.1.")
    return found


def _line_key(text: str) -> tuple[str, str, str]:
    parts = text.split("/")
    if len(parts) != 3:
        raise InputError(f"--lock {text!r} is no SUPPLIER/SKU/WAREHOUSE.")
    return parts[0], parts[1], parts[2]


def _say_stale(stale: tuple[str, ...]) -> None:
    if stale:
        console.print(f"[yellow]Not as when it was planned[/yellow]: {', '.join(stale)}; figures are on today's terms.")
