"""What leaders hand out by: the orders that count, paid ones first, and what came late in a revision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from contracts.flow import PrepaidOrders
from contracts.settings import CitySettings, SortingSettings
from contracts.world import World
from optimize.sorting.papers import hand_out, slot_labels
from pipeline.desk import PlanningDesk
from pipeline.late import Late, LateOrders
from pipeline.leaders import LATE, counted_lines, leader_orders
from pipeline.papers import prepaid_orders
from pipeline.plan import NightPlan
from pipeline.warehouse_papers import of_warehouse


def test_lines_after_their_own_cutoff_are_on_no_sheet(tiny: World, cutoff_plan: NightPlan) -> None:
    """A category that closes at 18:00 the day before: later lines of it are set aside, all others stay."""
    day = pd.Timestamp(cutoff_plan.summary.delivery_date)
    lines = tiny.order_lines[tiny.order_lines["delivery_date"] == day].reset_index(drop=True)
    category = tiny.reference.skus["category_id"].iloc[0]
    city = CitySettings(cutoff_by_category={category: "12:00-1"})
    kept = counted_lines(lines, tiny.reference, city)
    mine = set(tiny.reference.skus.loc[tiny.reference.skus["category_id"] == category, "sku_id"])
    noon = (day - pd.Timedelta(hours=12)).tz_localize(city.timezone)
    late = lines["sku_id"].isin(mine) & (lines["placed_at"] > noon)
    assert late.any()
    assert len(kept) == len(lines) - late.sum()
    assert len(counted_lines(lines, tiny.reference, CitySettings())) == len(lines)


def test_units_ordered_late_are_on_the_sheet_and_labels_add_up(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan
) -> None:
    """Revised after the first wave with one unit damaged and two ordered late: every unit is printed once."""
    tasks = cutoff_plan.sorting_tasks
    end = tasks["ends_at"].min()
    ended = tasks[tasks["ends_at"] <= end]
    told = ended.assign(sorted_units=ended["units"], short_units=0.0, damaged_units=0.0, over_units=0.0)
    told.iloc[0, [told.columns.get_loc("sorted_units"), told.columns.get_loc("damaged_units")]] += [-1.0, 1.0]
    row = cutoff_plan.allotments[cutoff_plan.allotments["allotted_units"] > 0].iloc[-1]
    orders = pd.DataFrame({"community_id": [row["community_id"]], "sku_id": [row["sku_id"]], "units": [2.0]})
    late = Late(progress=told.drop(columns="destination_id"), orders=LateOrders.check(orders))
    plan = desk.revise(cutoff_plan.summary.plan_id, late, as_of=end).plan
    lines = leader_orders(desk.store, plan.summary, tiny.reference, desk.settings.city)
    assert lines is not None
    assert lines.loc[lines["order_id"] == LATE, "quantity"].tolist() == [2.0]
    handed = hand_out(lines, plan.allotments)
    key = ["community_id", "sku_id"]
    sums = handed.groupby(key)[["ordered", "given"]].sum()
    asked = plan.allotments.set_index(key)[["ordered_units", "allotted_units"]].loc[sums.index]
    assert (sums.to_numpy() == asked.to_numpy()).all()
    labels = slot_labels(plan.sorting_tasks, communities=tiny.reference.communities, skus=tiny.reference.skus)
    assert labels["units"].sum() == pytest.approx(plan.sorting_tasks["units"].sum())
    before = leader_orders(desk.store, cutoff_plan.summary, tiny.reference, desk.settings.city)
    assert before is not None
    assert LATE not in set(before["order_id"])


def test_paid_orders_are_known_as_of_the_plan(tiny: World, cutoff_plan: NightPlan) -> None:
    """Only under the rule, and only what was paid by the moment of the plan."""
    as_of = pd.Timestamp(cutoff_plan.summary.as_of)
    moments = [as_of - pd.Timedelta(hours=1), as_of + pd.Timedelta(hours=1), None]
    paid = PrepaidOrders.check(pd.DataFrame({"order_id": ["in time", "later", "placed"], "paid_at": moments}))
    known = replace(tiny.reference, prepaid_orders=paid)
    rule = SortingSettings(shortage_rule="prepaid_first")
    assert prepaid_orders(cutoff_plan, known, rule) == {"in time", "placed"}
    assert prepaid_orders(cutoff_plan, known, SortingSettings()) == frozenset()


def test_a_warehouse_gets_its_own_papers(desk: PlanningDesk, cutoff_plan: NightPlan, tmp_path: Path) -> None:
    """Sorting and routes as in the whole export, no orders, no tables, no yuan."""
    written = desk.export_warehouse(cutoff_plan, tmp_path / "own", "W1")
    names = {path.relative_to(tmp_path / "own").as_posix() for path in written}
    assert {name.split("/")[0] for name in names} == {"sorting", "routes"}
    assert {"sorting/W1-sheets.pdf", "sorting/W1-progress.xlsx", "routes/W1.xlsx"} <= names
    for path in written:
        if path.suffix == ".xlsx":
            heads = {str(c) for sheet in pd.read_excel(path, sheet_name=None).values() for c in sheet.columns}
            assert not [head for head in heads if "yuan" in head], path
    own, place = of_warehouse(cutoff_plan, desk.store.reference(), "W1")
    assert own.purchase_lines.empty
    assert set(place.warehouses["warehouse_id"]) == {"W1"}
