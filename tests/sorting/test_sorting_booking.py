"""Booking ahead: people, stations and vans for quantiles of the order book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from contracts.columns import QUANTILE_COLUMNS
from contracts.errors import EmptyInputError
from contracts.flow import OrderBook
from contracts.reference import Communities, VehicleTypes
from contracts.settings import CitySettings, SortingSettings
from contracts.solve import SolveLimits
from contracts.world import Reference
from optimize.sorting import book_ahead

DAY = pd.Timestamp("2026-03-02")
LIMITS = SolveLimits(seconds=20)


@pytest.fixture(scope="module")
def reference(make_reference: Callable[..., Reference]) -> Reference:
    """Two communities, an ambient and a frozen SKU, one van of 40 kg that makes two trips and carries frozen."""
    van = {
        "vehicle_type_id": "V1",
        "base_id": "W1",
        "count": 1,
        "capacity_kg": 40.0,
        "capacity_l": 400.0,
        "carries_chilled": True,
        "carries_frozen": True,
        "fixed_yuan": 1.0,
        "yuan_per_km": 1.0,
        "yuan_per_hour": 1.0,
        "shift_start": "05:00",
        "shift_end": "13:00",
        "max_trips": 2,
    }
    built = make_reference(["C1", "C2"], {"A": "ambient", "F": "frozen"}, zones=("ambient", "frozen"))
    return replace(built, vehicle_types=VehicleTypes.check(pd.DataFrame([van])))


def book(mean: float, busy: float) -> pd.DataFrame:
    """Both communities expect half of each warehouse figure; its median is its mean, its 90 % quantile `busy`."""
    rows = [
        {
            "delivery_date": DAY,
            "level": level,
            "place_id": place,
            "sku_id": sku,
            "as_of": pd.Timestamp("2026-03-01 10:00", tz="UTC"),
            "confirmed": 0.0,
            "remaining_mean": mean * share,
            "final_mean": mean * share,
            **{q: (busy if q >= "q90" else mean) * share for q in QUANTILE_COLUMNS},
            "source": "test",
        }
        for level, place, share in (("warehouse", "W1", 1.0), ("community", "C1", 0.5), ("community", "C2", 0.5))
        for sku in ("A", "F")
    ]
    return OrderBook.check(pd.DataFrame(rows))


def ahead(reference: Reference, rows: pd.DataFrame) -> object:
    return book_ahead(
        reference, rows, delivery_date=DAY, city=CitySettings(), settings=SortingSettings(), limits=LIMITS
    )


def test_a_busy_outcome_needs_more_people_than_the_median(reference: Reference) -> None:
    """60 units are six worker-hours over three hours; 240 units are 24, eight at once where four fit."""
    booking = ahead(reference, book(60.0, 240.0))
    floors = booking.floors.set_index(["quantile", "temperature_zone"])
    assert floors.loc[("q50", "ambient"), "worker_hours"] == 6.0
    assert floors.loc[("q90", "ambient"), "worker_hours"] == 24.0
    assert floors.loc[("q90", "ambient"), "units"] == 240.0
    assert floors.loc[("q90", "ambient"), "workers"] > 4
    assert floors.loc[("q90", "ambient"), "workers_missing"] == floors.loc[("q90", "ambient"), "workers"] - 4
    assert any("q90: W1 ambient needs" in warning for warning in booking.warnings)


def test_vans_follow_the_tighter_of_weight_and_volume(reference: Reference) -> None:
    """120 kg on 80 kg of trips is one and a half fleets; the frozen half is three quarters of one."""
    booking = ahead(reference, book(60.0, 60.0))
    vans = booking.vans
    median = vans[vans["quantile"] == "q50"].set_index("goods")
    assert median.loc["all", "share"] == 1.5
    assert median.loc["all", "vans"] == 2
    assert median.loc["frozen", "share"] == 0.75
    assert "chilled" not in median.index
    assert any("q50: W1 needs 2 vans for goods at least and has 1: 120 kg" in warning for warning in booking.warnings)


def test_goods_no_van_can_carry_are_told(reference: Reference) -> None:
    """Vans that carry chilled goods only carry no frozen ones: no number of vans, and a sentence."""
    fleet = VehicleTypes.check(reference.vehicle_types.assign(carries_frozen=False))
    booking = ahead(replace(reference, vehicle_types=fleet), book(60.0, 60.0))
    assert booking.vans.set_index(["quantile", "goods"])["vans"].isna()["q50", "frozen"]
    assert "q50: no van of W1 can carry frozen goods (60 kg)." in booking.warnings


def test_goods_of_a_depot_leave_the_warehouse_first(reference: Reference) -> None:
    """Half of 120 kg goes on from a depot: the warehouse's trucks carry all of it, the depot's vans that half."""
    homes = reference.communities.assign(depot_id=["D1", None])
    home = replace(reference, communities=Communities.check(homes))
    vans = ahead(home, book(60.0, 60.0)).vans.set_index(["quantile", "goods", "base_id"])["load_kg"]
    assert vans["q50", "all", "W1"] == 120.0
    assert vans["q50", "all", "D1"] == 60.0


def test_an_empty_book_is_said(reference: Reference) -> None:
    """Nothing expected, nothing to book."""
    with pytest.raises(EmptyInputError, match="no units at q50"):
        ahead(reference, book(0.0, 0.0))
