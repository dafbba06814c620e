"""How far demand strays from its forecast: quantiles learned from forecasts of the past and what then happened.

Conformal in spirit: pairs of (forecast, actual) from rolling origins, grouped by lead time, tell the law of demand
given its mean (`forecast.known_day`). What all series of a day share is told apart (`forecast.mood`): a pair whose day
had mood ``e`` tells the law around ``forecast * exp(e)``. A day to come has mood ``g``, so its law is the mixture, over
the quantile points of ``g``, of the laws around ``forecast * exp(g)``: few days become the distribution of all days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from contracts.errors import EmptyInputError
from forecast.known_day import UNITS, WHOLE_BELOW, KnownDay
from forecast.lead import LEAD_GROUPS, lead_group
from forecast.mood import Mood

GRID = np.array(
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5, 0.65, 0.75, 0.835, 0.9, 0.95, 0.975, 0.99, 0.995]
)
_SMALLEST = 1e-3
_UNIT_STEP, _RATIO_STEP = 1.07, 1.2
"""Factors from one tabulated mean to the next: of whole units below `WHOLE_BELOW`, of ratios."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class _AnyDay:
    """Law of demand on a day to come, by its forecast, of one lead-time group.

    Attributes
    ----------
    upto : float32, whole-unit means x (UNITS + 1)
        Probability of so many units or fewer at `_SMALLEST`, and a factor `_UNIT_STEP` more each row; no rows unless
        demand is in whole units.
    nodes : float64, N
        Means, rising, that quantiles of demand / forecast are told at.
    ratios : float64, N x GRID
    """

    upto: NDArray[np.float32]
    nodes: Values
    ratios: Values

    @classmethod
    def of(cls, law: KnownDay, moods: Values, *, least: float, most: float) -> _AnyDay:
        """Return the mixture over equally likely log moods, told for forecasts up to `most` (from `least`)."""
        factor = np.exp(moods)
        upto = np.zeros((0, UNITS + 1), np.float32)
        if len(law.rungs):
            means: Values = _SMALLEST * _UNIT_STEP ** np.arange(_row_of(WHOLE_BELOW) + 1, dtype=np.float64)
            upto = law.units_upto(means[:, None] * factor).mean(axis=1).astype(np.float32)
            least = WHOLE_BELOW
        steps = max(int(np.ceil(np.log(max(most / least, 1.0)) / np.log(_RATIO_STEP))), 1)
        nodes = least * _RATIO_STEP ** np.arange(steps + 1)
        ratios = np.stack([np.quantile(law.points(node * factor), GRID) / node for node in nodes])
        return cls(upto, np.asarray(nodes, np.float64), ratios)

    def in_units(self, mean: Values) -> NDArray[np.bool_]:
        """Return which forecasts are answered in whole units."""
        return (mean < WHOLE_BELOW) & (len(self.upto) > 0)


