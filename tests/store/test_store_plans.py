"""Plans and jobs: a plan is there whole or not at all and never changes; jobs tell how far they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from contracts.errors import ConflictError, NotFoundError, StoreError
from contracts.plan import PlanSummary
from contracts.solve import SolveStatus, StageReport
from store import Store


def _summary(*, seconds: float = 1.0, cost: float = 10.0, **given: Any) -> PlanSummary:
    stage = StageReport(stage="purchase", status=SolveStatus.FEASIBLE, cost_yuan=cost, gap=0.01, seconds=seconds)
    facts = {
        "plan_id": "P1",
        "delivery_date": date(2026, 3, 2),
        "as_of": datetime(2026, 3, 1, 10, 0, 0, 1, tzinfo=UTC),
        "stages": (stage,),
        "costs_yuan": {"goods": cost, "total": cost},
        "demand_units": {"confirmed": 1.0, "remaining": 2.0, "final": 3.0},
        "settings_fingerprint": "s",
        "input_fingerprints": {"order_lines": "o"},
        "model_version": "1",
        "versions": {"pulp": "3.3"},
        "seed": 0,
    }
    needed = {name for name, field in PlanSummary.model_fields.items() if field.is_required()} - set(facts)
    assert not needed, f"PlanSummary has new required fields {needed}: give them here"
    return PlanSummary(**(facts | given))


TABLES = {
    "purchase_lines": pd.DataFrame({"sku_id": ["001", "002"], "amount_yuan": [0.1, 33.33]}),
    "route_stops": pd.DataFrame({"arrive_at": pd.to_datetime(["2026-03-02 06:00:00.000001"], utc=True).as_unit("us")}),
    "unserved": pd.DataFrame({"destination_id": pd.Series([], dtype="str")}),
}


def test_a_plan_comes_back_exactly(store: Store) -> None:
    """Summary and tables, empty ones included, are what was saved."""
    assert store.save_plan("P1", _summary(), TABLES)
    assert store.plan_summary("P1") == _summary()
    assert store.plan_table_names("P1") == sorted(TABLES)
    for name, table in TABLES.items():
        assert_frame_equal(store.plan_table("P1", name), table)


def test_saving_again(store: Store) -> None:
    """The same content again is no-op, whatever the seconds; other content is a conflict that names what differs."""
    store.save_plan("P1", _summary(), TABLES)
    assert not store.save_plan("P1", _summary(seconds=9.0), TABLES)
    with pytest.raises(ConflictError, match="summary"):
        store.save_plan("P1", _summary(cost=11.0), TABLES)
    with pytest.raises(ConflictError, match="purchase_lines"):
        store.save_plan("P1", _summary(), TABLES | {"purchase_lines": TABLES["purchase_lines"].head(1)})
    with pytest.raises(ConflictError, match="unserved"):
        store.save_plan("P1", _summary(), {k: v for k, v in TABLES.items() if k != "unserved"})
    assert store.plan_summary("P1") == _summary()


def test_half_a_plan_is_no_plan(store: Store) -> None:
    """A failure while the last table goes in takes the summary and the other tables back."""
    with store._database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE plan_tables ADD CONSTRAINT broken_disk CHECK (name <> 'unserved')")
        else:
            connection.exec_driver_sql(
                "CREATE TRIGGER breaks BEFORE INSERT ON plan_tables WHEN NEW.name = 'unserved' "
                "BEGIN SELECT RAISE(ABORT, 'broken_disk'); END"
            )
    with pytest.raises(StoreError, match="broken_disk"):
        store.save_plan("P1", _summary(), TABLES)
    assert store.plan_summaries() == []
    assert store.plan_table_names("P1") == []


def test_lists_and_absent_plans(store: Store) -> None:
    """The latest delivery date and moment come first; what is not there is named with what is."""
    store.save_plan("P1", _summary(), TABLES)
    store.save_plan("P2", _summary(plan_id="P2", delivery_date=date(2026, 3, 3)), {})
    assert [summary.plan_id for summary in store.plan_summaries()] == ["P2", "P1"]
    with pytest.raises(NotFoundError, match="no plan 'P9'"):
        store.plan_summary("P9")
    with pytest.raises(NotFoundError, match="no plan 'P9'"):
        store.plan_table("P9", "purchase_lines")
    with pytest.raises(NotFoundError, match="route_stops"):
        store.plan_table("P1", "nothing")
