"""What was brought in: every import with its books, and the rows that could not be taken, one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.access import DemandReader
from api.asked import Running
from api.paging import Page, list_answer, list_responses, rows_asked, sliced_answer
from api.problems import PROBLEM_RESPONSES, FailureRow

router = APIRouter(prefix="/v1/imports", tags=["imports"], responses=PROBLEM_RESPONSES)
ImportId = Annotated[str, Path(description="An import's id.", examples=["3f2a9c"], pattern=r"^\w{1,40}$")]


class ImportRow(BaseModel):
    """One import."""

    import_id: str = Field(examples=["3f2a9c0d1e4b5a67"])
    imported_at: datetime = Field(examples=["2026-03-01T10:00:01Z"])
    table_name: str = Field(examples=["order_lines"])
    source: str = Field(examples=["orders.csv"])
    sha256: str = Field(description="Of the file; empty for rows.", examples=[""])
    mapping: str = Field(examples=["default:1f0c"])
    rows_read: int = Field(examples=[500])
    rows_accepted: int = Field(examples=[499])
    rows_rejected: int = Field(examples=[1])
    imported_by: str = Field(description="Key that brought it in; empty at a terminal.", examples=["9f1c2ab03d4e"])


@router.get("", summary="Imports, the newest first", responses=list_responses(ImportRow))
def list_imports(request: Request, _holder: DemandReader, service: Running, page: Page) -> Response:
    """Return what was brought in: orders and reference data, files and batches."""
    found, total = service.store.import_page(limit=rows_asked(request, page), offset=page.offset)
    return sliced_answer(request, found, page, total=total, name="imports")


@router.get("/{import_id}/failures", summary="Rows that could not be taken", responses=list_responses(FailureRow))
def list_failures(
    request: Request, import_id: ImportId, _holder: DemandReader, service: Running, page: Page
) -> Response:
    """Return every broken rule of every rejected row: row as the sender counts it, column, rule, value."""
    return list_answer(request, service.store.failures(import_id), page, name=f"failures-{import_id}")
