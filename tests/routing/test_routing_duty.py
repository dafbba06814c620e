"""Timetables: by hand, and against PyVRP's own arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from pyvrp import Activity, ActivityType, Route

from optimize.routing.duty import Duty, duty_yuan, timetable
from optimize.routing.scale import Scale
from optimize.routing.solver import problem


def test_times_by_hand(town: Callable[..., Any]) -> None:
    """One stop 1,000 s away: loading so that the van arrives just as the window opens."""
    territory = town(1).data().warehouses[0]
    way = int(territory.travel.duration_s[0, 1])
    times = timetable(territory, Duty(0, ((0,),)))
    trip = times.trips[0]
    assert trip.arrive_s == (7 * 3600,)
    assert trip.departs_s == 7 * 3600 - way
    assert trip.loads_s == 7 * 3600 - way - 20 * 60
    assert trip.returns_s == 7 * 3600 + 360 + way
    assert times.duty_s == 2 * way + 360 + 1200
    assert times.late_s == 0


def test_goods_sorted_late_make_the_stop_late_by_so_much(town: Callable[..., Any]) -> None:
    """Released at 12:30 for a window until 12:00: late by 30 minutes, loading and the way."""
    small = town(1)
    late = small.but(releases=[{**small.releases[0], "released_at": "12:30"}]).data().warehouses[0]
    times = timetable(late, Duty(0, ((0,),)))
    assert times.late_s == 30 * 60 + 20 * 60 + int(late.travel.duration_s[0, 1])


def test_fixed_kilometre_and_hour_cost(town: Callable[..., Any]) -> None:
    """Cost is fixed + yuan per km x km + yuan per hour x hours on duty."""
    territory = town(1).data().warehouses[0]
    duty = Duty(0, ((0,),))
    times = timetable(territory, duty)
    assert duty_yuan(territory, duty, times) == (120.0, 1.5 * times.distance_m / 1000, 36.0 * times.duty_s / 3600)


def test_duration_and_lateness_equal_the_solvers(town: Callable[..., Any]) -> None:
    """On 300 random duties with trips, windows and releases, feasible ones last exactly as long as PyVRP says."""
    random = np.random.default_rng(5)
    compared = 0
    for seed in range(6):
        territory = town(6, seed=seed, max_trips=3, shift_end="20:00").data().warehouses[0]
        opens = random.integers(6 * 3600, 11 * 3600, 6)
        stops = replace(
            territory.stops,
            open_s=opens,
            close_s=opens + random.integers(1800, 5 * 3600, 6),
            release_s=random.integers(4 * 3600, 6 * 3600, 6),
        )
        territory = replace(territory, stops=stops)
        scale = Scale(load_step=10, money_step=1, origin_s=0)
        data = problem(territory, scale)
        for _ in range(50):
            order = [int(stop) for stop in random.permutation(6)[: random.integers(1, 7)]]
            cut = int(random.integers(0, len(order)))
            trips = tuple(tuple(trip) for trip in (order[:cut], order[cut:]) if trip)
            visits = [Activity(ActivityType.CLIENT, stop) for stop in trips[0]]
            for trip in trips[1:]:
                visits += [Activity(ActivityType.DEPOT, 0), *(Activity(ActivityType.CLIENT, stop) for stop in trip)]
            route = Route(data, visits, 0)
            times = timetable(territory, Duty(0, trips))
            assert route.has_time_warp() == (times.late_s + times.over_s > 0)
            if not route.has_time_warp():
                compared += 1
                assert times.duty_s == route.duration()
                assert times.distance_m == route.distance()
    assert compared > 50
