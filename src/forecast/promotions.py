"""Promotions: what a price below the list price does to sales, taken out of the history before anything is learned.

A recent level that holds three promoted days out of ten is too high for the next ordinary day and too low for the next
promotion, and trees, who see a promotion now and then, never quite make up for it. So each promoted day of an SKU in an
area is held against its ordinary days of the weeks around, as the same day's ordinary goods of the category went: the
moods of days cancel. The lift is ``exp(step + slope * log(list price / price))``, one curve for all with a factor per
category, by a Poisson regression. The history is divided by it; forecasts are multiplied by the lift of the planned
price. Without list prices, or without promotions, nothing is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from forecast.goods_days import GoodsDays
from forecast.panel import Matrix, Panel

SHALLOWEST = 0.02
"""Log of list price over price from which a price is a promotion: less is rounding."""
_NOISE = 0.05
"""Squared relative spread of an SKU's day beyond chance: a popular SKU's promotion is one draw, not a thousand."""
_STEP_SPREAD, _SLOPE_SPREAD, _OWN_SPREAD = 0.3, 2.0, 0.1
"""What is thought likely before any promotion was seen: none at all, give or take so much in logs."""
_RANGE = (0.5, 5.0)
_ROUNDS = 30

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Lift:
    """Lift of promotions over the ordinary level, as learned from a history.

    Attributes
    ----------
    step, slope : float
        Log lift of a promotion of no depth, and per log of list price over price.
    own : mapping of category to float
        Factor of each category; others have 1.
    deepest : float
        Largest depth that was seen; deeper ones lift no more.
    seen : int
        Promoted days of SKUs in areas it was learned from; with none, nothing is lifted.
    """

    step: float = 0.0
    slope: float = 0.0
    own: Mapping[str, float] = field(default_factory=dict)
    deepest: float = 0.0
    seen: int = 0

    @classmethod
    def learned(cls, panel: Panel) -> Lift:
        """Return what the promotions among the known days of a panel did."""
        names = sorted(panel.series["category_id"].unique())
        depth, units, expected, kind = _promoted_days(panel)
        if not len(depth):
            return cls()
        step, slope = _curve(depth, units, expected)
        usual = expected * np.exp(step + slope * depth)
        weight = 1.0 / (1.0 + _NOISE * usual)
        short, known = (np.bincount(kind, weight * each, len(names)) for each in (units - usual, usual))
        own = 1.0 + short / (known + _OWN_SPREAD**-2)
        return cls(step, slope, dict(zip(names, own.tolist(), strict=True)), float(depth.max()), len(depth))


@dataclass(frozen=True)
class Promotions:
    """The lift of every price of a panel.

    Attributes
    ----------
    lift : Lift
    own : float64, n
        Factor of each series' category.
    price, list_price : float32, D x n
        Of the panel's days, the planned ones included.
    """

    lift: Lift
    own: Values
    price: Matrix
    list_price: Matrix

    @classmethod
    def of(cls, panel: Panel, lift: Lift) -> Promotions:
        """Return the lifts of a panel's prices."""
        own = panel.series["category_id"].map(lambda name: lift.own.get(name, 1.0)).to_numpy(np.float64)
        return cls(lift, own, panel.price, panel.list_price)

    def calm(self, panel: Panel) -> Panel:
        """Return the panel with its promotions' lift taken out of the quantities."""
        if not self.lift.seen:
            return panel
        quantity = panel.quantity.copy()
        for row in range(panel.known):
            quantity[row] /= self.at(row).astype(np.float32)
        return replace(panel, quantity=quantity)

    def at(self, row: int) -> Values:
        """Return the lift of each series' price on a day of the panel; 1 at the list price or without one."""
        if not self.lift.seen:
            return np.ones(len(self.own))
        depth = _depth(self.price[row], self.list_price[row])
        lift = np.exp(self.lift.step + self.lift.slope * np.minimum(depth, self.lift.deepest)) * self.own
        return np.where(depth >= SHALLOWEST, np.clip(lift, *_RANGE), 1.0)


def _depth(price: Matrix, list_price: Matrix) -> Values:
    """Return the log of list price over price, 0 where either is not known."""
    known = (price > 0) & (list_price > 0)
    ratio = np.where(known, list_price, 1.0).astype(np.float64) / np.where(known, price, 1.0)
    return np.maximum(np.log(ratio), 0.0)


def _promoted_days(panel: Panel) -> tuple[Values, Values, Values, NDArray[np.int64]]:
    """Return depth, units, ordinary units and category of every promoted day of an SKU in an area.

    Days on which no ordinary good of the area's market was sold are left out: their mood cannot be told from the lift.
    """
    sales = GoodsDays.of(panel)
    depth = np.zeros((panel.known, len(sales.category)))
    for day in range(panel.known):
        seen = np.isfinite(panel.quantity[day])
        below = _depth(panel.price[day, seen], panel.list_price[day, seen])
        sums = np.bincount(sales.of_series[seen], below, len(sales.category))
        depth[day] = sums / np.maximum(sales.listed[day], 1.0)
    promoted = depth >= SHALLOWEST
    if not promoted.any():
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.int64)
    expected = np.nan_to_num(sales.usual(~promoted) * sales.course(~promoted))
    row, column = np.nonzero(promoted & (expected > 0))
    return depth[row, column], sales.units[row, column], expected[row, column], sales.category[column]


def _curve(depth: Values, units: Values, expected: Values) -> tuple[float, float]:
    """Return step and slope of the log lift: Newton's method on a quasi-likelihood with a normal prior around none.

    Variance is ``mean + _NOISE * mean ** 2``, as of a day whose mood is not known (McCullagh & Nelder 1989, ch. 9).
    """
    facts = np.column_stack([np.ones(len(depth)), depth])
    prior = np.array([_STEP_SPREAD**-2, _SLOPE_SPREAD**-2])
    found = np.zeros(2)
    for _ in range(_ROUNDS):
        usual = expected * np.exp(np.clip(facts @ found, -3.0, 3.0))
        weight = 1.0 / (1.0 + _NOISE * usual)
        uphill = facts.T @ (weight * (units - usual)) - prior * found
        bend = (facts * (weight * usual)[:, None]).T @ facts + np.diag(prior)
        move = np.linalg.solve(bend, uphill)
        found = found + np.clip(move, -1.0, 1.0)
        if float(np.abs(move).max()) < 1e-9:
            break
    return float(found[0]), float(found[1])
