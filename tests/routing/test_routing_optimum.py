"""Routes of tiny towns against brute force over all orders, splits and vans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations, pairwise, permutations
from typing import Any

import pytest

from contracts.clock import clock_instant
from contracts.planned import Releases, StopLoads
from contracts.settings import CitySettings, RoutingSettings, TravelSettings
from contracts.solve import SolveLimits
from contracts.world import World
from optimize.routing import route, routing_data
from optimize.routing.bound import lower_bound
from optimize.routing.duty import Duty, duty_yuan, timetable
from optimize.routing.territory import Territory


def _trips(order: tuple[int, ...], most: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    for cuts in range(min(most, len(order))):
        for at in combinations(range(1, len(order)), cuts):
            edges = [0, *at, len(order)]
            yield tuple(order[a:b] for a, b in pairwise(edges))


def _duty_cost(territory: Territory, van: int, stops: tuple[int, ...]) -> float:
    """Return the cheapest duty of one van for exactly these stops, infinite if there is none."""
    kind, goods = territory.vans[van], territory.stops
    if any((goods.frozen[s] and not kind.carries_frozen) for s in stops):
        return float("inf")
    best = float("inf")
    for order in permutations(stops):
        for trips in _trips(order, kind.max_trips):
            if any(
                goods.load_kg[list(t)].sum() > kind.capacity_kg or goods.load_l[list(t)].sum() > kind.capacity_l
                for t in trips
            ):
                continue
            duty = Duty(van, trips)
            times = timetable(territory, duty)
            if times.late_s + times.over_s == 0:
                best = min(best, sum(duty_yuan(territory, duty, times)))
    return best


def brute_force(territory: Territory) -> float:
    """Return the least cost over all ways to share the stops out over the vans; a stop may be left out at its price."""
    price = territory.unserved_yuan
    vans = [number for number, van in enumerate(territory.vans) for _ in range(van.count)]
    cost = cache(lambda van, stops: _duty_cost(territory, van, stops))

    @cache
    def rest(position: int, left: frozenset[int]) -> float:
        if position == len(vans) or not left:
            return float(price) * len(left) if price is not None else (0.0 if not left else float("inf"))
        best = rest(position + 1, left)
        for size in range(1, len(left) + 1):
            for chosen in combinations(sorted(left), size):
                own = cost(vans[position], chosen)
                if own < best:
                    best = min(best, own + rest(position + 1, left - set(chosen)))
        return best

    return rest(0, frozenset(range(len(territory.stops))))


@pytest.mark.parametrize("seed", range(6))
def test_five_stops_equal_brute_force(seed: int, town: Callable[..., Any], limits: SolveLimits) -> None:
    """Two kinds of vans, several trips, frozen goods, staggered releases: the plan costs what brute force finds."""
    small = town(5, seed=seed, kg=110.0)
    cold = {**small.vans[0], "vehicle_type_id": "W1-cold", "count": 1, "capacity_kg": 220.0, "fixed_yuan": 150.0}
    dry = {**small.vans[0], "carries_frozen": False, "count": 2, "max_trips": 2 + seed % 2}
    loads = [{**row, "temperature_zone": "frozen" if i == 1 else "ambient"} for i, row in enumerate(small.loads)]
    releases = [{**row, "released_at": f"0{4 + i % 4}:30"} for i, row in enumerate(small.releases)]
    data = small.but(vans=[dry, cold], loads=loads, releases=releases).data()
    plan = route(data, limits=limits)
    best = brute_force(data.warehouses[0])
    assert plan.costs["total"] == pytest.approx(best, abs=0.01)
    assert lower_bound(data.warehouses[0]) <= best + 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_too_few_vans_leave_out_what_brute_force_leaves_out(
    seed: int, town: Callable[..., Any], limits: SolveLimits
) -> None:
    """One van, one trip, more goods than it holds: the cheapest stops to leave out are found."""
    data = town(5, seed=seed, kg=110.0, count=1, max_trips=1).data()
    plan = route(data, limits=limits)
    assert len(plan.unserved) >= 1
    assert plan.costs["total"] == pytest.approx(brute_force(data.warehouses[0]), abs=0.01)


def test_more_work_never_costs_more_on_a_larger_town(town: Callable[..., Any]) -> None:
    """The best found after 600 iterations is no dearer than after 30, and both stay above the bound."""
    data = town(40, seed=3, count=20).data()
    short, long = (route(data, limits=SolveLimits(seconds=30, work=work, seed=2)) for work in (30, 600))
    assert long.costs["total"] <= short.costs["total"] + 1e-9
    assert long.report.bound_yuan is not None
    assert long.report.bound_yuan <= long.costs["total"]


def test_the_tiny_world_s_routes_equal_brute_force(tiny: World, limits: SolveLimits) -> None:
    """Six communities, two vans, last night's orders: no set of routes is cheaper than the plan's."""
    reference, day = tiny.reference, tiny.order_lines["delivery_date"].max()
    lines = tiny.order_lines[(tiny.order_lines["delivery_date"] == day) & tiny.order_lines["cancelled_at"].isna()]
    goods = lines.merge(reference.skus, on="sku_id")
    goods = goods.assign(load_kg=goods["quantity"] * goods["weight_kg"], load_l=goods["quantity"] * goods["volume_l"])
    loads = goods.groupby(["community_id", "temperature_zone"], as_index=False)[["quantity", "load_kg", "load_l"]].sum()
    loads = loads.rename(columns={"community_id": "destination_id", "quantity": "units"})
    ends = clock_instant("05:00", delivery_date=day, timezone="Asia/Shanghai")
    released = loads[["destination_id"]].drop_duplicates().assign(warehouse_id="W1", released_at=ends)
    data = routing_data(
        reference,
        StopLoads.check(loads),
        Releases.check(released),
        delivery_date=day,
        city=CitySettings(),
        travel=TravelSettings(),
        settings=RoutingSettings(),
    )
    plan = route(data, limits=limits)
    assert len(plan.stops) == 6
    assert plan.costs["total"] == pytest.approx(brute_force(data.warehouses[0]), abs=0.01)
