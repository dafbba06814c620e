"""Single rows of reference tables: read, put and removed by their key and the date they hold from."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.access import Importer, PriceReader
from api.asked import Running, note
from api.problems import PROBLEM_RESPONSES, ServiceError
from api.reference_history import REMOVED, table_changes
from api.reports import ImportResult, import_answer
from api.routes.reference import TableName, bring_in, known_table
from api.rows import wire_frame
from contracts.errors import ConflictError, NotFoundError
from contracts.world import REFERENCE_TABLES
from store.reference_intake import of_key, starting

router = APIRouter(prefix="/v1/reference/{table}/row", tags=["reference data"], responses=PROBLEM_RESPONSES)
Key = Annotated[
    list[str],
    Query(
        description="Values of the key columns in the table's order, one parameter each: `key=S1&key=K001&key=W1`.",
        examples=[["S1", "K001", "W1"]],
        min_length=1,
        max_length=8,
    ),
]
From = Annotated[
    date | None,
    Query(
        description="The row of the key that holds from this delivery date on; left out: the one from the beginning.",
        examples=["2026-03-02"],
        ge=date(2000, 1, 1),
        le=date(2200, 1, 1),
    ),
]


class ReferenceRow(BaseModel):
    """One row of a reference table; what its key says need not be said again."""

    model_config = ConfigDict(extra="forbid")

    row: dict[str, Any] = Field(examples=[{"name": "East", "latitude": 30.55, "longitude": 114.31}])


@router.get("", summary="One row of a reference table")
def get_reference_row(
    table: TableName, _holder: PriceReader, service: Running, key: Key, valid_from: From = None
) -> ReferenceRow:
    """Return the row of a key that holds from a date on."""
    known_table(table)
    rows = service.tables.rows(table)
    found = rows[of_key(rows, table, key) & starting(rows, valid_from)]
    if found.empty:
        raise NotFoundError(f"row of {table}", " / ".join(key), hint="Its `key` parameters are in the table's order.")
    return _shown(found)


@router.put("", summary="Put one row into a reference table", response_model=ImportResult)
def put_reference_row(
    request: Request,
    table: TableName,
    given: ReferenceRow,
    holder: Importer,
    service: Running,
    key: Key,
    valid_from: From = None,
) -> ImportResult | JSONResponse:
    """Make the row of this key and date what the body says, whether it was there or not; `valid_until` ends it.

    409 when the rows of the table were generated: given ones do not mix with them.
    """
    known_table(table)
    named = dict(zip(REFERENCE_TABLES[table].key(), key, strict=False))
    if len(key) != len(REFERENCE_TABLES[table].key()):
        wanted = ", ".join(REFERENCE_TABLES[table].key())
        raise ServiceError(422, "request", f"Rows of {table} are known by {wanted}: give one key parameter for each.")
    if valid_from is not None:
        named["valid_from"] = valid_from.isoformat()
    other = [name for name, value in named.items() if str(given.row.get(name, value)) != value]
    if other:
        raise ServiceError(422, "request", f"The row says another {', '.join(other)} than the address.")
    if valid_from is None and given.row.get("valid_from"):
        raise ServiceError(422, "request", "The row says valid_from and the address does not: say it there.")
    known = service.store.reference_sets().get(table)
    if known is not None and known.synthetic and known.rows:
        raise ConflictError(
            f"All {known.rows:,} rows of {table} were generated, and a given row does not mix with them: bring in the "
            "whole table first, e.g. its own export, changed where it is wrong."
        )
    report = bring_in(request, table, [given.row | named], holder, service)
    return import_answer(report, instance=request.url.path, request_id=request.state.request_id)


@router.delete("", summary="Remove one row of a reference table")
def remove_reference_row(
    request: Request, table: TableName, holder: Importer, service: Running, key: Key, valid_from: From = None
) -> ReferenceRow:
    """Take the row out and return it; 409 when other rows or order lines point to it. To end a row put `valid_until`.

    What plans were made of it stays with the plans.
    """
    known_table(table)
    gone = service.store.remove_reference(table, key, valid_from=valid_from)
    note(request, holder, REMOVED, table, rows=1, **table_changes(table, gone, gone.iloc[:0]))
    return _shown(gone)


def _shown(rows: pd.DataFrame) -> ReferenceRow:
    plain = wire_frame(rows).astype(object)
    cells = plain.where(plain.notna(), None).iloc[0]
    return ReferenceRow(row={str(name): value for name, value in cells.items()})
