"""Waves people have already: an answer of their own, and how early goods could leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from contracts.solve import SolveLimits
from optimize.sorting import SortingData, earliest_releases, sort

PLACE = ["warehouse_id", "temperature_zone", "destination_id"]
Make = Callable[..., SortingData]
FLOOR = {
    "warehouse_id": "W1",
    "temperature_zone": "ambient",
    "inbound_capacity_units": 1e6,
    "stations": 2,
    "slots_per_station": 8,
    "units_per_worker_hour": 25.0,
    "max_workers": 6,
    "worker_hour_yuan": 20.0,
    "overtime_hour_yuan": 30.0,
    "opens_at": "01:00",
    "closes_at": "04:30",
}


def city(make_data: Make, *, seed: int) -> SortingData:
    """One floor, twenty destinations, a SKU that comes later, some latest ends before closing."""
    rng = np.random.default_rng(seed)
    goods = [(f"C{i:02d}", sku, float(rng.integers(1, 9))) for i in range(20) for sku in "AB" if rng.random() < 0.8]
    totals = {sku: sum(units for _, s, units in goods if s == sku) for sku in "AB"}
    return make_data(
        goods,
        arrive=[("A", "P1", totals["A"], "00:30"), ("B", "P1", totals["B"], "01:40")],
        skus={"A": "ambient", "B": "ambient"},
        zones=[FLOOR],
        deadlines={f"C{i:02d}": "03:00" for i in range(0, 20, 4)},
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hurried_search_is_no_dearer_than_the_waves_there_are(make_data: Make, seed: int) -> None:
    """One branch-and-bound node on the path for large floors, given the proved waves: their cost comes back."""
    data = city(make_data, seed=seed)
    good = sort(data, limits=SolveLimits(seconds=20))
    hurried = replace(
        data,
        settings=data.settings.model_copy(update={"whole_model_pairs": 0}),
        before=good.tasks.drop_duplicates(PLACE).set_index(PLACE)["wave"],
    )
    again = sort(hurried, limits=SolveLimits(seconds=20, work=1))
    assert again.costs["total"] <= good.costs["total"] + 1e-6


def test_no_plan_releases_a_destination_earlier(make_data: Make) -> None:
    """The wish of the routes is a lower bound on the releases of any plan, for every destination."""
    data = city(make_data, seed=5)
    key = ["warehouse_id", "destination_id"]
    wish = earliest_releases(data).set_index(key)["released_at"]
    planned = sort(data, limits=SolveLimits(seconds=20)).releases.set_index(key)["released_at"]
    assert set(wish.index) == set(planned.index)
    assert (wish.reindex(planned.index) <= planned).all()
