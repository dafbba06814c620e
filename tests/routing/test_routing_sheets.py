"""Run sheets, load lists, GeoJSON, maps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from contracts.solve import SolveLimits
from optimize.routing import RoutePlan, RoutingData, route
from optimize.routing.cages import depot_cages
from optimize.routing.lines import geojson, trip_lines
from optimize.routing.route_map import load_chart_png, route_map_html, route_map_png
from optimize.routing.sheets import load_list, run_sheet


@pytest.fixture(scope="module")
def night(town: Callable[..., Any], limits: SolveLimits) -> tuple[Any, RoutingData, RoutePlan]:
    """Return a town with a depot and frozen goods, its data and its plan."""
    small = town(6)
    depot = {
        "depot_id": "D1",
        "warehouse_id": "W1",
        "name": "Dock <1>",
        "latitude": 30.03,
        "longitude": 104.03,
        "opens_at": "03:00",
    }
    communities = [{**row, "depot_id": "D1" if i < 3 else None} for i, row in enumerate(small.communities)]
    vans = [*small.vans, {**small.vans[0], "vehicle_type_id": "D1-van", "base_id": "D1"}]
    frozen = {**small.loads[0], "temperature_zone": "frozen", "load_l": 46.0, "load_kg": 5.0}
    small = small.but(communities=communities, depots=[depot], vans=vans, loads=[*small.loads, frozen])
    data = small.data()
    return small, data, route(data, limits=limits)


def test_run_sheet_in_driving_order_and_local_time(night: tuple[Any, RoutingData, RoutePlan]) -> None:
    """Every stop has a row, sequence rises, times are on the city's wall clock inside the window."""
    town, data, plan = night
    sheet = run_sheet(plan, data, reference=town.reference(), loads=pd.DataFrame(town.loads))
    assert len(sheet) == len(plan.stops)
    assert (sheet.groupby(["route_id", "trip"])["seq"].diff().dropna() == 1).all()
    calls = sheet[sheet["place_id"] != "D1"]
    assert (calls["arrive"] >= "06:30").all()
    assert (calls["depart"] <= "12:30").all()
    assert set(calls["window"]) == {"07:00 - 12:00"}
    assert sheet.loc[sheet["place_id"] == "D1", "note"].str.contains("dock").all()


def test_crates_per_zone_are_whole_and_conserved_over_the_depot(night: tuple[Any, RoutingData, RoutePlan]) -> None:
    """150 l are four crates of 45 l, 46 frozen l are two; linehaul crates equal those of the depot's stops."""
    town, data, plan = night
    sheet = run_sheet(plan, data, reference=town.reference(), loads=pd.DataFrame(town.loads))
    first = sheet[sheet["place_id"] == "C01"].iloc[0]
    assert (first["crates_ambient"], first["crates_chilled"], first["crates_frozen"]) == (4, 0, 2)
    crates = ["crates_ambient", "crates_chilled", "crates_frozen"]
    brought = sheet.loc[sheet["place_id"] == "D1", crates].sum()
    delivered = sheet.loc[sheet["base_id"] == "D1", crates].sum()
    assert brought.to_dict() == delivered.to_dict()


def test_the_last_stop_is_loaded_first(night: tuple[Any, RoutingData, RoutePlan]) -> None:
    """The load list reverses the run sheet within each trip."""
    town, data, plan = night
    sheet = run_sheet(plan, data, reference=town.reference(), loads=pd.DataFrame(town.loads))
    listed = load_list(sheet)
    for key, rows in listed.groupby(["route_id", "trip"]):
        driven = sheet[(sheet["route_id"] == key[0]) & (sheet["trip"] == key[1])].sort_values("seq")
        assert rows.sort_values("order")["place_id"].tolist() == driven["place_id"].tolist()[::-1]
    assert listed["crates"].sum() == listed.filter(like="crates_").to_numpy().sum()


def test_a_truck_is_loaded_so_that_what_its_depot_needs_first_comes_off_first(
    night: tuple[Any, RoutingData, RoutePlan],
) -> None:
    """The depot stop is listed by community: read backwards, crates come in the order the depot's vans roll them in."""
    town, data, plan = night
    reference, loads = town.reference(), pd.DataFrame(town.loads)
    sheet = run_sheet(plan, data, reference=reference, loads=loads)
    cages = depot_cages(plan, data, reference=reference, loads=loads)
    listed = load_list(sheet, cages)
    assert set(cages["place_id"]) == {"C01", "C02", "C03"}
    assert "D1" not in set(listed["place_id"])
    assert sorted(listed["place_id"]) == sorted([*cages["place_id"], *plan.stops["community_id"].dropna()])
    truck = listed[listed["van"] != ""]
    vans = plan.trips[plan.trips["base_id"] == "D1"].sort_values(["departs_at", "route_id", "trip"])
    rolled: list[str] = []
    for route_id, trip in zip(vans["route_id"], vans["trip"], strict=True):
        stops = plan.stops[(plan.stops["route_id"] == route_id) & (plan.stops["trip"] == trip)]
        rolled += stops.sort_values("seq", ascending=False)["community_id"].tolist()
    assert truck.sort_values("order", ascending=False)["place_id"].tolist() == rolled
    brought = plan.stops.loc[plan.stops["depot_id"] == "D1", "load_kg"].sum()
    assert truck["load_kg"].sum() == pytest.approx(brought)


def test_geojson_has_a_line_per_trip_from_base_to_base(night: tuple[Any, RoutingData, RoutePlan]) -> None:
    """Lines close at their base, points are the stops, and it is plain JSON."""
    town, _, plan = night
    shown = json.loads(json.dumps(geojson(plan, reference=town.reference())))
    lines = [f for f in shown["features"] if f["geometry"]["type"] == "LineString"]
    points = [f for f in shown["features"] if f["geometry"]["type"] == "Point"]
    assert len(lines) == len(plan.trips)
    assert len(points) == len(plan.stops)
    assert all(line["geometry"]["coordinates"][0] == line["geometry"]["coordinates"][-1] for line in lines)


def test_the_map_is_one_page_without_outside_parts(night: tuple[Any, RoutingData, RoutePlan]) -> None:
    """The SVG parses, shows every stop once, escapes names and fetches nothing."""
    town, _, plan = night
    page = route_map_html(plan, reference=town.reference(), title="D1 & friends")
    assert "http" not in page
    assert "D1 &amp; friends" in page
    drawn = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert len(drawn.findall("circle")) == len(plan.stops)
    assert len(drawn.findall("polyline")) == len(trip_lines(plan, reference=town.reference()))
    points = " ".join(line.get("points", "") for line in drawn.findall("polyline")).replace(",", " ")
    assert np.array(points.split(), dtype=float).min() >= 0


def test_pictures_are_png_and_repeatable(night: tuple[Any, RoutingData, RoutePlan]) -> None:
    """Map and load chart start as PNG files do, and the same plan gives the same bytes."""
    town, _, plan = night
    first, again = (route_map_png(plan, reference=town.reference()) for _ in range(2))
    assert first[:8] == b"\x89PNG\r\n\x1a\n"
    assert first == again
    assert load_chart_png(plan, town.reference().vehicle_types)[:8] == b"\x89PNG\r\n\x1a\n"
