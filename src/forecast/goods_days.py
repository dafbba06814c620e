"""Every SKU of an area by day: units, communities offered it, and what ordinary days around say was to be expected.

What touches one good at a time (a promotion, a launch) is told apart from what touches all (the mood of a day) by
holding it against the ordinary goods of its category on the same day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.panel import Panel

AROUND_DAYS = 28
"""Days before and after a day that tell its ordinary level."""
LEAST_ORDINARY = 3.0
"""Ordinary days that must be among them."""
_THIN_UNITS = 20.0
"""Units at which a category's own course of a day counts as much as that of all goods, and theirs as an even day."""

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class GoodsDays:
    """Sales of SKUs in areas.

    Attributes
    ----------
    of_series : int64, n
        Position of each series' SKU in its area.
    category : int64, goods
    units, listed : float64, K x goods
        Units sold, and communities in which it was on sale.
    """

    of_series: NDArray[np.int64]
    category: NDArray[np.int64]
    units: Values
    listed: Values

    @classmethod
    def of(cls, panel: Panel) -> GoodsDays:
        """Return the sums of a panel's known days."""
        goods = panel.series.groupby(["area_id", "sku_id"], sort=False).ngroup().to_numpy().astype(np.int64)
        size = int(goods.max()) + 1
        category = np.zeros(size, np.int64)
        category[goods] = category_codes(panel)
        units, listed = np.zeros((panel.known, size)), np.zeros((panel.known, size))
        for row in range(panel.known):
            seen = np.isfinite(panel.quantity[row])
            listed[row] = np.bincount(goods[seen], minlength=size)
            units[row] = np.bincount(goods[seen], panel.quantity[row, seen].astype(np.float64), size)
        return cls(goods, category, units, listed)

    def usual(self, ordinary: Mask) -> Values:
        """Return the level of the `ordinary` days around, times the communities on sale; 0 where they are too few."""
        plain = np.where(ordinary, self.listed, 0.0)
        days, places, sold = (_around(each) for each in (plain > 0, plain, np.where(ordinary, self.units, 0.0)))
        return np.where(days >= LEAST_ORDINARY, sold / np.maximum(places, 1.0), 0.0) * self.listed

    def course(self, ordinary: Mask) -> Values:
        """Return how each day went for each good's category: `ordinary` cells' units over their usual; K x goods.

        NaN on days without any ordinary cell whose usual is known.
        """
        usual = self.usual(ordinary)
        kinds = int(self.category.max()) + 1
        out = np.full(self.units.shape, np.nan)
        for row in range(len(out)):
            seen = ordinary[row] & (usual[row] > 0)
            if not seen.any():
                continue
            sold, due = (np.bincount(self.category[seen], each[row, seen], kinds) for each in (self.units, usual))
            whole = (sold.sum() + _THIN_UNITS) / (due.sum() + _THIN_UNITS)
            out[row] = ((sold + _THIN_UNITS * whole) / (due + _THIN_UNITS))[self.category]
        return out


def category_codes(panel: Panel) -> NDArray[np.int64]:
    """Return the number of each series' category, counted in the order of their names."""
    return panel.series.groupby("category_id", sort=True).ngroup().to_numpy().astype(np.int64)


def _around(values: NDArray[np.generic]) -> Values:
    """Return the sums over the days around each day, itself included."""
    total = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, dtype=np.float64, out=total[1:])
    row = np.arange(len(values))
    end, start = np.minimum(row + AROUND_DAYS + 1, len(values)), np.maximum(row - AROUND_DAYS, 0)
    return np.asarray(total[end] - total[start], np.float64)
