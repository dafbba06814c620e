"""Free assignment of communities to warehouses: least cost by enumeration, limits kept, the saving stated."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as test_settings
from hypothesis import strategies as st

from contracts.errors import InputError
from contracts.reference import WarehouseZones
from contracts.settings import SortingSettings
from contracts.solve import SolveLimits, SolveStatus
from optimize.sorting import HomesData, free_homes
from optimize.sorting.homes import BALANCE_YUAN

PLACES, WAREHOUSES = ("C1", "C2", "C3", "C4", "C5"), ("W1", "W2")
LIMITS = SolveLimits(seconds=20.0, gap=1e-6)
FLOOR = {
    "temperature_zone": "ambient",
    "inbound_capacity_units": 1000.0,
    "stations": 5,
    "slots_per_station": 10,
    "units_per_worker_hour": 50.0,
    "max_workers": 2,
    "worker_hour_yuan": 30.0,
    "overtime_hour_yuan": 45.0,
    "opens_at": "01:00",
    "closes_at": "05:00",
}


def _data(ways: np.ndarray[Any, Any], units: list[float], **floor: Any) -> HomesData:
    """Return five places that all belong to W1 now, with transport costs by place and warehouse."""
    return HomesData(
        units=pd.DataFrame({"place_id": PLACES, "temperature_zone": "ambient", "units": units, "destinations": 1}),
        ways=pd.DataFrame(
            [
                {"place_id": p, "warehouse_id": w, "yuan": float(ways[i, j])}
                for i, p in enumerate(PLACES)
                for j, w in enumerate(WAREHOUSES)
            ]
        ),
        now=pd.Series("W1", index=list(PLACES)),
        floors=WarehouseZones.check(pd.DataFrame([{"warehouse_id": w, **FLOOR, **floor} for w in WAREHOUSES])),
        settings=SortingSettings(overtime_minutes=60),
    )


def _yuan(homes: tuple[int, ...], ways: np.ndarray[Any, Any], units: list[float]) -> float:
    """Return transport, hours, overtime and balance by hand; infinite beyond eight regular and two overtime hours."""
    total, shares = sum(ways[p, w] for p, w in enumerate(homes)), []
    for w in (0, 1):
        hours = sum(u for u, home in zip(units, homes, strict=True) if home == w) / 50.0
        if hours > 10.0 + 1e-9:
            return float("inf")
        total += 30.0 * min(hours, 8.0) + 45.0 * max(hours - 8.0, 0.0)
        shares.append(hours / 8.0)
    return float(total + BALANCE_YUAN * max(shares))


@given(st.integers(0, 10_000))
@test_settings(deadline=None, max_examples=12)
def test_the_cheapest_of_all_assignments_is_found(seed: int) -> None:
    """Thirty-two assignments of five places: the model's cost is the least of them, and its bound is below it."""
    random = np.random.default_rng(seed)
    ways = np.round(random.uniform(10.0, 900.0, (5, 2)), 2)
    units = [float(u) for u in random.integers(20, 160, 5)]
    found = free_homes(_data(ways, units), limits=LIMITS)
    best = min(_yuan(homes, ways, units) for homes in product((0, 1), repeat=5))
    assert found.costs_free["total"] == pytest.approx(best, rel=1e-3)
    assert found.report.bound_yuan is not None
    assert found.report.bound_yuan <= found.costs_free["total"] + 1e-6
    now = found.costs_now
    assert now["total"] == pytest.approx(sum(now[part] for part in ("transport", "labour", "overtime", "balance")))


def test_the_saving_is_the_difference_of_people_and_vans() -> None:
    """Two places 100 yuan nearer to W2: they move, 200 yuan are saved, labour is the same at both warehouses."""
    ways = np.array([[50.0, 400.0], [50.0, 400.0], [50.0, 400.0], [150.0, 50.0], [150.0, 50.0]])
    found = free_homes(_data(ways, [40.0] * 5), limits=LIMITS)
    homes = found.homes.set_index("place_id")["warehouse_free"]
    assert homes.to_dict() == {"C1": "W1", "C2": "W1", "C3": "W1", "C4": "W2", "C5": "W2"}
    assert found.saved_yuan == pytest.approx(200.0)
    assert "2 of 5 would" in found.sentence


def test_a_floor_that_cannot_take_the_goods_is_relieved() -> None:
    """W1 takes in 100 units and 160 hang on it: however near they are, some places move."""
    ways = np.array([[10.0, 500.0]] * 5)
    found = free_homes(_data(ways, [32.0] * 5, inbound_capacity_units=100.0), limits=LIMITS)
    units = found.homes.merge(pd.DataFrame({"place_id": PLACES, "units": 32.0}), on="place_id")
    assert units.groupby("warehouse_free")["units"].sum().max() <= 100.0


def test_impossible_nights_are_explained() -> None:
    """More units than both floors take in: no assignment, said in words; the present costs are still there."""
    found = free_homes(_data(np.full((5, 2), 10.0), [32.0] * 5, inbound_capacity_units=50.0), limits=LIMITS)
    assert found.report.status == SolveStatus.INFEASIBLE
    assert "inbound capacity" in found.sentence
    assert found.costs_now["total"] > 0


def test_a_place_without_any_home_is_named() -> None:
    """A place no warehouse has a van for cannot be assigned: its id is in the error."""
    data = _data(np.full((5, 2), 10.0), [32.0] * 5)
    with pytest.raises(InputError, match="C3"):
        free_homes(replace(data, ways=data.ways[data.ways["place_id"] != "C3"]), limits=LIMITS)
