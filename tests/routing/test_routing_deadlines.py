"""Deadlines the routes give to the waves: the routes hold when every trip loads that late, and not a second later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from contracts.solve import SolveLimits
from optimize.routing import RoutingData, route, trip_deadlines
from optimize.routing.deadlines import latest_loadings
from optimize.routing.duty import Duty, timetable


def _released(data: RoutingData, seconds: dict[str, int]) -> RoutingData:
    """Return the data with every warehouse stop's goods released at the moment given for its community."""
    moved = [
        territory.released(np.array([seconds[name] for name in territory.stops.ids], dtype=np.int64))
        for territory in data.warehouses
    ]
    return replace(data, warehouses=tuple(moved))


def test_routes_hold_when_goods_come_as_late_as_they_may(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Every trip released at its deadline: all stops are on time; with a minute more the planned trips break."""
    data = town(8, seed=3).data()
    plan = route(data, limits=limits)
    wanted = trip_deadlines(data, plan)
    assert set(wanted["destination_id"]) == set(plan.stops["community_id"])
    assert (wanted["latest_at"] >= wanted["loads_at"]).all()
    latest = ((wanted["latest_at"] - data.midnight).dt.total_seconds()).astype(int)
    by_stop = dict(zip(wanted["destination_id"], latest, strict=True))
    number = {name: stop for stop, name in enumerate(data.warehouses[0].stops.ids)}
    ordered = plan.stops.sort_values(["route_id", "trip", "seq"])
    for late, broken in ((0, False), (60, True)):
        then = _released(data, {name: second + late for name, second in by_stop.items()}).warehouses[0]
        misses = 0
        for _, mine in ordered.groupby("route_id"):
            trips = tuple(tuple(number[name] for name in trip["community_id"]) for _, trip in mine.groupby("trip"))
            times = timetable(then, Duty(0, trips))
            misses += times.late_s + times.over_s
        assert (misses > 0) is broken


def test_the_latest_loading_by_hand(town: Callable[..., Any]) -> None:
    """One stop, window until 12:00, a way of w seconds and loading of 20 minutes: 12:00 - w - 20 minutes."""
    territory = town(1).data().warehouses[0]
    way = int(territory.travel.duration_s[0, 1])
    assert latest_loadings(territory, Duty(0, ((0,),)), territory.stops.close_s) == [12 * 3600 - way - 20 * 60]


def test_a_truck_is_due_before_its_depots_vans_must_load(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Goods of depot communities have the truck's trip; its deadline leaves time for dock, handling and the vans."""
    small = town(6, kg=50.0)
    depots = [
        {
            "depot_id": "D1",
            "warehouse_id": "W1",
            "name": "D1",
            "latitude": 30.05,
            "longitude": 104.05,
            "opens_at": "03:00",
        }
    ]
    vans = [*small.vans, {**small.vans[0], "vehicle_type_id": "D1-van", "base_id": "D1"}]
    communities = [{**row, "depot_id": "D1"} for row in small.communities]
    data = small.but(communities=communities, depots=depots, vans=vans).data()
    plan = route(data, limits=limits)
    wanted = trip_deadlines(data, plan)
    linehaul = plan.stops.dropna(subset="depot_id")
    assert set(wanted["destination_id"]) == {row["community_id"] for row in small.communities}
    assert set(wanted["route_id"]) == set(linehaul["route_id"])
    last_mile = plan.stops.dropna(subset="community_id").sort_values(["route_id", "trip", "seq"])
    by_route = last_mile.groupby("route_id")["community_id"].first()
    seq = wanted.set_index("destination_id")["seq"]
    assert seq[by_route.iloc[0]] < 2.0
    earliest_van = plan.trips.loc[plan.trips["base_id"] == "D1", "departs_at"].min()
    assert (wanted["latest_at"] < earliest_van + pd.Timedelta(hours=8)).all()
    assert (wanted["latest_at"] >= wanted["loads_at"]).all()


def test_unserved_communities_ask_nothing(town: Callable[..., Any], limits: SolveLimits) -> None:
    """A community too heavy for any van is on no trip, so it has no deadline."""
    small = town(3)
    loads = [{**row, "load_kg": 900.0 if row["destination_id"] == "C02" else 20.0} for row in small.loads]
    data = small.but(loads=loads).data()
    plan = route(data, limits=limits)
    assert set(trip_deadlines(data, plan)["destination_id"]) == {"C01", "C03"}
