"""The jobs themselves: durable workflows whose steps are the stages of a night, one training, or one revision."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
from dbos import DBOS
from dbos._error import DBOSWorkflowCancelledError

from api.jobs.late import late_changes
from api.jobs.shelf import Shelf
from api.problems import Problem, problem_of
from api.records import Records
from api.records.jobs import JobRecord
from contracts.errors import ConflictError, TuancaiError
from contracts.what_if import WhatIf
from pipeline.begin import Begin
from pipeline.desk import PlanningDesk
from pipeline.night import NightInput, plan_night

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
REPORT_EVERY_S = 0.2
"""Progress is written at most so often; the first report of a stage always."""


class CancelledJobError(TuancaiError):
    """Somebody ended the job from outside."""


class RefusedStageError(TuancaiError):
    """A stage ended with a problem; `problem` is its document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        super().__init__(problem["detail"])


@dataclass
class Bench:
    """What the workflows of this process work with; set by the worker when it starts."""

    desk: PlanningDesk
    records: Records


_BENCH: list[Bench] = []


def set_bench(bench: Bench | None) -> None:
    """Give the workflows of this process their desk and records, or take them away."""
    _BENCH[:] = [] if bench is None else [bench]


def _bench() -> Bench:
    if not _BENCH:
        raise RuntimeError("a workflow runs in a process without a worker")
    return _BENCH[0]


class Reporter:
    """Writes a job's progress into the job book, and stops the job when it was ended from outside."""

    def __init__(self, records: Records, job_id: str) -> None:
        self._records = records
        self._job_id = job_id
        self._last = ("", 0.0)
        self._reached = 0.0

    def __call__(self, step: str, fraction: float) -> None:
        """Report that the job is at `step` and has done `fraction` of all its work; the fraction never falls."""
        if step == "done":
            return  # the job is done when the plan is saved
        stage, at = self._last
        now = time.monotonic()
        if step == stage and now - at < REPORT_EVERY_S:
            return
        self._last = (step, now)
        self._reached = max(self._reached, fraction)
        if not self._records.jobs.report(self._job_id, step, self._reached):
            raise CancelledJobError(f"Job {self._job_id} was ended from outside.")


@DBOS.workflow(name="plan")
def plan_workflow(job_id: str) -> str:
    """Plan a night; each stage is a step."""
    return _run(job_id, _plan)


@DBOS.workflow(name="train")
def train_workflow(job_id: str) -> str:
    """Train the models; one step."""
    return _run(job_id, _train)


@DBOS.workflow(name="revise")
def revise_workflow(job_id: str) -> str:
    """Revise a plan that is out; one step."""
    return _run(job_id, _revise)


def _run(job_id: str, work: Callable[[Bench, JobRecord], dict[str, Any]]) -> str:
    """Run a job to one of its ends and note which; returns the state, which the workflow keeps."""
    bench = _bench()
    job = bench.records.jobs.get(job_id)
    shelf = Shelf(bench.desk.settings.service.work, job_id)
    if not bench.records.jobs.start(job_id):
        shelf.clear()
        return job.state.value
    started = time.perf_counter()
    try:
        outcome = work(bench, job)
    except (CancelledJobError, DBOSWorkflowCancelledError):
        bench.records.jobs.cancel(job_id)
    except RefusedStageError as refused:
        bench.records.jobs.fail(job_id, refused.problem)
    except TuancaiError as error:
        _LOG.warning("job %s (%s) failed: %s", job_id, job.kind, error)
        problem = problem_of(error, instance=f"/v1/jobs/{job_id}")
        bench.records.jobs.fail(job_id, problem.model_dump(mode="json", exclude_none=True))
    except Exception as error:  # noqa: BLE001 - the end of the line: written down as failed, logged, not swallowed
        _LOG.exception("job %s (%s) failed unexpectedly", job_id, job.kind)
        bench.records.jobs.fail(job_id, _unforeseen(error, job_id).model_dump(mode="json", exclude_none=True))
    else:
        bench.records.jobs.finish(job_id, outcome)
    shelf.clear()
    ended = bench.records.jobs.get(job_id)
    facts = {"job_id": job_id, "kind": job.kind, "state": ended.state.value, "outcome": ended.outcome or {}}
    _LOG.info("job %s %s in %.1f s", job_id, ended.state, time.perf_counter() - started, extra={"facts": facts})
    return ended.state.value


def _unforeseen(error: Exception, job_id: str) -> Problem:
    return Problem(
        type="urn:tuancai:problem:internal",
        title="Something is wrong with the service",
        status=500,
        detail=f"{type(error).__name__}: an error nobody foresaw; the worker's log has it under job {job_id}.",
        instance=f"/v1/jobs/{job_id}",
    )


def _plan(bench: Bench, job: JobRecord) -> dict[str, Any]:
    desk, asked = bench.desk, job.request
    shelf = Shelf(desk.settings.service.work, job.job_id)
    progress = Reporter(bench.records, job.job_id)
    instance = f"/v1/jobs/{job.job_id}"

    def step(name: str, work: Callable[[], T]) -> T:
        fresh: list[T] = []

        def keep() -> dict[str, Any]:
            try:
                fresh.append(work())
            except CancelledJobError:
                raise
            except TuancaiError as error:  # kept as facts: the job ends the same way when it comes back
                return {"problem": problem_of(error, instance=instance).model_dump(mode="json", exclude_none=True)}
            return {"digest": shelf.put(name, fresh[0])}

        kept = DBOS.run_step({"name": name}, keep)
        if "problem" in kept:
            raise RefusedStageError(kept["problem"])
        if fresh:
            return fresh[0]
        before: T = shelf.take(name, kept["digest"])
        return before

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
    outcome = {"plan_id": plan.summary.plan_id, "status": plan.summary.status.value}
    try:
        desk.store.save_plan(plan.summary.plan_id, plan.summary, dict(plan.tables()))
    except ConflictError as other:  # made from the same input before; a search that ended by the clock differs
        outcome |= {"status": desk.store.plan_summary(plan.summary.plan_id).status.value, "note": str(other)}
    return outcome


def _begin(asked: dict[str, Any]) -> Begin | None:
    """Return the plan to begin from; `previous` is the schedule's word, whose first plan of a date has none."""
    plan_id = asked.get("begin")
    return None if plan_id is None else Begin(plan_id, stay_near=asked.get("stay_near", False), required=False)


def _revise(bench: Bench, job: JobRecord) -> dict[str, Any]:
    asked, progress = job.request, Reporter(bench.records, job.job_id)

    def revise() -> dict[str, Any]:
        progress("revise", 0.1)
        late = late_changes(asked, bench.desk.store, bench.records)
        as_of = pd.Timestamp(asked["as_of"]).tz_convert("UTC").as_unit("us")
        made = bench.desk.revise(asked["plan_id"], late, as_of=as_of)
        summary = made.plan.summary
        return {"plan_id": summary.plan_id, "status": summary.status.value, "said": list(made.said)}

    return DBOS.run_step({"name": "revise"}, revise)


def _train(bench: Bench, job: JobRecord) -> dict[str, Any]:
    until = job.request["until"]
    progress = Reporter(bench.records, job.job_id)

    def train() -> dict[str, Any]:
        trained = bench.desk.train(
            until=None if until is None else pd.Timestamp(until).as_unit("us"), progress=progress
        )
        return {
            "demand_version": trained.demand_version,
            "book_version": trained.book_version,
            "trained_until": str(trained.trained_until.date()),
            "serves": trained.serves,
            "sentence": trained.sentence,
        }

    return DBOS.run_step({"name": "train"}, train)
