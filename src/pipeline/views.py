"""What people read of a plan: demand, costs, orders per supplier, loads, routes - small tables made from its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.plan import PlanSummary
from contracts.world import Reference
from pipeline.plan import NightPlan


def stage_view(summary: PlanSummary) -> pd.DataFrame:
    """Return one row per stage: status, cost, gap in per cent, seconds, what stopped it."""
    return pd.DataFrame(
        [
            {
                "stage": stage.stage,
                "status": stage.status.value,
                "cost_yuan": stage.cost_yuan,
                "gap_percent": None if stage.gap is None else round(100 * stage.gap, 3),
                "seconds": round(stage.seconds, 1),
                "stopped_by": stage.stopped_by,
            }
            for stage in summary.stages
        ]
    )


def demand_view(plan: NightPlan) -> pd.DataFrame:
    """Return units per warehouse: confirmed, still expected, final, and the share confirmed in per cent."""
    rows = plan.order_book[plan.order_book["level"] == "warehouse"]
    units = rows.groupby("place_id", as_index=False)[["confirmed", "remaining_mean", "final_mean"]].sum()
    share = 100 * units["confirmed"] / units["final_mean"].where(units["final_mean"] > 0)
    return units.rename(columns={"place_id": "warehouse_id"}).assign(confirmed_percent=share.round(1))


def cost_view(summary: PlanSummary) -> pd.DataFrame:
    """Return the cost breakdown in yuan; the last row is the total of the others."""
    return pd.DataFrame({"cost": list(summary.costs_yuan), "yuan": list(summary.costs_yuan.values())})


def supplier_view(plan: NightPlan, reference: Reference) -> pd.DataFrame:
    """Return one row per supplier: lines, cases, units, amount; the amounts are sums of rounded lines."""
    lines = plan.purchase_lines
    orders = lines.groupby("supplier_id", as_index=False).agg(
        lines=("sku_id", "size"),
        cases=("cases", "sum"),
        units=("units", "sum"),
        locked_lines=("locked", "sum"),
        amount_yuan=("amount_yuan", "sum"),
    )
    orders["amount_yuan"] = orders["amount_yuan"].round(2)
    names = reference.suppliers[["supplier_id", "name", "order_deadline"]]
    return orders.merge(names, on="supplier_id", how="left").sort_values(
        ["amount_yuan", "supplier_id"], ascending=[False, True], ignore_index=True
    )


def order_view(plan: NightPlan, reference: Reference, supplier_id: str | None = None) -> pd.DataFrame:
    """Return purchase lines with names, by warehouse and arrival; of one supplier if given."""
    lines = plan.purchase_lines
    if supplier_id is not None:
        lines = lines[lines["supplier_id"] == supplier_id]
    named = (
        lines.merge(reference.skus[["sku_id", "name", "unit"]], on="sku_id", how="left")
        .merge(
            reference.offers[["supplier_id", "sku_id", "warehouse_id", "case_units"]],
            on=["supplier_id", "sku_id", "warehouse_id"],
            how="left",
        )
        .merge(
            reference.lanes[["supplier_id", "warehouse_id", "arrives_at"]],
            on=["supplier_id", "warehouse_id"],
            how="left",
        )
    )
    columns = [
        "supplier_id",
        "warehouse_id",
        "arrives_at",
        "sku_id",
        "name",
        "unit",
        "case_units",
        "cases",
        "units",
        "unit_price_yuan",
        "amount_yuan",
        "locked",
        "reason",
    ]
    return named[columns].sort_values(["supplier_id", "warehouse_id", "arrives_at", "sku_id"], ignore_index=True)


def load_view(plan: NightPlan) -> pd.DataFrame:
    """Return load and people per warehouse, zone and wave."""
    return plan.wave_loads.sort_values(["warehouse_id", "temperature_zone", "wave"], ignore_index=True)


def sorting_view(
    plan: NightPlan,
    reference: Reference,
    *,
    warehouse_id: str | None = None,
    temperature_zone: str | None = None,
    wave: int | None = None,
) -> pd.DataFrame:
    """Return sorting assignments with names, in the order they are worked: wave, station, SKU, slot."""
    tasks = plan.sorting_tasks
    for column, wanted in (("warehouse_id", warehouse_id), ("temperature_zone", temperature_zone), ("wave", wave)):
        if wanted is not None:
            tasks = tasks[tasks[column] == wanted]
    return named_tasks(tasks.take(working_order(tasks)), reference)


def working_order(tasks: pd.DataFrame) -> NDArray[np.int64]:
    """Return the positions of sorting tasks in the order they are worked: wave, station, SKU, slot of each zone.

    As `DataFrame.sort_values` would have them, without moving half a million rows to show a hundred.
    """
    key, numbers = np.zeros(len(tasks), np.int64), 1
    for column in ("warehouse_id", "temperature_zone", "wave", "station", "sku_id", "slot"):
        rank, values = pd.factorize(tasks[column], sort=True)  # ranks are the digits of one number
        if numbers * len(values) > np.iinfo(np.int64).max:
            key, numbers = pd.factorize(key, sort=True)[0], len(tasks)
        key, numbers = key * max(len(values), 1) + rank, numbers * max(len(values), 1)
    return np.argsort(key, kind="stable")


def named_tasks(tasks: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Return sorting tasks, in their order, with the names of SKU and destination."""
    goods = reference.skus[["sku_id", "name"]]
    places = reference.communities[["community_id", "name"]].rename(
        columns={"community_id": "destination_id", "name": "destination"}
    )
    return tasks.merge(goods, on="sku_id", how="left").merge(places, on="destination_id", how="left")


