"""What is known of a day beforehand: weekday, holidays and how far they are, the lunar new year, events, weather."""

from __future__ import annotations

from dataclasses import dataclass

import lunardate
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.context import Context
from forecast.panel import Matrix

FAR_DAYS = 30.0
"""A holiday further away than this is no nearer than any other day."""

DAY_FEATURES = (
    "weekday",
    "month_day",
    "year_day",
    "is_holiday",
    "days_to_holiday",
    "days_since_holiday",
    "lunar_new_year_distance",
    "days_to_event",
    "warmth",
    "rain",
)
WARMTH_STEP_C = 4.0
"""Warmth is told in steps of four degrees from the last four weeks' mean. Told in tenths, each day is a number of its
own, and trees learn by it what else happened on that day."""
WARMTH_DAYS, LEAST_WARMTH_DAYS = 28, 7
RAIN_BORDERS_MM = (0.1, 10.0)
"""Dry, wet, and a day on which nobody goes out: ten millimetres are what forecasts call moderate rain."""


@dataclass(frozen=True)
class DayFeatures:
    """Features of days, and of areas on days.

    Attributes
    ----------
    table : float32, D x len(DAY_FEATURES)
        NaN where the calendar ends early: unknown, not "no holiday".
    flags : float32, D x areas x local events
        1 where the event holds.
    named : tuple of str or None, D
        Event of the day.
    """

    table: Matrix
    flags: Matrix
    named: tuple[str | None, ...]

    @classmethod
    def build(
        cls,
        days: pd.DatetimeIndex,
        context: Context,
        *,
        areas: pd.Index,
        local_events: tuple[str, ...],
    ) -> DayFeatures:
        """Return the features of `days`."""
        table = np.full((len(days), len(DAY_FEATURES)), np.nan, np.float32)
        table[:, 0] = days.day_of_week
        table[:, 1] = days.day
        table[:, 2] = days.day_of_year
        table[:, 6] = lunar_new_year_distance(days)
        calendar = context.calendar.set_index("day").reindex(days)
        told = calendar["is_holiday"].notna().to_numpy()
        if len(context.calendar):
            holiday = calendar["is_holiday"].eq(True).to_numpy()
            marked = context.calendar.loc[context.calendar["is_holiday"], "day"]
            named = context.calendar.loc[context.calendar["event"].notna(), "day"]
            columns = {
                3: holiday,
                4: _days_ahead(days, marked),
                5: _days_ahead(days, marked, back=True),
                7: _days_ahead(days, named),
                8: _warmth(context.calendar, days),
                9: _rain(calendar["rain_mm"]),
            }
            for position, column in columns.items():
                table[:, position] = np.where(told, np.asarray(column, np.float32), np.nan)
        events = tuple(None if pd.isna(name) else str(name) for name in calendar["event"])
        return cls(table, _area_flags(days, context.area_events, areas, local_events), events)


def lunar_new_year_distance(days: pd.DatetimeIndex) -> NDArray[np.float32]:
    """Return days from the nearest Lunar New Year (春节), negative before it, cut off at `FAR_DAYS`.

    Examples
    --------
    >>> lunar_new_year_distance(pd.DatetimeIndex(["2026-02-16", "2026-02-20", "2026-07-01"])).tolist()
    [-1.0, 3.0, 30.0]
    """
    years = range(int(days.year.min()) - 1, int(days.year.max()) + 2)
    starts = pd.DatetimeIndex([lunardate.LunarDate(year, 1, 1).to_solar_date() for year in years])
    gap = (days.to_numpy("datetime64[D]")[:, None] - starts.to_numpy("datetime64[D]")[None, :]).astype(np.int64)
    nearest = gap[np.arange(len(days)), np.abs(gap).argmin(axis=1)]
    return np.where(np.abs(nearest) > FAR_DAYS, FAR_DAYS, nearest).astype(np.float32)


def _warmth(calendar: pd.DataFrame, days: pd.DatetimeIndex) -> NDArray[np.float32]:
    """Return how much warmer each day is than the four weeks before it, in steps; NaN where too little is known."""
    course = calendar.set_index("day")["temperature_c"].astype(np.float64).sort_index()
    course = course.reindex(pd.date_range(course.index[0], course.index[-1], freq="D"))
    usual = course.rolling(WARMTH_DAYS, min_periods=LEAST_WARMTH_DAYS).mean().shift(1)
    return np.asarray(((course - usual) / WARMTH_STEP_C).round().reindex(days), np.float32)


def _rain(rain_mm: pd.Series) -> NDArray[np.float32]:
    """Return 0 for a dry day, 1 for a wet and 2 for a very wet one; NaN where unknown."""
    millimetres = rain_mm.astype(np.float64).to_numpy()
    classes = np.searchsorted(np.asarray(RAIN_BORDERS_MM), millimetres, side="right")
    return np.where(np.isnan(millimetres), np.nan, classes).astype(np.float32)


def _days_ahead(days: pd.DatetimeIndex, marked: pd.Series, *, back: bool = False) -> NDArray[np.float32]:
    """Return days to the next marked day (or since the last one), at most `FAR_DAYS`."""
    if not len(marked):
        return np.full(len(days), FAR_DAYS, np.float32)
    own = days.to_numpy("datetime64[D]").astype(np.int64)
    other = np.sort(marked.to_numpy("datetime64[D]").astype(np.int64))
    if back:
        position = np.searchsorted(other, own, side="right") - 1
        gap = np.where(position >= 0, own - other[np.maximum(position, 0)], FAR_DAYS)
    else:
        position = np.searchsorted(other, own, side="left")
        gap = np.where(position < len(other), other[np.minimum(position, len(other) - 1)] - own, FAR_DAYS)
    return np.minimum(gap, FAR_DAYS).astype(np.float32)


def _area_flags(days: pd.DatetimeIndex, events: pd.DataFrame, areas: pd.Index, local_events: tuple[str, ...]) -> Matrix:
    flags = np.zeros((len(days), len(areas), len(local_events)), np.float32)
    if len(events) and local_events:
        day = days.get_indexer(pd.DatetimeIndex(events["day"]).as_unit("us"))
        area = areas.get_indexer(pd.Index(events["area_id"]))
        name = pd.Index(local_events).get_indexer(pd.Index(events["event"]))
        inside = (day >= 0) & (area >= 0) & (name >= 0)
        flags[day[inside], area[inside], name[inside]] = 1.0
    return flags
