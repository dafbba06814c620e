"""Whatever is sent, the answer is documented: no server error, and problems are problem documents."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from contracts.settings import Settings

BOUNDED = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MANY = settings(BOUNDED, max_examples=40)
DOCUMENT = create_app(Settings()).openapi()
STRANGE = st.one_of(
    st.text(max_size=20),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(["", "nan", "1e999", "\u0000", "2026-02-30", "../..", "' OR 1=1", "=cmd()", "%00", "9" * 400]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def documented(answer: Any, method: str, path: str) -> None:
    """Assert that an answer is one the document tells of."""
    assert answer.status_code < 500, answer.text
    assert str(answer.status_code) in DOCUMENT["paths"][path][method]["responses"], (path, answer.status_code)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


def filled(path: str, value: str) -> str:
    """Return a path with one value in place of each parameter, quoted."""
    from urllib.parse import quote

    for name in ("plan_id", "other_id", "job_id", "key_id", "table"):
        path = path.replace("{" + name + "}", quote(value, safe="") or "x")
    return path


READS = [p for p, methods in DOCUMENT["paths"].items() if "get" in methods and not p.endswith("/events")]
WRITES = [
    (p, "post")
    for p, methods in DOCUMENT["paths"].items()
    if "application/json" in methods.get("post", {}).get("requestBody", {}).get("content", {})
]


@BOUNDED
@given(data=st.data())
def test_strange_queries_and_ids_are_answered_as_documented(admin: Any, plan_id: str, data: st.DataObject) -> None:
    """Every read with any id and any query values."""
    path = data.draw(st.sampled_from(READS))
    names = [p["name"] for p in DOCUMENT["paths"][path]["get"].get("parameters", []) if p["in"] == "query"]
    query = {name: data.draw(STRANGE) for name in names if data.draw(st.booleans())}
    one = data.draw(st.one_of(st.just(plan_id), STRANGE.filter(lambda t: t.strip("./") and "/" not in t)))
    answer = admin.get(filled(path, one), params=query)
    if answer.status_code == 404 and answer.json()["type"].endswith("http-404"):
        return  # the id made another path of it
    documented(answer, "get", path)


@MANY
@given(where=st.sampled_from(WRITES), body=JSON)
def test_strange_bodies_are_answered_as_documented(copied_once: Any, where: tuple[str, str], body: Any) -> None:
    """Every write with any JSON."""
    path, method = where
    documented(copied_once(method, filled(path, "skus"), json=body), method, path)


@MANY
@given(body=st.binary(max_size=300), suffix=st.sampled_from(["csv", "xlsx", "parquet", "tsv", "txt"]))
def test_strange_files_are_answered_as_documented(copied_once: Any, body: bytes, suffix: str) -> None:
    """Every kind of file with any bytes."""
    answer = copied_once.post("/v1/orders/file", files={"file": (f"x.{suffix}", body)})
    documented(answer, "post", "/v1/orders/file")


@pytest.mark.parametrize(
    "line",
    [
        {"quantity": 1e308},
        {"quantity": "١٢"},
        {"quantity": True},
        {"line_no": 2**70},
        {"order_id": "x" * 100_000},
        {"order_id": {"a": 1}},
        {"placed_at": "0001-01-01T00:00:00Z"},
        {"placed_at": "9999-12-31T23:59:59Z"},
        {"delivery_date": "9999-12-31"},
        {"sku_id": "\u0000"},
        {"unit_price_yuan": [1]},
    ],
)
def test_strange_lines_are_judged_one_by_one(copied_once: Any, line: dict[str, Any]) -> None:
    """Huge numbers, odd digits, nested values and far dates are a row in the failures or taken, never a crash."""
    good = {
        "order_id": f"f-{hash(str(line))}",
        "line_no": 1,
        "placed_at": "2026-04-21T02:00:00Z",
        "delivery_date": "2026-04-22",
        "community_id": "C1",
        "sku_id": "S1",
        "quantity": 2,
        "unit_price_yuan": 4.5,
    }
    answer = copied_once.post("/v1/orders", content=json.dumps({"lines": [good, {**good, "line_no": 2} | line]}))
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 200:
        assert answer.json()["rows_accepted"] >= 1


def test_zip_bomb_is_refused(copied_once: Any) -> None:
    """A workbook that unpacks to far more than it weighs is refused before it is unpacked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "<Types/>")
        bomb.writestr("xl/workbook.xml", "<workbook/>")
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)
    answer = copied_once.post("/v1/orders/file", files={"file": ("bomb.xlsx", packed.getvalue())})
    assert 400 <= answer.status_code < 500
