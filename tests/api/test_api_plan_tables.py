"""What a plan decides, read through the API: JSON keeps its documented form, exports hold the whole list."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from api.paging import MOST_ROWS, page_model
from api.records.schema import JOBS
from api.routes import rows_of_plans as rows
from api.routes.plan_papers import RiskRow
from api.rows import row_model
from pipeline.plan import PLAN_TABLES

LISTS = {
    "suppliers": rows.SupplierRow,
    "purchase-orders": rows.PurchaseRow,
    "coverage": rows.CoverageRow,
    "loads": rows.LoadRow,
    "sorting": rows.SortingRow,
    "routes": rows.TripRow,
    "stops": rows.StopRow,
    "unserved": rows.UnservedRow,
    "risk": RiskRow,
}


@pytest.mark.parametrize("name", LISTS)
def test_list_keeps_its_documented_form(admin: Any, plan_id: str, name: str) -> None:
    """Every row of every list fits the model in the OpenAPI document."""
    answer = admin.get(f"/v1/plans/{plan_id}/{name}", params={"limit": 10_000})
    page = page_model(LISTS[name]).model_validate_json(answer.content, strict=False)
    assert len(page.items) == page.total  # type: ignore[attr-defined]
    assert name == "unserved" or page.total > 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", LISTS)
def test_exports_hold_the_rows_of_the_page(admin: Any, plan_id: str, name: str) -> None:
    """CSV and XLSX have as many rows as the JSON list says there are, by suffix and by Accept alike."""
    path = f"/v1/plans/{plan_id}/{name}"
    total = admin.get(path).json()["total"]
    csv = admin.get(f"{path}.csv")
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.content == admin.get(path, headers={"Accept": "text/csv"}).content
    assert len(pd.read_csv(io.BytesIO(csv.content))) == total == int(csv.headers["x-total-count"])
    book = admin.get(f"{path}.xlsx")
    assert len(pd.read_excel(io.BytesIO(book.content))) == total
    assert book.headers["content-disposition"] == f'attachment; filename="{plan_id}-{name}.xlsx"'


@pytest.mark.parametrize("name", PLAN_TABLES)
def test_every_table_can_be_read_as_its_contract(admin: Any, plan_id: str, name: str) -> None:
    """Raw tables come with the columns of their contracts."""
    answer = admin.get(f"/v1/plans/{plan_id}/tables/{name}", params={"limit": 5})
    page = page_model(row_model("Row", PLAN_TABLES[name])).model_validate_json(answer.content)
    assert len(page.items) == min(page.total, 5)  # type: ignore[attr-defined]


def test_pages_cut_the_list_without_gap_or_overlap(admin: Any, plan_id: str) -> None:
    """Pages of three put together are the whole list."""
    path = f"/v1/plans/{plan_id}/sorting"
    whole = admin.get(path, params={"limit": 10_000}).json()["items"]
    pages = [admin.get(path, params={"limit": 3, "offset": n}).json()["items"] for n in range(0, len(whole), 3)]
    assert [row for page in pages for row in page] == whole


def test_filters_partition_the_assignments(admin: Any, plan_id: str) -> None:
    """Assignments by zone add up to all of them, and a station's are its own."""
    path = f"/v1/plans/{plan_id}/sorting"
    total = admin.get(path).json()["total"]
    zones = [admin.get(path, params={"temperature_zone": z}).json()["total"] for z in ("ambient", "chilled", "frozen")]
    assert sum(zones) == total
    one = admin.get(path, params={"station": 1, "limit": 1000}).json()["items"]
    assert {row["station"] for row in one} == {1}
    assert admin.get(path, params={"warehouse_id": "none"}).json()["total"] == 0


def test_orders_of_a_supplier_add_up_to_its_row(admin: Any, plan_id: str) -> None:
    """The amount in the supplier list is the sum of the rounded lines."""
    for supplier in admin.get(f"/v1/plans/{plan_id}/suppliers").json()["items"]:
        params = {"supplier_id": supplier["supplier_id"], "limit": 1000}
        lines = admin.get(f"/v1/plans/{plan_id}/purchase-orders", params=params).json()["items"]
        assert sum(line["amount_yuan"] for line in lines) == pytest.approx(supplier["amount_yuan"], abs=1e-6)
        assert {line["supplier_id"] for line in lines} == {supplier["supplier_id"]}


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 10_001}, {"offset": -1}, {"limit": "all"}, {"wave": 0}])
def test_bad_paging_is_refused(admin: Any, plan_id: str, params: dict[str, Any]) -> None:
    """Limits and offsets out of range are 422 and named."""
    answer = admin.get(f"/v1/plans/{plan_id}/sorting", params=params)
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == f"query.{next(iter(params))}"


