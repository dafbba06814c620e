"""Jobs in SQL: what is asked for, how far it is, how it ended; the API polls these rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from contracts.errors import ConflictError, NotFoundError
from store.database.engine import Database
from store.database.schema import jobs

JobStatus = Literal["queued", "running", "done", "failed"]


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes
    ----------
    stage : str
        What it is doing, in the words of the night: forecast, book, purchase, sorting, routing.
    progress : float
        Share done, 0 to 1.
    """

    job_id: str
    kind: str
    status: JobStatus
    stage: str
    progress: float
    created_at: datetime
    updated_at: datetime
    request: dict[str, Any] = field(default_factory=dict)
    plan_id: str | None = None
    error: str | None = None


class Jobs:
    """Creates, updates and finds jobs."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def create(self, job_id: str, kind: str, *, request: dict[str, Any] | None = None) -> Job:
        """Create a queued job; the same job with the same request again is the one that is there.

        Raises
        ------
        ConflictError
            The job is there with another kind or request.
        """
        at = self._now()
        text = json.dumps(request or {}, sort_keys=True, ensure_ascii=False, default=str)
        row = {"kind": kind, "status": "queued", "stage": "", "progress": 0.0, "request": text}
        try:
            with self._database.writing() as connection:
                connection.execute(sa.insert(jobs).values(job_id=job_id, created_at=at, updated_at=at, **row))
        except sa.exc.IntegrityError:
            found = self.get(job_id)
            if (found.kind, found.request) != (kind, json.loads(text)):
                raise ConflictError(f"Job {job_id!r} is there with another request: {found.request}.") from None
            return found
        return self.get(job_id)

    def update(
        self,
        job_id: str,
        *,
        status: JobStatus | None = None,
        stage: str | None = None,
        progress: float | None = None,
        plan_id: str | None = None,
        error: str | None = None,
    ) -> Job:
        """Change what is given and leave the rest.

        Raises
        ------
        NotFoundError
            There is no such job.
        """
        given = {"status": status, "stage": stage, "progress": progress, "plan_id": plan_id, "error": error}
        values = {name: value for name, value in given.items() if value is not None}
        with self._database.writing() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.job_id == job_id).values(updated_at=self._now(), **values))
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises
        ------
        NotFoundError
            There is no such job.
        """
        with self._database.reading() as connection:
            found = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).first()
        if found is None:
            raise NotFoundError("job", job_id)
        return _job(found)

    def list(self, *, status: JobStatus | None = None, kind: str | None = None, most: int = 100) -> list[Job]:
        """Return jobs, the newest first, by status and kind if given."""
        query = sa.select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.job_id).limit(most)
        if status is not None:
            query = query.where(jobs.c.status == status)
        if kind is not None:
            query = query.where(jobs.c.kind == kind)
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(query)]


def _job(row: sa.Row[Any]) -> Job:
    return Job(**{**row._mapping, "request": json.loads(row.request)})
