"""How far demand strays from its forecast: quantiles learned from forecasts of the past and what then happened.

Conformal in spirit: pairs of (forecast, actual) from rolling origins are grouped by lead time and by the size of the
forecast; each group keeps the empirical quantiles of what happened. Small whole-number demand keeps the distribution of
the units themselves (a third of a parcel is never ordered); larger demand keeps quantiles of actual / forecast.

What all series of a day share is told apart (`forecast.mood`): a pair whose day had mood ``e`` says what demand does
around ``forecast * exp(e)``; a day to come has mood ``g``, so the pair is told for ``forecast * exp(e - g)``. Going
through the quantile points of ``g`` turns few days into the distribution of all days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from contracts.errors import EmptyInputError
from forecast.lead import LEAD_GROUPS, lead_group
from forecast.mood import NODES, Mood

GRID = np.array(
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5, 0.65, 0.75, 0.835, 0.9, 0.95, 0.975, 0.99, 0.995]
)
_ROWS_PER_BIN = 300
_MOST_BINS = 48
_LEAST_ROWS = 100
_WIDEST, _NARROW_FROM = 1.4, 0.5
"""From half a unit on, a bin spans at most this factor while it holds `_LEAST_ROWS` pairs."""
_WHOLE_BELOW = 8.0
"""Forecasts below this many units use unit quantiles when demand is in whole units."""
_SMALLEST = 1e-3
_UNITS = 64
"""Units up to which the distribution of small whole demand is kept."""
_MOST_PAIRS = 1_000_000
"""Pairs beyond this many take one quantile point of the mood each, in turn, instead of several."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class _Bins:
    """Empirical quantiles of one lead-time group; `table` is bins x GRID, `upto` bins x _UNITS shares at or below."""

    borders: Values
    centres: Values
    table: Values
    upto: Values
    in_units: NDArray[np.bool_]


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

    groups: tuple[_Bins, ...]
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
            nodes = None if mood is None else mood.nodes[code]
            groups.append(_bins(*_any_day(mean[inside], actual[inside], nodes), rows=int(inside.sum()), whole=whole))
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
        evaluate: Callable[[_Bins, Values, Values], Values],
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


def _any_day(mean: Values, actual: Values, nodes: Values | None) -> tuple[Values, Values]:
    """Return the pairs as they would be over all moods of a day, sorted by forecast."""
    order = np.argsort(mean, kind="stable")
    mean, actual = mean[order], actual[order]
    if nodes is None or not nodes.any():
        return mean, actual
    copies = int(np.clip(_MOST_PAIRS // len(mean), 1, NODES))
    step = np.arange(len(mean) * copies)
    # 17 and 41 share no divisor: pairs of neighbouring size take points all over the mood's range
    moved = np.repeat(mean, copies) * np.exp(-nodes[(step * 17) % NODES])
    order = np.argsort(moved, kind="stable")
    return np.maximum(moved[order], _SMALLEST), np.repeat(actual, copies)[order]


def _bins(mean: Values, actual: Values, *, rows: int, whole: bool) -> _Bins:
    """Return the bins of pairs sorted by forecast; `rows` of them are not copies."""
    cuts = _cuts(mean, rows=rows)
    least = min(len(mean), _ROWS_PER_BIN * len(mean) // rows)
    pieces = [slice(start, end) for start, end in zip([0, *cuts], [*cuts, len(mean)], strict=True)]
    centres = np.array([np.exp(np.log(mean[piece]).mean()) for piece in pieces])
    borders = mean[cuts]
    in_units = np.array([mean[piece.stop - 1] < _WHOLE_BELOW for piece in pieces]) & whole
    table = np.empty((len(pieces), len(GRID)))
    upto = np.ones((len(pieces), _UNITS))
    for position, piece in enumerate(pieces):
        if in_units[position]:
            table[position] = np.quantile(actual[piece], GRID, method="inverted_cdf")
            units = np.minimum(actual[piece], _UNITS).astype(np.int64)
            upto[position] = np.bincount(units, minlength=_UNITS + 1)[:_UNITS].cumsum() / (piece.stop - piece.start)
        else:  # a handful of large forecasts borrows the next smaller ones' ratios
            wide = slice(max(0, min(piece.start, piece.stop - least)), piece.stop)
            table[position] = np.quantile(actual[wide] / mean[wide], GRID)
    return _Bins(borders, centres, table, upto, in_units)


def _cuts(mean: Values, *, rows: int) -> NDArray[np.int64]:
    """Return where one bin ends and the next begins in the sorted forecasts.

    Bins hold equally many pairs, but none is wider than a factor of `_WIDEST` while enough pairs are left, and none
    reaches over `_WHOLE_BELOW`: units of demand of three are not those of thirty.
    """
    copies = len(mean) // rows
    even = np.linspace(0, len(mean), int(np.clip(rows // _ROWS_PER_BIN, 1, _MOST_BINS)) + 1)[1:-1].astype(np.int64)
    steps = int(np.log(max(mean[-1] / _NARROW_FROM, 1.0)) / np.log(_WIDEST)) + 1
    wide = np.searchsorted(mean, _NARROW_FROM * _WIDEST ** np.arange(steps))
    forced = int(np.searchsorted(mean, _WHOLE_BELOW))
    kept = [0]
    for cut in np.unique(np.concatenate([even, wide, [forced]])).tolist():
        if cut == forced:
            while len(kept) > 1 and cut - kept[-1] < _LEAST_ROWS * copies:
                kept.pop()
        if 0 < cut < len(mean) and (cut == forced or cut - kept[-1] >= _LEAST_ROWS * copies):
            kept.append(cut)
    if len(kept) > 1 and kept[-1] != forced and len(mean) - kept[-1] < _LEAST_ROWS * copies:
        kept.pop()
    return np.asarray(kept[1:], np.int64)


def _evaluated(bins: _Bins, mean: Values, levels: Values) -> Values:
    own = np.searchsorted(bins.borders, mean, side="right")
    rows = zip(bins.table, bins.in_units, strict=True)
    at_levels = np.stack([_between(row, levels, whole=bool(unit)) for row, unit in rows])
    out = at_levels[own]
    scaled = ~bins.in_units[own]
    if scaled.any():
        ratio = np.flatnonzero(~bins.in_units)
        log_mean = np.log(mean[scaled])
        for column in range(len(levels)):
            smooth = np.interp(log_mean, np.log(bins.centres[ratio]), at_levels[ratio, column])
            out[scaled, column] = smooth * mean[scaled]
    return out


def _stated(bins: _Bins, mean: Values, levels: Values) -> Values:
    own = np.searchsorted(bins.borders, mean, side="right")
    units = np.clip(_evaluated(bins, mean, levels), 0, _UNITS - 1).astype(np.int64)
    return np.where(bins.in_units[own][:, None], bins.upto[own[:, None], units], levels[None, :])


def _between(row: Values, levels: Values, *, whole: bool) -> Values:
    """Return the quantiles at `levels` from those at GRID: straight lines, or the next grid level for whole units."""
    if whole:
        position = np.searchsorted(GRID, levels - 1e-12, side="left")
        return np.asarray(row[np.minimum(position, len(GRID) - 1)])
    return np.interp(levels, GRID, row)


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
