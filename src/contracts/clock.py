"""Clock times of the night: text like ``"23:30-1"`` (the evening before delivery) and ``"06:00"`` (delivery day).

A night begins on the evening before the delivery date and ends on it. Reference tables therefore hold times of
day relative to the delivery date: ``HH:MM`` is on the delivery date, ``HH:MM-1`` on the day before (``-2`` two days
before), ``HH:MM+1`` the day after.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

CLOCK_PATTERN = r"^(?:[01]\d|2[0-3]):[0-5]\d(?:[+-][1-9])?$"
_CLOCK = re.compile(r"^(\d{2}):(\d{2})([+-][1-9])?$")


def clock_minutes(clock: str) -> int:
    """Return minutes from midnight at the start of the delivery date; negative on the evening before.

    Examples
    --------
    >>> clock_minutes("06:30"), clock_minutes("23:00-1"), clock_minutes("01:00+1")
    (390, -60, 1500)
    """
    found = _CLOCK.match(clock)
    if found is None or re.match(CLOCK_PATTERN, clock) is None:
        raise ValueError(f"{clock!r} is not a clock time; write HH:MM, or HH:MM-1 for the evening before delivery")
    hours, minutes, days = int(found[1]), int(found[2]), int(found[3] or 0)
    return days * 1440 + hours * 60 + minutes


def clock_text(minutes: int) -> str:
    """Return the clock text for minutes from midnight of the delivery date.

    Examples
    --------
    >>> clock_text(-60), clock_text(390)
    ('23:00-1', '06:30')
    """
    days, rest = divmod(int(minutes), 1440)
    return f"{rest // 60:02d}:{rest % 60:02d}" + (f"{days:+d}" if days else "")


def clock_instant(clock: str, *, delivery_date: date | pd.Timestamp, timezone: str) -> pd.Timestamp:
    """Return the UTC instant of a clock time on the wall of the city.

    Wall time is kept across a change of clocks: ``06:00`` is 06:00 local whatever happened in the night. A wall time
    that does not exist (spring forward) is moved forward, one that exists twice takes the first.

    Examples
    --------
    >>> str(clock_instant("23:00-1", delivery_date=date(2026, 3, 2), timezone="Asia/Shanghai"))
    '2026-03-01 15:00:00+00:00'
    """
    day, minute = divmod(clock_minutes(clock), 1440)
    local = datetime(delivery_date.year, delivery_date.month, delivery_date.day) + timedelta(days=day, minutes=minute)
    return pd.Timestamp(local.replace(tzinfo=ZoneInfo(timezone))).tz_convert("UTC").as_unit("us")


def minutes_from_midnight(instant: pd.Timestamp, *, delivery_date: date | pd.Timestamp, timezone: str) -> float:
    """Return minutes from the delivery date's local midnight to an instant (elapsed time, negative before).

    Examples
    --------
    >>> at = pd.Timestamp("2026-03-01 15:00", tz="UTC")
    >>> minutes_from_midnight(at, delivery_date=date(2026, 3, 2), timezone="Asia/Shanghai")
    -60.0
    """
    midnight = clock_instant("00:00", delivery_date=delivery_date, timezone=timezone)
    return (instant - midnight).total_seconds() / 60.0
