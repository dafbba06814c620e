"""Lists on the wire: pages of JSON by default, the whole list as CSV or XLSX by suffix or Accept header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from api.etags import entity_tag, unchanged
from api.problems import ServiceError
from api.rows import example_row, records_json
from store.export import table_bytes

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 10_000
"""Rows a JSON page may hold; exports hold the whole list."""
EVERY_ROW = 2**31 - 1
"""More rows than any list has; databases take it as a limit."""


@dataclass(frozen=True)
class Paging:
    """Which part of a list is asked for."""

    limit: int | None
    offset: int


def paging(
    limit: Annotated[
        int | None, Query(ge=1, le=MOST_ROWS, description="Most rows; JSON answers default to 100, exports to all.")
    ] = None,
    offset: Annotated[int, Query(ge=0, le=2**53, description="Rows to skip.")] = 0,
) -> Paging:
    """Read `limit` and `offset` from the query."""
    return Paging(limit, offset)


Page = Annotated[Paging, Depends(paging)]


def page_model(row: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a page of rows: items, total, limit, offset."""
    example: dict[str, Any] = {
        "items": [example_row(row)],
        "total": 1,
        "limit": 100,
        "offset": 0,
    }
    return create_model(
        f"{row.__name__}Page",
        __config__=ConfigDict(json_schema_extra={"example": example}),
        __doc__=f"One page of {row.__name__} rows.",
        items=(list[row], Field(description="Rows of this page.")),  # type: ignore[valid-type]
        total=(int, Field(description="Rows in all.")),
        limit=(int, Field(description="Most rows of a page.")),
        offset=(int, Field(description="Rows skipped.")),
    )


class TableRow(BaseModel):
    """One row of a table, with the columns of docs/data.md."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": {"warehouse_id": "W1", "units": 12.0}})


def list_responses(row: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the documented answers of a list endpoint: a JSON page, CSV or XLSX."""
    return {
        200: {
            "model": page_model(row),
            "description": "A page as JSON; the whole list as CSV or XLSX by suffix (`.csv`, `.xlsx`) or Accept.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        304: {"description": "What the caller has (If-None-Match) still holds."},
    }


TABLE_RESPONSES = list_responses(TableRow)
"""Of a list whose columns depend on the table asked for."""


def wanted_form(request: Request) -> str:
    """Return json, csv or xlsx: the suffix decides, then the first Accept entry that names one of them.

    Raises
    ------
    ServiceError
        406, when the Accept header names only forms that are not offered.
    """
    suffix = request.scope.get("tuancai.form")
    if suffix:
        return str(suffix)
    accept = request.headers.get("accept", "*/*").lower()
    for entry in accept.split(","):
        media = entry.split(";")[0].strip()
        if media in ("application/json", "application/*", "*/*", "text/html", ""):
            return "json"
        if media in ("text/csv", "text/*"):
            return "csv"
        if media == XLSX_TYPE:
            return "xlsx"
    raise ServiceError(406, "not-acceptable", f"Lists come as JSON, CSV or XLSX; asked was {accept!r}.")


def list_answer(request: Request, frame: pd.DataFrame, page: Paging, *, name: str) -> Response:
    """Return a list in the form asked for.

    Parameters
    ----------
    name : str
        File name of an export, without suffix.
    """
    limit = page.limit or (100 if wanted_form(request) == "json" else len(frame))
    part = frame.iloc[page.offset : page.offset + limit]
    return sliced_answer(request, part, page, total=len(frame), name=name)


def sliced_answer(request: Request, part: pd.DataFrame, page: Paging, *, total: int, name: str) -> Response:
    """Return rows that the caller has cut out already, in the form asked for.

    Parameters
    ----------
    total : int
        Rows of the whole list.
    """
    form = wanted_form(request)
    if form == "json":
        return page_answer(request, records_json(part), total=total, limit=page.limit or 100, offset=page.offset)
    table, zone = {"Sheet1": part.reset_index(drop=True)}, request.app.state.service.settings.city.timezone
    body = (
        table_bytes(table, "csv", timezone=zone)
        if form == "csv"
        else table_bytes(table, "xlsx", headers="both", timezone=zone)
    )
    headers = {"X-Total-Count": str(total), "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return _tagged(request, body, CSV_TYPE if form == "csv" else XLSX_TYPE, headers)


def page_answer(request: Request, items: str, *, total: int, limit: int, offset: int) -> Response:
    """Return a page of rows that are JSON already."""
    body = f'{{"items":{items},"total":{total},"limit":{limit},"offset":{offset}}}'
    return _tagged(request, body.encode(), "application/json", {})


def rows_asked(request: Request, page: Paging) -> int:
    """Return how many rows to read: what was asked for, else 100 for JSON and all for exports."""
    return page.limit or (100 if wanted_form(request) == "json" else EVERY_ROW)


def models_answer(request: Request, models: Sequence[BaseModel], page: Paging, *, total: int, name: str) -> Response:
    """Return a list of models in the form asked for; the caller has cut the part out already."""
    if wanted_form(request) == "json":
        items = f"[{','.join(model.model_dump_json() for model in models)}]"
        return page_answer(request, items, total=total, limit=page.limit or 100, offset=page.offset)
    rows = [_flat(model.model_dump(mode="json")) for model in models]
    frame = pd.DataFrame(rows)
    return sliced_answer(request, frame, page, total=total, name=name)


def whole_list(request: Request, models: Sequence[BaseModel], page: Paging, *, name: str) -> Response:
    """Return the part of a short list that is asked for: JSON answers default to 100 rows, exports to all."""
    limit = page.limit or (100 if wanted_form(request) == "json" else len(models))
    return models_answer(request, models[page.offset : page.offset + limit], page, total=len(models), name=name)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for a sheet: what is nested goes in as JSON text."""
    return {k: json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v for k, v in row.items()}


def _tagged(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """Return an answer named by its content, or 304 when the caller has it."""
    tag = entity_tag(media_type, hashlib.sha256(body).hexdigest())
    if (same := unchanged(request, tag)) is not None:
        return same
    more = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept"}
    return Response(body, media_type=media_type, headers=headers | more)
