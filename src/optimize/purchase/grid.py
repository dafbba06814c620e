"""The grid of received units of each SKU x warehouse, exact where packs and fill rates allow."""

from __future__ import annotations

import numpy as np

from optimize.purchase.compiled import Grid
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints

_PIECE = 500_000
_UNIT = 1e-4
"""Units received per case are whole multiples of this, as far as a grid is called exact."""


def make_grid(data: PurchaseData, offer_slots: Ints, first_tier: Ints, *, most_steps: int, upward: bool) -> Grid:
    """Return the grid of a problem.

    A cell's step is the greatest common divisor of what its offers bring per case, if that needs at most `most_steps`
    steps to its highest demand; else the demand is cut into that many steps and received units are rounded: up, so
    that regret is never overstated and bounds hold, or to the nearest step.
    """
    cells = len(data.cells)
    cell = data.offers["cell"].to_numpy(np.int64)
    received = data.column("offers", "received_per_case")
    span = np.maximum(data.recourse.enough_units - data.base_units, 0.0)
    step = exact_steps(cell, received, cells)
    count = np.ceil(span / step - 1e-9)
    coarse = (count > most_steps) | ~np.isfinite(count)
    step = np.where(coarse, np.maximum(span, 1e-9) / most_steps, step)
    count = np.where(coarse, most_steps, count).astype(np.int64)
    cell_grid = np.concatenate([[0], np.cumsum(count + 1)]).astype(np.int64)
    regret = _regret(data, cell_grid, step)
    per_case = received / step[cell]
    per_case = np.where(coarse[cell], per_case, np.rint(per_case))
    return Grid(
        cell_offers=np.searchsorted(cell, np.arange(cells + 1)).astype(np.int64),
        cell_grid=cell_grid,
        regret=regret,
        offer_bands=np.searchsorted(data.bands["offer"], np.arange(len(cell) + 1)).astype(np.int64),
        offer_slots=offer_slots,
        first_tier=first_tier[data.offers["supplier"].to_numpy(np.int64)].astype(np.int64),
        steps_per_case=per_case.astype(np.float64),
        rounding=1.0 - 1e-9 if upward else 0.5,
        band_from=data.bands["from_cases"].to_numpy(np.int64),
        band_to=data.bands["to_cases"].to_numpy(np.int64),
        band_fixed=data.column("bands", "fixed_yuan"),
        band_slope=data.column("bands", "yuan_per_case"),
        band_side=data.column("bands", "side_yuan"),
    )


def _regret(data: PurchaseData, cell_grid: Ints, step: Floats) -> Floats:
    """Return the regret at every point, worked out in pieces: a city's grid at once would not fit the memory."""
    spot = np.repeat(np.arange(len(step)), np.diff(cell_grid))
    regret = np.empty(len(spot))
    for start in range(0, len(spot), _PIECE):
        piece = slice(start, start + _PIECE)
        at = spot[piece]
        units = data.base_units[at] + (np.arange(start, start + len(at)) - cell_grid[at]) * step[at]
        regret[piece] = np.maximum(data.recourse.regret_yuan(units, at), 0.0)
    return regret


def exact_steps(cell: Ints, received: Floats, cells: int) -> Floats:
    """Return per cell the greatest common divisor of its offers' units received per case (inf without offers)."""
    whole = np.rint(received / _UNIT).astype(np.int64)
    step = np.zeros(cells, dtype=np.int64)
    np.gcd.at(step, cell, whole)
    return np.where(step > 0, step * _UNIT, np.inf)
