"""How far demand strays from its forecast: quantiles learned from forecasts of the past and what then happened.

Conformal in spirit: pairs of (forecast, actual) from rolling origins are grouped by lead time and by the size of the
forecast; each group keeps the empirical quantiles of what happened. Small whole-number demand keeps the quantiles of
the units themselves (a third of a parcel is never ordered); larger demand keeps quantiles of actual / forecast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from contracts.errors import EmptyInputError

GRID = np.array(
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5, 0.65, 0.75, 0.835, 0.9, 0.95, 0.975, 0.99, 0.995]
)
LEAD_BORDERS = (1, 3, 7, 14)
"""Lead times up to each border share a group; longer ones share the last."""
_ROWS_PER_BIN = 300
_MOST_BINS = 48
_WHOLE_BELOW = 8.0
"""Forecasts below this many units use unit quantiles when demand is in whole units."""
_SMALLEST = 1e-3

Values = NDArray[np.float64]


@dataclass(frozen=True)
class _Bins:
    """Empirical quantiles of one lead-time group; `table` is bins x GRID."""

    borders: Values
    centres: Values
    table: Values
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
    def fit(cls, mean: Values, actual: Values, lead: NDArray[np.int64], *, whole: bool) -> Spread:
        """Learn from pairs of forecast and actual.

        Parameters
        ----------
        mean, actual : float64, N
            Forecast and what happened; pairs with a missing side are left out.
        lead : int, N
            Days from the last known day to the day forecast.
        whole : bool
            Demand comes in whole units.

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
        group = lead_group(lead)
        groups = []
        for code in range(len(LEAD_BORDERS) + 1):
            inside = group == code
            if not inside.any():  # a lead time never seen borrows from all
                inside = np.ones(len(mean), np.bool_)
            groups.append(_bins(mean[inside], actual[inside], whole=whole))
        return cls(tuple(groups), len(mean))

    def quantiles(self, mean: Values, lead: NDArray[np.int64], levels: tuple[float, ...]) -> Values:
        """Return quantiles N x len(levels), never falling along a row."""
        mean = np.maximum(np.asarray(mean, np.float64), _SMALLEST)
        out = np.empty((len(mean), len(levels)))
        code = lead_group(lead)
        for value in np.unique(code):
            inside = code == value
            out[inside] = _evaluated(self.groups[value], mean[inside], np.asarray(levels))
        return np.maximum.accumulate(np.maximum(out, 0.0), axis=1)


def lead_group(lead: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the lead-time group.

    Examples
    --------
    >>> lead_group(np.array([1, 2, 7, 8, 28])).tolist()
    [0, 1, 2, 3, 4]
    """
    return np.searchsorted(np.asarray(LEAD_BORDERS), lead, side="left")


def _bins(mean: Values, actual: Values, *, whole: bool) -> _Bins:
    count = int(np.clip(len(mean) // _ROWS_PER_BIN, 1, _MOST_BINS))
    order = np.argsort(mean, kind="stable")
    pieces = np.array_split(order, count)
    centres = np.array([np.exp(np.log(mean[piece]).mean()) for piece in pieces])
    borders = np.array([mean[piece[0]] for piece in pieces[1:]])
    in_units = (centres < _WHOLE_BELOW) & whole
    table = np.empty((count, len(GRID)))
    for position, piece in enumerate(pieces):
        if in_units[position]:
            table[position] = np.quantile(actual[piece], GRID, method="inverted_cdf")
        else:
            table[position] = np.quantile(actual[piece] / mean[piece], GRID)
    return _Bins(borders, centres, table, in_units)


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
