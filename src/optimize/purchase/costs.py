"""What a choice of cases costs, part by part: the objective of every search, in exact yuan."""

from __future__ import annotations

import numpy as np

from contracts.money import line_amounts
from optimize.purchase.changes import changed_lines
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints

PARTS = ("goods", "rebates", "order_costs", "freight", "expected_shortage", "expected_surplus")
"""Cost parts in the order they are shown; with ``changed_lines`` of a replan and ``refunds`` of campaigns that do not
form they sum to ``total``."""


def spend_yuan(data: PurchaseData, line_yuan: Floats) -> Floats:
    """Return what each supplier is paid for goods, locked lines included, shape (suppliers,)."""
    new = np.bincount(data.offers["supplier"], weights=line_yuan, minlength=len(data.suppliers))
    return data.column("suppliers", "locked_yuan") + new


def rebate_yuan(data: PurchaseData, spend: Floats) -> Floats:
    """Return the rebate of each supplier: the best rate among the thresholds its spend reaches, on the whole spend."""
    supplier = data.tiers["supplier"].to_numpy(np.int64)
    reached = spend[supplier] >= data.column("tiers", "from_yuan") - 1e-9
    rate = np.zeros(len(data.suppliers))
    np.maximum.at(rate, supplier[reached], data.column("tiers", "rebate_rate")[reached])
    return rate * spend


def freight_yuan(data: PurchaseData, cases: Ints) -> Floats:
    """Return the freight of each lane: per kilogram, and whole trucks where freight is by truck, shape (lanes,)."""
    lane = data.offers["lane"].to_numpy(np.int64)
    lanes = len(data.lanes)
    per_kg = np.bincount(lane, weights=cases * data.column("offers", "freight_yuan_per_case"), minlength=lanes)
    kg = lane_kg(data, cases)
    trucks = np.ceil(kg / data.column("lanes", "truck_capacity_kg") - 1e-9)
    return data.column("lanes", "locked_freight_yuan") + per_kg + trucks * data.column("lanes", "truck_yuan")


def lane_kg(data: PurchaseData, cases: Ints) -> Floats:
    """Return the kilograms on each lane, locked lines included, shape (lanes,)."""
    lane = data.offers["lane"].to_numpy(np.int64)
    new = np.bincount(lane, weights=cases * data.column("offers", "kg_per_case"), minlength=len(data.lanes))
    return data.column("lanes", "locked_kg") + new


def price_out(data: PurchaseData, cases: Ints) -> dict[str, float]:
    """Return the expected cost of additional cases per offer: the parts of `PARTS` and their ``total``, in yuan.

    Goods are rounded line by line as on the order, and a rebate is judged on the rounded total.
    """
    line_yuan = line_amounts(np.ones(len(cases)), data.goods_yuan(cases))
    spend = spend_yuan(data, line_yuan)
    used = data.suppliers["has_locked"].to_numpy(bool) | (
        np.bincount(data.offers["supplier"], weights=cases, minlength=len(data.suppliers)) > 0
    )
    units = data.received(cases)
    parts = {
        "goods": float(spend.sum()),
        "rebates": -float(rebate_yuan(data, spend).sum()),
        "order_costs": float(data.column("suppliers", "order_cost_yuan")[used].sum()),
        "freight": float(freight_yuan(data, cases).sum()),
        "expected_shortage": float(data.recourse.short_yuan(units).sum()),
        "expected_surplus": float(data.recourse.surplus_yuan(units).sum()),
    }
    if data.previous is not None:
        parts["changed_lines"] = data.settings.change_yuan * changed_lines(data.offers, cases)
    if len(data.groups.decisions):
        parts["refunds"] = data.groups.refund_yuan
    return {**parts, "total": sum(parts.values())}
