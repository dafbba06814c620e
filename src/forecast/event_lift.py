"""What an event did to sales the last times it came: Christmas closes the shop, a festival's eve fills it.

A code or a yes/no flag of "event" makes a model mix up days that share nothing but the flag. Here each event is
compared with itself: its past days against the same weekday of the weeks around them, per group of series.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.windows import Windows

_WEEKS_AROUND = (-14, -7, 7, 14)
_CAUTION = {0: 1.0, -1: 3.0, 1: 3.0}
"""Occurrences without any effect that are mixed in: for the day itself, its eve, the day after."""
_RANGE = (0.02, 5.0)


class EventLifts:
    """Lifts of events for groups of series.

    Parameters
    ----------
    pool : Windows
        Units and listed days of the groups.
    events : sequence of str or None
        Event of each day, the days ahead included.
    """

    def __init__(self, pool: Windows, events: Sequence[str | None]) -> None:
        self._pool = pool
        self._events = events
        self._days: dict[str, list[int]] = {}
        for day, name in enumerate(events):
            if name is not None:
                self._days.setdefault(name, []).append(day)
        self._kept: dict[tuple[str, int, int], NDArray[np.float64]] = {}
        self._width = len(pool.total(0, 1)[0])

    def lift(self, origin: int, day: int) -> NDArray[np.float64]:
        """Return the factor of `day` from what was known at `origin`, one per group; 1 where no event is near.

        The day's own event counts; without one, tomorrow's (the eve), then yesterday's.
        """
        for shift in _CAUTION:
            name = self._events[day - shift] if 0 <= day - shift < len(self._events) else None
            if name is not None:
                return self._past(name, shift, origin)
        return np.ones(self._width)

    def _past(self, name: str, shift: int, origin: int) -> NDArray[np.float64]:
        key = (name, shift, origin)
        if key not in self._kept:
            if len(self._kept) > 10_000:
                self._kept.clear()
            self._kept[key] = self._measured(name, shift, origin)
        return self._kept[key]

    def _measured(self, name: str, shift: int, origin: int) -> NDArray[np.float64]:
        units, usual = np.zeros(self._width), np.zeros(self._width)
        seen = 0
        for event_day in self._days[name]:
            day = event_day + shift
            if not 0 <= day <= origin:
                continue
            around = [self._pool.value(day + step) for step in _WEEKS_AROUND if 0 <= day + step <= origin]
            if not around:
                continue
            sold, listed = self._pool.total(day, 1)
            table = np.stack(around)
            known = np.isfinite(table)
            expected = np.where(known, table, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1) * listed
            units, usual, seen = units + sold, usual + expected, seen + 1
        if not seen:
            return np.ones(self._width)
        mixed = _CAUTION[shift] * usual / seen
        with np.errstate(invalid="ignore", divide="ignore"):
            lift = (units + mixed) / (usual + mixed)
        return np.clip(np.where(usual > 0, lift, 1.0), *_RANGE)
