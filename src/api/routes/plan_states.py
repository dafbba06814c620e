"""The life of a plan: approve it (its purchase lines are locked), publish it, compare it with another."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.access import Planner, PlanReader, PriceReader
from api.asked import PlanId, Running, note
from api.compare import PlanComparison, compare_plans, line_changes
from api.paging import Page, list_answer, list_responses
from api.problems import PROBLEM_RESPONSES
from api.records.plan_states import PlanStanding, PlanState

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["plans"], responses=PROBLEM_RESPONSES)
OtherId = Annotated[str, Path(description="The plan to compare with.", pattern=r"^[\w-]{1,64}$")]


class Standing(BaseModel):
    """Where a plan stands."""

    plan_id: str = Field(examples=["20260302-0f3a9c1d2e"])
    state: PlanState = Field(examples=["approved"])
    changed_by: str | None = Field(default=None, description="Key that put it there.", examples=["9f1c2ab03d4e"])
    changed_at: datetime | None = Field(default=None, examples=["2026-03-01T10:05:00Z"])
    superseded_by: str | None = Field(default=None, examples=[None])


class LineChange(BaseModel):
    """A purchase line that differs between two plans."""

    supplier_id: str = Field(examples=["S1"])
    sku_id: str = Field(examples=["K001"])
    warehouse_id: str = Field(examples=["W1"])
    change: str = Field(description="added, removed or changed.", examples=["changed"])
    cases_before: int = Field(examples=[3])
    cases_after: int = Field(examples=[4])
    amount_yuan_before: float = Field(examples=[186.0])
    amount_yuan_after: float = Field(examples=[248.0])


@router.get("/state", summary="Where a plan stands")
def get_plan_state(plan_id: PlanId, _holder: PlanReader, service: Running) -> Standing:
    """Return draft, approved, published or superseded, and who put it there."""
    service.store.plan_summary(plan_id)
    return _shown(service.records.plan_states.standing(plan_id))


@router.post("/approve", summary="Approve a plan")
def approve_plan(request: Request, plan_id: PlanId, holder: Planner, service: Running) -> Standing:
    """Lock a plan's purchase lines: later plans of the date keep them and only add.

    409 when another plan of the date binds already and this one does not build on it.
    """
    plan = service.store.plan_summary(plan_id)
    standing = service.records.plan_states.approve(plan, by=holder.key_id)
    note(request, holder, "approve plan", plan_id)
    return _shown(standing)


@router.post("/withdraw", summary="Take an approval back")
def withdraw_plan(request: Request, plan_id: PlanId, holder: Planner, service: Running) -> Standing:
    """Make an approved plan a draft again; a published plan can only be superseded."""
    plan = service.store.plan_summary(plan_id)
    standing = service.records.plan_states.withdraw(plan, by=holder.key_id)
    note(request, holder, "withdraw approval", plan_id)
    return _shown(standing)


@router.post("/publish", summary="Publish a plan")
def publish_plan(request: Request, plan_id: PlanId, holder: Planner, service: Running) -> Standing:
    """Let warehouses pull an approved plan; the plan of the date published before is superseded."""
    plan = service.store.plan_summary(plan_id)
    standing = service.records.plan_states.publish(plan, by=holder.key_id)
    note(request, holder, "publish plan", plan_id)
    return _shown(standing)


@router.get("/compare/{other_id}", summary="Compare two plans")
def compare(plan_id: PlanId, other_id: OtherId, _holder: PriceReader, service: Running) -> PlanComparison:
    """Return what the other plan costs more or less, by part, and how many purchase lines differ."""
    return compare_plans(service.plans.plan(plan_id), service.plans.plan(other_id))


@router.get("/compare/{other_id}/lines", summary="Purchase lines that differ", responses=list_responses(LineChange))
def list_line_changes(
    request: Request, plan_id: PlanId, other_id: OtherId, _holder: PriceReader, service: Running, page: Page
) -> Response:
    """Return the purchase lines that the other plan adds, removes or changes."""
    changes = line_changes(service.plans.plan(plan_id), service.plans.plan(other_id))
    return list_answer(request, changes, page, name=f"{plan_id}-to-{other_id}-lines")


def _shown(standing: PlanStanding) -> Standing:
    return Standing(**vars(standing))
