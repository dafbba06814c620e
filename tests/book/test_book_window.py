"""Cutoffs on the wall clock, also in nights when clocks change."""

from __future__ import annotations

import pandas as pd
import pytest

from contracts.settings import CitySettings
from forecast.book import OrderWindow

BERLIN = CitySettings(timezone="Europe/Berlin", cutoff="04:00", orders_open="08:00-1")


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 19), ("2026-10-25", 21), ("2026-06-01", 20)], ids=["spring", "autumn", "summer"]
)
def test_wall_minutes_are_kept_when_clocks_change(day, hours):
    """The window is 20 wall hours in every night, though 19 or 21 hours pass in the nights of a clock change."""
    window, date = OrderWindow.of(BERLIN), pd.Timestamp(day)
    opening = pd.Timestamp(f"{(date - pd.Timedelta(days=1)).date()} 08:00", tz="Europe/Berlin").tz_convert("UTC")
    assert window.minutes_left(opening, date) == 1200.0
    assert window.cutoff_at(date) - opening == pd.Timedelta(hours=hours)
    assert window.minutes_left(window.cutoff_at(date), date) == 0.0


def test_columns_agree_with_single_moments():
    """The vectorised form equals the plain one; no instant gives NaN."""
    window = OrderWindow.of(BERLIN)
    days = pd.Series(pd.to_datetime(["2026-03-29", "2026-06-01"]))
    instants = pd.Series(pd.to_datetime(["2026-03-28 20:15", None], utc=True))
    left = window.all_minutes_left(instants, days)
    assert left[0] == window.minutes_left(instants[0], days[0])
    assert pd.isna(left[1])


def test_a_session_that_opens_in_the_afternoon():
    """Orders that open at 14:00 leave nine hours to a 23:00 cutoff."""
    assert OrderWindow.of(CitySettings(orders_open="14:00-1")).open_minutes == 540
