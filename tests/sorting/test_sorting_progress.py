"""Progress posted back and the rest of the night planned again."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from contracts.clock import clock_instant
from contracts.errors import InputError, UnknownReferenceError
from contracts.settings import CitySettings
from contracts.solve import SolveLimits, SolveStatus
from optimize.sorting import SortingData, SortingPlan, TaskProgress, check, remaining, sort

LIMITS = SolveLimits(seconds=20)


def at(clock: str) -> pd.Timestamp:
    city = CitySettings()
    return clock_instant(clock, delivery_date=pd.Timestamp("2026-03-02"), timezone=city.timezone)


@pytest.fixture(scope="module")
def night(make_data: Callable[..., SortingData]) -> tuple[SortingData, SortingPlan]:
    """Nine destinations with ten units each over three hours; five units to spare."""
    data = make_data([(f"C{i}", "S", 10.0) for i in range(9)], arrive=[("S", "stock", 95.0, "00:00")], stations=1)
    return data, sort(data, limits=LIMITS)


def report(tasks: pd.DataFrame, **figures: float) -> pd.DataFrame:
    none = {"sorted_units": 0.0, "short_units": 0.0, "damaged_units": 0.0, "over_units": 0.0}
    return TaskProgress.check(tasks.assign(**{**none, **figures}))


def test_nothing_reported_before_the_night_leaves_everything(night: tuple[SortingData, SortingPlan]) -> None:
    """As of opening, the same goods are left, and planning again moves nobody."""
    data, plan = night
    rest = remaining(data, plan, report(plan.tasks.iloc[:0]), as_of=at("01:00"))
    assert rest.data is not None
    again = sort(rest.data, limits=LIMITS)
    assert check(rest.data, again) == []
    pd.testing.assert_frame_equal(again.tasks, plan.tasks)


def test_done_waves_are_done_and_later_waves_keep_their_places(night: tuple[SortingData, SortingPlan]) -> None:
    """Wave 1 reported whole at 02:00: six destinations are left, in the waves and slots they had."""
    data, plan = night
    first = plan.tasks[plan.tasks["wave"] == 1]
    rest = remaining(data, plan, report(first, sorted_units=10.0), as_of=at("02:00"))
    assert rest.data is not None
    assert rest.data.goods["units"].sum() == 60.0
    again = sort(rest.data, limits=LIMITS)
    assert check(rest.data, again) == []
    pd.testing.assert_frame_equal(again.tasks, plan.tasks[plan.tasks["wave"] > 1].reset_index(drop=True))


def test_damaged_units_are_replaced_from_goods_to_spare(night: tuple[SortingData, SortingPlan]) -> None:
    """Eight damaged, five to spare: five come later, three are missing for good; every unit is accounted for."""
    data, plan = night
    first = plan.tasks[plan.tasks["wave"] == 1]
    told = report(first, sorted_units=10.0)
    told.loc[0, ["sorted_units", "damaged_units"]] = [2.0, 8.0]
    rest = remaining(data, plan, told, as_of=at("02:00"))
    assert rest.data is not None
    assert rest.lacking[["ordered_units", "allotted_units", "short_units"]].to_numpy().tolist() == [[8.0, 5.0, 3.0]]
    assert rest.data.goods["units"].sum() == 65.0
    assert rest.data.arrivals["units"].sum() == 95.0 - 30.0
    assert sort(rest.data, limits=LIMITS).report.status == SolveStatus.PROVED


def test_units_not_accounted_for_in_an_ended_wave_are_left(night: tuple[SortingData, SortingPlan]) -> None:
    """Wave 1 ended with 6 of 10 sorted in each slot: 12 units are left beside the 60 of later waves."""
    data, plan = night
    first = plan.tasks[plan.tasks["wave"] == 1]
    rest = remaining(data, plan, report(first, sorted_units=6.0), as_of=at("02:00"))
    assert rest.data is not None
    assert rest.data.goods["units"].sum() == 72.0


def test_a_wave_under_way_stays(night: tuple[SortingData, SortingPlan]) -> None:
    """At 01:30 wave 1 is under way: its tasks are not planned again, its goods are not given to others."""
    data, plan = night
    rest = remaining(data, plan, report(plan.tasks.iloc[:0]), as_of=at("01:30"))
    assert rest.data is not None
    assert len(rest.in_work) == 3
    assert rest.data.goods["units"].sum() == 60.0
    assert rest.data.arrivals["units"].sum() == 65.0
    assert sort(rest.data, limits=LIMITS).tasks["starts_at"].min() == at("02:00")


def test_units_over_go_back_to_the_floor(night: tuple[SortingData, SortingPlan]) -> None:
    """Two units more than expected at a slot make seven to spare."""
    data, plan = night
    first = plan.tasks[plan.tasks["wave"] == 1]
    told = report(first, sorted_units=10.0)
    told.loc[0, ["sorted_units", "damaged_units", "over_units"]] = [2.0, 8.0, 2.0]
    rest = remaining(data, plan, told, as_of=at("02:00"))
    assert rest.lacking["short_units"].tolist() == [1.0]


def test_everything_done_leaves_nothing(night: tuple[SortingData, SortingPlan]) -> None:
    """No goods left, no plan needed."""
    data, plan = night
    assert remaining(data, plan, report(plan.tasks, sorted_units=10.0), as_of=at("04:00")).data is None


def test_too_late_for_any_wave_is_said(night: tuple[SortingData, SortingPlan]) -> None:
    """At 04:30 the overtime wave has started and nothing was sorted: no wave is left, no unit is dropped."""
    data, plan = night
    rest = remaining(data, plan, report(plan.tasks.iloc[:0]), as_of=at("04:30"))
    assert rest.data is not None
    said = sort(rest.data, limits=LIMITS)
    assert said.report.status == SolveStatus.INFEASIBLE
    assert "no wave starts any more" in said.report.explanation[0]
    assert "90 units for 9 destinations" in said.report.explanation[0]


def test_nothing_is_replaced_for_a_van_that_has_left(night: tuple[SortingData, SortingPlan]) -> None:
    """Eight units damaged, two open and three ordered late of a destination on the road: all short."""
    data, plan = night
    first = plan.tasks[plan.tasks["wave"] == 1]
    told = report(first, sorted_units=10.0)
    name = first["destination_id"].iloc[0]
    told.loc[0, ["sorted_units", "damaged_units"]] = [0.0, 8.0]
    added = first.head(1)[["warehouse_id", "temperature_zone", "destination_id", "sku_id"]].assign(units=3.0)
    rest = remaining(data, plan, told, as_of=at("02:00"), added=added, departed=[name])
    assert rest.lacking[["ordered_units", "allotted_units", "short_units"]].to_numpy().tolist() == [[13.0, 0.0, 13.0]]
    assert rest.refused["units"].sum() == 13.0
    assert set(rest.refused["reason"]) == {"the van has left"}
    assert rest.data is not None
    assert name not in set(rest.data.goods["destination_id"])
    assert rest.data.goods["units"].sum() == 60.0


@pytest.mark.parametrize(("latest", "given"), [("02:59", 0.0), ("03:00", 4.0)])
def test_units_are_added_only_where_a_wave_ends_in_time(
    make_data: Callable[..., SortingData], latest: str, given: float
) -> None:
    """At 01:30 the next wave ends at 03:00: four units more for a van that loads then, none a minute earlier."""
    goods = [("C1", "S", 10.0), ("C2", "S", 10.0)]
    data = make_data(goods, arrive=[("S", "stock", 25.0, "00:00")], deadlines={"C1": latest, "C2": "04:00"})
    plan = sort(data, limits=LIMITS)
    added = plan.tasks[plan.tasks["destination_id"] == "C1"].head(1)
    added = added[["warehouse_id", "temperature_zone", "destination_id", "sku_id"]].assign(units=4.0)
    done = report(plan.tasks, sorted_units=10.0)
    rest = remaining(data, plan, done, as_of=at("01:30"), added=added)
    assert rest.lacking["allotted_units"].sum() == given
    assert rest.refused["units"].sum() == 4.0 - given
    full = remaining(data, plan, done, as_of=at("01:30"), added=added, full=["C1"])
    assert full.lacking["short_units"].sum() == 4.0


def test_goods_that_come_after_the_last_wave_in_time_are_not_promised(make_data: Callable[..., SortingData]) -> None:
    """Ten spare units arrive at 03:10, the van loads at 04:00: no wave can bring them, they are short at once."""
    lots = [("S", "stock", 10.0, "00:00"), ("S", "late", 10.0, "03:10")]
    data = make_data([("C1", "S", 10.0)], arrive=lots)
    plan = sort(data, limits=LIMITS)
    added = plan.tasks[["warehouse_id", "temperature_zone", "destination_id", "sku_id"]].assign(units=4.0)
    rest = remaining(data, plan, report(plan.tasks, sorted_units=10.0), as_of=at("02:00"), added=added)
    assert rest.lacking[["allotted_units", "short_units"]].to_numpy().tolist() == [[0.0, 4.0]]
    assert rest.data is None


def test_progress_must_fit_the_plan(night: tuple[SortingData, SortingPlan]) -> None:
    """A task that does not exist, or more units than the task has, is refused."""
    data, plan = night
    with pytest.raises(UnknownReferenceError, match="sorting_tasks"):
        remaining(data, plan, report(plan.tasks.head(1).assign(slot=99)), as_of=at("02:00"))
    with pytest.raises(InputError, match="11 of 10"):
        remaining(data, plan, report(plan.tasks.head(1), sorted_units=11.0), as_of=at("02:00"))
