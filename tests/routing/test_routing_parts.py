"""Large territories: parts, portfolio, better vans, set partitioning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from contracts.solve import SolveLimits
from optimize.routing import check, route
from optimize.routing.decompose import Parts, clustered, search_parts
from optimize.routing.duty import Duty, holds, timetable, whole_yuan
from optimize.routing.fleet import on_best_vans
from optimize.routing.partition import best_of_all, net_yuan
from optimize.routing.portfolio import search_side_by_side
from optimize.routing.solver import Effort, search
from optimize.routing.start import first_duties
from optimize.routing.territory import Territory

SMALL = Parts(whole=20, stops=20, iterations_per_stop=5.0, first_iterations_per_stop=2.0)


@pytest.fixture(scope="module")
def suburb(town: Callable[..., Any]) -> Territory:
    """Return a territory of 60 stops with two kinds of vans."""
    small = town(60, seed=8, spread=0.15, count=30, max_trips=1)
    big = {**small.vans[0], "vehicle_type_id": "W1-big", "capacity_kg": 700.0, "fixed_yuan": 200.0, "count": 15}
    return small.but(vans=[small.vans[0], big]).data().warehouses[0]


def _valid(territory: Territory, duties: tuple[Duty, ...] | None) -> bool:
    assert duties is not None
    stops = [stop for duty in duties for stop in duty.stops]
    used = np.bincount([duty.van for duty in duties], minlength=len(territory.vans))
    return (
        len(stops) == len(set(stops))
        and all(holds(territory, duty, timetable(territory, duty)) for duty in duties)
        and all(used <= [van.count for van in territory.vans])
    )


def test_parts_serve_everything_and_beat_the_start(suburb: Territory) -> None:
    """Search in parts keeps every rule, serves all stops and costs less than the short search it starts from."""
    start = first_duties(suburb, Effort(60, 20.0, 3)).duties
    assert start is not None
    found = search_parts(suburb, Effort(600, 60.0, 3, 2), parts=SMALL, start=start)
    assert _valid(suburb, found.duties)
    assert found.duties is not None
    assert sum(len(duty.stops) for duty in found.duties) == 60
    assert net_yuan(suburb, found.duties) < net_yuan(suburb, start)
    assert found.partition_saved_yuan >= 0.0
    assert not found.out_of_time


@pytest.mark.parametrize("finder", ["parts", "portfolio"])
def test_same_seed_and_work_give_the_same_duties(finder: str, suburb: Territory) -> None:
    """Two parallel runs with an iteration limit agree to the last stop."""
    effort = Effort(200, 60.0, 5, 2)
    if finder == "parts":
        one, two = (search_parts(suburb, effort, parts=SMALL) for _ in range(2))
    else:
        one, two = (search_side_by_side(suburb, effort) for _ in range(2))
    assert one.duties == two.duties
    assert _valid(suburb, one.duties)


def test_a_city_in_parts_passes_the_check(town: Callable[..., Any]) -> None:
    """200 communities with the settings' parts: the plan passes the solver-free check, nothing is left out."""
    data = town(200, seed=2, spread=0.2, count=60).data()
    plan = route(data, limits=SolveLimits(seconds=60, work=150, workers=2))
    assert check(data, plan) == []
    assert plan.unserved.empty
    assert len(plan.stops) == 200


def test_clusters_cover_every_duty_once(suburb: Territory) -> None:
    """Each duty is in exactly one cluster of about the size asked for."""
    duties = search(suburb, Effort(100, 20.0, 1)).duties
    assert duties is not None
    clusters = clustered(suburb, duties, 20, np.random.default_rng(0))
    assert sorted(i for cluster in clusters for i in cluster) == list(range(len(duties)))
    sizes = [sum(len(duties[i].stops) for i in cluster) for cluster in clusters]
    assert max(sizes) <= 20 + max(len(duty.stops) for duty in duties)


def test_vans_are_reassigned_as_brute_force_would(suburb: Territory) -> None:
    """With one van of each kind, the best of all assignments of three duties is found."""
    kinds = tuple(
        replace(suburb.vans[0], vehicle_type_id=str(n), count=1, capacity_kg=size, fixed_yuan=yuan, yuan_per_km=rate)
        for n, (size, yuan, rate) in enumerate([(300.0, 50.0, 3.0), (250.0, 90.0, 1.0), (400.0, 200.0, 0.5)])
    )
    territory = replace(suburb, vans=kinds)
    duties = (Duty(0, ((0, 1, 2),)), Duty(1, ((3,),)), Duty(2, ((4, 5),)))
    best = min(
        sum(whole_yuan(territory, d) for d in moved)
        for order in permutations(range(3))
        for moved in [[Duty(van, duty.trips) for van, duty in zip(order, duties, strict=True)]]
        if all(holds(territory, d, timetable(territory, d)) for d in moved)
    )
    found = on_best_vans(territory, duties)
    assert sum(whole_yuan(territory, d) for d in found) == pytest.approx(best)


def test_the_best_set_of_duties_is_found_and_never_worse(suburb: Territory) -> None:
    """Two bad halves seen beside a good pair: the partition picks the good pair and leaves nothing out."""
    territory = suburb.only(np.arange(4))
    ways = [
        tuple(Duty(0, (pair,)) for pair in pairs) for pairs in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
    ]
    dearest = max(ways, key=lambda way: net_yuan(territory, way))
    cheapest = min(ways, key=lambda way: net_yuan(territory, way))
    seen = [duty for way in ways for duty in way]
    united, _ = best_of_all(territory, dearest, seen, seconds=10.0)
    assert net_yuan(territory, united) == pytest.approx(net_yuan(territory, cheapest))
    assert best_of_all(territory, cheapest, [], seconds=10.0)[0] == cheapest


def test_the_partition_uses_no_more_vans_than_there_are(suburb: Territory) -> None:
    """With one van, two single-stop duties cannot both be chosen, however cheap."""
    territory = replace(suburb.only(np.arange(2)), vans=(replace(suburb.vans[0], count=1),))
    together = (Duty(0, ((0, 1),)),)
    apart = [Duty(0, ((0,),)), Duty(0, ((1,),))]
    assert best_of_all(territory, together, apart, seconds=10.0)[0] == together
