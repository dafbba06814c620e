"""What stands behind a plan: limits that bind and what they are worth, rebates reached and near, what chance costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimize.purchase.binding import binding_limits
from optimize.purchase.costs import lane_kg, rebate_yuan, spend_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.plan import PurchasePlan
from optimize.purchase.shortfalls import shortfalls


@dataclass(frozen=True)
class Insight:
    """Answers to a planner's questions about a plan.

    Attributes
    ----------
    limits : DataFrame
        Limits that bind, the dearest first, and what one more unit of each is worth; see `binding_limits`.
    shortfalls : DataFrame
        Orders already placed that the plan leaves uncovered, with the limit to lift; see `shortfalls`.
    rebates : DataFrame
        Per supplier ordered from: ``supplier_id, spend_yuan, rebate_rate, rebate_yuan, next_from_yuan, missing_yuan,
        next_rate, next_saves_yuan`` (what reaching the next level would give back; null at the highest).
    trucks : DataFrame
        Per lane by truck: ``supplier_id, warehouse_id, load_kg, trucks, free_kg``.
    confirmed_yuan, uncertainty_yuan : float
        The plan's cost apart from chance, and what chance costs: expected shortage, and left-over units at what was
        paid for a unit less what they bring.
    asking_again_yuan : float
        Part of the expected shortage cost that is saved if what is missing at the last normal deadline is ordered then.
    """

    limits: pd.DataFrame
    shortfalls: pd.DataFrame
    rebates: pd.DataFrame
    trucks: pd.DataFrame
    confirmed_yuan: float
    uncertainty_yuan: float
    asking_again_yuan: float


def explain(data: PurchaseData, plan: PurchasePlan) -> Insight:
    """Return what stands behind a plan of this problem."""
    cases = decided_cases(data, plan)
    chance, units = _uncertainty(plan), data.received(cases)
    return Insight(
        limits=binding_limits(data, cases),
        shortfalls=shortfalls(data, cases),
        rebates=_rebates(data, cases),
        trucks=_trucks(data, cases),
        confirmed_yuan=plan.costs["total"] - chance,
        uncertainty_yuan=chance,
        asking_again_yuan=float(data.recourse.short_yuan(units).sum() - data.asking_again.short_yuan(units).sum()),
    )


def decided_cases(data: PurchaseData, plan: PurchasePlan) -> Ints:
    """Return the additional cases per offer that a plan's lines hold."""
    key = ["supplier_id", "sku_id", "warehouse_id"]
    total = plan.lines.set_index(key)["cases"]
    cases = total.reindex(pd.MultiIndex.from_frame(data.offers[key]), fill_value=0).to_numpy(np.int64)
    return np.asarray(cases - data.offers["locked_cases"].to_numpy(np.int64), dtype=np.int64)


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
