"""The jobs themselves: durable workflows whose steps are the stages of a night, a revision or a training."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd
from dbos import DBOS
from dbos._error import DBOSWorkflowCancelledError

from api.jobs import model_work
from api.jobs.late import late_changes
from api.jobs.patience import BOOK_TRIES, STAGE_TRIES, insist
from api.jobs.shelf import Shelf
from api.jobs.steps import CancelledJobError, RefusedStageError, Reporter, Steps
from api.problems import Problem, problem_of
from api.records import Records
from api.records.jobs import JobRecord
from contracts.errors import ConflictError, StoreError, TuancaiError
from contracts.what_if import WhatIf
from pipeline.begin import Begin
from pipeline.desk import PlanningDesk
from pipeline.late import Late
from pipeline.night import NightInput, plan_night
from pipeline.plan import NightPlan
from pipeline.training import Fitted, fit_models, register_models

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


@dataclass
class Bench:
    """What the workflows of this process work with; set by the worker when it starts.

    `ended` is set when the worker is told to end: what waits for the store then waits no longer.
    """

    desk: PlanningDesk
    records: Records
    ended: threading.Event = field(default_factory=threading.Event)


_BENCH: list[Bench] = []


def set_bench(bench: Bench | None) -> None:
    """Give the workflows of this process their desk and records, or take them away."""
    _BENCH[:] = [] if bench is None else [bench]


def _bench() -> Bench:
    if not _BENCH:
        raise RuntimeError("a workflow runs in a process without a worker")
    return _BENCH[0]


@DBOS.workflow(name="plan")
def plan_workflow(job_id: str) -> str:
    """Plan a night; each stage is a step."""
    return _run(job_id, _plan)


@DBOS.workflow(name="train")
def train_workflow(job_id: str) -> str:
    """Train the models; what was learned is the first step, what the registry made of it the second."""
    return _run(job_id, _train)


@DBOS.workflow(name="revise")
def revise_workflow(job_id: str) -> str:
    """Revise a plan that is out; the late changes are the first step, the revised plan the second."""
    return _run(job_id, _revise)


@DBOS.workflow(name="backtest")
def backtest_workflow(job_id: str) -> str:
    """Score models on rolling origins; the scores are the first step, their record the second."""
    return _run(job_id, _backtest)


@DBOS.workflow(name="promote")
def promote_workflow(job_id: str) -> str:
    """Let the challenger serve if it earned it; which models stood to choose is the first step."""
    return _run(job_id, _promote)


@DBOS.workflow(name="rollback")
def rollback_workflow(job_id: str) -> str:
    """Let the pair of models before this one serve again; which pair is the first step."""
    return _run(job_id, _rollback)


def _run(job_id: str, work: Callable[[Bench, JobRecord], dict[str, Any]]) -> str:
    """Run a job to one of its ends and note which; returns the state, which the workflow keeps."""
    bench = _bench()
    jobs = bench.records.jobs

    def book(call: Callable[[], T]) -> T:  # a job book that is away for a while must not leave a job without an end
        return insist(call, f"the book of job {job_id}", tries=BOOK_TRIES, ended=bench.ended)

    job = book(lambda: jobs.get(job_id))
    shelf = Shelf(bench.desk.settings.service.work, job_id)
    if not book(lambda: jobs.start(job_id)):
        shelf.clear()
        return job.state.value
    started = time.perf_counter()
    end = _ending(bench, job, work)
    try:
        book(end)
    except StoreError as refused:  # not for a moment: the book does not take this end, so it is told what it can take
        _LOG.exception("the end of job %s could not be written", job_id)
        problem = _plain(problem_of(refused, instance=f"/v1/jobs/{job_id}"))
        book(lambda: jobs.fail(job_id, problem))
    shelf.clear()
    ended = book(lambda: jobs.get(job_id))
    facts = {"job_id": job_id, "kind": job.kind, "state": ended.state.value, "outcome": ended.outcome or {}}
    _LOG.info("job %s %s in %.1f s", job_id, ended.state, time.perf_counter() - started, extra={"facts": facts})
    return ended.state.value


def _ending(bench: Bench, job: JobRecord, work: Callable[[Bench, JobRecord], dict[str, Any]]) -> Callable[[], bool]:
    """Do a job's work and return how its end is written down."""
    jobs, job_id, instance = bench.records.jobs, job.job_id, f"/v1/jobs/{job.job_id}"
    try:
        outcome = work(bench, job)
    except (CancelledJobError, DBOSWorkflowCancelledError):
        return lambda: jobs.cancel(job_id)
    except RefusedStageError as refused:
        problem = refused.problem
    except TuancaiError as error:
        _LOG.warning("job %s (%s) failed: %s", job_id, job.kind, error)
        problem = _plain(problem_of(error, instance=instance))
    except Exception as error:  # noqa: BLE001 - the end of the line: written down as failed, logged, not swallowed
        _LOG.exception("job %s (%s) failed unexpectedly", job_id, job.kind)
        problem = _plain(_unforeseen(error, job_id))
    else:
        return lambda: jobs.finish(job_id, outcome)
    return lambda: jobs.fail(job_id, problem)


