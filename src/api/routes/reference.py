"""Reference data: who and what there is - read, brought in as rows or files, or generated where none is given."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi import Path as PathPart
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.access import Holder, Importer, JobReader, PriceReader, Trainer
from api.asked import Running, note
from api.paging import TABLE_RESPONSES, Page, list_answer, list_responses, whole_list
from api.problems import PROBLEM_RESPONSES
from api.reference_history import FILE, MOST_SHOWN, REMOVED, ROWS, noting_changes
from api.reports import ImportResult, import_answer
from api.rows import frame_of
from api.uploads import kept_upload, read_mapping
from contracts.errors import NotFoundError
from contracts.validity import dated
from contracts.world import REFERENCE_TABLES
from store import ImportReport, Mapping
from store.database.reference_rows import ReferenceSet

router = APIRouter(prefix="/v1/reference", tags=["reference data"], responses=PROBLEM_RESPONSES)
_FACTS = ("import_id", "new", "changed", "gone", "changes")
TableName = Annotated[str, PathPart(description="A reference table.", examples=["offers"], pattern=r"^\w{1,40}$")]


HoldingOn = Annotated[
    date | None,
    Query(
        description="Only the rows that hold on this delivery date.",
        examples=["2026-03-02"],
        ge=date(2000, 1, 1),
        le=date(2200, 1, 1),
    ),
]


class ReferenceRows(BaseModel):
    """Rows of a reference table, with the columns of docs/data.md and, if they hold for some dates only, those."""

    model_config = ConfigDict(extra="forbid")

    rows: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=20_000,
        examples=[[{"warehouse_id": "W1", "name": "East", "latitude": 30.55, "longitude": 114.31}]],
    )


class TableState(BaseModel):
    """A reference table and how much is in it."""

    table: str = Field(examples=["offers"])
    rows: int = Field(examples=[240])
    synthetic: bool = Field(description="Generated, not given.", examples=[False])
    key: list[str] = Field(examples=[["supplier_id", "sku_id", "warehouse_id"]])
    columns: list[str] = Field(examples=[["supplier_id", "sku_id", "warehouse_id", "case_units"]])


class TableChange(BaseModel):
    """One change of a table through the service: an import, or a row removed."""

    at: datetime = Field(examples=["2026-03-01T10:00:01Z"])
    key_id: str = Field(description="Key that brought it in.", examples=["9f1c2ab03d4e"])
    import_id: str | None = Field(default=None, description="None of a removal.", examples=["3f2a9c0d1e4b5a67"])
    new: int = Field(default=0, examples=[1])
    changed: int = Field(default=0, examples=[2])
    gone: int = Field(default=0, description="Rows removed, or generated ones that given ones replaced.", examples=[0])
    changes: list[dict[str, Any]] = Field(
        default=[],
        description=f"The first {MOST_SHOWN} rows, by key: what they were and are. Wide tables tell their counts only.",
        examples=[[{"key": {"sku_id": "K001"}, "before": {"unit": "kg"}, "after": {"unit": "500 g bag"}}]],
    )


class SupplyAsked(BaseModel):
    """How to generate a supply side."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(default=0, ge=0, le=2**31, description="Seed; the same seed gives the same supply.", examples=[0])
    replace: bool = Field(default=False, description="Replace what was generated before.", examples=[False])


@router.get("", summary="Reference tables", responses=list_responses(TableState))
def list_reference(request: Request, _holder: JobReader, service: Running, page: Page) -> Response:
    """Return every reference table with its rows, and whether it was generated."""
    return whole_list(request, table_states(service), page, name="reference")


def table_states(service: Running) -> list[TableState]:
    """Return every reference table with its rows, and whether it was generated."""
    known, nothing = service.store.reference_sets(), ReferenceSet(0, synthetic=False, file=None)
    return [
        TableState(
            table=name,
            rows=known.get(name, nothing).rows,
            synthetic=known.get(name, nothing).synthetic,
            key=list(contract.key()),
            columns=list(dated(contract).column_names()),
        )
        for name, contract in REFERENCE_TABLES.items()
    ]


