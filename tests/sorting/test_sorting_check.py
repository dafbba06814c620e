"""The solver-free check: every way a plan can be wrong is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from contracts.errors import CheckFailedError
from contracts.planned import Arrivals
from contracts.solve import SolveLimits
from optimize.sorting import SortingData, SortingPlan, check, sort

LIMITS = SolveLimits(seconds=20)


@pytest.fixture(scope="module")
def data(make_data: Callable[..., SortingData]) -> SortingData:
    """Six destinations, four slots a wave: two waves."""
    return make_data(
        [(f"C{i}", "S", 5.0) for i in range(6)],
        arrive=[("S", "P1", 10.0, "00:30"), ("S", "P2", 20.0, "01:30")],
        slots_per_station=2,
    )


@pytest.fixture(scope="module")
def plan(data: SortingData) -> SortingPlan:
    """A plan that holds."""
    return sort(data, limits=LIMITS)


def tasks_with(plan: SortingPlan, row: int, **values: object) -> SortingPlan:
    table = pd.DataFrame(plan.tasks).copy()
    for column, value in values.items():
        table.loc[row, column] = value
    return replace(plan, tasks=table)


def waves_with(plan: SortingPlan, **values: object) -> SortingPlan:
    return replace(plan, waves=pd.DataFrame(plan.waves).assign(**values))


def found(data: SortingData, plan: SortingPlan) -> str:
    return "; ".join(check(data, plan))


def test_a_good_plan_has_no_findings(data: SortingData, plan: SortingPlan) -> None:
    """What sort hands out passes."""
    assert check(data, plan) == []


def test_lost_and_extra_units_are_found(data: SortingData, plan: SortingPlan) -> None:
    """A unit more or less, or a task that is gone."""
    assert "allotted 5, sorted 4 units" in found(data, tasks_with(plan, 0, units=4.0))
    assert "allotted 5, sorted 0 units" in found(data, replace(plan, tasks=plan.tasks.iloc[1:]))


def test_a_slot_used_twice_is_found(data: SortingData, plan: SortingPlan) -> None:
    """Two destinations of a wave in one slot."""
    wave = plan.tasks[plan.tasks["wave"] == plan.tasks["wave"].iloc[0]]
    assert len(wave) >= 2
    other = wave.iloc[0]
    assert "slot used twice" in found(data, tasks_with(plan, 1, station=other["station"], slot=other["slot"]))


def test_a_slot_that_does_not_exist_is_found(data: SortingData, plan: SortingPlan) -> None:
    """Two stations with two slots each."""
    assert "no such station or slot" in found(data, tasks_with(plan, 0, slot=3))
    assert "no such station or slot" in found(data, tasks_with(plan, 0, station=3))


def test_sorting_before_the_goods_came_is_found(data: SortingData, plan: SortingPlan) -> None:
    """The same plan with the second lot an hour later."""
    first = data.arrivals["supplier_id"] == "P1"
    late = data.arrivals.assign(arrives_at=data.arrivals["arrives_at"].where(first, plan.tasks["ends_at"].max()))
    assert "sorted before it came: W1 S" in found(replace(data, arrivals=Arrivals.check(late)), plan)


def test_people_beyond_limits_or_too_few_are_found(data: SortingData, plan: SortingPlan) -> None:
    """One worker cannot sort a full wave; five do not fit."""
    crowd = waves_with(plan, workers=5)
    assert "5 workers, 4 fit" in found(data, crowd)
    few = waves_with(plan, units=plan.waves["units"], workers=1)
    short = plan.waves["units"].max() > 10.0
    assert ("1 workers cannot sort" in found(data, few)) == short


def test_wrong_wave_loads_times_lateness_and_release_are_found(data: SortingData, plan: SortingPlan) -> None:
    """Each table must agree with the tasks."""
    assert "is not its tasks'" in found(data, waves_with(plan, units=plan.waves["units"] + 1))
    assert "minutes late and says otherwise" in found(data, waves_with(plan, late_minutes=5.0))
    hour = pd.Timedelta(hours=1)
    assert "no such wave on the floor" in found(data, waves_with(plan, ends_at=plan.waves["ends_at"] + 2 * hour))
    early = plan.releases.assign(released_at=plan.releases["released_at"] - hour)
    assert "is not its last wave's end" in found(data, replace(plan, releases=early))


def test_wrong_costs_are_found(data: SortingData, plan: SortingPlan) -> None:
    """Cost is recomputed from the tables; a missing part counts as wrong."""
    assert "labour costs" in found(data, replace(plan, costs={**plan.costs, "labour": 1.0}))
    assert "overtime costs" in found(data, replace(plan, costs={"labour": plan.costs["labour"]}))


def test_sort_never_hands_out_a_plan_with_findings(data: SortingData, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding is our bug and raises."""
    monkeypatch.setattr("optimize.sorting.solve.check", lambda *_: ["one slot used twice"])
    with pytest.raises(CheckFailedError, match="one slot used twice"):
        sort(data, limits=LIMITS)
