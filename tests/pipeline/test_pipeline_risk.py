"""The risk table: what it suggests is what the plan buys, and only changes are shown when asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.world import World
from pipeline.desk import PlanningDesk
from pipeline.plan import NightPlan
from pipeline.risk import changed_rows, chat_text, risk_table


def test_top_ups_are_the_cases_the_plan_adds(
    desk: PlanningDesk, evening_plan: NightPlan, cutoff_plan: NightPlan
) -> None:
    """At 18:00 every case is a top-up; at the cutoff only those beyond what was sent."""
    first = desk.risk_table(evening_plan.summary.plan_id)
    second = desk.risk_table(cutoff_plan.summary.plan_id)
    sent, total = evening_plan.purchase_lines["cases"].sum(), cutoff_plan.purchase_lines["cases"].sum()
    assert first["top_up_cases"].sum() == sent
    assert second["top_up_cases"].sum() == total - sent
    assert second["sent"].sum() == evening_plan.purchase_lines["units"].sum()


def test_rows_are_sorted_by_money_and_supply_adds_up(desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """on hand + due in + sent + top-up is what the coverage says is there."""
    table = desk.risk_table(cutoff_plan.summary.plan_id)
    assert table["at_stake_yuan"].is_monotonic_decreasing
    supply = table[["on_hand", "due_in", "sent", "top_up_units"]].sum(axis=1)
    coverage = cutoff_plan.coverage.set_index(["warehouse_id", "sku_id"])
    known = coverage.loc[pd.MultiIndex.from_frame(table[["warehouse_id", "sku_id"]])]
    np.testing.assert_allclose(supply, known["available"] + known["bought"])


def test_only_what_changed_is_shown(tiny: World, evening_plan: NightPlan) -> None:
    """The same table has no change; one that moved by ten yuan has one row, with the change."""
    table = risk_table(evening_plan, tiny.reference)
    assert changed_rows(table, table).empty
    before = table.assign(at_stake_yuan=table["at_stake_yuan"].where(table.index != 1, table["at_stake_yuan"] - 10))
    changed = changed_rows(table, before)
    assert changed[["sku_id", "change_yuan"]].to_numpy().tolist() == [[table["sku_id"][1], 10.0]]


def test_an_outside_estimate_stands_beside_ours(tiny: World, evening_plan: NightPlan) -> None:
    """A planner's figure for one SKU is shown in its row and in no other."""
    theirs = pd.DataFrame({"warehouse_id": ["W1"], "sku_id": ["S1"], "units": [40.0]})
    table = risk_table(evening_plan, tiny.reference, outside=theirs).set_index("sku_id")
    assert table["outside_units"].dropna().to_dict() == {"S1": 40.0}


def test_the_chat_text_names_every_top_up(tiny: World, evening_plan: NightPlan) -> None:
    """A planner pastes it into the warehouse's group: SKU, cases, what is ordered and expected."""
    table = risk_table(evening_plan, tiny.reference)
    text = chat_text(table, "W1", as_of="04-21 18:00")
    bought = table[table["top_up_cases"] > 0]
    assert len(bought) > 0
    assert all(f"{row.sku_id}：补 {row.top_up_cases:.0f} 箱" in text for row in bought.itertuples())