def test_unknown_form_and_table_are_refused(admin: Any, plan_id: str) -> None:
    """An Accept header nobody can serve is 406, an unknown table or suffix 404."""
    assert admin.get(f"/v1/plans/{plan_id}/loads", headers={"Accept": "image/png"}).status_code == 406
    assert admin.get(f"/v1/plans/{plan_id}/tables/secrets").status_code == 404
    assert admin.get(f"/v1/plans/{plan_id}/loads.pdf").status_code == 404


def test_papers_are_a_zip_with_a_book_per_supplier(admin: Any, plan_id: str) -> None:
    """The zip is whole and holds a workbook for every supplier of the plan."""
    answer = admin.get(f"/v1/plans/{plan_id}/papers")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    suppliers = [row["supplier_id"] for row in admin.get(f"/v1/plans/{plan_id}/suppliers").json()["items"]]
    assert suppliers
    assert all(any(s in name and name.endswith(".xlsx") for name in names) for s in suppliers), names


def test_chat_text_is_of_the_warehouse(admin: Any, plan_id: str) -> None:
    """Text for a chat group names the warehouse and the moment on the city's clock."""
    text = admin.get(f"/v1/plans/{plan_id}/chat", params={"warehouse_id": "W1"}).text
    assert text.startswith("【W1】截至 04-21 18:00")
    assert admin.get(f"/v1/plans/{plan_id}/chat").status_code == 422


def test_risk_since_the_plan_itself_is_empty(admin: Any, plan_id: str) -> None:
    """Nothing changed since the plan itself; money at stake falls down the list."""
    path = f"/v1/plans/{plan_id}/risk"
    assert admin.get(path, params={"changed_since": plan_id}).json()["total"] == 0
    money = [row["at_stake_yuan"] for row in admin.get(path).json()["items"]]
    assert money == sorted(money, reverse=True)


@pytest.mark.parametrize("path", ["/v1/plans/{plan_id}/loads", "/v1/plans/{plan_id}/sorting", "/v1/assignments"])
def test_an_unknown_temperature_zone_is_told_with_the_known_ones(admin: Any, plan_id: str, path: str) -> None:
    """A misspelt zone is 422, not a list without rows."""
    params = {"temperature_zone": "chiled", "delivery_date": "2026-04-22", "warehouse_id": "W1"}
    answer = admin.get(path.format(plan_id=plan_id), params=params)
    assert answer.status_code == 422
    assert all(zone in answer.json()["detail"] for zone in ("ambient", "chilled", "frozen"))


@pytest.mark.parametrize("path", ["/v1/reference/{table}", "/v1/plans/{plan_id}/tables/{table}"])
def test_lists_of_any_table_are_documented_like_every_list(admin: Any, plan_id: str, path: str) -> None:
    """Pages, CSV, XLSX and 304 are in the document, and the answers are so."""
    told = admin.get("/openapi.json").json()["paths"][path]["get"]["responses"]
    table = "skus" if "reference" in path else "trips"
    here = path.format(plan_id=plan_id, table=table)
    for form in ("json", "csv", "xlsx"):
        answer = admin.get(f"{here}.{form}")
        assert answer.headers["content-type"].split(";")[0] in told["200"]["content"]
        again = admin.get(f"{here}.{form}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, "304" in told) == (304, True)


def test_exports_hold_the_whole_list_however_long(fresh: Any) -> None:
    """Jobs and imports beyond what a page may hold are all in the CSV; JSON tells how many there are."""
    service, most = fresh.client.app.state.service, MOST_ROWS + 1
    now = datetime.now(UTC)
    job = {"kind": "plan", "state": "done", "request": {}, "requested_by": "k", "asked": "", "requested_at": now}
    with service.records.database.writing() as connection:
        connection.execute(JOBS.insert(), [{**job, "changed_at": now, "job_id": f"j{n}"} for n in range(most)])
    assert fresh.get("/v1/jobs").json()["total"] == most
    answer = fresh.get("/v1/jobs.csv")
    assert int(answer.headers["x-total-count"]) == most
    assert pd.read_csv(io.BytesIO(answer.content))["job_id"].nunique() == most
    assert len(pd.read_csv(io.BytesIO(fresh.get("/v1/jobs.csv", params={"limit": 7}).content))) == 7
