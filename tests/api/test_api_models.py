"""Models over the wire: versions, cards, drift."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.desk import PlanningDesk


def test_versions_and_cards_are_read_by_those_who_read_demand(keys: dict[str, Any]) -> None:
    """The planner sees which version serves and its card; an unknown version is a 404, nonsense a 422."""
    planner = keys["planner"]
    listed = planner.get("/v1/models").json()
    assert "champion" in listed[-1]["aliases"]
    card = planner.get(f"/v1/models/{listed[-1]['version']}/card")
    assert card.headers["content-type"].startswith("text/markdown")
    assert "Who answers" in card.text
    assert planner.get("/v1/models/999/card").status_code == 404
    assert planner.get("/v1/models/first/card").status_code == 422


def test_a_model_that_has_learned_everything_cannot_drift(keys: dict[str, Any]) -> None:
    """Without days since the training there is nothing to hold it against, and the answer says so."""
    answer = keys["data_scientist"].get("/v1/models/drift")
    assert answer.status_code == 422
    assert "drift needs sales on days after that" in answer.json()["detail"]


def test_drift_is_told_in_numbers_and_in_words(copied: Any) -> None:
    """After a training that stopped three weeks earlier the report compares every level, in both languages."""
    service = copied.client.app.state.service
    desk: PlanningDesk = service.desk
    version = desk.train(until=pd.Timestamp("2026-03-31")).demand_version
    desk.registries.demand.appoint(version, reason="the test looks back")
    told = copied.get("/v1/models/drift?days=14").json()
    assert {row["level"] for row in told["scores"]} == {"community", "warehouse", "area"}
    assert all(row["promised_wape"] > 0 for row in told["scores"])
    assert told["trained_until"] == "2026-03-31"
    assert told["drifted"] == bool(told["findings"])
    assert all(finding["chinese"] in told["report_zh"] for finding in told["findings"])
    assert "a day ahead" in told["report_en"]
    assert copied.get("/v1/models/drift?days=1").status_code == 422
