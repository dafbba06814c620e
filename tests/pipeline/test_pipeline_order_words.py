"""A supplier's order as text for its chat."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from contracts.errors import NotFoundError
from pipeline.desk import PlanningDesk
from pipeline.order_words import added_lines, order_text
from pipeline.plan import NightPlan


def test_the_amounts_of_a_text_add_up_to_its_total(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """Every supplier's text names each of its lines once and a total to the fen that is their sum and the plan's."""
    reference = desk.store.reference()
    for supplier, lines in evening_plan.purchase_lines.groupby("supplier_id"):
        text = order_text(evening_plan, reference, str(supplier))
        named = [round(float(yuan), 2) for yuan in re.findall(r"，([\d.]+) 元$", text, re.M)]
        assert len(named) == len(lines) + 1
        assert named[-1] == pytest.approx(sum(named[:-1]), abs=1e-6)
        assert named[-1] == pytest.approx(float(lines["amount_yuan"].sum()), abs=0.005)
        assert all(f"（{sku}）" in text for sku in lines["sku_id"])


def test_a_top_up_tells_only_what_is_new(desk: PlanningDesk, evening_plan: NightPlan, cutoff_plan: NightPlan) -> None:
    """After the evening's orders were sent the text holds the difference, and names what was sent."""
    reference = desk.store.reference()
    sent = desk.sent_lines(evening_plan.summary.plan_id)
    for supplier in sorted(cutoff_plan.purchase_lines["supplier_id"].unique()):
        text = order_text(cutoff_plan, reference, supplier, sent=sent, language="en")
        assert "only what is new" in text
        more = added_lines(cutoff_plan, reference, supplier, sent=sent)
        assert (more["cases"] >= 0).all()
        whole = cutoff_plan.purchase_lines.query("supplier_id == @supplier")["cases"].sum()
        assert more["cases"].sum() + more["sent_cases"].sum() == whole
        assert ("Nothing new." in text) == (more["cases"].sum() == 0)


def test_nobody_gets_an_empty_order(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """A supplier the plan does not order from is an error that says where to look."""
    with pytest.raises(NotFoundError, match="lists the suppliers"):
        order_text(evening_plan, desk.store.reference(), "S-none")


def test_workbook_and_text_lie_side_by_side(desk: PlanningDesk, cutoff_plan: NightPlan, tmp_path: Path) -> None:
    """Of a plan that tops up, the workbook shows whole lines and what of them was sent."""
    desk.export(cutoff_plan, tmp_path)
    supplier = str(cutoff_plan.purchase_lines["supplier_id"].iloc[0])
    folder = tmp_path / "purchase_orders"
    assert (folder / f"{supplier}.txt").read_text(encoding="utf-8").startswith("【")
    sheets = pd.read_excel(folder / f"{supplier}.xlsx", sheet_name=None)
    lines = pd.concat([sheet for name, sheet in sheets.items() if name.startswith("仓")])
    own = cutoff_plan.purchase_lines.query("supplier_id == @supplier")
    cases, sent = (next(c for c in lines if c.endswith(name)) for name in (" cases", " sent_cases"))
    assert lines[cases].sum() == own["cases"].sum()
    assert (lines[sent] <= lines[cases]).all()
