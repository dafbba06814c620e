"""The demand of each SKU x warehouse as a distribution, and what a quantity is expected to leave short.

The order book gives quantiles of the final units. Between them the quantile function is a straight line, so demand is
a mixture of uniform distributions and the expected shortage of a quantity is known exactly: no scenarios are drawn.

* The 0 quantile is what is confirmed: orders already placed cannot fall.
* Beyond the 99 % quantile the line from 95 % to 99 % goes on to 100 %.
* A campaign that may not form asks for nothing in its lowest outcomes (`Demand.nothing_below`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.columns import QUANTILE_COLUMNS, QUANTILES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS: Floats = np.array([0.0, *QUANTILES, 1.0])
"""Probability levels of the knots, shape (10,)."""


@dataclass(frozen=True)
class Demand:
    """Demand distributions, one row of knots per SKU x warehouse.

    Attributes
    ----------
    knots : array, shape (cells, knots)
        Units at the levels, rising along each row.
    levels : array, shape (cells, knots)
        Probability levels of the knots, from 0 to 1.
    """

    knots: Floats
    levels: Floats

    @classmethod
    def from_book(cls, book: pd.DataFrame) -> Demand:
        """Return the distributions of order book rows (columns ``confirmed`` and ``q05`` ... ``q99``)."""
        given = book[["confirmed", *QUANTILE_COLUMNS]].to_numpy(np.float64)
        tail = given[:, -1] + (given[:, -1] - given[:, -2]) * (1.0 - LEVELS[-2]) / (LEVELS[-2] - LEVELS[-3])
        return cls.at_levels(np.maximum.accumulate(np.column_stack([given, tail]), axis=1))

    @classmethod
    def at_levels(cls, knots: Floats) -> Demand:
        """Return the distributions with these knots at `LEVELS`, shape (cells, 10)."""
        return cls(knots, np.broadcast_to(LEVELS, knots.shape))

    def nothing_below(self, level: Floats) -> Demand:
        """Return the demand that is zero in its lowest outcomes, those below a level per row, and as it was above.

        Examples
        --------
        >>> even = Demand.at_levels(100.0 * LEVELS[None, :])
        >>> halved = even.nothing_below(np.array([0.5]))  # nothing in half the cases, 50 to 100 in the other half
        >>> float(halved.mean[0].round(6)), float(halved.quantile(np.array([0.75]))[0])
        (37.5, 75.0)
        """
        if not (level > 0).any():
            return self
        height = np.where(level < 1.0, self.quantile(level), 0.0)
        kept = np.where((self.levels >= level[:, None]) & (level < 1.0)[:, None], self.knots, 0.0)
        knots = np.column_stack([kept, np.where(level > 0, 0.0, height), height])
        levels = np.column_stack([self.levels, level, level])
        order = np.lexsort((knots, levels), axis=1)
        return Demand(np.take_along_axis(knots, order, axis=1), np.take_along_axis(levels, order, axis=1))

    @property
    def mean(self) -> Floats:
        """Mean the knots imply, shape (cells,); the book's own `final_mean` may differ a little."""
        low, high, weight = self._segments(None)
        return np.asarray(((low + high) / 2.0 * weight).sum(axis=1), dtype=np.float64)

    @property
    def highest(self) -> Floats:
        """Units demand never exceeds, shape (cells,)."""
        return self.knots[:, -1]

    def expected_short(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return E[(D - x)+] for each quantity.

        Parameters
        ----------
        units : array, shape (n,)
            Quantities x.
        cells : array of int, shape (n,), optional
            Row of each quantity; absent, one quantity per row in order.

        Notes
        -----
        ``E[(D-x)+] = integral over p of (Q(p) - x)+``; a segment of probability w from a to b gives
        ``w ((a+b)/2 - x)`` left of it and ``w (b-x)^2 / (2 (b-a))`` inside.

        Examples
        --------
        >>> even = Demand.at_levels(np.array([[0.0, 5, 10, 25, 50, 75, 90, 95, 99, 100]]))
        >>> [float(round(s, 6)) for s in (even.expected_short(np.array([x]))[0] for x in (0.0, 50.0, 100.0))]
        [50.0, 12.5, 0.0]
        """
        low, high, weight = self._segments(cells)
        over = np.clip(high - units[:, None], 0.0, None)
        width = high - low
        inside = np.divide(over * over, 2.0 * width, out=np.zeros_like(over), where=width > 0)
        part = np.where(units[:, None] <= low, (low + high) / 2.0 - units[:, None], inside)
        return np.asarray((part * weight).sum(axis=1), dtype=np.float64)

    def chance_short(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return P(D > x), minus the slope of `expected_short` to the right of x."""
        low, high, weight = self._segments(cells)
        width = high - low
        share = np.divide(high - units[:, None], width, out=np.zeros_like(high), where=width > 0)
        share = np.where(units[:, None] < low, 1.0, np.clip(share, 0.0, 1.0))
        return np.asarray((share * weight).sum(axis=1), dtype=np.float64)

    def quantile(self, level: Floats) -> Floats:
        """Return the units at one probability level per row."""
        spots = np.clip((self.levels <= level[:, None]).sum(axis=1) - 1, 0, self.levels.shape[1] - 2)
        rows = np.arange(len(self.knots))
        left, width = self.levels[rows, spots], self.levels[rows, spots + 1] - self.levels[rows, spots]
        share = np.divide(level - left, width, out=np.zeros_like(width), where=width > 0)
        low, high = self.knots[rows, spots], self.knots[rows, spots + 1]
        return np.asarray(low + np.clip(share, 0.0, 1.0) * (high - low), dtype=np.float64)

    def _segments(self, cells: Ints | None) -> tuple[Floats, Floats, Floats]:
        knots = self.knots if cells is None else self.knots[cells]
        levels = self.levels if cells is None else self.levels[cells]
        return knots[:, :-1], knots[:, 1:], np.diff(levels, axis=1)
