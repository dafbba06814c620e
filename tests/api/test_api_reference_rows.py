"""Reference data over the wire: rows that hold for some dates, single rows put and removed, what a plan sees."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

SUPPLIER = {"name": "Orchard", "order_cost_yuan": 5.0, "min_order_yuan": 0.0, "fill_rate": 1.0, "lead_time_hours": 2.0}
SUPPLIER |= {"order_deadline": "18:00-1"}
ROW = "/v1/reference/suppliers/row"


@pytest.fixture
def orchard(fresh: Any) -> Any:
    """Return an admin on a service with one supplier, put as a single row."""
    answer = fresh("PUT", ROW, params={"key": "S1"}, json={"row": SUPPLIER})
    assert (answer.status_code, answer.json()["rows_new"]) == (200, 1)
    return fresh


def test_a_row_from_monday_on_beside_the_one_before(orchard: Any) -> None:
    """Each is read by its key and date; a list on a date has the one that holds, without the two columns."""
    dearer = SUPPLIER | {"order_cost_yuan": 9.0, "valid_until": "2026-04-30"}
    put = orchard("PUT", ROW, params={"key": "S1", "valid_from": "2026-04-20"}, json={"row": dearer})
    assert put.json()["rows_new"] == 1
    rows = orchard.get("/v1/reference/suppliers").json()["items"]
    assert [(r["order_cost_yuan"], r["valid_from"], r["valid_until"]) for r in rows] == [
        (5.0, None, None),
        (9.0, "2026-04-20", "2026-04-30"),
    ]
    for on, cost in (("2026-04-19", 5.0), ("2026-04-20", 9.0), ("2026-04-30", 9.0), ("2026-05-01", 5.0)):
        found = orchard.get("/v1/reference/suppliers", params={"on": on}).json()["items"]
        assert [row["order_cost_yuan"] for row in found] == [cost]
        assert "valid_from" not in found[0]
    one = orchard.get(ROW, params={"key": "S1", "valid_from": "2026-04-20"}).json()["row"]
    assert (one["supplier_id"], one["order_cost_yuan"]) == ("S1", 9.0)
    assert orchard.get(ROW, params={"key": "S1"}).json()["row"]["order_cost_yuan"] == 5.0
    assert orchard.get("/v1/reference/suppliers.csv").text.splitlines()[0].endswith("valid_from,valid_until")
    state = {s["table"]: s for s in orchard.get("/v1/reference").json()["items"]}["suppliers"]
    assert (state["rows"], state["columns"][-2:]) == (2, ["valid_from", "valid_until"])


def test_an_export_comes_back_as_it_was(orchard: Any) -> None:
    """The CSV of a table with dated rows brought in again changes nothing."""
    orchard("PUT", ROW, params={"key": "S1", "valid_from": "2026-04-20"}, json={"row": SUPPLIER})
    sheet = orchard.get("/v1/reference/suppliers.csv").content
    again = orchard.post("/v1/reference/suppliers/file", files={"file": ("s.csv", sheet)}).json()
    assert (again["rows_read"], again["rows_unchanged"]) == (2, 2)


def test_history_tells_dated_rows_and_removals(orchard: Any) -> None:
    """Who, when, what: the key has its date, and a removed row is told as it was."""
    orchard("PUT", ROW, params={"key": "S1", "valid_from": "2026-04-20"}, json={"row": SUPPLIER})
    gone = orchard("DELETE", ROW, params={"key": "S1", "valid_from": "2026-04-20"})
    assert (gone.status_code, gone.json()["row"]["valid_from"]) == (200, "2026-04-20")
    removed, dated, first = orchard.get("/v1/reference/suppliers/history").json()["items"]
    assert first["changes"][0]["key"] == {"supplier_id": "S1"}
    assert dated["changes"][0]["key"] == {"supplier_id": "S1", "valid_from": "2026-04-20T00:00:00"}
    assert (removed["gone"], removed["import_id"], removed["changes"][0]["after"]) == (1, None, None)
    assert orchard("DELETE", ROW, params={"key": "S1", "valid_from": "2026-04-20"}).status_code == 404


@pytest.mark.parametrize(
    ("params", "row", "status", "words"),
    [
        ({"key": ["S1", "S2"]}, {}, 422, "supplier_id"),
        ({"key": "S1"}, {"supplier_id": "S2"}, 422, "another supplier_id"),
        ({"key": "S1"}, {"valid_from": "2026-04-20"}, 422, "say it there"),
        (
            {"key": "S1", "valid_from": "2026-04-20"},
            {"valid_until": "2026-04-19"},
            422,
            "valid_from at most valid_until",
        ),
        ({"key": "S1", "valid_from": "2026-04-21"}, {"valid_until": "2026-04-25"}, 422, "overlaps the row that holds"),
        ({"key": "S1", "valid_from": "soon"}, {}, 422, "valid_from"),
    ],
)
def test_bad_rows_are_named(orchard: Any, params: dict[str, Any], row: dict[str, Any], status: int, words: str) -> None:
    """A key that does not fit, dates that contradict or overlap: 4xx with the rule, and nothing changes."""
    spring = SUPPLIER | {"valid_until": "2026-04-22"}
    assert orchard("PUT", ROW, params={"key": "S1", "valid_from": "2026-04-20"}, json={"row": spring}).is_success
    before = orchard.get("/v1/reference/suppliers").json()["items"]
    if params.get("valid_from") == "2026-04-20":
        params = params | {"valid_from": "2026-05-20"}
    answer = orchard("PUT", ROW, params=params, json={"row": SUPPLIER | row})
    assert answer.status_code == status
    assert words in answer.text
    assert orchard.get("/v1/reference/suppliers").json()["items"] == before


def test_a_row_that_others_point_to_stays(copied: Any) -> None:
    """409 tells which tables point to it, or that order lines do."""
    supplier = copied.get("/v1/reference/suppliers", params={"limit": 1}).json()["items"][0]["supplier_id"]
    refused = copied("DELETE", ROW, params={"key": supplier})
    assert (refused.status_code, "offers" in refused.json()["detail"]) == (409, True)
    sku = copied.get("/v1/orders", params={"delivery_date": "2026-04-22", "limit": 1}).json()["items"][0]["sku_id"]
    refused = copied("DELETE", "/v1/reference/skus/row", params={"key": sku})
    assert (refused.status_code, "Order lines" in refused.json()["detail"]) == (409, True)


def test_a_plan_sees_the_rows_of_its_delivery_date(copied: Any) -> None:
    """A supplier that ends the day before is in no offer of the night; the night of the day before still has it."""
    service = copied.client.app.state.service
    row = copied.get("/v1/reference/suppliers", params={"limit": 1}).json()["items"][0]
    name = row["supplier_id"]
    assert copied("PUT", ROW, params={"key": name}, json={"row": {}}).status_code == 409  # generated rows do not mix
    sheet = copied.get("/v1/reference/suppliers.csv").content
    assert copied.post("/v1/reference/suppliers/file", files={"file": ("s.csv", sheet)}).is_success
    ended = {k: v for k, v in row.items() if k not in ("valid_from", "supplier_id")} | {"valid_until": "2026-04-21"}
    assert copied("PUT", ROW, params={"key": name}, json={"row": ended}).json()["rows_updated"] == 1
    as_of = pd.Timestamp("2026-04-21T10:00:00Z")
    tomorrow = service.desk.night_input(pd.Timestamp("2026-04-22"), as_of).reference
    assert name not in {
        *tomorrow.suppliers["supplier_id"],
        *tomorrow.offers["supplier_id"],
        *tomorrow.lanes["supplier_id"],
    }
    today = service.desk.night_input(pd.Timestamp("2026-04-21"), as_of).reference
    assert name in set(today.offers["supplier_id"])
    views = service.tables.reference(date(2026, 4, 22))
    assert name not in set(views.offers["supplier_id"])
    assert name in set(service.tables.reference(date(2026, 4, 21)).offers["supplier_id"])


def test_local_events_by_row(orchard: Any) -> None:
    """Put, read and removed by day, area and name; the day is the key, so there are no validity dates."""
    row, key = "/v1/reference/area_events/row", {"key": ["2026-04-20", "A1", "赶集"]}
    assert orchard("PUT", row, params=key, json={"row": {}}).json()["rows_new"] == 1
    assert orchard.get(row, params=key).json()["row"] == {"day": "2026-04-20", "area_id": "A1", "event": "赶集"}
    assert orchard.get("/v1/reference/area_events.csv").text.splitlines()[1] == "2026-04-20,A1,赶集"
    assert orchard("DELETE", row, params=key).status_code == 200
    assert orchard.get("/v1/reference/area_events").json()["items"] == []
