"""Orders in: batches, files, bad lines, the same again."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from api.app import create_app

NUMBERS = itertools.count()
LINE = {
    "line_no": 1,
    "placed_at": "2026-04-21T02:00:00Z",
    "delivery_date": "2026-04-22",
    "community_id": "C1",
    "sku_id": "S1",
    "quantity": 2,
    "unit_price_yuan": 4.5,
}


def batch(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return a batch of lines of an order of its own, each the example line with changes."""
    order = {"order_id": f"T-{next(NUMBERS)}"}
    return {"lines": [{**LINE, **order, **change} for change in changes]}


def test_batch_is_taken_in_and_again_changes_nothing(copied_once: Any) -> None:
    """Lines count once by order and line number, however often they are sent."""
    body = batch({}, {"line_no": 2})
    first, again = (copied_once.post("/v1/orders", json=body).json() for _ in range(2))
    assert (first["rows_new"], first["rows_unchanged"]) == (2, 0)
    assert (again["rows_new"], again["rows_unchanged"]) == (0, 2)
    listed = copied_once.get(
        "/v1/orders", params={"delivery_date": "2026-04-22", "community_id": "C1", "limit": 10_000}
    ).json()
    assert sum(line["order_id"] == body["lines"][0]["order_id"] for line in listed["items"]) == 2


def test_books_of_a_batch_reconcile(copied_once: Any) -> None:
    """Rows and units read are rows and units accepted plus rejected."""
    report = copied_once.post("/v1/orders", json=batch({}, {"line_no": 2, "quantity": -3})).json()
    assert report["rows_read"] == report["rows_accepted"] + report["rows_rejected"] == 2
    assert report["units_read"] == report["units_accepted"] + report["units_rejected"] == -1
    assert "2 rows read = 1 accepted" in report["reconciliation"]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"quantity": -2}, "quantity"),
        ({"quantity": "viele"}, "quantity"),
        ({"quantity": "1e400"}, "quantity"),
        ({"sku_id": "no such"}, "sku_id"),
        ({"community_id": "no such"}, "community_id"),
        ({"placed_at": "yesterday"}, "placed_at"),
        ({"delivery_date": "2026-02-30"}, "delivery_date"),
        ({"order_id": ""}, "order_id"),
        ({"quantity": 13_812_345_678}, "quantity"),
        ({"unit_price_yuan": 1e300}, "unit_price_yuan"),
        ({"delivery_date": "2062-04-22"}, "(row)"),
    ],
)
def test_bad_line_is_shown_and_does_not_hold_up_the_others(
    copied_once: Any, change: dict[str, Any], column: str
) -> None:
    """A bad line is named with row, column and rule; the good one beside it is in."""
    report = copied_once.post("/v1/orders", json=batch({"line_no": 7}, change)).json()
    assert (report["rows_accepted"], report["rows_rejected"]) == (1, 1)
    assert column in {failure["column"] for failure in report["failures"]}


@pytest.mark.parametrize("quantity", [1e308, -1e308])
def test_quantities_no_sum_can_hold_are_rejected_rows(copied_once: Any, quantity: float) -> None:
    """Two of them beside a good line are two rejected rows without units; alone they are 422, never a server error."""
    bad = [{"line_no": 2, "quantity": quantity}, {"line_no": 3, "quantity": quantity}]
    report = copied_once.post("/v1/orders", json=batch({}, *bad))
    assert report.status_code == 200, report.text
    assert (report.json()["rows_rejected"], report.json()["units_read"], report.json()["units_rejected"]) == (2, 2, 0)
    answer = copied_once.post("/v1/orders", json=batch(*bad))
    assert answer.status_code == 422
    assert {failure["column"] for failure in answer.json()["failures"]} == {"quantity"}


def test_duplicate_line_in_a_batch_counts_once(copied_once: Any) -> None:
    """The same line twice in one batch is one line."""
    report = copied_once.post("/v1/orders", json=batch({}, {})).json()
    assert report["rows_new"] == 1
    assert report["units_accepted"] in (2, 4)