def _plain(problem: Problem) -> dict[str, Any]:
    return problem.model_dump(mode="json", exclude_none=True)


def _unforeseen(error: Exception, job_id: str) -> Problem:
    return Problem(
        type="urn:tuancai:problem:internal",
        title="Something is wrong with the service",
        status=500,
        detail=f"{type(error).__name__}: an error nobody foresaw; the worker's log has it under job {job_id}.",
        instance=f"/v1/jobs/{job_id}",
    )


def _steps(bench: Bench, job: JobRecord) -> Steps:
    shelf = Shelf(bench.desk.settings.service.work, job.job_id)
    return Steps(shelf, instance=f"/v1/jobs/{job.job_id}", ended=bench.ended)


def _plan(bench: Bench, job: JobRecord) -> dict[str, Any]:
    desk, asked = bench.desk, job.request
    step, progress = _steps(bench, job), Reporter(bench.records, job.job_id)

    def gather() -> NightInput:
        return desk.night_input(
            pd.Timestamp(asked["delivery_date"]).as_unit("us"),
            pd.Timestamp(asked["as_of"]).tz_convert("UTC").as_unit("us"),
            after=asked["after"],
            begin=_begin(asked),
            change=None if (change := asked.get("what_if")) is None else WhatIf.model_validate(change),
        )

    progress("input", 0.0)
    night = step("input", gather)  # kept too, so that a job that comes back plans what it began with
    plan = plan_night(night, settings=desk.settings, progress=progress, step=step)
    progress("save", 0.98)
    return _saved(bench, plan)


def _saved(bench: Bench, plan: NightPlan) -> dict[str, Any]:
    """Save a plan and return the job's outcome."""
    store, summary = bench.desk.store, plan.summary
    outcome = {"plan_id": summary.plan_id, "status": summary.status.value}

    def save() -> bool:
        return store.save_plan(summary.plan_id, summary, dict(plan.tables()))

    try:
        insist(save, f"saving plan {summary.plan_id}", tries=STAGE_TRIES, ended=bench.ended)
    except ConflictError as other:  # made from the same input before; a search that ended by the clock differs
        outcome |= {"status": store.plan_summary(summary.plan_id).status.value, "note": str(other)}
    return outcome


def _begin(asked: dict[str, Any]) -> Begin | None:
    """Return the plan to begin from; `previous` is the schedule's word, whose first plan of a date has none."""
    plan_id = asked.get("begin")
    return None if plan_id is None else Begin(plan_id, stay_near=asked.get("stay_near", False), required=False)


def _revise(bench: Bench, job: JobRecord) -> dict[str, Any]:
    asked, desk = job.request, bench.desk
    step, progress = _steps(bench, job), Reporter(bench.records, job.job_id)

    def gather() -> Late:
        return late_changes(asked, desk.store, bench.records)

    def revise() -> tuple[NightPlan, tuple[str, ...]]:
        made = desk.revised(asked["plan_id"], late, as_of=pd.Timestamp(asked["as_of"]).tz_convert("UTC").as_unit("us"))
        return made.plan, made.said

    progress("input", 0.0)
    late = step("input", gather)  # kept, so that a job that comes back does not know what was reported meanwhile
    progress("revise", 0.1)
    plan, said = step("revise", revise)
    progress("save", 0.98)
    return _saved(bench, plan) | {"said": list(said)}


def _train(bench: Bench, job: JobRecord) -> dict[str, Any]:
    desk, until = bench.desk, job.request["until"]
    step, progress = _steps(bench, job), Reporter(bench.records, job.job_id)

    def fit() -> Fitted:
        last = None if until is None else pd.Timestamp(until).as_unit("us")
        return fit_models(desk.store, desk.settings, until=last, progress=progress)

    def register() -> dict[str, Any]:
        trained = register_models(desk.registries, fitted, desk.settings, progress)
        return {
            "demand_version": trained.demand_version,
            "book_version": trained.book_version,
            "trained_until": str(trained.trained_until.date()),
            "serves": trained.serves,
            "sentence": trained.sentence,
        }

    fitted = step("fit", fit)
    return step("register", register)


def _backtest(bench: Bench, job: JobRecord) -> dict[str, Any]:
    return model_work.backtest(bench.desk, job, _steps(bench, job), Reporter(bench.records, job.job_id))


def _promote(bench: Bench, job: JobRecord) -> dict[str, Any]:
    step, progress = _steps(bench, job), Reporter(bench.records, job.job_id)
    return model_work.promote(bench.desk, bench.records.audit, job, step, progress)


def _rollback(bench: Bench, job: JobRecord) -> dict[str, Any]:
    step, progress = _steps(bench, job), Reporter(bench.records, job.job_id)
    return model_work.roll_back(bench.desk, bench.records.audit, job, step, progress)
