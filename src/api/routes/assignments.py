"""What stations pull and post back: the published plan's assignments, what changed since, and progress."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import SortingReader, SortingReporter
from api.asked import DeliveryDate, PlanId, Running, TemperatureZone
from api.assignments import assignment_changes, check_progress
from api.etags import entity_tag, unchanged
from api.problems import PROBLEM_RESPONSES, ServiceError
from api.records.plan_states import PlanState
from api.routes.rows_of_plans import SortingRow
from api.rows import records_json
from contracts.errors import ConflictError, NotFoundError

router = APIRouter(prefix="/v1", tags=["assignments"], responses=PROBLEM_RESPONSES)
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "What the caller has (If-None-Match) still holds."}
}


class TaskKey(BaseModel):
    """Which sorting task."""

    warehouse_id: str = Field(examples=["W1"], min_length=1, max_length=200)
    temperature_zone: str = Field(examples=["chilled"], min_length=1, max_length=16)
    wave: int = Field(examples=[1], ge=1, le=10_000)
    station: int = Field(examples=[2], ge=1, le=1_000_000)
    slot: int = Field(examples=[7], ge=1, le=1_000_000)
    sku_id: str = Field(examples=["K001"], min_length=1, max_length=200)


class Assignments(BaseModel):
    """Assignments of the published plan, or what changed since the plan a station has."""

    plan_id: str = Field(
        description="The published plan; send it as `since` next time.", examples=["20260302-0f3a9c1d2e"]
    )
    since: str | None = Field(description="The plan changes are told from; null: `tasks` is all.", examples=[None])
    tasks: list[SortingRow] = Field(description="Tasks to take over: new or changed ones, or all.")  # type: ignore[valid-type]
    removed: list[TaskKey] = Field(description="Tasks to drop.")


class TaskDone(TaskKey):
    """How far a task is."""

    model_config = ConfigDict(extra="forbid")

    units_done: float = Field(description="Good units put so far, in all.", examples=[12.0], ge=0, allow_inf_nan=False)
    short_units: float = Field(
        default=0.0, description="Units that were not there.", examples=[0.0], ge=0, allow_inf_nan=False
    )
    damaged_units: float = Field(
        default=0.0, description="Units that cannot be delivered.", examples=[2.0], ge=0, allow_inf_nan=False
    )
    over_units: float = Field(
        default=0.0, description="Units left over beyond the task.", examples=[0.0], ge=0, allow_inf_nan=False
    )
    note: str = Field(default="", description="What is wrong, if something is.", examples=["2 damaged"], max_length=500)


class ProgressReport(BaseModel):
    """Progress of tasks."""

    model_config = ConfigDict(extra="forbid")

    tasks: list[TaskDone] = Field(min_length=1, max_length=10_000)


class TaskProgress(TaskDone):
    """How far a task is, as it was reported."""

    version: int = Field(examples=[3])
    reported_by: str = Field(examples=["9f1c2ab03d4e"])
    reported_at: datetime = Field(examples=["2026-03-01T17:12:00Z"])


class ProgressShown(BaseModel):
    """Progress reported after a version."""

    plan_id: str = Field(examples=["20260302-0f3a9c1d2e"])
    version: int = Field(description="Send it as `since` next time.", examples=[3])
    tasks: list[TaskProgress]


class ProgressTaken(BaseModel):
    """A report was taken in."""

    plan_id: str = Field(examples=["20260302-0f3a9c1d2e"])
    version: int = Field(examples=[3])


@router.get("/assignments", summary="Pull sorting assignments", responses=NOT_MODIFIED, response_model=Assignments)
def pull_assignments(
    request: Request,
    holder: SortingReader,
    service: Running,
    delivery_date: DeliveryDate,
    warehouse_id: Annotated[str | None, Query(description="Needed unless the key is a warehouse lead's.")] = None,
    temperature_zone: Annotated[TemperatureZone | None, Query(description="Of one zone.")] = None,
    wave: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    station: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
    since: Annotated[
        str | None, Query(description="Plan the station has; only changes are sent.", pattern=r"^[\w-]{1,64}$")
    ] = None,
) -> Response:
    """Return the published plan's tasks of a warehouse, or what changed since another plan; 304 when nothing did."""
    own = holder.own_warehouse(warehouse_id)
    if own is None:
        raise ServiceError(422, "request", "Say which warehouse: warehouse_id is needed with this key.")
    published = service.records.plan_states.published(delivery_date)
    if published is None:
        raise NotFoundError("published plan for", str(delivery_date), hint="A planner publishes it.")
    tag = entity_tag(published.plan_id, since, own, temperature_zone, wave, station)
    if (same := unchanged(request, tag)) is not None:
        return same

    def tasks(plan_id: str) -> pd.DataFrame:
        return service.plans.sorting(
            plan_id,
            service.reference_of(plan_id),
            warehouse_id=own,
            temperature_zone=temperature_zone,
            wave=wave,
            station=station,
        )[0]

    fresh, gone = assignment_changes(None if since is None else tasks(since), tasks(published.plan_id))
    from_plan = "null" if since is None else f'"{since}"'
    body = (
        f'{{"plan_id":"{published.plan_id}","since":{from_plan},'
        f'"tasks":{records_json(fresh)},"removed":{records_json(gone)}}}'
    )
    return Response(body, media_type="application/json", headers={"ETag": tag, "Cache-Control": "no-cache"})


@router.post("/plans/{plan_id}/sorting/progress", summary="Post progress of sorting tasks")
def report_progress(
    plan_id: PlanId, report: ProgressReport, holder: SortingReporter, service: Running
) -> ProgressTaken:
    """Take in how far tasks are; the latest report of a task stands, so sending one again changes nothing but time."""
    tasks = service.plans.plan(plan_id).sorting_tasks
    state = service.records.plan_states.standing(plan_id).state
    if state not in (PlanState.PUBLISHED, PlanState.SUPERSEDED):
        raise ConflictError(f"Plan {plan_id} is {state}: progress is reported on published plans.")
    for warehouse_id in {task.warehouse_id for task in report.tasks}:
        holder.own_warehouse(warehouse_id)
    rows = check_progress(pd.DataFrame([task.model_dump() for task in report.tasks]), tasks)
    return ProgressTaken(plan_id=plan_id, version=service.records.progress.report(plan_id, rows, by=holder.key_id))


@router.get(
    "/plans/{plan_id}/sorting/progress",
    summary="Progress of sorting tasks",
    responses=NOT_MODIFIED,
    response_model=ProgressShown,
)
def get_progress(
    request: Request,
    plan_id: PlanId,
    holder: SortingReader,
    service: Running,
    since: Annotated[
        int, Query(ge=0, le=2**53, description="Version the caller has; only later reports are sent.")
    ] = 0,
) -> Response:
    """Return what was reported after a version; a warehouse lead sees the own warehouse."""
    service.store.plan_summary(plan_id)
    own = holder.own_warehouse(None)
    version = service.records.progress.version(plan_id)
    tag = entity_tag(plan_id, version, since, own)
    if (same := unchanged(request, tag)) is not None:
        return same
    rows = service.records.progress.since(plan_id, since)
    if own is not None:
        rows = rows[rows["warehouse_id"] == own]
    body = f'{{"plan_id":"{plan_id}","version":{version},"tasks":{records_json(rows)}}}'
    return Response(body, media_type="application/json", headers={"ETag": tag, "Cache-Control": "no-cache"})
