"""Around a plan: revise it, tell who misses goods, book people, see where communities would rather be sorted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Query, Request, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.access import Planner, PlanReader, SortingReader
from api.asked import PlanId, Running, note, of_bases, own_bases
from api.paging import Page, list_answer, list_responses
from api.problems import PROBLEM_RESPONSES
from api.routes.jobs import Job, shown_job
from api.routes.models import IdempotencyKey
from api.rows import records_json

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["plans"], responses=PROBLEM_RESPONSES)
Rows = list[dict[str, Any]]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class LateOrder(BaseModel):
    """Units ordered late."""

    model_config = ConfigDict(extra="forbid")

    community_id: Name = Field(examples=["C1"])
    sku_id: Name = Field(examples=["K001"])
    units: float = Field(gt=0, allow_inf_nan=False, examples=[3.0])


class RevisionAsked(BaseModel):
    """What changed after the plan was out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"as_of": "2026-03-02T03:10:00+08:00", "cancelled": ["C1"]}}
    )

    as_of: AwareDatetime = Field(
        description="What is sorted or has left by then stays; progress posted on the plan counts.",
        ge=datetime.fromisoformat("2000-01-01T00:00:00+00:00"),
        le=datetime.fromisoformat("2200-01-01T00:00:00+00:00"),
    )
    cancelled: list[Name] = Field(default=[], max_length=10_000, description="Communities not delivered to.")
    orders: list[LateOrder] = Field(default=[], max_length=10_000, description="Given as far as goods to spare reach.")
    frozen: list[Name] = Field(default=[], max_length=10_000, description="Routes that stay, beside those that left.")
    unreported: Literal["sorted", "open"] = Field(
        default="sorted",
        description="Tasks of ended waves that nobody reported: sorted whole, or open and planned again.",
        examples=["sorted"],
    )


class BookingShown(BaseModel):
    """People, stations and vans to book, at a median and at a busy outcome of the order book."""

    floors: Rows = Field(
        description="Per quantile, warehouse and zone: workers at once, worker-hours, stations, what is missing.",
        examples=[[{"quantile": "q90", "warehouse_id": "W1", "temperature_zone": "ambient", "workers": 8}]],
    )
    vans: Rows = Field(
        description="Per quantile and base: loads against the fleet, and vans that share of it is, at least.",
        examples=[[{"quantile": "q90", "base_id": "W1", "goods": "all", "load_kg": 1200.0, "vans": 3.0}]],
    )
    warnings: list[str] = Field(examples=[[]])


class HomesShown(BaseModel):
    """What communities free to change their warehouse would save on this night."""

    sentence: str = Field(examples=["With every community free to change its warehouse, 3 of 60 would ..."])
    saved_yuan: float = Field(description="Yuan a night for people and vans, estimated.", examples=[42.5])
    homes: Rows = Field(examples=[[{"place_id": "C1", "warehouse_now": "W1", "warehouse_free": "W2"}]])
    floors: Rows = Field(examples=[[{"warehouse_id": "W1", "temperature_zone": "ambient", "share_now": 0.7}]])


class ShortageRow(BaseModel):
    """What one community will not get."""

    community_id: str = Field(examples=["C1"])
    leader_id: str | None = Field(default=None, examples=["L1"])
    skus: int = Field(description="SKUs that fall short.", examples=[1])
    units: float = Field(description="Units missing.", examples=[2.0])
    text: str = Field(description="Ready to send to the leader.", examples=["Shortage notice for ..."])


@router.get("/shortages", summary="Shortage notices per community", responses=list_responses(ShortageRow))
def list_shortages(
    request: Request,
    plan_id: PlanId,
    holder: SortingReader,
    service: Running,
    page: Page,
    warehouse_id: Annotated[str | None, Query(description="Of one warehouse.", examples=["W1"])] = None,
    language: Annotated[Literal["zh", "en"], Query(description="Of the text.")] = "zh",
) -> Response:
    """Return what each community misses, to be told before the van leaves; a warehouse lead sees the own warehouse."""
    from pipeline.papers import notices_of

    own = holder.own_warehouse(warehouse_id)
    frame = notices_of(service.plans.plan(plan_id), service.reference_of(plan_id), warehouse_id=own, language=language)
    return list_answer(request, frame, page, name=f"{plan_id}-shortages")


@router.post("/revisions", summary="Revise a plan that is out (a job)", status_code=status.HTTP_202_ACCEPTED)
def ask_revision(
    request: Request,
    response: Response,
    plan_id: PlanId,
    asked: RevisionAsked,
    holder: Planner,
    service: Running,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Put a revision into the queue: the rest is sorted again and routes are mended, as few changes as pay.

    It becomes a plan of its own, built on this one (`after`); approve and publish it, and stations pull what changed.
    """
    service.store.plan_summary(plan_id)
    job, new = service.queue.ask(
        "revise",
        {"plan_id": plan_id, **asked.model_dump(mode="json")},
        requested_by=holder.key_id,
        idempotency_key=idempotency_key,
    )
    if new:
        note(request, holder, "ask for revision", job.job_id, plan_id=plan_id)
    response.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return shown_job(job)


@router.get("/people", summary="People, stations and vans to book")
def book_people(plan_id: PlanId, holder: PlanReader, service: Running) -> BookingShown:
    """Return what to book before the cutoff; a warehouse lead sees the own people, vans and what they lack."""
    from pipeline.replan import people_to_book

    own = holder.own_warehouse(None)
    booking = people_to_book(service.plans.plan(plan_id), service.reference_of(plan_id), service.settings)
    booking = replace(booking, vans=of_bases(booking.vans, own_bases(service, holder, plan_id)))
    if own is not None:
        booking = replace(booking, floors=booking.floors[booking.floors["warehouse_id"] == own])
    return BookingShown(floors=_rows(booking.floors), vans=_rows(booking.vans), warnings=list(booking.warnings))


@router.get("/homes", summary="What a free assignment to warehouses would save")
def free_homes(plan_id: PlanId, _holder: Planner, service: Running) -> HomesShown:
    """Return which communities would rather be sorted at another warehouse, and what a night would cost less."""
    from pipeline.homes import homes_of

    found = homes_of(service.reference_of(plan_id), service.plans.plan(plan_id).allotments, service.settings)
    return HomesShown(
        sentence=found.sentence, saved_yuan=found.saved_yuan, homes=_rows(found.homes), floors=_rows(found.floors)
    )


def _rows(frame: pd.DataFrame) -> Rows:
    found: Rows = json.loads(records_json(frame))
    return found
