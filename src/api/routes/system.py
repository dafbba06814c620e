"""Whether the service lives and can work, and with which settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from api.access import Duty, JobReader, SelfReader
from api.asked import Running
from api.metrics import CONTENT_TYPE, exposition
from api.problems import PROBLEM_RESPONSES
from contracts.errors import TuancaiError
from contracts.settings import Settings
from store.database.revisions import MIGRATING

router = APIRouter(tags=["system"], responses=PROBLEM_RESPONSES)


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", examples=["ok"])


class Readiness(BaseModel):
    """Whether each thing the service needs is there."""

    ready: bool = Field(description="Whether requests can be served.", examples=[True])
    parts: dict[str, str] = Field(
        description="Part to 'ok' or what is wrong. Without a model the service is ready all the same: train one.",
        examples=[{"database": "ok", "worker": "ok: worker-1", "model": "ok: version 3"}],
    )


class Me(BaseModel):
    """Who a key stands for."""

    key_id: str = Field(examples=["9f1c2ab03d4e"])
    name: str = Field(examples=["planner Wang"])
    role: str = Field(examples=["planner"])
    warehouse_id: str | None = Field(default=None, description="A warehouse lead's own warehouse.", examples=["W1"])
    duties: list[str] = Field(description="What the role may do.", examples=[["read jobs"]])


@router.get("/health", summary="Whether the process answers")
def health() -> Health:
    """Answer without touching anything else; needs no key."""
    return Health()


@router.get("/ready", summary="Whether requests can be served", responses={503: {"model": Readiness}})
def ready(service: Running, response: Response) -> Readiness:
    """Look at database, worker and model; needs no key and tells no secrets. 503 while the database is away."""
    parts = {"database": _database(service), "worker": _worker(service), "model": _model(service)}
    able = parts["database"] == "ok"
    response.status_code = 200 if able else 503
    return Readiness(ready=able, parts=parts)


@router.get(
    "/v1/metrics",
    summary="Metrics for Prometheus",
    response_class=PlainTextResponse,
)
def get_metrics(request: Request, _holder: JobReader, service: Running) -> PlainTextResponse:
    """Return requests of this process, jobs, imports and the stages of the latest plan, in Prometheus' text form."""
    return PlainTextResponse(exposition(service, request.app.state.requests), media_type=CONTENT_TYPE)


@router.get("/v1/settings", summary="Settings in force, without secrets")
def get_settings(request: Request, _holder: JobReader, service: Running) -> dict[str, Any]:
    """Return every setting that shapes plans; addresses lose their passwords."""
    return shown_settings(service.settings)


@router.get("/v1/me", summary="Who the key stands for")
def get_me(holder: SelfReader) -> Me:
    """Return name, role and duties of the key that was sent."""
    return Me(
        key_id=holder.key_id,
        name=holder.name,
        role=holder.role.value,
        warehouse_id=holder.warehouse_id,
        duties=sorted(d.value for d in Duty if holder.may(d)),
    )


def shown_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, with passwords in addresses starred."""
    shown: dict[str, Any] = settings.model_dump(mode="json")
    for section, name in (("storage", "url"), ("storage", "tracking_uri"), ("service", "jobs_url")):
        address = shown[section][name]
        if "@" in address:
            shown[section][name] = sa.make_url(address).render_as_string(hide_password=True)
    return shown


def _database(service: Running) -> str:
    try:
        with service.records.database.reading() as connection:
            connection.execute(sa.text("SELECT 1"))
    except TuancaiError as error:
        return str(error)
    return "ok"


def _worker(service: Running) -> str:
    silence = timedelta(seconds=service.settings.service.worker_silence_s)
    try:
        heard = service.records.workers.heard()
    except TuancaiError as error:
        return str(error)
    alive = sorted(name for name, at in heard.items() if datetime.now(UTC) - at < silence)
    return f"ok: {', '.join(alive)}" if alive else "no worker was heard of lately; jobs wait"


def _model(service: Running) -> str:
    def look() -> str:
        desk = service.desk
        with MIGRATING:  # the registry brings its own tables up to date when it is first asked
            return f"ok: version {desk.registries.demand.version_of('champion')}"

    return service.serving.state(look)
