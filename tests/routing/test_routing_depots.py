"""Two echelons: linehaul to depots, then the last mile, timed together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from contracts.solve import SolveLimits
from optimize.routing import check, route


def _two_depots(town: Callable[..., Any], places: int = 9, **changes: Any) -> Any:
    small = town(places, kg=50.0, **changes)
    depots = [
        {
            "depot_id": name,
            "warehouse_id": "W1",
            "name": name,
            "latitude": 30.0 + shift,
            "longitude": 104.0 + shift,
            "opens_at": "03:00",
        }
        for name, shift in (("D1", 0.05), ("D2", -0.05))
    ]
    communities = [{**row, "depot_id": ("D1", "D2", None)[i % 3]} for i, row in enumerate(small.communities)]
    vans = [*small.vans, *({**small.vans[0], "vehicle_type_id": f"{d}-van", "base_id": d} for d in ("D1", "D2"))]
    return small.but(communities=communities, depots=depots, vans=vans)


def test_last_mile_loads_after_linehaul_and_handling(town: Callable[..., Any], limits: SolveLimits) -> None:
    """No depot van leaves before truck departure from the dock + handling + loading; the check sees it too."""
    data = _two_depots(town).data()
    plan = route(data, limits=limits)
    assert plan.unserved.empty
    for depot in ("D1", "D2"):
        brought = plan.stops.loc[plan.stops["depot_id"] == depot, "depart_at"].max()
        leaves = plan.trips.loc[plan.trips["base_id"] == depot, "departs_at"].min()
        assert leaves >= brought + pd.Timedelta(minutes=20 + 20)
    trips = plan.trips.copy()
    first = trips.index[trips["base_id"] == "D1"][0]
    trips.loc[first, "departs_at"] -= pd.Timedelta(hours=3)
    assert check(data, type(plan)(**{**vars(plan), "trips": trips}))


def test_what_comes_to_a_depot_leaves_it(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Linehaul kg per depot equal the kg its vans deliver."""
    plan = route(_two_depots(town).data(), limits=limits)
    brought = plan.stops.dropna(subset="depot_id").groupby("depot_id")["load_kg"].sum()
    delivered = plan.stops[plan.stops["base_id"].isin(["D1", "D2"])].groupby("base_id")["load_kg"].sum()
    assert brought.to_dict() == pytest.approx(delivered.to_dict())


def test_a_depot_of_several_truckloads_is_visited_several_times(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Goods beyond one truck come in whole communities on several linehaul stops, none above the truck."""
    small = _two_depots(town, places=21)
    plan = route(small.data(), limits=limits)
    assert plan.unserved.empty
    linehaul = plan.stops.dropna(subset="depot_id")
    assert (linehaul.groupby("depot_id").size() >= 2).all()
    assert (linehaul["load_kg"] <= 300.0).all()


def test_a_depot_without_vans_loses_nothing(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Its communities are listed with the reason; the others are served."""
    small = _two_depots(town)
    plan = route(small.but(vans=[van for van in small.vans if van["base_id"] != "D2"]).data(), limits=limits)
    mine = {row["community_id"] for row in small.communities if row["depot_id"] == "D2"}
    assert set(plan.unserved["destination_id"]) == mine
    assert (plan.unserved["reason"] == "D2 has no vans.").all()


def test_a_depot_no_truck_reaches_strands_its_communities(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Without trucks the depot and each community behind it are listed."""
    small = _two_depots(town)
    plan = route(small.but(vans=[van for van in small.vans if van["base_id"] != "W1"]).data(), limits=limits)
    assert {"D1", "D2"} <= set(plan.unserved["destination_id"])
    stranded = plan.unserved[plan.unserved["base_id"].isin(["D1", "D2"])]
    assert stranded["reason"].str.startswith("No truck brings its goods").all()
    assert len(stranded) == 6


def test_goods_for_the_depot_itself_stop_there(town: Callable[..., Any], limits: SolveLimits) -> None:
    """A load addressed to a depot is brought to its dock and goes no further."""
    small = _two_depots(town)
    own = {**small.loads[0], "destination_id": "D1", "load_kg": 33.0}
    release = {"warehouse_id": "W1", "destination_id": "D1", "released_at": "05:00"}
    plan = route(small.but(loads=[*small.loads, own], releases=[*small.releases, release]).data(), limits=limits)
    brought = plan.stops.loc[plan.stops["depot_id"] == "D1", "load_kg"].sum()
    delivered = plan.stops.loc[plan.stops["base_id"] == "D1", "load_kg"].sum()
    assert brought == pytest.approx(delivered + 33.0)


def test_depots_side_by_side_give_the_same_plan(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Two workers search two depots at once; the plan is the same as with one."""
    data = _two_depots(town).data()
    one, two = (route(data, limits=limits.model_copy(update={"workers": workers})) for workers in (1, 2))
    assert one.stops.equals(two.stops)
    assert one.report.stopped_by == "work"
