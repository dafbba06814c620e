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

    for name in ("plan_id", "other_id", "job_id", "key_id", "table", "import_id"):
        path = path.replace("{" + name + "}", quote(value, safe="") or "x")
    return path


READS = [p for p, methods in DOCUMENT["paths"].items() if "get" in methods and not p.endswith("/events")]
WRITES = [
    (p, method)
    for p, methods in DOCUMENT["paths"].items()
    for method in ("post", "put")
    if "application/json" in methods.get(method, {}).get("requestBody", {}).get("content", {})
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
    documented(copied_once(method, filled(path, "skus"), params={"key": "S1"}, json=body), method, path)


@MANY
@given(start=STRANGE, end=STRANGE)
def test_strange_dates_of_rows_are_rows_in_the_failures(copied_once: Any, start: str, end: str) -> None:
    """Whatever stands in valid_from and valid_until, the row is taken or told, and the table can be read."""
    row = copied_once.get("/v1/reference/lanes", params={"limit": 1}).json()["items"][0]
    answer = copied_once.post("/v1/reference/lanes", json={"rows": [row | {"valid_from": start, "valid_until": end}]})
    documented(answer, "post", "/v1/reference/{table}")
    assert copied_once.get("/v1/reference/lanes", params={"on": "2026-04-22"}).is_success


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
    assert "250,000,000 is the most" in answer.json()["detail"]


def test_columns_that_repeat_themselves_without_end_are_refused(copied_once: Any) -> None:
    """A Parquet file of less than a megabyte with 220 million rows is 400 and names the limit."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = io.BytesIO()
    rows = pa.table({"quantity": pa.nulls(20_000_000, pa.bool_())})
    with pq.ParquetWriter(packed, rows.schema, compression="zstd") as writer:
        for _ in range(11):
            writer.write_table(rows, row_group_size=20_000_000)
    assert len(packed.getvalue()) < 1_000_000
    answer = copied_once.post("/v1/orders/file", files={"file": ("bomb.parquet", packed.getvalue())})
    assert answer.status_code == 400, answer.text
    assert "200,000,000 values" in answer.json()["detail"]


HEADER = "order_id,line_no,placed_at,delivery_date,community_id,sku_id,quantity,unit_price_yuan\n"
ROW = "{},1,2026-04-21T02:00:00Z,2026-04-22,C1,S1,{},4.5\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_usual_code_page_is_read(copied_once: Any, encoding: str) -> None:
    """The same file in UTF-8 with and without mark, GB18030 and UTF-16; a broken row is told, the good one is in."""
    body = (HEADER + ROW.format(f"团购-{encoding}", 2) + ROW.format("坏", "很多")).encode(encoding)
    answer = copied_once.post("/v1/orders/file", files={"file": ("订单.csv", body)}).json()
    assert (answer["rows_accepted"], answer["rows_rejected"]) == (1, 1)
    assert (answer["failures"][0]["row"], answer["failures"][0]["value"]) == (3, "很多")


@pytest.mark.parametrize("quantity", ["1e400", "9" * 400, "-1", "0", "NaN", "inf", "0x10", "1,5", "=1+1"])
def test_huge_and_strange_numbers_are_rows_in_the_failures(copied_once: Any, quantity: str) -> None:
    """A quantity no order can have is 422 with its row and value; it never becomes another number."""
    body = (HEADER + ROW.format("n", f'"{quantity}"')).encode()
    answer = copied_once.post("/v1/orders/file", files={"file": ("x.csv", body)})
    assert answer.status_code == 422, answer.text
    assert answer.json()["failures"][0]["row"] == 2


@pytest.mark.parametrize("inside", ["cut", "flipped", "no sheet", "many zeros in one part"])
def test_a_broken_workbook_is_a_corrupt_file(copied_once: Any, inside: str) -> None:
    """A workbook that is cut off, damaged, no workbook or a bomb is 400 with the reason, never a crash."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        if inside != "no sheet":
            book.writestr("xl/workbook.xml", "<workbook" if inside == "flipped" else b"\0" * 2_000_000)
    body = bytearray(packed.getvalue())
    if inside == "cut":
        body = body[: len(body) // 2]
    if inside == "flipped":
        body[40] ^= 0xFF
    answer = copied_once.post("/v1/orders/file", files={"file": ("book.xlsx", bytes(body))})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:tuancai:problem:corrupt-file")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_exported_cell_runs(copied_once: Any, form: str) -> None:
    """Names that a spreadsheet would run come out as text, in CSV with an apostrophe, in XLSX as a string."""
    evil = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]
    rows = [
        {
            "supplier_id": f"E{place}",
            "name": name,
            "order_cost_yuan": 1,
            "min_order_yuan": 0,
            "fill_rate": 1,
            "lead_time_hours": 1,
            "order_deadline": "20:00-1",
        }
        for place, name in enumerate(evil)
    ]
    assert copied_once.post("/v1/reference/suppliers", json={"rows": rows}).json()["rows_accepted"] >= len(evil) - 1
    body = copied_once.get(f"/v1/reference/suppliers.{form}").content
    if form == "csv":
        import csv

        names = [row["name"] for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")))]
        assert not [name for name in names if name[:1] in "=+-@\t\r"]
        return
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
