"""What all series of a day have in common is learned with days as the sample, not rows.

A day's mood (weather, talk, a rival's offer) moves every series at once. Half a year with seven thousand series is a
million rows and only 180 draws of the mood; trees that see the day of the month or the distance to a holiday learn by
it which day it was, and expect its mood again on the next like it. So before trees learn, each training day's common
departure from what is usual is split in two: what a ridge regression on a few facts known beforehand explains of weeks
left out stays, the rest is taken out of the targets. Where nothing is explained all of it goes but the mean. Trees then
learn what tells series apart, and common effects only as far as days bear them out. From a year of training days on the
calendar repeats itself and trees may learn common effects by themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.day_features import DAY_FEATURES
from forecast.features import YEAR_DAYS, Features

Values = NDArray[np.float64]
CAUTIONS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, np.inf)
"""Ridge penalties tried, in days without any effect; the last keeps only the mean."""
_FOLDS, _BLOCK_DAYS = 5, 7
"""Days are left out by whole weeks: neighbouring days are alike."""
_LEAST_DAYS = 28
"""With fewer days the common part cannot be told from chance and nothing is taken out."""
_FARTHEST = 4.0
"""Usual widths beyond which a day counts as being this far off: a closed shop must not bend the regression."""


class CommonCourse:
    """The facts about days by which their common departure may be explained.

    What a single holiday did is no fact here: three days of one feast are one draw, and `EventLifts` compares each with
    itself. Nor is the season: in less than a year it is one more name of the day.

    Parameters
    ----------
    features : Features
        Of the panel that is learned from; a fact of origin ``o`` reads demand up to ``o`` only.
    """

    def __init__(self, features: Features) -> None:
        self._days = features.days
        self._total = features.whole

    def facts(self, origin: int, horizon: int, *, steepness: float) -> Values:
        """Return what is known at `origin` of a day ahead; `steepness` is the log of usual over base, all series."""
        day, table = origin + horizon, self._days.table
        warmth, rain = (float(table[day, DAY_FEATURES.index(name)]) for name in ("warmth", "rain"))
        week, month, quarter = (float(self._total.mean(origin, length)[0]) for length in (7, 28, 112))
        parts = [steepness, horizon, warmth, rain == 1, rain == 2]
        pairs = ((week, month), (month, quarter))
        parts += [np.log(recent / older) if recent > 0 and older > 0 else 0.0 for recent, older in pairs]
        local = self._days.flags[day].mean(axis=0, dtype=np.float64)
        return np.asarray(np.nan_to_num(np.concatenate([np.asarray(parts, np.float64), local])), np.float64)


def chance_factors(facts: Values, day: NDArray[np.int64], usual: Values, actual: Values) -> Values:
    """Return what to divide each pair's targets by so that only the explained common departure is left in them.

    Parameters
    ----------
    facts : pairs x facts
    day : int, pairs
        Target day of each pair of origin and horizon.
    usual, actual : pairs
        Sums over all series; pairs without sales keep factor 1 and teach nothing.

    Examples
    --------
    Days that are up or down by a tenth for no known reason lose just that, and all together lose nothing:

    >>> day = np.arange(60)
    >>> actual = 100.0 * 1.1 ** np.where(day % 4 < 2, 1.0, -1.0)
    >>> found = chance_factors(np.zeros((60, 1)), day, np.full(60, 100.0), actual)
    >>> bool(np.ptp(actual / found) < 1e-9), round(float((actual / found).sum() / actual.sum()), 9)
    (True, 1.0)
    """
    good = (usual > 0) & (actual > 0)
    out = np.ones(len(day))
    if not _LEAST_DAYS <= len(np.unique(day[good])) < YEAR_DAYS:
        return out
    departure = np.log(actual[good] / usual[good])
    middle = float(np.median(departure))
    reach = _FARTHEST * 1.4826 * float(np.median(np.abs(departure - middle)))  # of a normal law, four deviations
    near = np.clip(departure, middle - reach, middle + reach) if reach > 0 else departure
    expected = _explained(facts[good], day[good], near)
    left = np.exp(departure - expected)
    # a log's mean is not the mean's log: the factors leave the sum of all targets as it was
    out[good] = left * float((actual[good] / left).sum() / actual[good].sum())
    return out


def _explained(facts: Values, day: NDArray[np.int64], departure: Values) -> Values:
    """Return what a ridge regression with a free mean says, as cautious as the weeks left out allow.

    Of the penalties whose error is within one standard error of the best one's the largest is taken (Breiman's rule):
    with twenty weeks the best is the best by chance.
    """
    width = facts.std(axis=0)
    scaled = (facts - facts.mean(axis=0)) / np.where(width > 0, width, 1.0)
    per_day = len(day) / len(np.unique(day))
    weeks, week = np.unique(day // _BLOCK_DAYS, return_inverse=True)
    fold = week % _FOLDS
    misses = np.empty((len(CAUTIONS), len(weeks)))
    for position, caution in enumerate(CAUTIONS):
        errors = np.empty(len(day))
        for number in np.unique(fold):
            out = fold == number
            errors[out] = departure[out] - _ridge(scaled[~out], departure[~out], caution * per_day, scaled[out])
        misses[position] = np.bincount(week, errors**2, len(weeks))
    worse = misses - misses[int(misses.sum(axis=1).argmin())]
    near = worse.sum(axis=1) <= np.sqrt(len(weeks)) * worse.std(axis=1)
    return _ridge(scaled, departure, CAUTIONS[int(np.flatnonzero(near).max())] * per_day, scaled)


def _ridge(facts: Values, departure: Values, caution: float, asked: Values) -> Values:
    """Return the answers for the facts `asked` of a ridge regression with a free mean."""
    centre, mean = facts.mean(axis=0), float(departure.mean())
    if not np.isfinite(caution):
        return np.full(len(asked), mean)
    moved = facts - centre
    square = moved.T @ moved + caution * np.eye(facts.shape[1])
    slope = np.linalg.solve(square, moved.T @ (departure - mean))
    return np.asarray(mean + (asked - centre) @ slope, np.float64)
