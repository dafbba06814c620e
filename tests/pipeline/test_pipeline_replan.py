"""After the plan is out: progress of the floor, late stops, routes that have left."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from contracts.world import World
from optimize.sorting import TaskProgress
from pipeline.desk import PlanningDesk
from pipeline.on_the_road import on_the_road
from pipeline.plan import NightPlan
from pipeline.replan import drive_again, people_to_book, sort_the_rest


def test_progress_is_taken_and_the_rest_sorted_again(tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """The first wave reported whole, one unit of it damaged: every other unit is in the new waves, none is lost."""
    tasks = cutoff_plan.sorting_tasks
    as_of = tasks["ends_at"].min()
    done = tasks[tasks["ends_at"] <= as_of]
    told = done[list(TaskProgress.key())].assign(
        sorted_units=done["units"], short_units=0.0, damaged_units=0.0, over_units=0.0
    )
    told.iloc[0, told.columns.get_loc("sorted_units")] -= 1.0
    told.iloc[0, told.columns.get_loc("damaged_units")] += 1.0
    again = sort_the_rest(cutoff_plan, tiny.reference, TaskProgress.check(told), as_of=as_of, settings=desk.settings)
    assert again.plan is not None
    replaced = again.left.lacking["allotted_units"].sum()
    missing = again.left.lacking["short_units"].sum()
    assert replaced + missing == pytest.approx(1.0)
    rest = tasks["units"].sum() - done["units"].sum()
    under_way = again.left.in_work["units"].sum()
    assert again.plan.tasks["units"].sum() + under_way == pytest.approx(rest + replaced)
    assert (again.plan.tasks["starts_at"] >= as_of).all()


def test_a_cancelled_community_leaves_and_routes_that_left_stay(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan
) -> None:
    """One community cancels: it is gone, the others stay served; what has left by then keeps its order and times."""
    community = cutoff_plan.route_stops["community_id"].dropna().iloc[-1]
    fewer = cutoff_plan.allotments[cutoff_plan.allotments["community_id"] != community]
    plan = drive_again(cutoff_plan, tiny.reference, fewer, settings=desk.settings)
    before = set(cutoff_plan.route_stops["community_id"].dropna())
    assert set(plan.stops["community_id"].dropna()) == before - {community}
    late = cutoff_plan.trips["departs_at"].max() + pd.Timedelta(minutes=1)
    road = on_the_road(cutoff_plan, tiny.reference, desk.settings, as_of=late)
    kept = drive_again(cutoff_plan, tiny.reference, cutoff_plan.allotments, settings=desk.settings, road=road)
    columns = ["route_id", "trip", "seq", "community_id", "arrive_at"]
    order = ["route_id", "trip", "seq"]
    pd.testing.assert_frame_equal(
        kept.stops.sort_values(order)[columns].reset_index(drop=True),
        cutoff_plan.route_stops.sort_values(order)[columns].reset_index(drop=True),
    )


def test_a_late_community_is_inserted(tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """The plan without a community, then with it: it is served or listed, nobody else is dropped."""
    community = cutoff_plan.route_stops["community_id"].dropna().iloc[0]
    fewer = cutoff_plan.allotments[cutoff_plan.allotments["community_id"] != community]
    first = drive_again(cutoff_plan, tiny.reference, fewer, settings=desk.settings)
    held = replace(
        cutoff_plan,
        route_stops=first.stops,
        trips=first.trips,
        releases=cutoff_plan.releases[cutoff_plan.releases["destination_id"] != community],
    )
    then = drive_again(held, tiny.reference, cutoff_plan.allotments, settings=desk.settings)
    assert community in set(then.stops["community_id"]) | set(then.unserved["destination_id"])
    assert set(first.stops["community_id"].dropna()) <= set(then.stops["community_id"])


def test_people_to_book_before_the_cutoff(tiny: World, desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """A busy outcome needs no fewer worker-hours than the median one, on every floor."""
    floors = people_to_book(evening_plan, tiny.reference, desk.settings).floors
    hours = floors.pivot_table("worker_hours", ["warehouse_id", "temperature_zone"], "quantile")
    assert (hours["q90"] >= hours["q50"]).all()
