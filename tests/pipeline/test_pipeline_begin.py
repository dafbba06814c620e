"""Planning from an earlier plan of the date, and under other circumstances."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from contracts.errors import InputError, NotFoundError, UnknownReferenceError
from contracts.settings import Settings
from contracts.what_if import WhatIf
from optimize.purchase import change_sheet
from pipeline.begin import Begin
from pipeline.desk import PlanningDesk
from pipeline.night import plan_night
from pipeline.plan import NightPlan

KEY = ["supplier_id", "sku_id", "warehouse_id"]


Planned = Callable[..., NightPlan]


@pytest.fixture(scope="module")
def planned(desk: PlanningDesk, brief: Settings, evening_plan: NightPlan) -> Planned:
    """Return how an hour of the evening before is planned, keeping nothing; the same question is planned once."""
    made: dict[str, NightPlan] = {}

    def plan(
        day: pd.Timestamp, *, begin: Begin | None = None, change: WhatIf | None = None, hour: int = 20
    ) -> NightPlan:
        asked = repr((day, begin, change, hour))
        if asked not in made:
            midnight = day.tz_localize("Asia/Shanghai").tz_convert("UTC")
            night = desk.night_input(day, midnight - pd.Timedelta(hours=24 - hour), begin=begin, change=change)
            made[asked] = plan_night(night, settings=brief)
        return made[asked]

    return plan


def test_a_beginning_changes_no_cost_of_a_proved_plan(
    desk: PlanningDesk, planned: Planned, tomorrow: pd.Timestamp, evening_plan: NightPlan
) -> None:
    """The tiny purchase is proved either way: from where its search begins must not matter, and it is told."""
    cold, warm = planned(tomorrow), planned(tomorrow, begin=Begin("previous"))
    assert (cold.summary.begun_from, warm.summary.begun_from) == (None, evening_plan.summary.plan_id)
    assert warm.summary.plan_id != cold.summary.plan_id
    assert warm.summary.costs_yuan["purchase.goods"] == pytest.approx(cold.summary.costs_yuan["purchase.goods"])
    assert "purchase.changed_lines" not in warm.summary.costs_yuan


def test_staying_near_changes_fewer_lines_and_prices_each(
    desk: PlanningDesk, planned: Planned, tomorrow: pd.Timestamp, evening_plan: NightPlan
) -> None:
    """Lines that differ from the plan before cost the setting's yuan each, and there are at most as many as without."""
    free, near = (planned(tomorrow, begin=Begin("previous", stay_near=stay)) for stay in (False, True))
    before = evening_plan.purchase_lines
    moved = [
        (one[[*KEY, "cases"]].merge(before[[*KEY, "cases"]], on=KEY, how="outer").fillna(0.0))
        for one in (free.purchase_lines, near.purchase_lines)
    ]
    changed = [int((both["cases_x"] != both["cases_y"]).sum()) for both in moved]
    assert changed[1] <= changed[0]
    price = desk.settings.purchase.change_yuan
    assert near.summary.costs_yuan["purchase.changed_lines"] == pytest.approx(price * changed[1])
    assert near.summary.stays_near


def test_a_beginning_has_to_be_there_and_of_the_date(
    desk: PlanningDesk, planned: Planned, tomorrow: pd.Timestamp, evening_plan: NightPlan
) -> None:
    """Unknown plans and plans of another date raise; a schedule's first plan of a date just has none."""
    with pytest.raises(NotFoundError):
        planned(tomorrow, begin=Begin("nothing"))
    other = tomorrow - pd.Timedelta(days=1)
    with pytest.raises(InputError, match="cannot begin from it"):
        planned(other, begin=Begin(evening_plan.summary.plan_id))
    with pytest.raises(NotFoundError, match="earlier plan"):
        planned(other, begin=Begin("previous"))
    moment = other.tz_localize("Asia/Shanghai").tz_convert("UTC") - pd.Timedelta(hours=4)
    assert desk.night_input(other, moment, begin=Begin("previous", required=False)).before is None


def test_other_circumstances_reach_every_stage_and_are_told(
    desk: PlanningDesk, planned: Planned, tomorrow: pd.Timestamp, evening_plan: NightPlan
) -> None:
    """Half as much again of what is still to come is forecast, bought and shared out; a supplier that is away is."""
    away = str(evening_plan.purchase_lines["supplier_id"].iloc[0])
    usual = planned(tomorrow, hour=18)
    more = planned(tomorrow, hour=18, change=WhatIf(without_suppliers=(away,), demand_factor={"*": 1.5}))
    assert more.summary.demand_units["confirmed"] == usual.summary.demand_units["confirmed"]
    assert more.summary.demand_units["remaining"] == pytest.approx(1.5 * usual.summary.demand_units["remaining"])
    assert away not in set(more.purchase_lines["supplier_id"])
    assert more.allotments["ordered_units"].sum() > usual.allotments["ordered_units"].sum()
    assert more.summary.warnings[0] == f"Planned under other circumstances: without {away}; demand * x 1.5."
    assert more.summary.what_if is not None
    assert more.summary.plan_id != usual.summary.plan_id


def test_circumstances_about_nothing_are_refused_before_anything_is_planned(
    planned: Planned, tomorrow: pd.Timestamp
) -> None:
    """A supplier that is not there would look like no effect."""
    with pytest.raises(UnknownReferenceError, match="S-none"):
        planned(tomorrow, change=WhatIf(without_suppliers=("S-none",)))
    with pytest.raises(InputError, match="finite factors"):
        planned(tomorrow, change=WhatIf(demand_factor={"*": -1.0}))


def test_a_line_of_the_plan_before_can_be_locked(
    desk: PlanningDesk, planned: Planned, tomorrow: pd.Timestamp, evening_plan: NightPlan
) -> None:
    """The locked line is in the plan with at least its cases, marked."""
    line = evening_plan.purchase_lines.iloc[0]
    key = (str(line["supplier_id"]), str(line["sku_id"]), str(line["warehouse_id"]))
    made = planned(tomorrow, begin=Begin("previous"), change=WhatIf(lock=(key,)))
    mine = made.purchase_lines.set_index(KEY).loc[key]
    assert mine["cases"] >= line["cases"]
    assert mine["locked"]


def test_a_plan_with_a_beginning_has_a_change_sheet_among_its_papers(
    desk: PlanningDesk, planned: Planned, tomorrow: pd.Timestamp, evening_plan: NightPlan, tmp_path: Path
) -> None:
    """changes.xlsx has one row per line that differs, with the good's name."""
    made = planned(tomorrow, begin=Begin("previous"))
    written = desk.export(made, tmp_path)
    assert tmp_path / "changes.xlsx" in written
    sheet = pd.read_excel(tmp_path / "changes.xlsx")
    assert len(sheet) == len(change_sheet(evening_plan.purchase_lines, made.purchase_lines))