@dataclass(frozen=True)
class Spread:
    """Quantiles of demand given its forecast, for one level.

    Attributes
    ----------
    groups : tuple
        One table per lead-time group.
    rows : int
        Pairs it was learned from.
    """

    groups: tuple[_AnyDay, ...]
    rows: int

    @classmethod
    def fit(
        cls,
        mean: Values,
        actual: Values,
        lead: NDArray[np.int64],
        *,
        whole: bool,
        mood: Mood | None = None,
        cell: NDArray[np.int64] | None = None,
    ) -> Spread:
        """Learn from pairs of forecast and actual.

        Parameters
        ----------
        mean, actual : float64, N
            Forecast and what happened; pairs with a missing side are left out.
        lead : int, N
            Days from the last known day to the day forecast.
        whole : bool
            Demand comes in whole units.
        mood, cell : Mood and int N, optional
            What the days share, and the cell of `mood.seen` each pair belongs to.

        Raises
        ------
        EmptyInputError
            There is no pair.
        """
        good = np.isfinite(mean) & np.isfinite(actual)
        mean, actual, lead = np.maximum(mean[good], _SMALLEST), actual[good], lead[good]
        if not len(mean):
            raise EmptyInputError("No pair of forecast and actual: quantiles need at least one rolling origin.")
        actual = np.round(actual) if whole else actual  # recovered sold-out days are estimates with fractions
        if mood is not None and cell is not None:
            mean = mean * np.exp(mood.seen[cell[good]])
        group = lead_group(lead)
        groups = []
        for code in range(LEAD_GROUPS):
            inside = group == code
            if not inside.any():  # a lead time never seen borrows from all
                inside = np.ones(len(mean), np.bool_)
            law = KnownDay.fit(mean[inside], actual[inside], whole=whole)
            moods = np.zeros(1) if mood is None else mood.nodes[code]
            groups.append(_AnyDay.of(law, moods, least=float(mean[inside].min()), most=float(mean[inside].max())))
        return cls(tuple(groups), len(mean))

    def quantiles(self, mean: Values, lead: NDArray[np.int64], levels: tuple[float, ...]) -> Values:
        """Return quantiles N x len(levels), never falling along a row."""
        out = self._by_group(_evaluated, mean, lead, levels)
        return np.maximum.accumulate(np.maximum(out, 0.0), axis=1)

    def stated(self, mean: Values, lead: NDArray[np.int64], levels: tuple[float, ...]) -> Values:
        """Return the probability that demand stays at or below each quantile, N x len(levels).

        That is the level itself, except for small demand in whole units: its quantile is the least number of units
        that reaches the level, and mostly reaches more. Coverage is to be compared with this.
        """
        return self._by_group(_stated, mean, lead, levels)

    def _by_group(
        self,
        evaluate: Callable[[_AnyDay, Values, Values], Values],
        mean: Values,
        lead: NDArray[np.int64],
        levels: tuple[float, ...],
    ) -> Values:
        mean = np.maximum(np.asarray(mean, np.float64), _SMALLEST)
        out = np.empty((len(mean), len(levels)))
        code = lead_group(lead)
        for value in np.unique(code):
            inside = code == value
            out[inside] = evaluate(self.groups[value], mean[inside], np.asarray(levels))
        return out


def _evaluated(law: _AnyDay, mean: Values, levels: Values) -> Values:
    out = np.empty((len(mean), len(levels)))
    units = law.in_units(mean)
    if units.any():
        least = (law.upto[:, None, :] < levels[None, :, None] - 1e-6).sum(axis=2)  # float32: a level just reached is
        out[units] = least[_rows_of(mean[units])]
    if not units.all():
        log_mean, nodes = np.log(mean[~units]), np.log(law.nodes)
        for column, level in enumerate(levels):
            at_nodes = np.array([np.interp(level, GRID, row) for row in law.ratios])
            out[~units, column] = np.interp(log_mean, nodes, at_nodes) * mean[~units]
    return out


def _stated(law: _AnyDay, mean: Values, levels: Values) -> Values:
    out = np.broadcast_to(levels, (len(mean), len(levels))).copy()
    units = law.in_units(mean)
    if units.any():
        bounds = np.clip(_evaluated(law, mean[units], levels), 0, UNITS).astype(np.int64)
        out[units] = law.upto[_rows_of(mean[units])[:, None], bounds]
    return out


def _row_of(mean: float) -> int:
    return int(np.ceil(np.log(mean / _SMALLEST) / np.log(_UNIT_STEP)))


def _rows_of(mean: Values) -> NDArray[np.int64]:
    """Return the row of the nearest tabulated mean."""
    return np.asarray(np.rint(np.log(np.maximum(mean, _SMALLEST) / _SMALLEST) / np.log(_UNIT_STEP)), np.int64)


@dataclass(frozen=True)
class PoissonSpread:
    """Poisson quantiles: the labelled stand-in while no rolling origin has been seen."""

    rows: int = 0

    def quantiles(self, mean: Values, lead: NDArray[np.int64], levels: tuple[float, ...]) -> Values:
        """Return Poisson quantiles N x len(levels); the lead time does not matter."""
        del lead
        mean = np.maximum(np.asarray(mean, np.float64), 0.0)
        return np.asarray(scipy.stats.poisson.ppf(np.asarray(levels)[None, :], mean[:, None]), np.float64)

    def stated(self, mean: Values, lead: NDArray[np.int64], levels: tuple[float, ...]) -> Values:
        """Return the Poisson probability of each quantile or less, N x len(levels)."""
        bounds = self.quantiles(mean, lead, levels)
        return np.asarray(scipy.stats.poisson.cdf(bounds, np.maximum(np.asarray(mean, np.float64), 0.0)[:, None]))
