"""Sorting plans: what a warehouse lead relies on, and what is said when no plan exists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from contracts.settings import SortingSettings
from contracts.solve import SolveLimits, SolveStatus
from optimize.sorting import SortingData, check, sort
from optimize.sorting.decide import Decision

LIMITS = SolveLimits(seconds=20)
Make = Callable[..., SortingData]


def city(make_data: Make, *, seed: int = 0, count: int = 24) -> SortingData:
    """Two zones, three SKUs, some goods late, some latest ends before closing."""
    rng = np.random.default_rng(seed)
    kinds = {"A": "ambient", "B": "ambient", "F": "frozen"}
    goods = [(f"C{i:02d}", s, float(rng.integers(1, 9))) for i in range(count) for s in kinds if rng.random() < 0.8]
    zone = {
        "warehouse_id": "W1",
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
    totals = pd.DataFrame(goods, columns=["c", "s", "u"]).groupby("s")["u"].sum()
    lots = [(s, "P1", float(u), "01:40" if s == "B" else "00:30") for s, u in totals.items()]
    return make_data(
        goods,
        arrive=lots,
        skus=kinds,
        zones=[{**zone, "temperature_zone": kind} for kind in ("ambient", "frozen")],
        deadlines={f"C{i:02d}": "03:00" for i in range(0, count, 4)},
    )


def test_plan_holds_and_conserves_every_unit(make_data: Make) -> None:
    """Every destination x SKU is sorted whole, and the solver-free check finds nothing."""
    data = city(make_data)
    plan = sort(data, limits=LIMITS)
    assert check(data, plan) == []
    assert plan.tasks["units"].sum() == data.goods["units"].sum() == plan.waves["units"].sum()
    assert plan.report.status == SolveStatus.PROVED
    assert (
        plan.report.cost_yuan == plan.costs["total"] == sum(plan.costs[k] for k in ("labour", "overtime", "lateness"))
    )


def test_same_input_same_plan_whatever_the_order_of_rows(make_data: Make) -> None:
    """Shuffled goods, arrivals and floors give the identical tables."""
    data = city(make_data)
    shuffled = SortingData(
        **{
            **data.__dict__,
            "goods": data.goods.sample(frac=1, random_state=1),
            "arrivals": data.arrivals.iloc[::-1],
            "floors": data.floors.iloc[::-1],
        }
    )
    one, two = sort(data, limits=LIMITS), sort(shuffled, limits=LIMITS)
    pd.testing.assert_frame_equal(one.tasks, two.tasks)
    pd.testing.assert_frame_equal(one.waves, two.waves)
    assert one.costs == two.costs


def test_release_is_the_end_of_the_last_wave_over_the_zones(make_data: Make) -> None:
    """A van may leave when all zones have sorted the destination's goods."""
    plan = sort(city(make_data), limits=LIMITS)
    last = plan.tasks.groupby("destination_id")["ends_at"].max()
    assert plan.releases.set_index("destination_id")["released_at"].to_dict() == last.to_dict()


def test_work_is_spread_when_waves_cost_the_same(make_data: Make) -> None:
    """Twelve equal destinations over three regular waves: four each, not twelve at once."""
    data = make_data(
        [(f"C{i:02d}", "S", 10.0) for i in range(12)], stations=4, max_workers=12, settings=SortingSettings()
    )
    plan = sort(data, limits=LIMITS)
    assert plan.waves["workers"].tolist() == [4, 4, 4]


def test_stations_of_a_wave_carry_alike(make_data: Make) -> None:
    """Units 5, 4, 3, 2 on two stations: 7 and 7, each destination in a slot of its own."""
    data = make_data([(f"C{i}", "S", u) for i, u in enumerate([5.0, 4.0, 3.0, 2.0])], closes_at="02:00", max_workers=2)
    plan = sort(data, limits=LIMITS)
    assert plan.tasks.groupby("station")["units"].sum().tolist() == [7.0, 7.0]
    assert not plan.tasks.duplicated(["wave", "station", "slot"]).any()


def test_overtime_is_used_only_when_hours_do_not_suffice(make_data: Make) -> None:
    """One worker, three regular hours, 35 units: the fourth hour is overtime at its own price."""
    data = make_data([(f"C{i}", "S", 5.0) for i in range(7)], max_workers=1)
    plan = sort(data, limits=LIMITS)
    assert plan.costs == {"labour": 60.0, "overtime": 30.0, "lateness": 60.0, "total": 150.0}
    assert plan.waves["late_minutes"].tolist() == [0.0, 0.0, 0.0, 60.0]
    assert plan.warnings == ("W1 ambient: 1 waves end after a destination's latest end, by up to 60 minutes.",)


