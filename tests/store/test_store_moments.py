"""Dates and times: many forms, one instant; an ambiguous day-first date is never guessed."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from store.derive import bucket, delivery_day
from store.mapping import Bucket, DeliveryDay
from store.moments import read_clocks, read_days, read_instants


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-01 20:05",
        "2026/3/1 20:05:00",
        "2026.03.01 20:05",
        "2026年3月1日 20:05",
        "２０２６年3月1日20时05分",
        "20260301200500",
        "2026-03-01T12:05:00Z",
        "2026-03-01 20:05:00+08:00",
        dt.datetime(2026, 3, 1, 20, 5),
    ],
)
def test_forms_of_one_instant(cell: object) -> None:
    """Every usual form is the same instant in UTC; wall times are the zone's."""
    instants, broken = read_instants(pd.Series([cell], dtype=object), timezone="Asia/Shanghai")
    assert instants.tolist() == [pd.Timestamp("2026-03-01 12:05", tz="UTC")]
    assert broken.empty


def test_day_first_needs_a_format() -> None:
    """03/04/2026 is refused until the mapping says what it means."""
    cells = pd.Series(["03/04/2026", None])
    days, broken = read_days(cells)
    assert days.isna().all()
    assert broken.to_dict() == {0: "a date"}
    days, broken = read_days(cells, formats=["%d/%m/%Y"])
    assert days[0] == pd.Timestamp("2026-04-03")
    assert broken.empty


def test_change_of_clocks() -> None:
    """A wall time that exists twice is the first one; one that does not exist is the next that does."""
    cells = pd.Series(["2011-10-30 01:30", "2011-03-27 01:30"])
    instants, _ = read_instants(cells, timezone="Europe/London")
    assert instants.tolist() == [
        pd.Timestamp("2011-10-30 00:30", tz="UTC"),
        pd.Timestamp("2011-03-27 01:00", tz="UTC"),
    ]


def test_clock_times() -> None:
    """Excel's times and short ones become HH:MM; the evening before stays marked."""
    cells = pd.Series([dt.time(6, 30), "6:30", "23:00-1", "noon", None], dtype=object)
    assert read_clocks(cells).tolist()[:4] == ["06:30", "06:30", "23:00-1", "noon"]


def test_delivery_day_turns_after_the_cutoff() -> None:
    """Until the cutoff (included) an order is for the next day, after it for the day after that."""
    placed = pd.to_datetime(["2026-03-01 00:00:00", "2026-03-01 23:00:00", "2026-03-01 23:00:01"]).tz_localize(
        "Asia/Shanghai"
    )
    days = delivery_day(
        pd.Series(placed.tz_convert("UTC")),
        DeliveryDay(rule="delivery_day", cutoff="23:00-1"),
        timezone="Asia/Shanghai",
    )
    assert [str(day.date()) for day in days] == ["2026-03-02", "2026-03-02", "2026-03-03"]


def test_buckets_are_the_same_for_ever() -> None:
    """crc32 of the text modulo the number of places, the same for 17850, 17850.0 and "17850"."""
    rule = Bucket(rule="bucket", of=("customer",), buckets=80, prefix="C")
    for cells in (pd.Series([17850]), pd.Series([17850.0]), pd.Series(["17850"])):
        assert bucket(rule, lambda _, cells=cells: cells).tolist() == ["C33"]  # crc32(b"17850") % 80 = 33
