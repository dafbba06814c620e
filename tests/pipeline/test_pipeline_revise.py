"""A plan that is out, revised: nothing sorted is sorted again, nobody is dropped, every unit is accounted for."""

from __future__ import annotations

import pandas as pd
import pytest

from contracts.clock import clock_instant
from contracts.errors import InfeasibleError, InputError, NotFoundError, UnknownReferenceError
from contracts.world import World
from optimize.sorting import TaskProgress
from pipeline.desk import PlanningDesk
from pipeline.floor import told_progress
from pipeline.late import Late, LateOrders
from pipeline.plan import NightPlan
from pipeline.replay import rerun_plan
from pipeline.revise import revise

SEAT = ["warehouse_id", "temperature_zone", "wave", "station", "slot"]
FIGURES = ["sorted_units", "short_units", "damaged_units", "over_units"]


def reported(tasks: pd.DataFrame, *, damaged: float = 0.0) -> pd.DataFrame:
    """Return a report of whole tasks, so many units of the first one damaged."""
    told = tasks[list(TaskProgress.key())].assign(sorted_units=tasks["units"], **dict.fromkeys(FIGURES[1:], 0.0))
    told.loc[told.index[0], ["sorted_units", "damaged_units"]] += [-damaged, damaged]
    return TaskProgress.check(told)


def conserved(plan: NightPlan) -> None:
    """Assert that allotted = sorted = delivered per community, one destination per slot, no wave before its goods."""
    allotted = plan.allotments.groupby("community_id")["allotted_units"].sum()
    done = plan.sorting_tasks.groupby("destination_id")["units"].sum()
    brought = plan.route_stops.groupby("community_id")["units"].sum()
    missed = set(plan.unserved["destination_id"])
    for community, units in allotted[allotted > 0].items():
        assert done[community] == pytest.approx(units)
        assert community in missed or brought[community] == pytest.approx(units)
    seats = plan.sorting_tasks[[*SEAT, "destination_id"]].drop_duplicates()
    assert not seats.duplicated(SEAT).any()


def test_a_revision_at_the_first_wave_changes_nothing_that_is_not_asked(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan
) -> None:
    """Before anything started and without news: the same tasks, the same stops, locked lines, an id of its own."""
    before = cutoff_plan.wave_loads["starts_at"].min() - pd.Timedelta(minutes=1)
    made = revise(cutoff_plan, tiny.reference, Late(), as_of=before, settings=desk.settings).plan
    key = [*SEAT, "sku_id"]
    pd.testing.assert_frame_equal(
        made.sorting_tasks.sort_values(key, ignore_index=True),
        cutoff_plan.sorting_tasks.sort_values(key, ignore_index=True),
    )
    assert made.summary.plan_id != cutoff_plan.summary.plan_id
    assert made.summary.after == made.summary.revises == cutoff_plan.summary.plan_id
    assert made.purchase_lines["locked"].all()
    parts = {name: yuan for name, yuan in made.summary.costs_yuan.items() if name != "total"}
    assert made.summary.costs_yuan["total"] == pytest.approx(sum(parts.values()))
    conserved(made)


def test_damage_is_replaced_once_however_often_the_plan_is_revised(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan
) -> None:
    """One unit of an ended wave damaged: replaced or missing; revised again later, it is not counted again."""
    tasks = cutoff_plan.sorting_tasks
    first = tasks["ends_at"].min()
    ended = tasks[tasks["ends_at"] <= first]
    late = Late(progress=reported(ended, damaged=1.0))
    once = revise(cutoff_plan, tiny.reference, late, as_of=first, settings=desk.settings)
    assert once.left.lacking["ordered_units"].sum() == 1.0
    conserved(once.plan)
    gone = tasks["units"].sum() - once.plan.sorting_tasks["units"].sum()
    assert gone == pytest.approx(once.left.lacking["short_units"].sum())
    again = revise(once.plan, tiny.reference, late, as_of=first, settings=desk.settings)
    assert again.left.lacking["ordered_units"].sum() == 0.0
    assert again.plan.sorting_tasks["units"].sum() == pytest.approx(once.plan.sorting_tasks["units"].sum())
    conserved(again.plan)


def test_one_reported_line_leaves_the_other_ended_tasks_sorted(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan
) -> None:
    """One task of an ended wave reported whole: nothing is planned again; what is not reported is open only if said."""
    tasks = cutoff_plan.sorting_tasks
    last = tasks["ends_at"].max()
    one = reported(tasks.head(1))
    for late in (Late(progress=one), Late(progress=one.iloc[:0]), Late()):
        done = told_progress(cutoff_plan, late, as_of=last)
        assert done["sorted_units"].sum() == tasks["units"].sum()
    made = revise(cutoff_plan, tiny.reference, Late(progress=one), as_of=last, settings=desk.settings)
    assert made.left.data is None
    assert made.plan.sorting_tasks["units"].sum() == tasks["units"].sum()
    said = told_progress(cutoff_plan, Late(progress=one, unreported="open"), as_of=last)
    assert said["sorted_units"].sum() == tasks["units"].iloc[0]
    assert told_progress(cutoff_plan, Late(unreported="open"), as_of=last).empty