def test_routes_can_be_destinations(make_data: Make) -> None:
    """Communities mapped to one route share its slot; units add up per SKU."""
    goods = [("C1", "S", 2.0), ("C2", "S", 3.0), ("C3", "S", 4.0)]
    data = make_data(goods, destinations={"C1": "R1", "C2": "R1"})
    plan = sort(data, limits=LIMITS)
    assert plan.tasks.set_index("destination_id")["units"].to_dict() == {"C3": 4.0, "R1": 5.0}


def test_whole_routes_share_a_wave_last_stop_first(make_data: Make) -> None:
    """Two routes of three stops, six slots a wave for 30 units an hour: a wave each, loaded from the last stop."""
    stops = pd.DataFrame(
        {"destination_id": [f"C{i}" for i in range(6)], "route_id": ["R1", "R2"] * 3, "seq": [1, 1, 2, 2, 3, 3]}
    )
    data = make_data([(f"C{i}", "S", 10.0) for i in range(6)], routes=stops, max_workers=3)
    plan = sort(data, limits=LIMITS)
    assert check(data, plan) == []
    rows = plan.tasks.merge(stops, on="destination_id")
    assert rows.groupby("route_id")["wave"].nunique().tolist() == [1, 1]
    assert rows.groupby("wave")["route_id"].nunique().tolist() == [1, 1]
    for _, route in rows.groupby("route_id"):
        assert route.sort_values(["station", "slot"])["seq"].tolist() == [3, 2, 1]


def test_a_route_longer_than_a_wave_has_slots_is_named(make_data: Make) -> None:
    """Seven stops, six slots: split it or set up a third station."""
    stops = pd.DataFrame({"destination_id": [f"C{i}" for i in range(7)], "route_id": "R1", "seq": range(1, 8)})
    said = infeasible(make_data([(f"C{i}", "S", 1.0) for i in range(7)], routes=stops))
    assert "'R1 trip 1' with 7" in said
    assert "3 stations" in said


def infeasible(data: SortingData) -> str:
    plan = sort(data, limits=LIMITS)
    assert plan.report.status == SolveStatus.INFEASIBLE
    assert len(plan.tasks) == len(plan.waves) == len(plan.releases) == 0
    assert check(data, plan) == []
    return " ".join(plan.report.explanation)


def test_too_few_workers_is_explained_with_each_cure(make_data: Make) -> None:
    """60 units in four waves of one worker: 2 worker-hours missing; two workers or two more hours free it."""
    said = infeasible(make_data([(f"C{i}", "S", 5.0) for i in range(12)], max_workers=1))
    assert "W1 ambient: 12 destinations with 60 units" in said
    assert "2.0 worker-hours are missing" in said
    assert "at least 2 workers at once instead of 1" in said
    assert "at least 120 minutes longer" in said


def test_too_few_slots_is_explained_with_each_cure(make_data: Make) -> None:
    """30 destinations, four waves of six slots: 6 find none; a station more frees it."""
    said = infeasible(make_data([(f"C{i:02d}", "S", 1.0) for i in range(30)]))
    assert "6 destinations find no slot" in said
    assert "at least 3 stations instead of 2" in said


def test_goods_after_closing_are_named(make_data: Make) -> None:
    """A lot that comes after the last wave has started names supplier and minutes."""
    said = infeasible(make_data([("C1", "S", 5.0)], arrive=[("S", "P7", 5.0, "04:20")]))
    assert "'P7'" in said
    assert "04:20" in said
    assert "20 minutes earlier" in said


def test_a_zone_the_warehouse_does_not_have_is_named(make_data: Make) -> None:
    """Frozen goods for a warehouse with an ambient floor only."""
    said = infeasible(make_data([("C1", "F", 5.0), ("C1", "A", 1.0)], skus={"F": "frozen", "A": "ambient"}))
    assert "Warehouse W1 has no frozen zone, but 5 frozen units of 1 SKUs" in said


def test_allotting_more_than_arrives_is_named(make_data: Make) -> None:
    """Nothing is dropped: 3 units that never come make the plan infeasible, with the SKU."""
    said = infeasible(make_data([("C1", "S", 5.0)], arrive=[("S", "P1", 2.0, "00:30")]))
    assert "3 units of 1 SKUs are allotted but never arrive ('S')" in said


def test_a_destination_beyond_a_whole_wave_is_named(make_data: Make) -> None:
    """50 units for one destination, 40 fit a wave: split it or let five workers in."""
    said = infeasible(make_data([("C1", "S", 50.0)]))
    assert "'C1' with 50 units against 40" in said
    assert "let 5 workers in" in said


def test_no_answer_is_said_when_no_search_finds_a_plan(make_data: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that end before any plan give NO_ANSWER with a sentence, and no tables."""
    monkeypatch.setattr("optimize.sorting.solve.decide", lambda *_, **__: Decision(None, None, False, ()))
    plan = sort(make_data([("C1", "S", 5.0)]), limits=LIMITS)
    assert plan.report.status == SolveStatus.NO_ANSWER
    assert "allow more seconds or work" in plan.report.explanation[0]
