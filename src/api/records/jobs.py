"""The job book: what was asked, how far it is, how it ended. The queue runs jobs; this book is what people read."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from api.records.keys import digest
from api.records.schema import JOBS
from contracts.errors import ConflictError, NotFoundError
from store.database import Database


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class JobRecord:
    """One job as the book has it."""

    job_id: str
    kind: str
    state: JobState
    request: dict[str, Any]
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    changed_at: datetime
    ended_at: datetime | None
    stage: str
    fraction: float
    version: int
    outcome: dict[str, Any] | None
    problem: dict[str, Any] | None


class JobBook:
    """Jobs in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(
        self,
        kind: str,
        request: dict[str, Any],
        *,
        requested_by: str,
        idempotency_key: str | None = None,
        asked: dict[str, Any] | None = None,
    ) -> tuple[JobRecord, bool]:
        """Write a job down and say whether it is new; the same idempotency key gives the job already written.

        Parameters
        ----------
        asked
            The request as it came, where the service completed it; this is what must be the same.

        Raises
        ------
        ConflictError
            The key was used before with another request.
        """
        now = datetime.now(UTC)
        job_id = uuid.uuid4().hex
        came = digest(json.dumps([kind, request if asked is None else asked], sort_keys=True))
        row = JOBS.insert().values(
            job_id=job_id,
            kind=kind,
            state=JobState.QUEUED,
            request=request,
            requested_by=requested_by,
            idempotency_key=idempotency_key,
            asked=came,
            requested_at=now,
            changed_at=now,
        )
        try:
            with self._database.writing() as connection:
                connection.execute(row)
        except IntegrityError:
            same = JOBS.c.requested_by == requested_by, JOBS.c.idempotency_key == idempotency_key
            found = self._rows(sa.select(JOBS).where(*same))[0]
            if not self._rows(sa.select(JOBS).where(*same, JOBS.c.asked == came)):
                raise ConflictError(
                    f"Idempotency-Key {idempotency_key!r} was used for another request, job {found.job_id}. "
                    "Use a new key for a new request."
                ) from None
            return found, False
        return self.get(job_id), True

    def get(self, job_id: str) -> JobRecord:
        """Return a job.

        Raises
        ------
        NotFoundError
            There is no such job.
        """
        rows = self._rows(sa.select(JOBS).where(JOBS.c.job_id == job_id))
        if not rows:
            raise NotFoundError("job", job_id)
        return rows[0]

    def by_key(self, requested_by: str, idempotency_key: str) -> JobRecord | None:
        """Return the job somebody asked for under a key, or None."""
        same = JOBS.c.requested_by == requested_by, JOBS.c.idempotency_key == idempotency_key
        return next(iter(self._rows(sa.select(JOBS).where(*same))), None)

    def page(
        self, *, limit: int, offset: int = 0, kind: str | None = None, state: str | None = None
    ) -> tuple[list[JobRecord], int]:
        """Return jobs, the newest first, and how many there are in all."""
        wanted = [
            column == value for column, value in ((JOBS.c.kind, kind), (JOBS.c.state, state)) if value is not None
        ]
        with self._database.reading() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(JOBS).where(*wanted)).scalar_one()
        newest = sa.select(JOBS).where(*wanted).order_by(JOBS.c.requested_at.desc(), JOBS.c.job_id)
        return self._rows(newest.limit(limit).offset(offset)), int(total)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many jobs there are by kind and state."""
        query = sa.select(JOBS.c.kind, JOBS.c.state, sa.func.count()).group_by(JOBS.c.kind, JOBS.c.state)
        with self._database.reading() as connection:
            return {(kind, state): int(count) for kind, state, count in connection.execute(query)}

    def waiting(self) -> list[JobRecord]:
        """Return the jobs that have not ended, the oldest first."""
        return self._rows(sa.select(JOBS).where(JOBS.c.state.in_(OPEN_STATES)).order_by(JOBS.c.requested_at))

    def start(self, job_id: str) -> bool:
        """Mark a job as running; False when it has already ended (cancelled before it began)."""
        now = datetime.now(UTC)
        return self._change(job_id, state=JobState.RUNNING, started_at=sa.func.coalesce(JOBS.c.started_at, now))

    def report(self, job_id: str, stage: str, fraction: float) -> bool:
        """Note how far a running job is; False when it has been ended from outside."""
        return self._change(job_id, stage=stage[:100], fraction=min(max(fraction, 0.0), 0.99))

    def finish(self, job_id: str, outcome: dict[str, Any]) -> bool:
        """Mark a job as done."""
        now = datetime.now(UTC)
        return self._change(job_id, state=JobState.DONE, ended_at=now, stage="done", fraction=1.0, outcome=outcome)

    def fail(self, job_id: str, problem: dict[str, Any]) -> bool:
        """Mark a job as failed, with the problem document."""
        return self._change(job_id, state=JobState.FAILED, ended_at=datetime.now(UTC), problem=problem)

    def cancel(self, job_id: str) -> bool:
        """Mark a job as cancelled; False when it had already ended."""
        return self._change(job_id, state=JobState.CANCELLED, ended_at=datetime.now(UTC))

    def _change(self, job_id: str, **values: Any) -> bool:
        """Change a job that has not ended; an ended job never changes again."""
        with self._database.writing() as connection:
            done = connection.execute(
                JOBS.update()
                .where(JOBS.c.job_id == job_id, JOBS.c.state.in_(OPEN_STATES))
                .values(changed_at=datetime.now(UTC), version=JOBS.c.version + 1, **values)
            )
        return done.rowcount == 1

    def _rows(self, query: sa.Select[Any]) -> list[JobRecord]:
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            JobRecord(
                job_id=row["job_id"],
                kind=row["kind"],
                state=JobState(row["state"]),
                request=row["request"],
                requested_by=row["requested_by"],
                requested_at=row["requested_at"],
                started_at=row["started_at"],
                changed_at=row["changed_at"],
                ended_at=row["ended_at"],
                stage=row["stage"],
                fraction=row["fraction"],
                version=row["version"],
                outcome=row["outcome"],
                problem=row["problem"],
            )
            for row in rows
        ]