def trip_view(plan: NightPlan, base_id: str | None = None) -> pd.DataFrame:
    """Return one row per van trip, of one base if given."""
    trips = plan.trips if base_id is None else plan.trips[plan.trips["base_id"] == base_id]
    return trips.sort_values(["base_id", "route_id", "trip"], ignore_index=True)


def stop_view(plan: NightPlan, reference: Reference, base_id: str | None = None) -> pd.DataFrame:
    """Return the stops in driving order with the communities' names."""
    stops = plan.route_stops if base_id is None else plan.route_stops[plan.route_stops["base_id"] == base_id]
    named = stops.merge(reference.communities[["community_id", "name"]], on="community_id", how="left")
    return named.sort_values(["base_id", "route_id", "trip", "seq"], ignore_index=True)


def shortage_view(plan: NightPlan, skus: pd.DataFrame) -> pd.DataFrame:
    """Return the SKU x warehouse rows with money at stake, the largest first."""
    stake = plan.coverage["short_yuan"] + plan.coverage["surplus_yuan"].clip(lower=0)
    rows = plan.coverage.assign(at_stake_yuan=stake)
    rows = rows[rows["at_stake_yuan"] > 0].merge(skus[["sku_id", "name"]], on="sku_id", how="left")
    columns = [
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
    ranked = rows.sort_values(["at_stake_yuan", "sku_id"], ascending=[False, True], ignore_index=True)
    return ranked[columns]


def plan_list(summaries: list[PlanSummary]) -> pd.DataFrame:
    """Return one row per plan, the latest delivery date and moment first."""
    rows = [
        {
            "plan_id": plan.plan_id,
            "delivery_date": str(plan.delivery_date),
            "as_of": pd.Timestamp(plan.as_of),
            "status": plan.status.value,
            "total_yuan": plan.costs_yuan["total"],
            "model": plan.model_version,
            "warnings": len(plan.warnings),
            "after": plan.after or "",
            "what_if": "" if plan.what_if is None else plan.what_if.sentence,
        }
        for plan in summaries
    ]
    columns = ["plan_id", "delivery_date", "as_of", "status", "total_yuan", "model", "warnings", "after", "what_if"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["delivery_date", "as_of", "plan_id"], ascending=[False, False, True], ignore_index=True
    )
