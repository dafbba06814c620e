"""Streams of order lines: any length, every line judged, torn or wrong ones told, the whole sent again for nothing."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

import api.order_stream
from contracts.errors import StorageFullError, StoreError, TuancaiError

LINE = {
    "line_no": 1,
    "placed_at": "2026-04-21T02:00:00Z",
    "delivery_date": "2026-04-22",
    "community_id": "C1",
    "sku_id": "S1",
    "quantity": 2,
    "unit_price_yuan": 4.5,
}
NDJSON = {"Content-Type": "application/x-ndjson"}
CSV = {"Content-Type": "text/csv; charset=utf-8"}


def ndjson(count: int) -> str:
    """Return order lines as NDJSON."""
    return "".join(json.dumps(LINE | {"order_id": f"o{place}"}) + "\n" for place in range(count))


def as_csv(count: int) -> str:
    """Return order lines as CSV with the contract's column names."""
    names = ["order_id", *LINE]
    rows = [",".join(map(str, [f"o{place}", *LINE.values()])) for place in range(count)]
    return "\n".join([",".join(names), *rows]) + "\n"


@pytest.mark.parametrize(("body", "headers"), [(ndjson(25), NDJSON), (as_csv(25), CSV)], ids=["ndjson", "csv"])
def test_stream_is_taken_in_batches(
    fresh: Any, monkeypatch: pytest.MonkeyPatch, body: str, headers: dict[str, str]
) -> None:
    """Twenty-five lines in batches of ten are three imports; sent again, every line is there already."""
    monkeypatch.setattr(api.order_stream, "BATCH_LINES", 10)
    taken = fresh.post("/v1/orders/stream", content=body, headers=headers).json()
    assert (taken["lines_read"], taken["lines_new"], len(taken["imports"])) == (25, 25, 3)
    again = fresh.post("/v1/orders/stream", content=body, headers=headers).json()
    assert (again["lines_new"], again["lines_unchanged"]) == (0, 25)
    assert fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 25


