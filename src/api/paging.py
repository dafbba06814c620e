"""Lists on the wire: pages of JSON by default, the whole list as CSV or XLSX by suffix or Accept header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from api.problems import ServiceError
from api.rows import example_row, records_json
from store.export import table_bytes

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 10_000
"""Rows a JSON page may hold; exports hold the whole list."""


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
        }
    }


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
    form = wanted_form(request)
    total = len(frame)
    if form == "json":
        limit = page.limit or 100
        part = frame.iloc[page.offset : page.offset + limit]
        body = f'{{"items":{records_json(part)},"total":{total},"limit":{limit},"offset":{page.offset}}}'
        return Response(body, media_type="application/json", headers={"Vary": "Accept"})
    part = frame.iloc[page.offset :] if page.limit is None else frame.iloc[page.offset : page.offset + page.limit]
    table = {"Sheet1": part.reset_index(drop=True)}
    zone = request.app.state.service.settings.city.timezone
    return Response(
        table_bytes(table, "csv", timezone=zone)
        if form == "csv"
        else table_bytes(table, "xlsx", headers="both", timezone=zone),
        media_type=CSV_TYPE if form == "csv" else XLSX_TYPE,
        headers={
            "Vary": "Accept",
            "X-Total-Count": str(total),
            "Content-Disposition": f'attachment; filename="{name}.{form}"',
        },
    )
