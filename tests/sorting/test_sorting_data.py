"""Sorting data: grids, deadlines, destinations and broken input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from contracts.errors import EmptyInputError, InputError, MissingColumnError, UnknownReferenceError
from contracts.settings import CitySettings, SortingSettings
from optimize.sorting import SortingData
from optimize.sorting.data import _deadlines
from optimize.sorting.floors import build_floors
from optimize.sorting.grid import wave_grid

DAY = pd.Timestamp("2026-03-02")


def test_waves_cover_the_night_without_gaps() -> None:
    """Regular waves end exactly at closing, overtime begins there, each wave starts where the last ended."""
    grid = wave_grid("22:30-1", "01:15", delivery_date=DAY, city=CitySettings(), settings=SortingSettings())
    assert grid["hours"].tolist() == [1.0, 1.0, 0.75, 1.0, 1.0]
    assert grid["overtime"].tolist() == [False, False, False, True, True]
    assert (grid["starts_at"].iloc[1:].to_numpy() == grid["ends_at"].iloc[:-1].to_numpy()).all()
    assert str(grid["starts_at"].iloc[0]) == "2026-03-01 14:30:00+00:00"


def test_without_overtime_the_night_ends_at_closing() -> None:
    """No overtime minutes, no overtime waves."""
    settings = SortingSettings(overtime_minutes=0)
    grid = wave_grid("01:00", "04:00", delivery_date=DAY, city=CitySettings(), settings=settings)
    assert len(grid) == 3
    assert not grid["overtime"].any()


def test_lateness_counts_from_the_given_deadline_or_closing(make_data: Callable[..., SortingData]) -> None:
    """C1 must be done by 02:30, C2 by closing at 04:00; waves end 02:00, 03:00, 04:00, 05:00."""
    data = make_data([("C1", "S", 1.0), ("C2", "S", 1.0)], deadlines={"C1": "02:30"})
    floors, missing = build_floors(data)
    assert missing == []
    assert floors[0].late_minutes.tolist() == [[0.0, 30.0, 90.0, 150.0], [0.0, 0.0, 0.0, 60.0]]


def test_goods_at_the_minute_of_the_start_are_in_time(make_data: Callable[..., SortingData]) -> None:
    """02:00 goods are sorted in the wave of 02:00, 02:01 goods in the next."""
    lots = [("A", "P", 1.0, "02:00"), ("B", "P", 1.0, "02:01")]
    floors, _ = build_floors(make_data([("C1", "A", 1.0), ("C2", "B", 1.0)], arrive=lots))
    assert floors[0].earliest.tolist() == [1, 2]


def test_nothing_allotted_is_an_empty_day(make_data: Callable[..., SortingData]) -> None:
    """No goods, no sorting: said, not planned."""
    with pytest.raises(EmptyInputError, match="Nothing is allotted"):
        make_data([("C1", "S", 0.0)])


def test_unknown_skus_are_named(make_data: Callable[..., SortingData]) -> None:
    """An allotment of a SKU that no reference row describes has no temperature zone."""
    with pytest.raises(UnknownReferenceError, match="'S'"):
        make_data([("C1", "S", 1.0)], skus={"T": "ambient"})


def test_deadlines_must_be_instants_and_unique() -> None:
    """Missing columns, naive times and two deadlines for one destination are refused."""
    noon = pd.Timestamp("2026-03-02 04:00", tz="UTC")
    with pytest.raises(MissingColumnError, match="latest_end"):
        _deadlines(pd.DataFrame({"destination_id": ["C1"]}))
    with pytest.raises(InputError, match="no time zone"):
        _deadlines(pd.DataFrame({"destination_id": ["C1"], "latest_end": [noon.tz_localize(None)]}))
    with pytest.raises(InputError, match="two deadlines"):
        _deadlines(pd.DataFrame({"destination_id": ["C1", "C1"], "latest_end": [noon, noon]}))


def test_data_cannot_be_changed(make_data: Callable[..., SortingData]) -> None:
    """Frozen: a change is a new value."""
    data = make_data([("C1", "S", 1.0)])
    with pytest.raises(AttributeError):
        data.city = CitySettings()  # type: ignore[misc]
    assert replace(data, settings=SortingSettings(wave_minutes=30)).settings.wave_minutes == 30
