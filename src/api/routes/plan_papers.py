"""What people of the night are handed: the risk table, chat text per warehouse, and all papers of a plan as a zip."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from api.access import PriceReader, SortingReader
from api.asked import PlanId, Running
from api.paging import Page, list_answer, list_responses
from api.problems import PROBLEM_RESPONSES, ServiceError
from contracts.planned import PurchaseLines
from pipeline.order_words import order_text
from pipeline.risk import PREVIOUS, previous_plan, risk_table
from pipeline.risk_outside import checked_outside
from pipeline.risk_words import chat_text

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["plan tables"], responses=PROBLEM_RESPONSES)
ZIP_TYPE = "application/zip"
ZIP_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {ZIP_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


class RiskRow(BaseModel):
    """What may be short or left over of a SKU at a warehouse, in yuan, and what to top up."""

    warehouse_id: str = Field(examples=["W1"])
    sku_id: str = Field(examples=["K001"])
    name: str | None = Field(default=None, examples=["青菜 500 g"])
    on_hand: float = Field(examples=[0.0])
    due_in: float = Field(examples=[0.0])
    sent: float = Field(description="Units of lines sent before.", examples=[20.0])
    confirmed: float = Field(examples=[17.0])
    q10: float = Field(description="10 % quantile of the final units.", examples=[30.0])
    q50: float = Field(description="Median of the final units.", examples=[41.0])
    q90: float = Field(description="90 % quantile of the final units.", examples=[55.0])
    outside_units: float | None = Field(default=None, description="Somebody else's estimate.", examples=[None])
    expected_short: float = Field(description="After the top-up.", examples=[1.2])
    expected_surplus: float = Field(description="After the top-up.", examples=[3.4])
    short_yuan: float = Field(examples=[9.6])
    surplus_yuan: float = Field(examples=[4.1])
    at_stake_yuan: float = Field(examples=[13.7])
    top_up_cases: float = Field(description="Suggested whole cases.", examples=[2.0])
    top_up_units: float = Field(examples=[40.0])
    late_slot: datetime | None = Field(
        default=None, description="Last supplier deadline that still helps.", examples=["2026-03-01T12:00:00Z"]
    )
    reason: str = Field(examples=["41 expected (30–55), 20 there: 1 case (20 units) cost less than the shortage."])
    reason_zh: str = Field(description="The same sentence in Chinese.", examples=["预计 41（30–55），现有 20，够。"])
    change_yuan: float | None = Field(
        default=None, description="With changed_since: how the money at stake moved.", examples=[-6.0]
    )


class OutsideUnits(BaseModel):
    """Somebody else's estimate of the final units of a SKU at a warehouse."""

    warehouse_id: str = Field(examples=["W1"], min_length=1, max_length=200)
    sku_id: str = Field(examples=["K001"], min_length=1, max_length=200)
    units: float = Field(ge=0, allow_inf_nan=False, examples=[48.0])


@router.get("/risk", summary="What is at stake, the most money first", responses=list_responses(RiskRow))
def list_risk(
    request: Request,
    plan_id: PlanId,
    _holder: PriceReader,
    service: Running,
    page: Page,
    changed_since: Annotated[
        str | None,
        Query(
            description="An earlier plan, or previous: the date's plan before this one; only what changed is shown.",
            pattern=r"^[\w-]{1,64}$",
        ),
    ] = None,
) -> Response:
    """Return what may be short or left over at the cutoff, in yuan, and the top-up that is suggested."""
    if changed_since == PREVIOUS:
        changed_since = previous_plan(service.store.plan_summaries(), plan_id)
    earlier = None if changed_since is None else _risk(service, changed_since)
    frame = _risk(service, plan_id, previous=earlier)
    return list_answer(request, frame, page, name=f"{plan_id}-risk")


@router.post("/risk", summary="The same beside somebody else's estimate", responses=list_responses(RiskRow))
def compare_risk(
    request: Request, plan_id: PlanId, _holder: PriceReader, service: Running, page: Page, theirs: list[OutsideUnits]
) -> Response:
    """Return the risk table with outside estimates (预估销量) beside ours; nothing is stored."""
    given = pd.DataFrame([row.model_dump() for row in theirs], columns=list(OutsideUnits.model_fields))
    outside = checked_outside(given, service.reference_of(plan_id))
    return list_answer(request, _risk(service, plan_id, outside=outside), page, name=f"{plan_id}-risk")


