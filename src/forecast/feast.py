"""The Lunar New Year season: weeks unlike any others, taken out of the history before anything is learned from it.

For some days around the feast a city sells a third of the usual, for weeks before and after more or less than usual.
A recent level that contains those days stays wrong for a month after them, in every member. So each day of the travel
season (春运) is measured against the weeks before it, per category, and the history is divided by that factor: levels
stand still over the season and go on after it. Forecasts of days in the season are multiplied by it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.day_features import lunar_new_year_distance
from forecast.panel import Panel

SEASON = (-15, 25)
"""Days from Lunar New Year's Day: the official forty days of the travel season."""
HEART = (-1, 5)
"""Eve to the fifth day, when business rests most: these days tell whether the feast matters here."""
ORDINARY = (0.8, 1.25)
"""A heart between these factors of the usual is no season: nothing is taken out."""
LEVEL_DAYS, WEEKDAY_DAYS, LEAST_DAYS = 28, 56, 14
_CAUTION_UNITS = 50.0
"""Units of the whole city's course mixed into each category's factor."""
_RANGE = (0.05, 5.0)
_LAST_DAYS = 3

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Feast:
    """Factors of the season.

    Attributes
    ----------
    factor : float64, D x groups
        Demand over the usual of the weeks before; 1 on every ordinary day.
    group : int64, n
        Group (category) of each series.
    exceptional : bool, D
        Days of a season that matters here.
    """

    factor: Values
    group: NDArray[np.int64]
    exceptional: NDArray[np.bool_]

    @classmethod
    def measured(cls, panel: Panel) -> Feast:
        """Return the factors of a panel's days.

        A known day's factor reads that day and earlier ones only. A day ahead takes the factor of the same distance in
        an earlier season; the first time there is none, and the last days' factor fades evenly until the season ends.
        """
        group = panel.series.groupby("category_id", sort=True).ngroup().to_numpy().astype(np.int64)
        factor = np.ones((len(panel.days), int(group.max()) + 1))
        exceptional = np.zeros(len(panel.days), np.bool_)
        distance = lunar_new_year_distance(panel.days).astype(np.int64)
        earlier: dict[int, Values] = {}
        for start, end in _seasons(distance):
            found = _season(panel, group, distance, start, end, earlier)
            if found is not None:
                factor[start:end], exceptional[start:end] = found, True
                earlier |= {int(distance[d]): factor[d] for d in range(start, min(end, panel.known))}
        return cls(np.clip(factor, *_RANGE), group, exceptional)

    def calm(self, panel: Panel) -> Panel:
        """Return the panel with the season taken out of its quantities."""
        if not self.exceptional[: panel.known].any():
            return panel
        usual = panel.quantity / self.factor[: panel.known][:, self.group]
        return replace(panel, quantity=usual.astype(np.float32))

    def at(self, row: int) -> Values:
        """Return each series' factor on a day of the panel."""
        return np.asarray(self.factor[row, self.group], np.float64)


def _seasons(distance: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return first row and row after the last of each season in the panel."""
    inside = (distance >= SEASON[0]) & (distance <= SEASON[1])
    change = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
    return list(zip(change[::2].tolist(), change[1::2].tolist(), strict=True))


def _season(
    panel: Panel,
    group: NDArray[np.int64],
    distance: NDArray[np.int64],
    start: int,
    end: int,
    earlier: dict[int, Values],
) -> Values | None:
    """Return the factors of one season, days x groups; None where it is not known to matter."""
    known = min(end, panel.known)
    usual = _usual(panel, group, start)
    if usual is None or start >= panel.known:
        return _as_before(distance[start:end], earlier)
    level, weekday = usual
    size = int(group.max()) + 1
    out = np.ones((end - start, size))
    whole = np.ones(end - start)
    for day in range(start, known):
        sold = panel.quantity[day]
        seen = np.isfinite(sold) & (level > 0)
        rhythm = weekday[panel.days[day].day_of_week]
        expected = np.bincount(group[seen], (level * rhythm[group])[seen], size)
        units = np.bincount(group[seen], sold[seen].astype(np.float64), size)
        if expected.sum() > 0:
            whole[day - start] = units.sum() / expected.sum()
            out[day - start] = (units + _CAUTION_UNITS * whole[day - start]) / (expected + _CAUTION_UNITS)
    heart = (distance[start:known] >= HEART[0]) & (distance[start:known] <= HEART[1])
    if heart.any():
        if ORDINARY[0] <= float(whole[: known - start][heart].mean()) <= ORDINARY[1]:
            return None
    elif not earlier:
        return None
    if known < end:
        out[known - start :] = _ahead(out[: known - start], distance[known:end], earlier)
    return out


def _usual(panel: Panel, group: NDArray[np.int64], start: int) -> tuple[Values, Values] | None:
    """Return each series' level of the weeks before `start` and the weekday factors (7 x groups) of its category."""
    first = max(0, start - LEVEL_DAYS)
    if start - first < LEAST_DAYS or start > panel.known:
        return None
    size = int(group.max()) + 1
    before = panel.quantity[first:start]
    listed = np.isfinite(before)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.where(listed, before, 0.0).sum(axis=0, dtype=np.float64) / listed.sum(axis=0)
    level = np.nan_to_num(level)
    units, expected = np.zeros((7, size)), np.zeros((7, size))
    for day in range(max(0, start - WEEKDAY_DAYS), start):
        seen = np.isfinite(panel.quantity[day]) & (level > 0)
        row = panel.days[day].day_of_week
        units[row] += np.bincount(group[seen], panel.quantity[day][seen].astype(np.float64), size)
        expected[row] += np.bincount(group[seen], level[seen], size)
    course = (units + _CAUTION_UNITS) / (expected + _CAUTION_UNITS)
    return level, course / course.mean(axis=0)


def _as_before(distance: NDArray[np.int64], earlier: dict[int, Values]) -> Values | None:
    if not earlier:
        return None
    one = np.ones_like(next(iter(earlier.values())))
    return np.stack([_near(int(days), earlier, one) for days in distance])


def _ahead(measured: Values, distance: NDArray[np.int64], earlier: dict[int, Values]) -> Values:
    """Return the factors of the season's days still to come."""
    if earlier:
        one = np.ones(measured.shape[1])
        return np.stack([_near(int(days), earlier, one) for days in distance])
    last = measured[-_LAST_DAYS:].mean(axis=0)
    left = SEASON[1] + 1 - distance.astype(np.float64)
    share = left / (left[0] + 1.0)
    return np.asarray(1.0 + share[:, None] * (last - 1.0)[None, :], np.float64)


def _near(days: int, earlier: dict[int, Values], missing: Values) -> Values:
    """Return the mean factor of the earlier season's days at that distance, give or take one."""
    found = [earlier[near] for near in (days - 1, days, days + 1) if near in earlier]
    return np.asarray(np.mean(found, axis=0), np.float64) if found else missing
