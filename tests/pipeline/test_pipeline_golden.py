"""The tiny world's night at the cutoff, table by table, as it was last reviewed.

A wanted change is taken over with ``TUANCAI_UPDATE_GOLDEN=1 pytest tests/pipeline/test_pipeline_golden.py`` and its
diff read before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from pipeline.desk import PlanningDesk
from pipeline.plan import PLAN_TABLES, NightPlan

GOLDEN = Path(__file__).parent / "golden"
REVIEWED = [name for name in PLAN_TABLES if name not in ("forecast", "unserved")]


@pytest.fixture(scope="module")
def plan(desk: PlanningDesk, tomorrow: pd.Timestamp) -> NightPlan:
    """Return the plan at the cutoff with nothing sent before: every order is known, nothing is a forecast."""
    return desk.plan(tomorrow, tomorrow.tz_localize("Asia/Shanghai").tz_convert("UTC") - pd.Timedelta(hours=1))


@pytest.mark.parametrize("name", REVIEWED)
def test_a_table_is_as_reviewed(plan: NightPlan, name: str) -> None:
    """Every number of the table, to a millionth."""
    table = getattr(plan, name).sort_values(list(PLAN_TABLES[name].key()), ignore_index=True)
    path = GOLDEN / f"{name}.csv"
    if os.environ.get("TUANCAI_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        table.to_csv(path, index=False, lineterminator="\n")
    reviewed = PLAN_TABLES[name].check(pd.read_csv(path))
    pd.testing.assert_frame_equal(table, reviewed, rtol=1e-6, atol=1e-6)


def test_the_costs_are_as_reviewed(plan: NightPlan) -> None:
    """The night's yuan by kind: 73 units ordered, six stops, one van."""
    path = GOLDEN / "costs.csv"
    costs = pd.Series(plan.summary.costs_yuan, name="yuan").rename_axis("cost").reset_index()
    if os.environ.get("TUANCAI_UPDATE_GOLDEN"):
        costs.to_csv(path, index=False, lineterminator="\n")
    pd.testing.assert_frame_equal(costs, pd.read_csv(path).astype({"cost": "str"}), rtol=1e-6, atol=1e-6)
    assert plan.order_book.loc[plan.order_book["level"] == "warehouse", "confirmed"].sum() == 73
