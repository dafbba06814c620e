"""The lower bound against brute force, where weights and volumes, kinds of vans and hours pull apart."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.solve import SolveLimits
from optimize.routing import route
from optimize.routing.bound import lower_bound
from optimize.routing.territory import Territory


def brute_force(territory: Territory) -> float:
    """Return the least cost by the enumeration of the optimum tests."""
    path = Path(__file__).with_name("test_routing_optimum.py")
    spec = importlib.util.spec_from_file_location("routing_optimum", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    best: float = module.brute_force(territory)
    return best


def test_heavy_and_bulky_goods_share_a_van(town: Callable[..., Any]) -> None:
    """One stop fills nine tenths of the kilograms, one nine tenths of the litres: a single van takes both.

    The sum of each stop's larger share would ask for 1.8 vans, more than the optimum costs.
    """
    small = town(2, count=2, max_trips=1, fixed_yuan=1000.0)
    loads = [
        {**row, "load_kg": kg, "load_l": litres}
        for row, kg, litres in zip(small.loads, (270.0, 15.0), (100.0, 1800.0), strict=True)
    ]
    territory = small.but(loads=loads).data().warehouses[0]
    best = brute_force(territory)
    assert best < 1200.0
    assert 1000.0 <= lower_bound(territory) <= best + 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_no_plan_is_cheaper_than_the_bound(town: Callable[..., Any], seed: int) -> None:
    """Random weights, volumes, zones, kinds, trips, shifts and prices of leaving out: the bound stays below."""
    random = np.random.default_rng(seed)
    small = town(4, seed=seed, kg=100.0)
    loads = [
        {**row, "load_kg": float(random.uniform(5, 280)), "load_l": float(random.uniform(20, 1900))}
        | {"temperature_zone": str(random.choice(["ambient", "chilled", "frozen"]))}
        for row in small.loads
    ]
    vans = [
        {**small.vans[0], "vehicle_type_id": f"W1-{n}", "count": 1 + int(random.integers(2)), "max_trips": 1 + n % 2}
        | {"carries_frozen": n != 1, "carries_chilled": n < 2, "fixed_yuan": float(random.uniform(20, 300))}
        | {"capacity_kg": float(random.uniform(200, 400)), "shift_end": ("09:00", "14:00")[int(random.integers(2))]}
        for n in range(2)
    ]
    settings = small.settings.model_copy(update={"unserved_yuan": float(random.choice([60.0, 2000.0]))})
    territory = small.but(loads=loads, vans=vans, settings=settings).data().warehouses[0]
    assert lower_bound(territory) <= brute_force(territory) + 1e-6


def test_whole_vans_make_the_bound_tight_where_fixed_costs_decide(
    town: Callable[..., Any], limits: SolveLimits
) -> None:
    """Vans at 1,000 yuan that two and a half loads need: three are bound to be paid, and three are used."""
    data = town(10, kg=75.0, count=5, max_trips=1, fixed_yuan=1000.0).data()
    plan = route(data, limits=limits)
    assert plan.costs["fixed"] == 3000.0
    assert plan.report.bound_yuan is not None
    assert plan.report.bound_yuan >= 3000.0
    assert plan.report.gap is not None
    assert plan.report.gap < 0.08


def test_a_fleet_that_cannot_do_it_all_is_bound_to_leave_somebody_out(town: Callable[..., Any]) -> None:
    """One van of one trip for twice its load: the bound holds the price of a stop left out."""
    territory = town(5, kg=110.0, count=1, max_trips=1).data().warehouses[0]
    assert territory.unserved_yuan is not None
    assert territory.unserved_yuan <= lower_bound(territory) <= brute_force(territory) + 1e-6
