"""From reference, loads and releases to routing data: order, conservation, bad input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import InputError, UnknownReferenceError
from contracts.solve import SolveLimits, SolveStatus
from optimize.routing import route
from optimize.routing.travel import great_circle_m


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 1000))
def test_the_order_of_input_rows_changes_nothing(seed: int, town: Callable[..., Any], limits: SolveLimits) -> None:
    """Shuffled communities, loads, releases and vans give the very same tables."""
    small = town(7, seed=seed)
    small = small.but(vans=[*small.vans, {**small.vans[0], "vehicle_type_id": "W1-big", "capacity_kg": 500.0}])
    random = np.random.default_rng(seed)

    def shuffled(rows: list[Any]) -> list[Any]:
        return [rows[i] for i in random.permutation(len(rows))]

    mixed = small.but(
        communities=shuffled(small.communities),
        loads=shuffled(small.loads),
        releases=shuffled(small.releases),
        vans=shuffled(small.vans),
    )
    one, two = route(small.data(), limits=limits), route(mixed.data(), limits=limits)
    assert one.costs == two.costs
    assert one.stops.equals(two.stops)


def test_a_given_matrix_equal_to_the_computed_one_gives_the_same_plan(
    town: Callable[..., Any], limits: SolveLimits
) -> None:
    """Travel written out as a matrix and read back changes nothing."""
    small = town(6)
    places = [("W1", 30.0, 104.0), *((c["community_id"], c["latitude"], c["longitude"]) for c in small.communities)]
    names = [name for name, _, _ in places]
    metres = great_circle_m(np.array([y for _, y, _ in places]), np.array([x for _, _, x in places])) * 1.35
    matrix = [
        {"from_id": a, "to_id": b, "distance_m": metres[i, j], "duration_s": metres[i, j] / (28 / 3.6)}
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    ]
    given_way, computed = (route(t.data(), limits=limits) for t in (small.but(matrix=matrix), small))
    assert given_way.stops.equals(computed.stops)
    with pytest.raises(InputError, match="travel matrix lacks"):
        small.but(matrix=matrix[:-2]).data()


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 1000), places=st.integers(1, 9))
def test_what_is_loaded_is_delivered_or_listed(
    seed: int, places: int, town: Callable[..., Any], limits: SolveLimits
) -> None:
    """Units, kg and litres of loads = delivered + unserved, to the last unit."""
    small = town(places, seed=seed, count=1, max_trips=1, kg=90.0)
    plan = route(small.data(), limits=limits)
    out = set(plan.unserved["destination_id"])
    for column in ("units", "load_kg", "load_l"):
        due = sum(row[column] for row in small.loads if row["destination_id"] not in out)
        assert plan.stops[column].sum() == pytest.approx(due)
    assert set(plan.stops["community_id"]) | out == {row["destination_id"] for row in small.loads}


def test_zones_of_a_stop_ride_together(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Ambient, chilled and frozen rows of one community become one stop with their sum."""
    small = town(1)
    zones = [{**small.loads[0], "temperature_zone": zone, "load_kg": 20.0} for zone in ("ambient", "chilled", "frozen")]
    plan = route(small.but(loads=zones).data(), limits=limits)
    assert len(plan.stops) == 1
    assert plan.stops.loc[0, "load_kg"] == 60.0


def test_a_destination_nobody_knows_is_named(town: Callable[..., Any]) -> None:
    """Loads for an unknown community raise, with its id."""
    small = town(2)
    with pytest.raises(UnknownReferenceError, match="'C99'"):
        small.but(loads=[*small.loads, {**small.loads[0], "destination_id": "C99"}]).data()


def test_a_missing_release_is_named(town: Callable[..., Any]) -> None:
    """Without a release a van could leave before the goods are sorted: an error, not midnight."""
    small = town(2)
    with pytest.raises(InputError, match="No release time for 'C02'"):
        small.but(releases=small.releases[:1]).data()


def test_zero_coordinates_are_named(town: Callable[..., Any]) -> None:
    """A community at (0, 0) has no position."""
    small = town(2)
    nowhere = [{**small.communities[0], "latitude": 0.0, "longitude": 0.0}, small.communities[1]]
    with pytest.raises(InputError, match=r"'C01'.*never filled in"):
        small.but(communities=nowhere).data()


def test_a_window_that_closes_before_it_opens_is_refused(town: Callable[..., Any]) -> None:
    """The contract refuses such a community; a territory built by hand refuses it too."""
    small = town(2)
    with pytest.raises(InputError, match="opens before it closes"):
        small.but(communities=[{**small.communities[0], "window_end": "06:00"}, small.communities[1]]).data()
    territory = small.data().warehouses[0]
    with pytest.raises(InputError, match="closes before it opens at 'C01'"):
        replace(territory, stops=replace(territory.stops, close_s=np.array([0, 43_200])))


def test_an_asymmetric_matrix_is_taken_and_shown(town: Callable[..., Any], limits: SolveLimits) -> None:
    """A way back ten times as long is used as given, with a warning that names the pair."""
    small = town(1)
    matrix = [
        {"from_id": "W1", "to_id": "C01", "distance_m": 4_000.0, "duration_s": 600.0},
        {"from_id": "C01", "to_id": "W1", "distance_m": 40_000.0, "duration_s": 6_000.0},
    ]
    plan = route(small.but(matrix=matrix).data(), limits=limits)
    assert plan.trips.loc[0, "distance_m"] == 44_000.0
    assert "C01 to W1 is 40000 m, back 4000 m" in plan.warnings[0]


def test_an_empty_night_is_an_empty_plan(town: Callable[..., Any], limits: SolveLimits) -> None:
    """No loads: no routes, no cost, nothing unserved, and that is proved."""
    small = town(1)
    data = small.data()
    nothing = replace(data, warehouses=())
    plan = route(nothing, limits=limits)
    assert plan.report.status is SolveStatus.PROVED
    assert plan.costs["total"] == 0.0
    assert plan.stops.empty


def test_handing_over_takes_time_per_unit(town: Callable[..., Any], limits: SolveLimits) -> None:
    """At 4 s a unit, 30 units take two minutes beyond the community's six; the timetable waits for them."""
    small = town(4)
    slow = small.but(settings=small.settings.model_copy(update={"seconds_per_unit": 4.0})).data()
    assert small.data().warehouses[0].stops.service_s.tolist() == [360] * 4
    assert slow.warehouses[0].stops.service_s.tolist() == [480] * 4
    stops = route(slow, limits=limits).stops
    stay = (stops["depart_at"] - stops["arrive_at"]).dt.total_seconds() / 60.0 - stops["wait_minutes"]
    assert stay.tolist() == pytest.approx([8.0] * 4)