@router.get("/{table}", summary="Rows of a reference table", responses=TABLE_RESPONSES)
def get_reference(
    request: Request, table: TableName, _holder: PriceReader, service: Running, page: Page, on: HoldingOn = None
) -> Response:
    """Return every row with the delivery dates it holds for, or only those that hold on a date, as a plan sees them."""
    known_table(table)
    rows = service.tables.rows(table) if on is None else service.tables.table(table, on)
    return list_answer(request, rows, page, name=table)


@router.post("/{table}", summary="Bring in reference rows", response_model=ImportResult)
def add_reference(
    request: Request, table: TableName, given: ReferenceRows, holder: Importer, service: Running
) -> ImportResult | JSONResponse:
    """Add rows, or change those with the same key; each row is judged on its own.

    A row with `valid_from` or `valid_until` holds for those delivery dates only and is known beside the others of its
    key: a price from Monday on is one more row.
    """
    known_table(table)
    report = bring_in(request, table, given.rows, holder, service)
    return import_answer(report, instance=request.url.path, request_id=request.state.request_id)


@router.post("/{table}/file", summary="Bring in a reference file", response_model=ImportResult)
def import_reference(
    request: Request,
    table: TableName,
    holder: Importer,
    service: Running,
    file: Annotated[UploadFile, File(description="CSV, XLSX or Parquet.")],
    mapping: Annotated[str, Form(description="Name of a shipped mapping.", examples=["default"])] = "default",
    mapping_rules: Annotated[str | None, Form(description="A mapping of your own as TOML or JSON text.")] = None,
) -> ImportResult | JSONResponse:
    """Add or change rows from a file."""
    known_table(table)
    rules = read_mapping(mapping, mapping_rules)
    with kept_upload(file) as path:
        report, changes = _imported(service, table, path, rules, by=holder.key_id)
    note(request, holder, FILE, table, import_id=report.import_id, rows=report.rows_accepted, **changes)
    return import_answer(report, instance=request.url.path, request_id=request.state.request_id)


@router.post("", summary="Generate a supply side")
def generate_supply(request: Request, asked: SupplyAsked, holder: Trainer, service: Running) -> list[TableState]:
    """Generate suppliers, offers, lanes and vans for the orders that are there; labelled synthetic wherever it shows.

    Tables that were given stay as they are.
    """
    service.desk.generate_supply(seed=asked.seed, again=asked.replace)
    note(request, holder, "generate supply", "reference", seed=asked.seed)
    return table_states(service)


@router.get("/{table}/history", summary="Who changed what in a table", responses=list_responses(TableChange))
def list_changes(request: Request, table: TableName, _holder: PriceReader, service: Running, page: Page) -> Response:
    """Return what was brought into a table through the service, the newest first: who, when, rows before and after."""
    known_table(table)
    entries = service.records.audit.entries(subject=table, actions=(ROWS, FILE, REMOVED))
    changes = [
        TableChange.model_validate({"at": at, "key_id": key_id, **{k: v for k, v in facts.items() if k in _FACTS}})
        for at, key_id, facts in zip(entries["at"], entries["key_id"], entries["facts"].tolist(), strict=True)
    ]
    return whole_list(request, changes, page, name=f"{table}-history")


def bring_in(
    request: Request, table: str, rows: list[dict[str, Any]], holder: Holder, service: Running
) -> ImportReport:
    """Take rows in, and write down who changed what."""
    with TemporaryDirectory(prefix="tuancai-rows-") as folder:
        path = Path(folder) / "api.csv"
        path.write_text(frame_of(rows).to_csv(index=False), encoding="utf-8", errors="surrogatepass")
        report, changes = _imported(service, table, path, None, by=holder.key_id)
    note(request, holder, ROWS, table, import_id=report.import_id, rows=report.rows_accepted, **changes)
    return report


def _imported(
    service: Running, table: str, path: Path, rules: Mapping | None, *, by: str
) -> tuple[ImportReport, dict[str, Any]]:
    """Take a file in and return its books, and which rows it changed."""
    return noting_changes(
        table,
        read=service.tables.rows,
        change=lambda: service.store.import_reference(table, path, rules, by=by),
    )


def known_table(table: str) -> None:
    """Raise when there is no such reference table."""
    if table not in REFERENCE_TABLES:
        raise NotFoundError("reference table", table, hint=f"There are {', '.join(REFERENCE_TABLES)}.")
