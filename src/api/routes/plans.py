"""Plans: ask for one, list them, read what one says of itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.access import Duty, Holder, Planner, PlanReader
from api.asked import PlanId, Running, note
from api.lead_view import HIDDEN, seen_by
from api.paging import Page, list_responses, models_answer, rows_asked
from api.problems import PROBLEM_RESPONSES
from api.routes.jobs import Job, shown_job
from api.routes.models import IdempotencyKey
from api.routes.purchase_questions import Circumstances
from contracts.errors import ConflictError, NotFoundError
from contracts.plan import PlanSummary
from contracts.solve import SolveStatus
from pipeline.risk import PREVIOUS, last_plan

router = APIRouter(prefix="/v1/plans", tags=["plans"], responses=PROBLEM_RESPONSES)


_PRICED_PARTS = ("suppliers", "purchase-orders", "coverage", "risk", "papers", "tables")
_FLOOR_PARTS = ("loads", "sorting", "routes", "stops", "unserved", "shortages", "people")
"""What is read of a plan, by whether it tells prices and quantities bought."""


class PlanAsked(BaseModel):
    """What to plan."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"delivery_date": "2026-03-02", "as_of": "2026-03-01T18:00:00+08:00"}},
    )

    delivery_date: date = Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))
    as_of: AwareDatetime = Field(
        description="Moment with its zone; orders up to it count, the rest of the day is forecast.",
        ge=datetime.fromisoformat("2000-01-01T00:00:00+00:00"),
        le=datetime.fromisoformat("2200-01-01T00:00:00+00:00"),
    )
    after: str | None = Field(
        default=None,
        description="A plan of the same date whose purchase orders were sent: its lines are locked, this plan adds.",
        pattern=r"^[\w-]{1,64}$",
    )
    begin: str | None = Field(
        default=None,
        description="A plan of the same date the search begins from; previous: the one made last before `as_of`.",
        pattern=r"^[\w-]{1,64}$",
    )
    stay_near: bool = Field(default=False, description="Each purchase line that differs from `begin` has a price.")
    what_if: Circumstances | None = Field(
        default=None, description="Plan under other circumstances: to learn from, such a plan is never approved."
    )


class PlanHead(BaseModel):
    """A plan in one line."""

    plan_id: str = Field(examples=["20260302-0f3a9c1d2e"])
    delivery_date: date = Field(examples=["2026-03-02"])
    as_of: datetime = Field(examples=["2026-03-01T10:00:00Z"])
    after: str | None = Field(default=None, examples=[None])
    what_if: str = Field(default="", description="Other circumstances it was planned under.", examples=[""])
    status: SolveStatus = Field(description="Worst status of its stages.", examples=["FEASIBLE"])
    total_yuan: float | None = Field(description="Null for a warehouse lead.", examples=[5120.4])
    final_units: float | None = Field(
        description="Expected units at the cutoff; null for a warehouse lead.", examples=[930.0]
    )
    warnings: int | None = Field(description="Null for a warehouse lead.", examples=[2])


class PlanPage(BaseModel):
    """One page of plans."""

    items: list[PlanHead]
    total: int = Field(examples=[1])
    limit: int = Field(examples=[100])
    offset: int = Field(examples=[0])


class PlanShown(BaseModel):
    """What a plan says of itself, and where its tables are."""

    summary: PlanSummary
    status: SolveStatus = Field(description="Worst status of its stages.", examples=["FEASIBLE"])
    links: dict[str, str] = Field(examples=[{"purchase_orders": "/v1/plans/20260302-0f3a9c1d2e/purchase-orders"}])


def plan_head(summary: PlanSummary, holder: Holder) -> PlanHead:
    """Return a plan in one line, as a key's holder may see it."""
    whole, summary = holder.may(Duty.READ_PRICES), seen_by(holder, summary)
    return PlanHead(
        plan_id=summary.plan_id,
        delivery_date=summary.delivery_date,
        as_of=summary.as_of,
        after=summary.after,
        what_if="" if summary.what_if is None else summary.what_if.sentence or HIDDEN,
        status=summary.status,
        total_yuan=round(summary.costs_yuan["total"], 2) if whole else None,
        final_units=summary.demand_units["final"] if whole else None,
        warnings=len(summary.warnings) if whole else None,
    )


