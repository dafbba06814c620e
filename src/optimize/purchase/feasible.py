"""Quick tests of the limits that tie SKUs together, for searches; the last word has `check`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimize.purchase.costs import spend_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints

Flags = NDArray[np.bool_]
OVER_YUAN = 1e6
"""Price of breaking a limit at all, in searches only: far above any plan's saving."""
OVER_UNIT_YUAN = 1e4
"""Price of each unit or yuan a limit is broken by, so that a search finds its way back."""


def zone_room(data: PurchaseData, cases: Ints) -> Floats:
    """Return units each zone can still receive after these cases; negative where too much is bought."""
    units = cases * data.column("offers", "case_units")
    bought = np.bincount(data.offers["zone"], weights=units, minlength=len(data.zones))
    room = np.maximum(data.column("zones", "capacity_units") - data.column("zones", "taken_units"), 0.0)
    return np.asarray(room - bought, dtype=np.float64)


def broken_suppliers(data: PurchaseData, cases: Ints) -> Ints:
    """Return suppliers that are ordered from below their minimum order."""
    new = np.bincount(data.offers["supplier"], weights=cases, minlength=len(data.suppliers)) > 0
    spend = spend_yuan(data, np.round(data.goods_yuan(cases), 2))
    return np.flatnonzero(new & (spend < data.column("suppliers", "min_order_yuan") - 1e-9))


def over_share(data: PurchaseData, cases: Ints) -> Flags:
    """Return per offer whether these cases put its supplier beyond its largest share of the SKU x warehouse."""
    share = data.column("offers", "max_share")
    if not (share < 1.0).any():
        return np.zeros(len(cases), dtype=bool)
    cell, units = data.offers["cell"].to_numpy(np.int64), data.column("offers", "case_units")
    own = (cases + data.column("offers", "locked_cases")) * units
    total = data.column("cells", "locked_units") + np.bincount(cell, cases * units, minlength=len(data.cells))
    return np.asarray((cases > 0) & (own > share * total[cell] + 1e-9))


def broken_yuan(data: PurchaseData, cases: Ints) -> float:
    """Return a price on broken limits, zero where none is: searches compare plans with it added."""
    over = np.maximum(-zone_room(data, cases), 0.0)
    spend = spend_yuan(data, np.round(data.goods_yuan(cases), 2))
    used = data.suppliers["has_locked"].to_numpy(bool) | (
        np.bincount(data.offers["supplier"], weights=cases, minlength=len(data.suppliers)) > 0
    )
    below = np.where(used, np.maximum(data.column("suppliers", "min_order_yuan") - spend - 1e-6, 0.0), 0.0)
    beyond = max(float(data.goods_yuan(cases).sum()) - data.budget_left_yuan - 1e-6, 0.0)
    count = (over > 1e-6).sum() + (below > 0).sum() + (beyond > 0)
    return float(OVER_YUAN * count + OVER_UNIT_YUAN * (over.sum() + below.sum() + beyond))
