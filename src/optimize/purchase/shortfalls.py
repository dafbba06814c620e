"""Orders already placed that a plan leaves uncovered: how many, and which limit to lift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimize.purchase.binding import next_case_yuan, one_case_saves
from optimize.purchase.costs import spend_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.feasible import over_share, zone_room
from optimize.purchase.groups import NEVER

UNCOVERED_UNITS = 0.5
"""Confirmed units a plan may miss without a word: less than the half of one."""


def uncovered_units(data: PurchaseData, cases: Ints) -> Floats:
    """Return the confirmed units each cell lacks, zero where it is half a unit or less or its campaign waits."""
    lack = data.cells["confirmed"].to_numpy(np.float64) - data.received(cases)
    return np.where((lack > UNCOVERED_UNITS) & (data.groups.level < NEVER), lack, 0.0)


def shortfalls(data: PurchaseData, cases: Ints, *, most: int | None = None) -> pd.DataFrame:
    """Return the orders already placed that a plan leaves uncovered, most units first.

    Parameters
    ----------
    most : int, optional
        Only so many, the largest.

    Returns
    -------
    DataFrame
        ``warehouse_id, sku_id, units_short, cases_short`` (of the best open offer, null without one), ``limit``
        (no offer, most cases, zone, budget, share, minimum order, minimum cases, price), ``cure``.
    """
    lack = uncovered_units(data, cases)
    short = np.flatnonzero(lack > 0)
    look = _Look.at(data, cases)
    rows = []
    for c in short[np.argsort(-lack[short], kind="stable")][:most].tolist():
        own = np.arange(*np.searchsorted(data.offers["cell"], [c, c + 1]))
        own = own[data.offers["max_cases"].to_numpy()[own] > 0]
        limit, cure, per_case = "no offer", "Find a supplier that can still deliver it.", np.nan
        if len(own):
            limit, cure, per_case = _why_short(data, cases, look, own, float(lack[c]))
        rows.append(
            {
                "warehouse_id": data.cells["warehouse_id"].iloc[c],
                "sku_id": data.cells["sku_id"].iloc[c],
                "units_short": lack[c],
                "cases_short": np.ceil(lack[c] / per_case - 1e-9),
                "limit": limit,
                "cure": cure,
            }
        )
    return pd.DataFrame(rows, columns=["warehouse_id", "sku_id", "units_short", "cases_short", "limit", "cure"])


@dataclass(frozen=True)
class _Look:
    """What every question about a plan needs, worked out once."""

    saves: Floats
    room: Floats
    budget_left: float
    next_yuan: Floats
    spend: Floats
    share_holds: bool

    @classmethod
    def at(cls, data: PurchaseData, cases: Ints) -> _Look:
        goods = data.goods_yuan(cases)
        return cls(
            saves=one_case_saves(data, cases),
            room=zone_room(data, cases),
            budget_left=data.budget_left_yuan - float(goods.sum()),
            next_yuan=next_case_yuan(data),
            spend=spend_yuan(data, goods),
            share_holds=not over_share(data, cases).any(),
        )


def _why_short(data: PurchaseData, cases: Ints, look: _Look, own: Ints, lack: float) -> tuple[str, str, float]:
    """Return the limit that keeps the open offers of a SKU from bringing more, the cure, and units per case."""
    best = int(own[np.argmax(look.saves[own])])
    per_case = float(data.column("offers", "received_per_case")[best])
    free = own[cases[own] < data.offers["max_cases"].to_numpy(np.int64)[own]]
    if not len(free):
        return "most cases", f"Ask {_supplier(data, best)!r} for more cases: all offers are sold out.", per_case
    zone = int(data.offers["zone"].iloc[best])
    if (data.column("offers", "case_units")[free] > look.room[zone]).all():
        name, place = data.zones["temperature_zone"].iloc[zone], data.zones["warehouse_id"].iloc[zone]
        needed = lack - max(look.room[zone], 0.0)
        return "zone", f"Raise the inbound capacity of the {name} zone of {place!r} by {needed:.0f} units.", per_case
    if (look.next_yuan[free] > look.budget_left + 1e-9).all():
        needed = lack / per_case * look.next_yuan[best] - look.budget_left
        return "budget", f"Raise the budget by {needed:.2f} yuan.", per_case
    o = int(free[np.argmax(look.saves[free])])
    more = cases.copy()
    more[o] += 1
    if look.share_holds and over_share(data, more).any():
        share = data.offers["max_share"].iloc[o]
        return "share", f"Let {_supplier(data, o)!r} bring more than {share:.0%} of it.", per_case
    least = int(data.bands.loc[data.bands["offer"] == o, "from_cases"].min())
    if cases[o] == 0 and least > 1:
        return "minimum cases", f"Ask {_supplier(data, o)!r} for fewer than {least} cases.", per_case
    s = int(data.offers["supplier"].iloc[o])
    minimum = float(data.suppliers["min_order_yuan"].iloc[s])
    if look.spend[s] < minimum:
        return "minimum order", f"Lower the minimum order of {_supplier(data, o)!r}, {minimum:.2f} yuan.", per_case
    return "price", "Nothing forbids it: more would cost more than the orders it covers are worth.", per_case


def _supplier(data: PurchaseData, offer: int) -> str:
    return str(data.offers["supplier_id"].iloc[offer])
