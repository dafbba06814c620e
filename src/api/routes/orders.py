"""Orders in: batches of lines as JSON, files as CSV, XLSX or Parquet with a mapping; and what is there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.concurrency import run_in_threadpool

from api.access import DemandReader, Importer
from api.asked import DeliveryDate, Running, as_day, note
from api.order_stream import StreamForm, StreamResult, take_stream
from api.paging import Page, list_answer, list_responses
from api.problems import PROBLEM_RESPONSES, ServiceError
from api.reports import ImportResult, import_answer
from api.rows import example_row, frame_of, row_model
from api.uploads import keep_body, kept_upload, read_mapping
from contracts.flow import OrderLines
from store import shipped_mappings

router = APIRouter(prefix="/v1/orders", tags=["orders"], responses=PROBLEM_RESPONSES)
OrderLine = row_model("OrderLine", OrderLines)
NDJSON_TYPE = "application/x-ndjson"
MOST_LINES = 20_000
"""Lines of one JSON batch; larger deliveries come as files."""


class OrderBatch(BaseModel):
    """Order lines as they come from the group's order system."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"lines": [{**example_row(OrderLine), "cancelled_at": None}]}},
    )

    source: str = Field(default="api", description="Where they come from; shown in the books.", max_length=200)
    lines: Annotated[
        list[dict[str, Any]],
        WithJsonSchema({"type": "array", "items": OrderLine.model_json_schema(), "maxItems": MOST_LINES}),
    ] = Field(
        description="Lines; each is judged on its own, so one bad line does not hold up the others.",
        max_length=MOST_LINES,
        min_length=1,
    )


@router.post("", summary="Take in a batch of order lines", response_model=ImportResult)
def add_orders(request: Request, batch: OrderBatch, holder: Importer, service: Running) -> ImportResult | JSONResponse:
    """Take in lines exactly once by `order_id` and `line_no`; send the same batch again whenever in doubt.

    A line with `cancelled_at` cancels the one that is there. Bad lines are counted, shown and kept in the failure
    table; 422 only when not one line could be taken in.
    """
    report = service.store.add_order_lines(frame_of(batch.lines), source=batch.source, by=holder.key_id)
    return import_answer(report, instance=request.url.path, request_id=request.state.request_id)


@router.post(
    "/stream",
    summary="Take in a stream of order lines",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                NDJSON_TYPE: {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    },
)
async def stream_orders(
    request: Request,
    holder: Importer,
    service: Running,
    source: Annotated[str, Query(description="Where they come from; shown in the books.", max_length=200)] = "stream",
) -> StreamResult:
    """Take in NDJSON (one line object per line) or CSV (contract column names) of any length in bounded memory.

    Lines are judged one by one and count once by `order_id` and `line_no`. When the answer is an error or does not
    come, send the whole again: lines that are in already change nothing.
    """
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media not in (NDJSON_TYPE, "application/ndjson", "text/csv"):
        raise ServiceError(415, "unsupported-media-type", f"Send {NDJSON_TYPE} or text/csv; this is {media!r}.")
    with tempfile.TemporaryDirectory(prefix="tuancai-stream-") as folder:
        path = Path(folder) / "stream"
        await keep_body(request.stream(), path)
        form: StreamForm = "csv" if media == "text/csv" else "ndjson"
        taken = await run_in_threadpool(take_stream, service.store, path, form, source=source, by=holder.key_id)
    rows = taken.lines_accepted
    await run_in_threadpool(note, request, holder, "stream orders", source, imports=taken.imports[:20], rows=rows)
    return taken


@router.post("/file", summary="Take in a file of order lines", response_model=ImportResult)
def import_orders(
    request: Request,
    holder: Importer,
    service: Running,
    file: Annotated[UploadFile, File(description="CSV, XLSX or Parquet.")],
    mapping: Annotated[str, Form(description="Name of a shipped mapping.", examples=["default"])] = "default",
    mapping_rules: Annotated[
        str | None, Form(description="A mapping of your own as TOML or JSON text, instead of a name.")
    ] = None,
) -> ImportResult | JSONResponse:
    """Take in a file; rows read = accepted + rejected, units in = units out. The same file again changes nothing."""
    rules = read_mapping(mapping, mapping_rules)
    with kept_upload(file) as path:
        report = service.store.import_orders(path, rules, by=holder.key_id)
    note(request, holder, "import orders", report.source, import_id=report.import_id, rows=report.rows_accepted)
    return import_answer(report, instance=request.url.path, request_id=request.state.request_id)


@router.get("", summary="Order lines of a delivery date", responses=list_responses(OrderLine))
def list_orders(
    request: Request,
    _holder: DemandReader,
    service: Running,
    delivery_date: DeliveryDate,
    page: Page,
    community_id: Annotated[str | None, Query(description="Of one community.")] = None,
    sku_id: Annotated[str | None, Query(description="Of one SKU.")] = None,
) -> Response:
    """Return the lines of a delivery date, cancelled ones with the moment of the cancellation."""
    lines = service.store.order_lines(delivery_from=as_day(delivery_date), delivery_to=as_day(delivery_date))
    for column, wanted in (("community_id", community_id), ("sku_id", sku_id)):
        if wanted is not None:
            lines = lines[lines[column] == wanted]
    lines = lines.sort_values(["order_id", "line_no"], ignore_index=True)
    return list_answer(request, lines, page, name=f"orders-{delivery_date}")


@router.get("/mappings", summary="Shipped mappings")
def list_mappings(_holder: DemandReader) -> list[str]:
    """Return the names of the mappings that come with the package."""
    return list(shipped_mappings())