@router.get("/chat", summary="Top-ups as text for a chat group", response_class=PlainTextResponse)
def get_chat_text(
    plan_id: PlanId,
    _holder: PriceReader,
    service: Running,
    warehouse_id: Annotated[str, Query(description="The warehouse the group is of.", examples=["W1"])],
) -> PlainTextResponse:
    """Return the top-ups and largest risks of a warehouse, ready to paste."""
    as_of = pd.Timestamp(service.store.plan_summary(plan_id).as_of)
    text = chat_text(_risk(service, plan_id), warehouse_id, as_of=as_of, timezone=service.settings.city.timezone)
    return PlainTextResponse(text)


@router.get("/purchase-orders/chat", summary="A supplier's order as text for a chat", response_class=PlainTextResponse)
def get_order_text(
    plan_id: PlanId,
    _holder: PriceReader,
    service: Running,
    supplier_id: Annotated[str, Query(description="Whose order.", examples=["S1"])],
    language: Annotated[Literal["zh", "en"], Query(description="Of the text.")] = "zh",
) -> PlainTextResponse:
    """Return what a supplier is to bring, by warehouse and arrival; of a plan that tops up only what is new."""
    plan = service.plans.plan(plan_id)
    after = plan.summary.after
    sent = None if after is None else service.store.plan_table(after, "purchase_lines")
    reference = service.reference_of(plan_id)
    return PlainTextResponse(order_text(plan, reference, supplier_id, sent=sent, language=language))


@router.get(
    "/papers",
    summary="All papers of a plan as a zip",
    response_class=Response,
    responses=ZIP_ANSWER,
)
def get_papers(
    plan_id: PlanId,
    _holder: PriceReader,
    service: Running,
    language: Annotated[Literal["zh", "en"], Query(description="Of what is printed.")] = "zh",
) -> Response:
    """Return purchase order workbooks per supplier, sorting and route books per warehouse, and every table as CSV."""
    from pipeline.papers import PaperWishes

    plan, wishes = service.desk.saved_plan(plan_id), PaperWishes(language=language)
    return _zipped(lambda folder: service.desk.export(plan, folder, wishes=wishes), name=plan_id)


@router.get(
    "/papers/warehouse",
    summary="The sorting and route papers of one warehouse as a zip",
    response_class=Response,
    responses=ZIP_ANSWER,
)
def get_warehouse_papers(
    plan_id: PlanId,
    holder: SortingReader,
    service: Running,
    warehouse_id: Annotated[
        str | None, Query(description="Needed unless the key is a warehouse lead's.", examples=["W1"])
    ] = None,
    language: Annotated[Literal["zh", "en"], Query(description="Of what is printed.")] = "zh",
) -> Response:
    """Return what a warehouse lead prints: sheets, labels, hand-out sheets, run sheets of the own vans; no prices."""
    from pipeline.papers import PaperWishes

    own = holder.own_warehouse(warehouse_id)
    if own is None:
        raise ServiceError(422, "request", "Say which warehouse: warehouse_id is needed with this key.")
    plan, wishes = service.desk.saved_plan(plan_id), PaperWishes(language=language)
    return _zipped(
        lambda folder: service.desk.export_warehouse(plan, folder, own, wishes=wishes), name=f"{plan_id}-warehouse"
    )


def _zipped(write: Callable[[Path], list[Path]], *, name: str) -> Response:
    """Return what is written to a folder as a zip."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="tuancai-papers-") as place:
        folder = Path(place)
        written = write(folder)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(written):
                archive.write(path, path.relative_to(folder))
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(packed.getvalue(), media_type=ZIP_TYPE, headers=headers)


def _risk(
    service: Running, plan_id: str, *, previous: pd.DataFrame | None = None, outside: pd.DataFrame | None = None
) -> pd.DataFrame:
    plan = service.plans.plan(plan_id)
    after = plan.summary.after
    sent = None
    if after is not None:
        lines = service.plans.table(after, "purchase_lines")
        sent = PurchaseLines.check(lines.assign(locked=True))
    return risk_table(plan, service.reference_of(plan_id), sent=sent, previous=previous, outside=outside)