def test_batch_without_one_good_line_is_refused_with_its_rows(copied_once: Any) -> None:
    """422 with the failing rows when nothing could be taken in."""
    answer = copied_once.post("/v1/orders", json=batch({"quantity": -2}))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["failures"][0]["column"] == "quantity"


def test_missing_column_is_named(copied_once: Any) -> None:
    """A batch without a required column says which."""
    lines = [{k: v for k, v in batch({})["lines"][0].items() if k != "sku_id"}]
    answer = copied_once.post("/v1/orders", json={"lines": lines})
    assert answer.status_code == 422
    assert answer.json()["missing"] == ["sku_id"]


@pytest.mark.parametrize("body", [{"lines": []}, {"lines": "x"}, {}, {"lines": [1]}, {"lines": [LINE], "more": 1}])
def test_body_of_another_form_is_refused(fresh: Any, body: Any) -> None:
    """A body that is no batch is 422 with the fields."""
    answer = fresh.post("/v1/orders", json=body)
    assert answer.status_code == 422
    assert answer.json()["fields"]


def as_file(frame: pd.DataFrame, suffix: str) -> bytes:
    """Return a frame as the bytes of a file."""
    out = io.BytesIO()
    if suffix == "csv":
        frame.to_csv(out, index=False)
    elif suffix == "xlsx":
        frame.to_excel(out, index=False)
    else:
        frame.to_parquet(out, index=False)
    return out.getvalue()


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_file_is_taken_in(copied_once: Any, suffix: str) -> None:
    """CSV, XLSX and Parquet files give the same lines."""
    body = as_file(pd.DataFrame(batch({}, {"line_no": 2})["lines"]), suffix)
    answer = copied_once.post("/v1/orders/file", files={"file": (f"day.{suffix}", body)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows_new"] == 2


def test_file_with_own_mapping(copied_once: Any) -> None:
    """A mapping sent along names the columns of a foreign file."""
    frame = pd.DataFrame(batch({})["lines"]).rename(columns={"sku_id": "what", "quantity": "how many"})
    rules = '[columns]\nsku_id = "what"\nquantity = "how many"\n'
    answer = copied_once.post(
        "/v1/orders/file", files={"file": ("day.csv", as_file(frame, "csv"))}, data={"mapping_rules": rules}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows_new"] == 1


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("torn.xlsx", b"PK\x03\x04 this is no workbook"),
        ("torn.parquet", b"PAR1 no"),
        ("binary.csv", bytes(range(256)) * 20),
        ("empty.csv", b""),
        ("no-suffix", b"a,b\n1,2\n"),
        ("evil.exe", b"MZ"),
    ],
)
def test_broken_upload_is_refused_and_leaves_nothing(copied_once: Any, name: str, body: bytes) -> None:
    """A file that cannot be read is a 4xx problem, and no line of it is in."""
    before = copied_once.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"]
    answer = copied_once.post("/v1/orders/file", files={"file": (name, body)})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert copied_once.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == before


@pytest.mark.parametrize("mapping", ["../../etc/passwd", "/etc/passwd.toml", "nope"])
def test_mapping_is_a_shipped_name_and_never_a_path(fresh: Any, mapping: str) -> None:
    """A mapping name cannot be used to read files of the server."""
    answer = fresh.post("/v1/orders/file", files={"file": ("a.csv", b"x")}, data={"mapping": mapping})
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("mapping")


@pytest.mark.parametrize("told", [True, False])
def test_body_over_the_limit_is_refused(tmp_path: Any, settings_in: Any, told: bool) -> None:
    """A body larger than the setting is a 413 problem, whether it says its length or not."""
    with TestClient(create_app(settings_in(tmp_path, body_limit_mb=1))) as client:
        key = (tmp_path / "admin.key").read_text().strip()
        body = b'{"lines": [' + b" " * 1_500_000
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        answer = client.post("/v1/orders", content=body if told else iter([body]), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
