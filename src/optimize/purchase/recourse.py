"""What a quantity is expected to cost after the cutoff: units missing and left over, short deliveries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimize.purchase.demand import Demand, Floats, Ints


@dataclass(frozen=True)
class Recourse:
    """What a quantity is expected to cost after the cutoff: missing units and left-over units, in yuan.

    A missing unit is bought later where an offer can still be asked, cheapest first and up to its limit; what is still
    missing costs its penalty plus the usual unit cost. A left-over unit brings its salvage. With
    ``S(x) = E[(D - R)+]`` where R is what arrives if x is expected to::

        short(x)   = sum_j step_yuan_j E[(D - R - from_units_j)+]
        surplus(x) = - salvage (x - E[D] + S(x))

    where step j raises the cost of a missing unit by ``step_yuan_j`` once more than ``from_units_j`` are missing.
    Later units count in single units, without case packs, and towards no rebate, share or capacity.

    What arrives: ``sure_units`` (stock) for certain; of the rest, x - sure, a share ``fill_share_f`` with chance
    ``fill_chance_f``. The shares average one, so R is x on average, and every cost stays convex in x (a mean of convex
    functions of x). All lines of a SKU x warehouse fall short together: with independent suppliers less is lost.

    Attributes
    ----------
    from_units, step_yuan : arrays, shape (cells, steps)
        Steps of the marginal cost of a missing unit; unused steps raise it by zero.
    salvage_yuan, sure_units : arrays, shape (cells,)
    fill_share, fill_chance : arrays, shape (cells, outcomes)
    """

    demand: Demand
    from_units: Floats
    step_yuan: Floats
    salvage_yuan: Floats
    sure_units: Floats
    fill_share: Floats
    fill_chance: Floats

    @property
    def first_step_yuan(self) -> Floats:
        """Cost of the first missing unit, shape (cells,)."""
        return np.asarray(np.where(self.from_units == 0.0, self.step_yuan, 0.0).sum(axis=1), dtype=np.float64)

    @property
    def enough_units(self) -> Floats:
        """Expected units with which demand is covered for sure, shape (cells,)."""
        beyond = np.maximum(self.demand.highest - self.sure_units, 0.0)
        return np.asarray(self.sure_units + beyond / self.fill_share.min(axis=1), dtype=np.float64)

    def short_units(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the expected units missing, before anything is bought later."""
        return self._over_fills(self.demand.expected_short, units, cells, start=0.0, slope=False)

    def short_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the expected cost of missing units."""
        return self._over_steps(self.demand.expected_short, units, cells, slope=False)

    def surplus_units(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the expected units left over, E[(R - D)+]."""
        mean = self.demand.mean if cells is None else self.demand.mean[cells]
        return np.maximum(units - mean + self.short_units(units, cells), 0.0)

    def surplus_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the expected cost of left-over units, which are paid for already: minus what they still bring."""
        return -_rows(self.salvage_yuan, cells) * self.surplus_units(units, cells)

    def cost_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return shortage plus surplus cost, convex in the units."""
        return self.short_yuan(units, cells) + self.surplus_yuan(units, cells)

    def regret_yuan(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return ``cost + salvage (x - E[D])``: convex, never rising, zero once demand is surely covered."""
        return self.short_yuan(units, cells) - _rows(self.salvage_yuan, cells) * self.short_units(units, cells)

    def regret_slope(self, units: Floats, cells: Ints | None = None) -> Floats:
        """Return the slope of `regret_yuan` to the right of each quantity (never positive)."""
        chance = self.demand.chance_short
        bare = self._over_fills(chance, units, cells, start=0.0, slope=True)
        return _rows(self.salvage_yuan, cells) * bare - self._over_steps(chance, units, cells, slope=True)

    def _over_steps(
        self, measure: Callable[[Floats, Ints | None], Floats], units: Floats, cells: Ints | None, *, slope: bool
    ) -> Floats:
        starts, steps = _rows(self.from_units, cells), _rows(self.step_yuan, cells)
        total = np.zeros(len(units))
        for j in range(steps.shape[1]):
            total += steps[:, j] * self._over_fills(measure, units, cells, start=starts[:, j], slope=slope)
        return total

    def _over_fills(
        self,
        measure: Callable[[Floats, Ints | None], Floats],
        units: Floats,
        cells: Ints | None,
        *,
        start: Floats | float,
        slope: bool,
    ) -> Floats:
        """Return the mean of a measure over what may arrive; its slope counts each outcome by its share."""
        if self.fill_share.shape[1] == 1:
            return measure(units + start, cells)
        sure, share, chance = (_rows(part, cells) for part in (self.sure_units, self.fill_share, self.fill_chance))
        total = np.zeros(len(units))
        for f in range(share.shape[1]):
            weight = chance[:, f] * share[:, f] if slope else chance[:, f]
            total += weight * measure(sure + (units - sure) * share[:, f] + start, cells)
        return total


def fill_outcomes(fill_rate: Floats, *, spread: float) -> tuple[Floats, Floats]:
    """Return the shares of what is expected that may arrive, and their chances, each of shape (cells, outcomes).

    A delivery with fill rate r arrives whole, or short by the share d with chance q, so that its mean is r and its
    standard deviation ``spread sqrt(r (1 - r))``: of zero for spread 0, as wide as can be (all or nothing) for 1::

        d = 1 - r + spread^2 r,   q = (1 - r) / d

    Examples
    --------
    >>> share, chance = fill_outcomes(np.array([0.9]), spread=0.5)
    >>> [float(s) for s in share[0].round(4)], [float(c) for c in chance[0].round(4)]
    ([1.1111, 0.75], [0.6923, 0.3077])
    """
    if spread == 0.0 or (fill_rate >= 1.0).all():
        return np.ones((len(fill_rate), 1)), np.ones((len(fill_rate), 1))
    lost = 1.0 - fill_rate + spread**2 * fill_rate
    chance = (1.0 - fill_rate) / lost
    share = np.column_stack([1.0 / fill_rate, (1.0 - lost) / fill_rate])
    share = np.where((fill_rate < 1.0)[:, None], share, 1.0)
    return share, np.column_stack([1.0 - chance, chance])


def _rows(values: Floats, cells: Ints | None) -> Floats:
    return values if cells is None else values[cells]
