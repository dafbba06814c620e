"""What a planner should know of a plan besides its lines."""

from __future__ import annotations

import numpy as np

from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.rows import rows_of
from optimize.purchase.shortfalls import shortfalls, uncovered_units

MOST_NAMED = 3
"""SKUs a sentence names; the whole list is `explain(...).shortfalls`."""


def plan_notes(data: PurchaseData, cases: Ints) -> list[str]:
    """Return warnings about confirmed orders that a zone cannot take in or that the plan leaves short."""
    return [*_zones_below_confirmed(data), *_confirmed_short(data, cases)]


def _zones_below_confirmed(data: PurchaseData) -> list[str]:
    cells, told = data.cells, []
    missing = (cells["confirmed"] - cells["on_hand"]).clip(lower=0.0).to_numpy(np.float64)
    for row in rows_of(data.zones):
        here = ((cells["warehouse_id"] == row.warehouse_id) & (cells["zone"] == row.temperature_zone)).to_numpy()
        needed = float(missing[here].sum())
        if needed > row.capacity_units + 1e-6:
            told.append(
                f"The {row.temperature_zone} zone of {row.warehouse_id!r} can receive {row.capacity_units:.0f} units, "
                f"the confirmed orders alone need {needed:.0f}: at least {needed - row.capacity_units:.0f} units "
                f"already ordered will be missing unless its inbound capacity is raised."
            )
    return told


def _confirmed_short(data: PurchaseData, cases: Ints) -> list[str]:
    """Name the confirmed orders that stay uncovered, the largest first, with the limit to lift."""
    lack = uncovered_units(data, cases)
    if not lack.any():
        return []
    names = []
    for row in rows_of(shortfalls(data, cases, most=MOST_NAMED)):
        packs = "" if np.isnan(row.cases_short) else f" ({row.cases_short:.0f} cases)"
        names.append(f"{row.sku_id!r} at {row.warehouse_id!r} {row.units_short:.0f} units{packs} - {row.cure}")
    told = f"{lack.sum():.0f} units that are already ordered stay uncovered, over {int((lack > 0).sum())} SKUs; most: "
    return [told + " ".join(names)]