@router.post("", summary="Ask for a plan (a job)", status_code=status.HTTP_202_ACCEPTED)
def ask_plan(
    request: Request,
    response: Response,
    asked: PlanAsked,
    holder: Planner,
    service: Running,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Put a plan into the queue; an approved or published plan of the date is built on, its lines stay.

    `Location` is the job to poll, whose `links.plan` leads to the finished plan. The same `Idempotency-Key` and request
    give the same job whatever has become of the plans meanwhile.
    """
    before = None if idempotency_key is None else service.records.jobs.by_key(holder.key_id, idempotency_key)
    job, new = service.queue.ask(
        "plan",
        before.request if before is not None else _completed(service, asked),
        requested_by=holder.key_id,
        idempotency_key=idempotency_key,
        asked=asked.model_dump(mode="json"),
    )
    if new:
        note(request, holder, "ask for plan", job.job_id, **job.request)
    response.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return shown_job(job)


def _completed(service: Running, asked: PlanAsked) -> dict[str, Any]:
    """Return the request as the job has it: with the plans it builds on and begins from, or raise."""
    return _with_beginning(service, _with_locked_lines(service, asked)).model_dump(mode="json")


def _with_locked_lines(service: Running, asked: PlanAsked) -> PlanAsked:
    """Return what was asked, building on the approved or published plan of the date if there is one.

    Raises
    ------
    NotFoundError
        The plan to build on does not exist.
    ConflictError
        It is of another date, or another plan of the date binds.
    """
    binding = service.records.plan_states.binding(asked.delivery_date)
    if asked.after is None:
        return asked if binding is None else asked.model_copy(update={"after": binding.plan_id})
    before = service.store.plan_summary(asked.after)
    if before.delivery_date != asked.delivery_date:
        raise ConflictError(f"Plan {asked.after} is for {before.delivery_date}, asked was {asked.delivery_date}.")
    if binding is not None and binding.plan_id != asked.after:
        raise ConflictError(
            f"Plan {binding.plan_id} of {asked.delivery_date} is {binding.state}: its lines are locked, "
            f"so after must be {binding.plan_id!r} or left out."
        )
    return asked


def _with_beginning(service: Running, asked: PlanAsked) -> PlanAsked:
    """Return what was asked with the plan it begins from by name, so that the job does the same whenever it runs.

    Raises
    ------
    NotFoundError
        The plan to begin from does not exist.
    ConflictError
        It is of another date, or a plan is to stay near none.
    """
    if asked.begin is None:
        if asked.stay_near:
            raise ConflictError("stay_near needs begin: the plan to stay near, or previous.")
        return asked
    begin = asked.begin
    if begin == PREVIOUS:
        found = last_plan(service.store.plan_summaries(), delivery_date=asked.delivery_date, before=asked.as_of)
        if found is None:
            raise NotFoundError("earlier plan of", str(asked.delivery_date), hint="Leave begin out for the first one.")
        begin = found
    before = service.store.plan_summary(begin)
    if before.delivery_date != asked.delivery_date:
        raise ConflictError(f"Plan {begin} is for {before.delivery_date}, asked was {asked.delivery_date}.")
    return asked.model_copy(update={"begin": begin})


@router.get("", summary="Plans, the latest delivery date first", responses=list_responses(PlanHead))
def list_plans(
    request: Request,
    holder: PlanReader,
    service: Running,
    page: Page,
    delivery_date: Annotated[date | None, Query(description="Of one delivery date.")] = None,
) -> Response:
    """Return a page of plans, of one delivery date if asked; a warehouse lead sees no costs and no units."""
    found, total = service.store.plan_page(
        limit=rows_asked(request, page), offset=page.offset, delivery_date=delivery_date
    )
    return models_answer(request, [plan_head(summary, holder) for summary in found], page, total=total, name="plans")


@router.get("/{plan_id}", summary="What a plan says of itself")
def get_plan(plan_id: PlanId, holder: PlanReader, service: Running) -> PlanShown:
    """Return status per stage, cost breakdown, bound and gap, fingerprints, warnings and labelled fallbacks.

    A warehouse lead sees status and seconds of the stages, and links to what the role may read.
    """
    summary = seen_by(holder, service.store.plan_summary(plan_id))
    here = f"/v1/plans/{plan_id}"
    parts = _PRICED_PARTS + _FLOOR_PARTS if holder.may(Duty.READ_PRICES) else _FLOOR_PARTS
    links = {"self": here, **{part.replace("-", "_"): f"{here}/{part}" for part in parts}}
    return PlanShown(summary=summary, status=summary.status, links=links)
