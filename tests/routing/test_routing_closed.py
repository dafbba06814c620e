"""Stops that are closed to a kind of van: a low gate, a weight limit, a ban on lorries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest

from contracts.solve import SolveLimits
from optimize.routing import RoutingData, check, route
from optimize.routing.duty import Duty, holds, timetable
from optimize.routing.partition import net_yuan
from optimize.routing.solver import Effort, search


def _closed(data: RoutingData, closed: dict[str, set[str]]) -> RoutingData:
    """Return the data with stops closed to kinds of vans."""
    territories = tuple(
        replace(
            territory,
            vans=tuple(
                replace(van, closed_to=frozenset(closed.get(van.vehicle_type_id, ()))) for van in territory.vans
            ),
        )
        for territory in data.warehouses
    )
    return replace(data, warehouses=territories)


def _two_kinds(town: Callable[..., Any], places: int = 6) -> RoutingData:
    """Return a town with two cheap lorries and two dear vans."""
    small = town(places, count=2, max_trips=1)
    lorry = {**small.vans[0], "vehicle_type_id": "lorry", "fixed_yuan": 50.0}
    van = {**small.vans[0], "vehicle_type_id": "van", "fixed_yuan": 150.0}
    data: RoutingData = small.but(vans=[lorry, van]).data()
    return data


def test_closed_stops_get_another_van(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Two stops closed to the lorry go by van, the others by lorry; the check agrees and sees a breach."""
    open_data = _two_kinds(town)
    plan = route(open_data, limits=limits)
    assert set(plan.stops["vehicle_type_id"]) == {"lorry"}
    data = _closed(open_data, {"lorry": {"C01", "C04"}})
    closed = route(data, limits=limits)
    kinds = closed.stops.set_index("community_id")["vehicle_type_id"]
    assert kinds["C01"] == kinds["C04"] == "van"
    assert closed.unserved.empty
    assert closed.costs["total"] > plan.costs["total"]
    assert any("closed to lorry" in finding for finding in check(data, plan))


def test_a_stop_closed_to_every_van_says_so(town: Callable[..., Any], limits: SolveLimits) -> None:
    """It is listed with the reason and what admitting a van would cost; admitted, it is served at about that cost."""
    data = _closed(_two_kinds(town), {"lorry": {"C02"}, "van": {"C02"}})
    plan = route(data, limits=limits)
    row = plan.unserved.set_index("destination_id").loc["C02"]
    assert "closed to lorry, van" in row["reason"]
    assert "Admit lorry" in row["cure"]
    assert row["cure_yuan"] > 50
    assert plan.costs["unserved"] == pytest.approx(2000.0)


def test_least_cost_with_closed_stops_by_enumeration(town: Callable[..., Any]) -> None:
    """Four stops, two kinds of vans, different stops closed to each: the search costs what enumeration finds."""
    data = _closed(_two_kinds(town, places=4), {"lorry": {"C01"}, "van": {"C03"}})
    territory = data.warehouses[0]
    found = search(territory, Effort(iterations=300, seconds=20.0, seed=1))
    best = float("inf")
    for vans in product(range(2), repeat=4):
        duties = []
        for kind in set(vans):
            mine = [stop for stop in range(4) if vans[stop] == kind]
            ways = [Duty(kind, (order,)) for order in permutations(mine)]
            feasible = [d for d in ways if holds(territory, d, timetable(territory, d))]
            duties.append(min(feasible, key=lambda d: net_yuan(territory, [d]), default=None))
        if all(duty is not None for duty in duties):
            best = min(best, net_yuan(territory, [d for d in duties if d is not None]))
    assert found.duties is not None
    assert net_yuan(territory, found.duties) <= best + 1e-6


def test_bans_of_the_reference_data_are_kept(town: Callable[..., Any], limits: SolveLimits) -> None:
    """A row of vehicle_bans keeps the only kind of van from a community: it is listed, the others are served."""
    plan = route(town(4).but(bans=[{"vehicle_type_id": "W1-van", "community_id": "C03"}]).data(), limits=limits)
    assert plan.unserved["destination_id"].tolist() == ["C03"]
    assert set(plan.stops["community_id"]) == {"C01", "C02", "C04"}