def test_wrong_lines_are_told_by_their_number(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No JSON, no object, no number and a broken rule each name their line; the others are in."""
    monkeypatch.setattr(api.order_stream, "BATCH_LINES", 3)
    lines = ndjson(6).splitlines()
    lines[1:1] = ["{torn", "[1, 2]", json.dumps(LINE | {"order_id": "bad", "quantity": -1}), '{"quantity": NaN}', ""]
    taken = fresh.post("/v1/orders/stream", content="\n".join(lines), headers=NDJSON).json()
    assert (taken["lines_read"], taken["lines_accepted"], taken["lines_rejected"]) == (10, 6, 4)
    assert [failure["row"] for failure in taken["failures"]] == [2, 3, 4, 5]
    listed = [fresh.get(f"/v1/imports/{one}/failures").json()["total"] for one in taken["imports"]]
    assert sum(listed) == 1  # the other three were never lines


def test_rows_of_another_width_are_torn(fresh: Any) -> None:
    """A CSV row with a cell too many or too few is told with its line."""
    rows = as_csv(3).splitlines()
    rows[2] += ",more"
    taken = fresh.post("/v1/orders/stream", content="\n".join(rows), headers=CSV).json()
    assert (taken["lines_accepted"], taken["failures"][0]["row"]) == (2, 3)
    assert taken["failures"][0]["rule"] == "9 cells, the header names 8"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", NDJSON, 422),
        (b"\n\n", NDJSON, 422),
        (b"", CSV, 422),
        (b"order_id\nx\n", CSV, 422),
        (as_csv(2).encode("utf-16"), CSV, 400),
        ("order_id\n苹果\n".encode("gb18030"), CSV, 400),
        (b'order_id\n"never closed', CSV, 400),
        (b"x", {"Content-Type": "application/xml"}, 415),
        (b'{"a":' * 100_000, NDJSON, 200),
    ],
)
def test_what_is_no_stream_is_refused(fresh: Any, body: bytes, headers: dict[str, str], status: int) -> None:
    """Nothing at all, columns that lack, other code pages and media types are problems; nothing is taken in."""
    answer = fresh.post("/v1/orders/stream", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 0


def test_lists_have_tags_and_forms(fresh: Any) -> None:
    """Imports, keys, jobs, plans and tables come as pages with a tag, as CSV and as XLSX; a known tag is 304."""
    fresh.post("/v1/orders/stream", content=ndjson(3), headers=NDJSON)
    for path in (
        "/v1/imports",
        "/v1/keys",
        "/v1/jobs",
        "/v1/plans",
        "/v1/reference",
        "/v1/reference/skus",
        "/v1/audit",
    ):
        answer = fresh.get(path)
        assert set(answer.json()) == {"items", "total", "limit", "offset"}, path
        same = fresh.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (same.status_code, same.content) == (304, b""), path
        assert fresh.get(f"{path}.csv").headers["content-type"].startswith("text/csv"), path
        assert fresh.get(f"{path}.xlsx").content[:2] == b"PK", path
    first = fresh.get("/v1/imports", params={"limit": 1}).json()
    assert (first["total"], first["items"][0]["rows_accepted"]) == (1, 3)


def test_long_ids_stay_what_they_are_beside_a_line_without_one(fresh: Any) -> None:
    """Ids of nineteen digits sent as numbers are not rounded because another line has none: nothing lost or doubled."""
    ids = [1_234_567_890_123_456_781 + place for place in range(3)]
    lines = [LINE | {"order_id": one} for one in ids]
    body = "\n".join(json.dumps(line) for line in [*lines, LINE])
    taken = fresh.post("/v1/orders/stream", content=body, headers=NDJSON).json()
    batch = fresh.post("/v1/orders", json={"lines": [*lines, LINE]}).json()
    assert (taken["lines_new"], taken["lines_rejected"]) == (3, 1)
    assert (batch["rows_new"], batch["rows_unchanged"], batch["rows_rejected"]) == (0, 3, 1)
    listed = fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["items"]
    assert sorted(line["order_id"] for line in listed) == [str(one) for one in ids]


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 10**400},
        {"order_id": "\ud800"},
        {"order_id": "a\x00b"},
        {"order_id": ["a"]},
        {"quantity": {"a": 1}},
        {"placed_at": 10**400},
        {"delivery_date": 10**400},
        {"line_no": 10**400},
    ],
    ids=lambda change: next(iter(change)),
)
def test_cells_no_table_can_hold_are_lines_of_their_own(fresh: Any, change: dict[str, Any]) -> None:
    """A number of four hundred digits, half a character, a list: the line is rejected, its neighbour is in."""
    lines = [LINE | {"order_id": "good"}, LINE | {"order_id": "bad"} | change]
    body = "\n".join(json.dumps(line) for line in lines)
    taken = fresh.post("/v1/orders/stream", content=body, headers=NDJSON)
    assert taken.status_code == 200, taken.text
    assert (taken.json()["lines_accepted"], taken.json()["lines_rejected"]) == (1, 1)
    assert taken.json()["failures"][0]["column"] == next(iter(change))
    again = fresh.post("/v1/orders", content=json.dumps({"lines": lines}), headers={"Content-Type": "application/json"})
    assert again.status_code == 200, again.text
    assert (again.json()["rows_unchanged"], again.json()["rows_rejected"]) == (1, 1)


def test_a_header_that_names_a_column_twice_is_refused(fresh: Any) -> None:
    """Which of two quantities was meant nobody can say: nothing is taken in."""
    body = as_csv(1).replace("order_id,", "order_id,quantity,", 1).replace("o0,", "o0,7,")
    refused = fresh.post("/v1/orders/stream", content=body, headers=CSV)
    assert 400 <= refused.status_code < 500
    assert "quantity" in refused.json()["detail"]
    assert fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 0


@pytest.mark.parametrize("lacks", ["sku_id", "quantity", "placed_at", "delivery_date", "line_no"])
def test_a_batch_without_a_column_fails_line_by_line(fresh: Any, monkeypatch: pytest.MonkeyPatch, lacks: str) -> None:
    """The lines before and after it are in; each of its own lines is told with what it lacks."""
    monkeypatch.setattr(api.order_stream, "BATCH_LINES", 5)
    lines = [LINE | {"order_id": f"o{place}"} for place in range(15)]
    for line in lines[5:10]:
        del line[lacks]
    body = "\n".join(json.dumps(line) for line in lines)
    answer = fresh.post("/v1/orders/stream", content=body, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    taken = answer.json()
    assert (taken["lines_read"], taken["lines_new"], taken["lines_rejected"]) == (15, 10, 5)
    assert {failure["row"] for failure in taken["failures"] if failure["column"] == lacks} == {6, 7, 8, 9, 10}
    assert fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 10


@pytest.mark.parametrize(
    ("failed", "status", "kind"),
    [
        (StorageFullError("The disk is full; what was there before is unchanged."), 507, "storage-full"),
        (StoreError("The database failed."), 503, "store"),
    ],
)
def test_what_stops_a_stream_says_how_much_is_in(
    fresh: Any, monkeypatch: pytest.MonkeyPatch, failed: TuancaiError, status: int, kind: str
) -> None:
    """Two batches are in when the third fails: the answer says so; the whole sent again adds the rest."""
    monkeypatch.setattr(api.order_stream, "BATCH_LINES", 10)
    kept, calls = fresh.client.app.state.service.store, [0]
    real = type(kept).add_order_lines

    def third_fails(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == 3:
            raise failed
        return real(*given, **named)

    with monkeypatch.context() as broken:
        broken.setattr(type(kept), "add_order_lines", third_fails)
        answer = fresh.post("/v1/orders/stream", content=ndjson(25), headers=NDJSON)
    assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[-1]) == (status, kind)
    assert "20 lines of the first 25 are in (2 imports" in answer.json()["detail"]
    again = fresh.post("/v1/orders/stream", content=ndjson(25), headers=NDJSON).json()
    assert (again["lines_new"], again["lines_unchanged"]) == (5, 20)


def test_a_stream_that_ends_in_another_code_page_says_how_much_is_in(
    fresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batches before the broken byte are in, and nobody says that nothing is."""
    monkeypatch.setattr(api.order_stream, "BATCH_LINES", 10)
    body = ndjson(200).encode() + "苹果\n".encode("gb18030")
    answer = fresh.post("/v1/orders/stream", content=body, headers=NDJSON)
    there = fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"]
    assert answer.status_code == 400
    assert there > 0
    assert f"{there:,} lines of the first" in answer.json()["detail"]
    assert "Nothing of it was imported" not in answer.json()["detail"]


def test_imports_say_whose_key_brought_them(fresh: Any) -> None:
    """Batches, streams and files, of orders and of reference data, name the key; a terminal has none."""
    made = fresh.post("/v1/keys", json={"name": "order system", "role": "admin"}).json()
    system = type(fresh)(fresh.client, made["key"])
    assert system.post("/v1/orders", json={"lines": [LINE | {"order_id": "a"}]}).status_code == 200
    assert system.post("/v1/orders/stream", content=ndjson(2), headers=NDJSON).status_code == 200
    assert system.post("/v1/orders/file", files={"file": ("o.csv", as_csv(3).encode())}).status_code == 200
    warehouses = b"warehouse_id,name,latitude,longitude\nW1,Hub,30.5,114.3\n"
    assert system.post("/v1/reference/warehouses/file", files={"file": ("w.csv", warehouses)}).status_code == 200
    fresh.client.app.state.service.store.add_order_lines(pd.DataFrame([LINE | {"order_id": "b"}]), source="terminal")
    told = {row["source"]: row["imported_by"] for row in fresh.get("/v1/imports").json()["items"]}
    assert told.pop("terminal") == ""
    assert set(told.values()) == {made["key_id"]}
    assert len(told) == 4
