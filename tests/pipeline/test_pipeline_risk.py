"""The risk table: what it suggests is what the plan buys, and only changes are shown when asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InputError, MissingColumnError, NotFoundError, UnknownReferenceError
from contracts.flow import OutsideEstimates
from contracts.world import World
from pipeline.desk import PlanningDesk
from pipeline.plan import NightPlan
from pipeline.risk import changed_rows, previous_plan, risk_table
from pipeline.risk_outside import read_outside
from pipeline.risk_papers import risk_brief, write_risk
from pipeline.risk_words import chat_text, reasons


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


def test_the_desk_hands_an_outside_estimate_on(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """What is given to the desk stands in its table, also among the columns a terminal shows."""
    theirs = pd.DataFrame({"warehouse_id": ["W1"], "sku_id": ["S1"], "units": [40.0]})
    table = desk.risk_table(evening_plan.summary.plan_id, outside=theirs)
    brief = risk_brief(table).set_index("sku_id")
    assert brief["outside_units"].dropna().to_dict() == {"S1": 40.0}
    assert "outside_units" not in risk_brief(desk.risk_table(evening_plan.summary.plan_id))


def test_the_chat_text_names_every_top_up(tiny: World, evening_plan: NightPlan) -> None:
    """A planner pastes it into the warehouse's group: SKU, cases, what is ordered and expected."""
    table = risk_table(evening_plan, tiny.reference)
    text = chat_text(table, "W1", as_of=pd.Timestamp("2026-04-21 10:00", tz="UTC"), timezone="Asia/Shanghai")
    assert text.startswith("【W1】截至 04-21 18:00")
    assert "最晚" in text
    bought = table[table["top_up_cases"] > 0]
    assert len(bought) > 0
    assert all(f"{row.sku_id}：补 {row.top_up_cases:.0f} 箱" in text for row in bought.itertuples())


def test_a_row_that_is_gone_counts_as_changed(tiny: World, evening_plan: NightPlan) -> None:
    """A SKU that is no longer ordered or expected is shown with its money taken off."""
    table = risk_table(evening_plan, tiny.reference)
    gone = table[table["top_up_cases"] > 0].iloc[0]
    changed = changed_rows(table[table["sku_id"] != gone["sku_id"]], table)
    assert changed[["sku_id", "top_up_cases", "at_stake_yuan"]].to_numpy().tolist() == [[gone["sku_id"], 0.0, 0.0]]
    assert changed["change_yuan"].tolist() == [-gone["at_stake_yuan"]]
    assert changed["late_slot"].dtype == table["late_slot"].dtype


def test_previous_is_the_plan_before_of_the_same_date(
    desk: PlanningDesk, evening_plan: NightPlan, cutoff_plan: NightPlan
) -> None:
    """At the cutoff the previous plan is the evening's; the first plan of a date has none."""
    summaries = [plan.summary for plan in (cutoff_plan, evening_plan)]
    assert previous_plan(summaries, cutoff_plan.summary.plan_id) == evening_plan.summary.plan_id
    since = desk.risk_table(cutoff_plan.summary.plan_id, changed_since="previous")
    named = desk.risk_table(cutoff_plan.summary.plan_id, changed_since=evening_plan.summary.plan_id)
    pd.testing.assert_frame_equal(since, named)
    with pytest.raises(NotFoundError, match="earlier plan"):
        previous_plan(summaries, evening_plan.summary.plan_id)


