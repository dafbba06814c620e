"""Asking for jobs from the API's side: the durable queue without running anything."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from api.jobs.schedule import ASKED_BY, due_plans
from api.problems import problem_of
from api.records import Records
from api.records.jobs import JobRecord
from api.records.turns import one_at_a_time
from contracts.errors import StoreError
from contracts.settings import Settings

if TYPE_CHECKING:
    from dbos import DBOSClient

QUEUE = "jobs"
VERSION = "1"
"""Version of the workflows' steps: raise it when their order changes, so that old jobs are not replayed on new code."""
_GIVEN_UP = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
"""States of a workflow that nothing runs any more."""
_LOG = logging.getLogger(__name__)


def jobs_url(settings: Settings) -> str:
    """Return where durable jobs are kept: the setting, the PostgreSQL of the store, or a SQLite file beside it."""
    if settings.service.jobs_url:
        return settings.service.jobs_url
    store = sa.make_url(settings.storage.url)
    if store.get_backend_name() != "sqlite":
        return store.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    path = Path(store.database or "data/tuancai.sqlite")
    return f"sqlite:///{path.with_name(path.stem + '.jobs.sqlite')}"


def prepare_queue(settings: Settings, records: Records) -> None:
    """Bring the tables of the durable queue up to date; processes that start together take turns.

    On PostgreSQL DBOS takes turns by a lock of its own, and builds indexes that wait for every open transaction: one of
    ours, held meanwhile, would never end.
    """
    from dbos import DBOS

    url = jobs_url(settings)
    if sa.make_url(url).get_backend_name() == "postgresql":
        DBOS.migrate(url)
        return
    with records.database.writing() as connection:
        one_at_a_time(connection, "job queue migrations")
        DBOS.migrate(url)


class JobQueue:
    """Puts jobs into the durable queue and takes them out again; connects when it is first used."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self._records = records
        self._settings = settings
        self._client: DBOSClient | None = None
        self._connecting = threading.Lock()

    def catch_up(self) -> None:
        """Let book and queue agree again after a crash or a failure between the two.

        What was written down but never reached the queue is put there. What the queue gave up without an end in the
        book gets one: it would seem to run for ever.
        """
        waiting = self._records.jobs.waiting()
        if not waiting:
            return
        ids = [job.job_id for job in waiting]
        flows = self._connected().list_workflows(workflow_ids=ids, load_input=False, load_output=False)
        states = {flow.workflow_id: flow.status for flow in flows}
        for job in waiting:
            state = states.get(job.job_id)
            if state is None:
                self._put(job)
            elif state in _GIVEN_UP:  # the book is written before the queue, so this is no job that just ended
                self._give_up(job, state)

    def _give_up(self, job: JobRecord, state: str) -> None:
        if state == "CANCELLED":
            self._records.jobs.cancel(job.job_id)
            return
        lost = StoreError(
            f"The queue holds job {job.job_id} as {state}, but its end was never written down. What it made, if "
            "anything, is in the store; ask again."
        )
        problem = problem_of(lost, instance=f"/v1/jobs/{job.job_id}")
        if self._records.jobs.fail(job.job_id, problem.model_dump(mode="json", exclude_none=True)):
            _LOG.error("%s", lost)

    def ask_due(self, settings: Settings, *, now: datetime) -> list[JobRecord]:
        """Ask for the scheduled plans that are due; return the ones that were not asked for before."""
        asked = []
        for due in due_plans(settings, now=now):
            if self._records.jobs.by_key(ASKED_BY, due.key) is None:
                request: dict[str, Any] = dict(due.request)
                binding = self._records.plan_states.binding(due.delivery_date)
                completed = request | {"after": None if binding is None else binding.plan_id}
                job, new = self.ask("plan", completed, requested_by=ASKED_BY, idempotency_key=due.key, asked=request)
                asked += [job] if new else []
        return asked

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.destroy()
            self._client = None

    def ask(
        self,
        kind: str,
        request: dict[str, Any],
        *,
        requested_by: str,
        idempotency_key: str | None = None,
        asked: dict[str, Any] | None = None,
    ) -> tuple[JobRecord, bool]:
        """Write a job down and put it in the queue; say whether it is new.

        Raises
        ------
        ConflictError
            The idempotency key was used for another request.
        """
        job, new = self._records.jobs.ask(
            kind, request, requested_by=requested_by, idempotency_key=idempotency_key, asked=asked
        )
        self._put(job)
        return job, new

    def cancel(self, job_id: str) -> bool:
        """End a job: a queued one never starts, a running one stops at its next report. False when it had ended."""
        if not self._records.jobs.cancel(job_id):
            return False
        self._connected().cancel_workflow(job_id)
        return True

    def depth(self) -> int:
        """Return how many jobs wait or run."""
        return len(self._records.jobs.waiting())

    def queued(self, job_id: str) -> bool:
        """Return whether the durable queue knows a job."""
        return bool(self._connected().list_workflows(workflow_ids=[job_id], load_input=False, load_output=False))

    def runner(self, job_id: str) -> str | None:
        """Return the worker that runs or ran a job."""
        found = self._connected().list_workflows(workflow_ids=[job_id], load_input=False, load_output=False)
        return found[0].executor_id if found else None

    def steps(self, job_id: str) -> list[tuple[str, int]]:
        """Return the finished steps of a job with the moment each ended, in milliseconds since 1970."""
        steps = self._connected().list_workflow_steps(job_id, load_output=False)
        return [(step["function_name"], int(step["completed_at_epoch_ms"] or 0)) for step in steps]

    def _put(self, job: JobRecord) -> None:
        """Put a job in the queue; a job that is there already stays as it is (its id is the workflow's)."""
        if job.state.ended:
            return
        self._connected().enqueue(
            {
                "queue_name": QUEUE,
                "workflow_name": job.kind,
                "workflow_id": job.job_id,
                "app_version": VERSION,
            },
            job.job_id,
        )

    def _connected(self) -> DBOSClient:
        with self._connecting:
            if self._client is None:
                from dbos import DBOSClient  # most of a second, so not before somebody asks for a job

                prepare_queue(self._settings, self._records)
                self._client = DBOSClient(system_database_url=jobs_url(self._settings))
            return self._client
