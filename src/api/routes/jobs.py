"""Jobs: how far they are, how they ended, and how to end them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.access import Canceller, Duty, JobReader
from api.asked import Running, note
from api.paging import Page, list_responses, models_answer, rows_asked
from api.problems import PROBLEM_RESPONSES, Problem, ServiceError
from api.records.jobs import JobRecord, JobState
from contracts.errors import ConflictError

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=PROBLEM_RESPONSES)
JobId = Annotated[
    str, Path(description="A job's id.", examples=["4b0f5d0c9e7a4c1f8d2b6a3e5c7f9d10"], pattern=r"^\w{1,64}$")
]


_EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}
MODEL_JOBS = ("train", "backtest", "promote", "rollback")
WATCH_EVERY_S = 0.25
KEEP_ALIVE_S = 15.0


class Job(BaseModel):
    """A long piece of work."""

    job_id: str = Field(examples=["4b0f5d0c9e7a4c1f8d2b6a3e5c7f9d10"])
    kind: str = Field(description="plan, revise, train, backtest, promote or rollback.", examples=["plan"])
    state: JobState = Field(examples=["running"])
    stage: str = Field(description="Stage it is at.", examples=["purchase"])
    fraction: float = Field(description="Share that is done, 0 to 1.", examples=[0.43], ge=0, le=1)
    request: dict[str, Any] = Field(
        description="What was asked.",
        examples=[{"delivery_date": "2026-03-02", "as_of": "2026-03-01T10:00:00Z", "after": None}],
    )
    requested_by: str = Field(description="Key that asked.", examples=["9f1c2ab03d4e"])
    requested_at: datetime = Field(examples=["2026-03-01T10:00:01Z"])
    started_at: datetime | None = Field(default=None, examples=["2026-03-01T10:00:02Z"])
    changed_at: datetime = Field(examples=["2026-03-01T10:00:09Z"])
    ended_at: datetime | None = Field(default=None, examples=["2026-03-01T10:00:40Z"])
    version: int = Field(description="Rises with every change.", examples=[7])
    outcome: dict[str, Any] | None = Field(
        default=None, description="Of a job that is done.", examples=[{"plan_id": "20260302-0f3a9c1d2e"}]
    )
    problem: Problem | None = Field(default=None, description="Of a job that failed.")
    links: dict[str, str] = Field(
        description="Where to go on: self, events, and once there is one the plan, or the summary of a backtest.",
        examples=[{"self": "/v1/jobs/4b0f5d0c9e7a4c1f8d2b6a3e5c7f9d10", "plan": "/v1/plans/20260302-0f3a9c1d2e"}],
    )


def shown_job(record: JobRecord) -> Job:
    """Return a job as it is shown."""
    links = {"self": f"/v1/jobs/{record.job_id}", "events": f"/v1/jobs/{record.job_id}/events"}
    if record.outcome and "plan_id" in record.outcome:
        links["plan"] = f"/v1/plans/{record.outcome['plan_id']}"
    if record.outcome and record.kind == "backtest":
        links["summary"] = f"/v1/models/backtests/{record.job_id}/summary"
    return Job(links=links, **vars(record))


@router.get("", summary="Jobs, the newest first", responses=list_responses(Job))
def list_jobs(
    request: Request,
    _holder: JobReader,
    service: Running,
    page: Page,
    kind: Annotated[
        str | None, Query(description="plan, revise, train, backtest, promote or rollback.", max_length=32)
    ] = None,
    state: JobState | None = None,
) -> Response:
    """Return a page of jobs, of one kind or state if asked."""
    limit = rows_asked(request, page)
    found, total = service.records.jobs.page(limit=limit, offset=page.offset, kind=kind, state=state)
    return models_answer(request, [shown_job(job) for job in found], page, total=total, name="jobs")


@router.get("/{job_id}", summary="How far a job is")
def get_job(job_id: JobId, _holder: JobReader, service: Running) -> Job:
    """Return a job with its stage and fraction; when it is done, the link to its plan; when it failed, the problem."""
    return shown_job(service.records.jobs.get(job_id))


@router.get(
    "/{job_id}/events",
    summary="Watch a job (server-sent events)",
    response_class=StreamingResponse,
    responses={200: {"description": "One `job` event per change, the last when it has ended.", "content": _EVENTS}},
)
async def watch_job(request: Request, job_id: JobId, _holder: JobReader, service: Running) -> StreamingResponse:
    """Send the job each time it changes, until it has ended; `Last-Event-ID` goes on after a broken connection."""
    await run_in_threadpool(service.records.jobs.get, job_id)
    last = request.headers.get("last-event-id", "")
    return StreamingResponse(
        _changes(service, job_id, int(last) if last.isdecimal() else -1),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _changes(service: Running, job_id: str, seen: int) -> AsyncIterator[str]:
    """Yield an event per change of a job, a comment now and then so that proxies keep the line open."""
    quiet = 0.0
    while True:
        job = await run_in_threadpool(service.records.jobs.get, job_id)
        if job.version > seen:
            seen, quiet = job.version, 0.0
            yield f"id: {job.version}\nevent: job\ndata: {shown_job(job).model_dump_json()}\n\n"
        if job.state.ended:
            return
        await asyncio.sleep(WATCH_EVERY_S)
        quiet += WATCH_EVERY_S
        if quiet >= KEEP_ALIVE_S:
            quiet = 0.0
            yield ": still here\n\n"


@router.post("/{job_id}/cancel", summary="End a job")
def cancel_job(request: Request, job_id: JobId, holder: Canceller, service: Running) -> Job:
    """End a job that has not ended: a queued one never starts, a running one stops at its next step.

    Planners end any job, data scientists those about models. A change of models that was made stays made.
    """
    before = service.records.jobs.get(job_id)
    if before.kind not in MODEL_JOBS and not holder.may(Duty.PLAN):
        raise ServiceError(403, "forbidden", f"A {holder.role.value} may not end a job of kind {before.kind}.")
    if not service.queue.cancel(job_id):
        state = service.records.jobs.get(job_id).state
        raise ConflictError(f"Job {job_id} has ended already: it is {state.value}.")
    note(request, holder, "cancel job", job_id, kind=before.kind)
    return shown_job(service.records.jobs.get(job_id))
