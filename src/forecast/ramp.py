"""New communities grow: a leader's group fills up over some weeks, and a mean of its past days always lags behind.

How fast is told by the communities that joined within the history, week of age by week of age (the chain ladder of
insurers): each community's sales over what its grown peers sell of the same goods on the same day, so that the moods
of days cancel, and the growth from one week to the next summed over all who lived through both. The history of a young
community is divided by the growth it had still before it, as if the community had been grown; forecasts are multiplied
by what it has reached by then. Without newcomers there is no growth, and a community without an opening day that was
there when the history began counts as grown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.context import Context
from forecast.panel import Panel

WEEKS = 6
"""A group that still grows after six weeks grows like the city; its trend is the models' business."""
UNSEEN_DAYS = 14
"""A community first seen so many days after the history began has joined; before that it may have been there."""
CAUTION_DAYS = 2.0
"""Days without any growth, of an average community, that are mixed into each week's step."""
_RANGE = (0.1, 3.0)
"""A newcomer further from its later size than this is no newcomer but something else, and would bend every forecast."""
GROWN_AGE = 1_000_000
"""Days before the history on which whoever is not young counts as having begun."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Ramp:
    """What share of its grown size a community has reached.

    Attributes
    ----------
    reached : float64, by age in days
        Rising to 1 by and large; exactly 1 at the end, which stands for all later ages.
    first_row : int64, n
        Row of the panel's days on which each series' community opened; far in the past for grown ones.
    """

    reached: Values
    first_row: NDArray[np.int64]

    @classmethod
    def measured(cls, panel: Panel, context: Context) -> Ramp:
        """Return the ramp of a panel's newcomers, from its known days."""
        code, names = pd.factorize(panel.series["community_id"])
        opened = _first_rows(panel, context, code, names)
        size = _relative_sizes(panel, code, len(names), young=opened)
        return cls(reached_by_age(size, opened, weeks=WEEKS, caution=CAUTION_DAYS / 7.0), opened[code])

    def calm(self, panel: Panel) -> Panel:
        """Return the panel with young communities' quantities as if they were grown."""
        if not self.matters:
            return panel
        young = np.flatnonzero(self.first_row + len(self.reached) > 0)
        share = np.stack([self._at(row, young) for row in range(panel.known)])
        quantity = panel.quantity.copy()
        quantity[:, young] /= share.astype(np.float32)
        return replace(panel, quantity=quantity)

    @property
    def matters(self) -> bool:
        """Return whether any community of the panel is or was young, and newcomers grow at all."""
        return bool((self.first_row + len(self.reached) > 0).any() and np.ptp(self.reached) > 0)

    def at(self, row: int) -> Values:
        """Return what share of its grown size each series' community has reached on a day of the panel."""
        return self._at(row, np.arange(len(self.first_row)))

    def _at(self, row: int, series: NDArray[np.int64]) -> Values:
        age = np.clip(row - self.first_row[series], 0, len(self.reached) - 1)
        return np.asarray(self.reached[age], np.float64)


def _first_rows(panel: Panel, context: Context, code: NDArray[np.int64], names: pd.Index) -> NDArray[np.int64]:
    """Return the row each community opened on; long ago for those that count as grown.

    Where the reference tells opening days, a community without one is grown: new to us is not new. Where it tells none,
    a community first seen well after the history began has opened then.
    """
    seen = np.isfinite(panel.quantity)
    first = np.where(seen.any(axis=0), seen.argmax(axis=0), -GROWN_AGE)
    rows = np.full(len(names), GROWN_AGE)
    np.minimum.at(rows, code, np.where(first < 0, GROWN_AGE, first))
    rows = np.where((rows < UNSEEN_DAYS) | (rows == GROWN_AGE), -GROWN_AGE, rows)
    told = context.communities.set_index("community_id")["opened_on"].reindex(names)
    known = told.notna().to_numpy()
    if context.communities["opened_on"].notna().any():
        rows[:] = -GROWN_AGE
    rows[known] = (pd.DatetimeIndex(told[known]) - panel.days[0]).days
    return rows.astype(np.int64)


def _relative_sizes(
    panel: Panel, code: NDArray[np.int64], count: int, *, young: NDArray[np.int64]
) -> tuple[Values, Values]:
    """Return each day's units of the communities that joined, and what grown peers sold of the same goods, K x count.

    Peers of an area stand for a community there; without any, those of all areas.
    """
    units, peers = np.zeros((panel.known, count)), np.zeros((panel.known, count))
    joined = young > -7 * WEEKS
    if not joined.any():
        return units, peers
    here = np.flatnonzero(joined[code])
    goods = panel.series.groupby(["area_id", "sku_id"], sort=False).ngroup().to_numpy()
    everywhere = panel.series.groupby("sku_id", sort=False).ngroup().to_numpy()
    for day in range(panel.known):
        sold = panel.quantity[day].astype(np.float64)
        listed = np.isfinite(sold)
        grown = listed & (young[code] + 7 * WEEKS <= day)
        means = [_mean_of(sold, group, grown) for group in (goods, everywhere)]
        peer = np.where(np.isfinite(means[0]), means[0], means[1])
        used = here[listed[here] & np.isfinite(peer[here])]
        units[day] = np.bincount(code[used], sold[used], count)
        peers[day] = np.bincount(code[used], peer[used], count)
    return units, peers


def _mean_of(values: Values, group: NDArray[np.integer], inside: NDArray[np.bool_]) -> Values:
    """Return the mean over the inside members of each series' group; NaN where there is none."""
    size = int(group.max()) + 1
    number = np.bincount(group[inside], minlength=size)
    total = np.bincount(group[inside], values[inside], size)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total / number)[group], np.float64)


def reached_by_age(size: tuple[Values, Values], opened: NDArray[np.int64], *, weeks: int, caution: float) -> Values:
    """Return the share of the grown size by age in days: steps from week to week, straight lines between.

    Parameters
    ----------
    size : two of K x m
        Units of each newcomer by day, and what its peers sold of the same.
    opened : m
        First day of each; before the history for those that are not new.
    weeks : int
        Steps there are; at the age of ``weeks + 1`` weeks everybody is grown.
    caution : float
        Average newcomers that do not change at all, mixed into each step.
    """
    units, peers = size
    steps = np.ones(weeks)
    for week in range(weeks):
        now, then = 0.0, 0.0
        for newcomer in np.flatnonzero(opened >= 0):
            start = opened[newcomer] + 7 * week
            if start + 14 > len(units):
                continue
            halves = [slice(start, start + 7), slice(start + 7, start + 14)]
            one, two = (units[half, newcomer].sum() for half in halves)
            base, later = (peers[half, newcomer].sum() for half in halves)
            if base > 0 and later > 0:
                now, then = now + one / base, then + two / later
        steps[week] = (then + caution) / (now + caution)
    weekly = np.append(1.0 / np.cumprod(steps[::-1])[::-1], 1.0)
    middle = 3.0 + 7.0 * np.arange(weeks + 1)
    age = np.arange(7 * weeks + 4, dtype=np.float64)  # up to the middle of the first grown week
    line = np.interp(age, middle, weekly)
    line[:3] = weekly[0] + (age[:3] - 3.0) * (weekly[1] - weekly[0]) / 7.0  # before the first week's middle
    return np.asarray(np.clip(line, *_RANGE), np.float64)
