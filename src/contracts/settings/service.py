"""Settings of the API service."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import field_validator

from contracts.clock import clock_minutes
from contracts.settings.field import Section, setting


class ServiceSettings(Section):
    """The API."""

    host: str = setting("127.0.0.1", unit="address", reason="Not reachable from outside unless asked.")
    port: int = setting(8000, unit="port", reason="Usual development port.", ge=1, le=65535)
    log_format: Literal["text", "json"] = setting("text", unit="-", reason="json for machines.")
    worker: Literal["process", "thread", "none"] = setting(
        "process",
        unit="-",
        reason="Jobs run in a process beside the API so that reads stay quick; none: workers are started on their own.",
    )
    worker_id: str = setting(
        "worker-1",
        unit="name",
        reason="A worker that comes back under its name takes up its own jobs; give each worker another.",
    )
    worker_nice: int = setting(
        10,
        unit="nice",
        reason="The worker beside the API yields its cores to it, so that reads stay quick while a plan is searched.",
        ge=0,
        le=19,
    )
    worker_silence_s: float = setting(
        30.0, unit="s", reason="A worker not heard of for so long is taken for dead; others take up its jobs.", ge=1
    )
    plan_at: tuple[str, ...] = setting(
        (),
        unit="clock",
        reason="Moments a plan is made by itself, e.g. 09:00-1 to stage, 23:00-1 at the cutoff; empty: on request.",
    )
    compact_files: int = setting(
        200,
        unit="files",
        reason="A delivery date in so many order files has them merged by a worker: 500 lines a file is 100,000 lines.",
        ge=2,
    )
    jobs_url: str = setting(
        "",
        unit="SQLAlchemy URL",
        reason="Where durable jobs are kept; empty: the PostgreSQL of storage.url, or a SQLite file beside its own.",
    )
    work: Path = setting(
        Path("data/work"), unit="path", reason="Finished stages of running jobs, removed when the job ends."
    )
    admin_key_file: Path = setting(
        Path("data/admin.key"), unit="path", reason="The first start writes the first admin key here, mode 0600."
    )
    body_limit_mb: int = setting(64, unit="MB", reason="A day of a city's order lines as CSV is about 30 MB.", ge=1)
    requests_per_minute: int = setting(
        3000, unit="requests per minute and address", reason="Ten times what 4,000 leaders' batches need.", ge=1
    )

    @field_validator("plan_at")
    @classmethod
    def _clocks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for clock in value:
            clock_minutes(clock)
        return value
