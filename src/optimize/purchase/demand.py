"""The demand of each SKU x warehouse as a distribution, and what a quantity is expected to leave short or over.

The order book gives quantiles of the final units. Between them the quantile function is a straight line, so demand is
a mixture of uniform distributions and the expected shortage of a quantity is known exactly: no scenarios are drawn.

* The 0 quantile is what is confirmed: orders already placed cannot fall.
* Beyond the 99 % quantile the line from 95 % to 99 % goes on to 100 %.
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
    knots : array, shape (cells, 10)
        Units at `LEVELS`, rising along each row.
    """

    knots: Floats

    @classmethod
    def from_book(cls, book: pd.DataFrame) -> Demand:
        """Return the distributions of order book rows (columns ``confirmed`` and ``q05`` ... ``q99``)."""
        given = book[["confirmed", *QUANTILE_COLUMNS]].to_numpy(np.float64)
        tail = given[:, -1] + (given[:, -1] - given[:, -2]) * (1.0 - LEVELS[-2]) / (LEVELS[-2] - LEVELS[-3])
        return cls(np.maximum.accumulate(np.column_stack([given, tail]), axis=1))

    @property
    def mean(self) -> Floats:
        """Mean the knots imply, shape (cells,); the book's own `final_mean` may differ a little."""
        return ((self.knots[:, 1:] + self.knots[:, :-1]) / 2.0) @ np.diff(LEVELS)

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
        >>> even = Demand(np.array([[0.0, 5, 10, 25, 50, 75, 90, 95, 99, 100]]))
        >>> [float(round(s, 6)) for s in (even.expected_short(np.array([x]))[0] for x in (0.0, 50.0, 100.0))]
        [50.0, 12.5, 0.0]
        """
        low, high, weight = self._segments(cells)
        over = np.clip(high - units[:, None], 0.0, None)
        width = high - low
        inside = np.divide(over * over, 2.0 * width, out=np.zeros_like(over), where=width > 0)
        part = np.where(units[:, None] <= low, (low + high) / 2.0 - units[:, None], inside)
        return np.asarray(part @ weight, dtype=np.float64)

    def chance_short(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return P(D > x), minus the slope of `expected_short` to the right of x."""
        low, high, weight = self._segments(cells)
        width = high - low
        share = np.divide(high - units[:, None], width, out=np.zeros_like(high), where=width > 0)
        share = np.where(units[:, None] < low, 1.0, np.clip(share, 0.0, 1.0))
        return np.asarray(share @ weight, dtype=np.float64)

    def quantile(self, level: Floats) -> Floats:
        """Return the units at one probability level per row."""
        spots = np.clip(np.searchsorted(LEVELS, level, side="right") - 1, 0, len(LEVELS) - 2)
        rows = np.arange(len(self.knots))
        share = (level - LEVELS[spots]) / np.diff(LEVELS)[spots]
        low, high = self.knots[rows, spots], self.knots[rows, spots + 1]
        return np.asarray(low + np.clip(share, 0.0, 1.0) * (high - low), dtype=np.float64)

    def _segments(self, cells: Ints | None) -> tuple[Floats, Floats, Floats]:
        knots = self.knots if cells is None else self.knots[cells]
        return knots[:, :-1], knots[:, 1:], np.diff(LEVELS)


@dataclass(frozen=True)
class Recourse:
    """What a quantity is expected to cost after the cutoff: missing units and left-over units, in yuan.

    A missing unit is bought late where an offer's late window still remains, cheapest first and up to its limit;
    what is still missing costs its penalty plus the usual unit cost. A left-over unit brings its salvage.
    With ``S(x) = E[(D-x)+]``::

        short(x)   = sum_j step_yuan_j S(x + from_units_j)
        surplus(x) = - salvage (x - E[D] + S(x))

    where step j raises the cost of a missing unit by ``step_yuan_j`` once more than ``from_units_j`` are missing.
    Late units count in single units, without case packs, and towards no rebate, share or capacity.

    Attributes
    ----------
    from_units, step_yuan : arrays, shape (cells, steps)
        Steps of the marginal cost of a missing unit; unused steps raise it by zero.
    salvage_yuan : array, shape (cells,)
    """

    demand: Demand
    from_units: Floats
    step_yuan: Floats
    salvage_yuan: Floats

    def short_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the expected cost of missing units."""
        starts, steps = self._steps(cells)
        return sum(
            (steps[:, j] * self.demand.expected_short(units + starts[:, j], cells) for j in range(steps.shape[1])),
            np.zeros(len(units)),
        )

    def surplus_units(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the expected units left over, E[(x - D)+]."""
        mean = self.demand.mean if cells is None else self.demand.mean[cells]
        return np.maximum(units - mean + self.demand.expected_short(units, cells), 0.0)

    def surplus_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the expected cost of left-over units, which are paid for already: minus what they still bring."""
        salvage = self.salvage_yuan if cells is None else self.salvage_yuan[cells]
        return -salvage * self.surplus_units(units, cells)

    def cost_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return shortage plus surplus cost, convex in the units."""
        return self.short_yuan(units, cells) + self.surplus_yuan(units, cells)

    def regret_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return ``cost + salvage (x - E[D])``: convex, never rising, zero once demand is surely covered."""
        salvage = self.salvage_yuan if cells is None else self.salvage_yuan[cells]
        return self.short_yuan(units, cells) - salvage * self.demand.expected_short(units, cells)

    def regret_slope(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the slope of `regret_yuan` to the right of each quantity (never positive)."""
        starts, steps = self._steps(cells)
        salvage = self.salvage_yuan if cells is None else self.salvage_yuan[cells]
        slope = salvage * self.demand.chance_short(units, cells)
        for j in range(steps.shape[1]):
            slope = slope - steps[:, j] * self.demand.chance_short(units + starts[:, j], cells)
        return slope

    def _steps(self, cells: Ints | None) -> tuple[Floats, Floats]:
        if cells is None:
            return self.from_units, self.step_yuan
        return self.from_units[cells], self.step_yuan[cells]