@pytest.mark.parametrize(
    ("changes", "chinese", "english"),
    [
        ({"bought": 60.0}, "预计 41（30–55），现有 20，补 2 箱（40 件）比缺货划算。", "2 cases (40 units) cost less"),
        ({"confirmed": 35.0, "bought": 60.0}, "现有 20，补 2 箱（40 件）才够。", "35 ordered, 41 expected"),
        ({"confirmed": 35.0, "q10": 35.0, "q90": 35.0, "bought": 60.0}, "已下单 35，现有 20，补 2 箱", "cover them."),
        ({"confirmed": 70.0, "bought": 60.0}, "补 2 箱（40 件）后仍缺 10。", "still leave 10 uncovered"),
        ({"top_up_cases": 0.0, "top_up_units": 0.0, "confirmed": 25.0, "bought": 20.0}, "没有划算", "no open offer"),
        ({"top_up_cases": 0.0, "top_up_units": 0.0, "bought": 42.0, "short_yuan": 9.0}, "可能缺", "may run short"),
        ({"top_up_cases": 0.0, "top_up_units": 0.0, "bought": 70.0}, "可能剩货", "leftovers are likely"),
        ({"top_up_cases": 0.0, "top_up_units": 0.0, "bought": 50.0}, "够。", "covered"),
        ({"top_up_cases": 0.0, "top_up_units": 0.0, "q50": 0.0, "q90": 0.0}, "没有订单", "Nothing"),
        ({"top_up_cases": 0.0, "top_up_units": 0.0, "q90": 0.0, "bought": 3.0}, "会剩", "they stay"),
        ({"bought": 60.0, "outside_units": 80.0}, "外部预估 80 高于我们的区间。", "estimate of 80 is above our range."),
    ],
)
def test_each_reason_is_one_sentence_in_both_languages(changes: dict, chinese: str, english: str) -> None:
    """What there is, what is ordered or expected, and why cases are or are not added."""
    row = {
        "available": 0.0, "bought": 0.0, "confirmed": 0.0, "q10": 30.0, "q50": 41.0, "q90": 55.0, "short_yuan": 1.0,
        "surplus_yuan": 2.0, "top_up_cases": 2.0, "top_up_units": 40.0, "outside_units": np.nan,
    }  # fmt: skip
    (said,) = reasons(pd.DataFrame([{**row, **changes}]))
    assert chinese in said.chinese
    assert english in said.english
    assert said.chinese.count("。") == 1


def test_an_outside_file_is_read_or_refused(tiny: World, tmp_path: Path) -> None:
    """Heads in Chinese or English; a missing column, an unknown SKU, a doubled row and words for units are named."""
    good = tmp_path / "theirs.csv"
    good.write_text("仓库,商品编码,预估销量\nW1,S1,40\n", encoding="utf-8")
    assert read_outside(good, tiny.reference).to_numpy().tolist() == [["W1", "S1", 40.0]]
    for text, error, match in (
        ("warehouse,sku\nW1,S1\n", MissingColumnError, "units"),
        ("warehouse,sku,units\nW1,S9,4\n", UnknownReferenceError, "S9"),
        ("warehouse,sku,units\nW1,S1,4\nW1,S1,5\n", InputError, "come twice"),
        ("warehouse,sku,units\nW1,S1,many\n", InputError, "no number"),
    ):
        bad = tmp_path / "bad.csv"
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(error, match=match):
            read_outside(bad, tiny.reference)


def test_papers_have_a_sheet_and_a_text_per_warehouse(tiny: World, evening_plan: NightPlan, tmp_path: Path) -> None:
    """The workbook opens with all rows, then each warehouse; the chat text is ready to paste."""
    table = risk_table(evening_plan, tiny.reference)
    written = write_risk(table, tmp_path, as_of=pd.Timestamp(evening_plan.summary.as_of), timezone="Asia/Shanghai")
    assert [path.relative_to(tmp_path).as_posix() for path in written] == ["risk.xlsx", "chat/W1.txt"]
    sheets = pd.read_excel(written[0], sheet_name=None)
    assert list(sheets) == ["全部 all", "仓 W1"]
    assert [len(rows) for rows in sheets.values()] == [len(table), len(table)]
    assert written[1].read_text(encoding="utf-8").startswith("【W1】")


def test_imported_estimates_stand_beside_ours(tiny: World, evening_plan: NightPlan) -> None:
    """The newest figure known before the plan's day counts; communities are added up for a warehouse nobody named."""
    day = pd.Timestamp(evening_plan.summary.delivery_date)
    eve = day - pd.Timedelta(days=1)
    rows = [
        ("warehouse", "W1", "S1", eve - pd.Timedelta(days=2), 30.0),
        ("warehouse", "W1", "S1", eve - pd.Timedelta(days=1), 40.0),
        ("warehouse", "W1", "S1", eve, 99.0),  # given on the day itself: it counts from the next day on
        *(
            ("community", place, "S2", eve - pd.Timedelta(days=1), 5.0)
            for place in tiny.reference.communities["community_id"]
        ),
    ]
    table = pd.DataFrame(rows, columns=["level", "place_id", "sku_id", "known_on", "units"])
    told = OutsideEstimates.check(table.assign(delivery_date=day))
    known = replace(tiny.reference, outside_estimates=told)
    shown = risk_table(evening_plan, known).set_index("sku_id")["outside_units"].dropna().to_dict()
    assert shown == {"S1": 40.0, "S2": 30.0}