def test_a_community_cancels_and_another_orders_late(tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """What was not sorted for one goes to the other: the same SKU, no unit bought for it."""
    rows = cutoff_plan.allotments[cutoff_plan.allotments["allotted_units"] >= 2]
    away = rows.iloc[0]
    home = tiny.reference.communities.set_index("community_id")["warehouse_id"]
    other = next(c for c in home.index[home == away["warehouse_id"]] if c != away["community_id"])
    orders = LateOrders.check(pd.DataFrame({"community_id": [other], "sku_id": [away["sku_id"]], "units": [2.0]}))
    opening = cutoff_plan.wave_loads["starts_at"].min()
    late = Late(orders=orders, cancelled=(away["community_id"],))
    made = revise(cutoff_plan, tiny.reference, late, as_of=opening, settings=desk.settings)
    assert away["community_id"] not in set(made.plan.route_stops["community_id"])
    assert away["community_id"] not in set(made.plan.sorting_tasks["destination_id"])
    assert made.left.lacking["allotted_units"].sum() == 2.0
    key = ["community_id", "sku_id"]
    before, now = (
        plan.allotments.set_index(key)["allotted_units"].get((other, away["sku_id"]), 0.0)
        for plan in (cutoff_plan, made.plan)
    )
    assert now == before + 2.0
    assert any("Cancelled" in sentence for sentence in made.plan.summary.warnings)
    conserved(made.plan)


def test_late_orders_beyond_the_goods_are_short_and_told(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan
) -> None:
    """A thousand units ordered late: what is not there stays ordered, as shortage, nobody else loses a unit."""
    row = cutoff_plan.allotments.iloc[0]
    orders = LateOrders.check(
        pd.DataFrame({"community_id": [row["community_id"]], "sku_id": [row["sku_id"]], "units": [1000.0]})
    )
    opening = cutoff_plan.wave_loads["starts_at"].min()
    made = revise(cutoff_plan, tiny.reference, Late(orders=orders), as_of=opening, settings=desk.settings).plan
    asked = cutoff_plan.allotments["ordered_units"].sum() + 1000.0
    assert made.allotments["ordered_units"].sum() == pytest.approx(asked)
    assert made.allotments["short_units"].sum() > 900.0
    others = [made.allotments, cutoff_plan.allotments]
    ours, theirs = (t[t["community_id"] != row["community_id"]]["allotted_units"].sum() for t in others)
    assert ours == pytest.approx(theirs)
    conserved(made)


def test_after_the_vans_left_nothing_moves(tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """When every wave is over and every route has left, the stops are the same."""
    late = max(cutoff_plan.trips["departs_at"].max(), cutoff_plan.wave_loads["ends_at"].max())
    made = revise(cutoff_plan, tiny.reference, Late(), as_of=late, settings=desk.settings).plan
    order, columns = ["route_id", "trip", "seq"], ["route_id", "trip", "seq", "community_id", "arrive_at"]
    pd.testing.assert_frame_equal(
        made.route_stops.sort_values(order, ignore_index=True)[columns],
        cutoff_plan.route_stops.sort_values(order, ignore_index=True)[columns],
    )


def test_a_rest_that_cannot_be_sorted_is_explained(tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """Nothing was sorted and no wave is left before the van leaves: the reasons are told, no plan is made."""
    nothing = Late(progress=reported(cutoff_plan.sorting_tasks).iloc[:0], unreported="open")
    dawn = cutoff_plan.trips["departs_at"].min() - pd.Timedelta(minutes=1)
    with pytest.raises(InfeasibleError, match="sort"):
        revise(cutoff_plan, tiny.reference, nothing, as_of=dawn, settings=desk.settings)


def test_changes_of_what_is_not_there_are_refused(tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """An unknown community, SKU or route is named, and a revision is not rerun."""
    opening = cutoff_plan.wave_loads["starts_at"].min()
    strange = LateOrders.check(pd.DataFrame({"community_id": ["C1"], "sku_id": ["S99"], "units": [1.0]}))
    for late, error, fact in (
        (Late(cancelled=("C99",)), NotFoundError, "C99"),
        (Late(frozen=("R99",)), NotFoundError, "R99"),
        (Late(orders=strange), UnknownReferenceError, "S99"),
        (Late(orders=strange.assign(sku_id="S1"), cancelled=("C1",)), InputError, "'C1' both cancel and order"),
    ):
        with pytest.raises(error, match=fact):
            revise(cutoff_plan, tiny.reference, late, as_of=opening, settings=desk.settings)


def test_a_revision_is_kept_and_read_again(tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """The desk keeps it beside the plan it revises; the papers can be written from it, a rerun says why not."""
    opening = clock_instant("00:30", delivery_date=cutoff_plan.summary.delivery_date, timezone="Asia/Shanghai")
    made = desk.revise(cutoff_plan.summary.plan_id, Late(), as_of=opening).plan
    read = desk.saved_plan(made.summary.plan_id)
    assert read.summary == made.summary
    pd.testing.assert_frame_equal(read.sorting_tasks, made.sorting_tasks)
    with pytest.raises(InputError, match="revises"):
        rerun_plan(desk, made.summary.plan_id)
