"""What stands behind a plan: limits that bind and what they are worth, rebates reached and near, what chance costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimize.purchase.costs import lane_kg, rebate_yuan, spend_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.feasible import zone_room
from optimize.purchase.plan import PurchasePlan


@dataclass(frozen=True)
class Insight:
    """Answers to a planner's questions about a plan.

    Attributes
    ----------
    limits : DataFrame
        Limits that bind, the dearest first: ``kind`` (zone, offer), ``where``, ``used``, ``limit``, ``worth_yuan``
        (what one more unit of a zone, one more case of an offer, would save at least), ``cure``.
    rebates : DataFrame
        Per supplier ordered from: ``supplier_id, spend_yuan, rebate_rate, rebate_yuan, next_from_yuan, missing_yuan,
        next_rate, next_saves_yuan`` (what reaching the next level would give back; null at the highest).
    trucks : DataFrame
        Per lane by truck: ``supplier_id, warehouse_id, load_kg, trucks, free_kg``.
    confirmed_yuan, uncertainty_yuan : float
        The plan's cost apart from chance, and what chance costs: expected shortage, and left-over units at what was
        paid for a unit less what they bring.
    """

    limits: pd.DataFrame
    rebates: pd.DataFrame
    trucks: pd.DataFrame
    confirmed_yuan: float
    uncertainty_yuan: float


def explain(data: PurchaseData, plan: PurchasePlan) -> Insight:
    """Return what stands behind a plan of this problem."""
    cases = decided_cases(data, plan)
    chance = _uncertainty(plan)
    return Insight(
        limits=_limits(data, cases),
        rebates=_rebates(data, cases),
        trucks=_trucks(data, cases),
        confirmed_yuan=plan.costs["total"] - chance,
        uncertainty_yuan=chance,
    )


def decided_cases(data: PurchaseData, plan: PurchasePlan) -> Ints:
    """Return the additional cases per offer that a plan's lines hold."""
    key = ["supplier_id", "sku_id", "warehouse_id"]
    total = plan.lines.set_index(key)["cases"]
    cases = total.reindex(pd.MultiIndex.from_frame(data.offers[key]), fill_value=0).to_numpy(np.int64)
    return np.asarray(cases - data.offers["locked_cases"].to_numpy(np.int64), dtype=np.int64)


def one_case_saves(data: PurchaseData, cases: Ints) -> Floats:
    """Return per offer what one more case would save by what it brings: less shortage, for its price and freight.

    The price is that of the highest band at the supplier's present rebate; minima, capacity and thresholds are not
    looked at.
    """
    last = data.bands.groupby("offer")["yuan_per_case"].last().reindex(range(len(data.offers))).to_numpy(np.float64)
    spend = spend_yuan(data, data.goods_yuan(cases))
    rate = np.divide(rebate_yuan(data, spend), spend, out=np.zeros_like(spend), where=spend > 0)
    supplier, cell = data.offers["supplier"].to_numpy(np.int64), data.offers["cell"].to_numpy(np.int64)
    received = data.received(cases)[cell]
    after = data.recourse.cost_yuan(received + data.column("offers", "received_per_case"), cell)
    gain = data.recourse.cost_yuan(received, cell) - after
    return np.asarray(gain - last * (1.0 - rate[supplier]) - data.column("offers", "freight_yuan_per_case"))


def _limits(data: PurchaseData, cases: Ints) -> pd.DataFrame:
    saves = one_case_saves(data, cases)
    room = zone_room(data, cases)
    units = data.column("offers", "case_units")
    rows = []
    zone_of = data.offers["zone"].to_numpy(np.int64)
    free = (cases + 1 <= data.offers["max_cases"].to_numpy()) & (saves > 0.005)
    for z in range(len(data.zones)):
        stuck = free & (zone_of == z) & (units > room[z])
        if stuck.any():
            o = int(np.flatnonzero(stuck)[np.argmax((saves / units)[stuck])])
            place, zone = data.zones["warehouse_id"].iloc[z], data.zones["temperature_zone"].iloc[z]
            limit = float(data.zones["capacity_units"].iloc[z])
            cure = f"Raise the inbound capacity of the {zone} zone: {data.offers['sku_id'].iloc[o]!r} would come next."
            rows.append(("zone", f"{place} {zone}", limit - float(room[z]), limit, float(saves[o] / units[o]), cure))
    sold_out = (cases > 0) & (cases == data.offers["max_cases"].to_numpy()) & (saves > 0.005)
    for o in np.flatnonzero(sold_out).tolist():
        own = data.offers.iloc[o]
        where = f"{own['supplier_id']} {own['sku_id']} {own['warehouse_id']}"
        most = float(cases[o] + own["locked_cases"])
        cure = f"Ask {own['supplier_id']!r} for more than {most:.0f} cases."
        rows.append(("offer", where, most, most, float(saves[o]), cure))
    table = pd.DataFrame(rows, columns=["kind", "where", "used", "limit", "worth_yuan", "cure"])
    return table.sort_values(["worth_yuan", "where"], ascending=[False, True], ignore_index=True)


def _rebates(data: PurchaseData, cases: Ints) -> pd.DataFrame:
    spend = spend_yuan(data, data.goods_yuan(cases))
    back = rebate_yuan(data, spend)
    tiers = data.tiers.assign(spend=spend[data.tiers["supplier"]])
    ahead = tiers[tiers["from_yuan"] > tiers["spend"] + 1e-9].groupby("supplier").first()
    ahead = ahead.reindex(range(len(spend)))
    rate = np.divide(back, spend, out=np.zeros_like(spend), where=spend > 0)
    table = pd.DataFrame(
        {
            "supplier_id": data.suppliers["supplier_id"],
            "spend_yuan": spend.round(2),
            "rebate_rate": rate,
            "rebate_yuan": back.round(2),
            "next_from_yuan": ahead["from_yuan"],
            "missing_yuan": (ahead["from_yuan"] - spend).round(2),
            "next_rate": ahead["rebate_rate"],
            "next_saves_yuan": (ahead["from_yuan"] * ahead["rebate_rate"] - back).round(2),
        }
    )
    return table[spend > 0].reset_index(drop=True)


def _trucks(data: PurchaseData, cases: Ints) -> pd.DataFrame:
    kg, capacity = lane_kg(data, cases), data.column("lanes", "truck_capacity_kg")
    used = np.isfinite(capacity) & (kg > 0)
    trucks = np.ceil(kg[used] / capacity[used] - 1e-9).astype(np.int64)
    lanes = data.lanes.loc[used, ["supplier_id", "warehouse_id"]].reset_index(drop=True)
    return lanes.assign(load_kg=kg[used], trucks=trucks, free_kg=trucks * capacity[used] - kg[used])


def _uncertainty(plan: PurchasePlan) -> float:
    """Return what chance costs: shortage, and left-over units at the plan's mean unit cost less what they bring."""
    lines = plan.lines.groupby(["warehouse_id", "sku_id"])[["amount_yuan", "units"]].sum()
    paid = lines["amount_yuan"] / lines["units"]
    unit = paid.reindex(pd.MultiIndex.from_frame(plan.coverage[["warehouse_id", "sku_id"]])).fillna(0.0).to_numpy()
    left = float((unit * plan.coverage["expected_surplus"].to_numpy(np.float64)).sum())
    return plan.costs["expected_shortage"] + plan.costs["expected_surplus"] + left
