"""Who changed what in the reference data, when: rows by key with what they were and are."""

from __future__ import annotations

import doctest
from typing import Any

import api.reference_history

SUPPLIER = {
    "supplier_id": "S1",
    "name": "East Valley",
    "order_cost_yuan": 50,
    "min_order_yuan": 0,
    "fill_rate": 0.98,
    "lead_time_hours": 6,
    "order_deadline": "20:00-1",
}


def test_changes_are_told_with_before_and_after(fresh: Any) -> None:
    """A new row, a changed name, and the same again: each import is an entry with its key; the newest comes first."""
    other = SUPPLIER | {"supplier_id": "S2"}
    for rows in ([SUPPLIER], [SUPPLIER | {"name": "West Valley"}, other], [other]):
        assert fresh.post("/v1/reference/suppliers", json={"rows": rows}).status_code == 200
    third, second, first = fresh.get("/v1/reference/suppliers/history").json()["items"]
    assert (first["new"], second["new"], second["changed"], third["changes"]) == (1, 1, 1, [])
    assert first["changes"][0]["before"] is None
    changed = next(row for row in second["changes"] if row["key"] == {"supplier_id": "S1"})
    assert (changed["before"], changed["after"]) == ({"name": "East Valley"}, {"name": "West Valley"})
    assert {entry["key_id"] for entry in (first, second, third)} == {fresh.get("/v1/me").json()["key_id"]}
    assert fresh.get("/v1/reference/skus/history").json()["total"] == 0
    assert fresh.get("/v1/reference/nothing/history").status_code == 404
    assert fresh.get("/v1/reference/suppliers/history.csv").text.count("\n") == 4


def test_examples_hold() -> None:
    """The doctests of the module."""
    assert doctest.testmod(api.reference_history).failed == 0
