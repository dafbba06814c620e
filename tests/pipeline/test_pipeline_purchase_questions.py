"""Questions about a kept plan's purchase."""

from __future__ import annotations

import pytest

from contracts.errors import NotFoundError, UnknownReferenceError
from optimize.purchase import WhatIf
from pipeline.desk import PlanningDesk
from pipeline.plan import NightPlan
from pipeline.purchase_questions import ask_what_if, explain_purchase, kept_purchase


def test_a_kept_purchase_is_a_problem_again(desk: PlanningDesk, cutoff_plan: NightPlan) -> None:
    """Nothing changed since, the lines sent before are locked, and the costs are the plan's."""
    kept = kept_purchase(desk, cutoff_plan.summary.plan_id)
    assert kept.stale == ()
    assert len(kept.data.locked) > 0
    purchase = next(stage for stage in cutoff_plan.summary.stages if stage.stage == "purchase")
    assert kept.plan.costs["total"] == pytest.approx(purchase.cost_yuan)


def test_the_parts_of_an_explanation_add_up(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """What is certain and what chance costs are the whole cost; every supplier ordered from has its rebate row."""
    found, kept = explain_purchase(desk, evening_plan.summary.plan_id)
    assert found.confirmed_yuan + found.uncertainty_yuan == pytest.approx(kept.plan.costs["total"])
    assert set(found.rebates["supplier_id"]) == set(evening_plan.purchase_lines["supplier_id"])
    assert found.asking_again_yuan >= -1e-9


def test_an_outage_is_answered_within_seconds_and_nothing_is_kept(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """Without a supplier its lines are dropped; the list of plans is as before."""
    supplier = evening_plan.purchase_lines["supplier_id"].iloc[0]
    plans = len(desk.store.plan_summaries())
    answer = ask_what_if(desk, evening_plan.summary.plan_id, WhatIf(without_suppliers=(supplier,)), seconds=5.0)
    assert supplier not in set(answer.after.lines["supplier_id"])
    dropped = answer.changes[answer.changes["supplier_id"] == supplier]
    assert set(dropped["change"]) == {"dropped"}
    assert answer.after.report.status.has_plan
    assert len(desk.store.plan_summaries()) == plans


def test_questions_about_nothing_raise(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """A plan or a supplier that does not exist."""
    with pytest.raises(NotFoundError):
        explain_purchase(desk, "nothing")
    with pytest.raises(UnknownReferenceError, match="'S-none'"):
        ask_what_if(desk, evening_plan.summary.plan_id, WhatIf(without_suppliers=("S-none",)), seconds=5.0)
