"""Jobs about models: a backtest kept as a run, and changes of which models serve, each made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from api import model_changes
from api.records.audit import AuditLog
from api.records.jobs import JobRecord
from contracts.errors import ConflictError
from forecast.registry.registry import CHALLENGER, CHAMPION
from pipeline.desk import PlanningDesk
from pipeline.progress import Progress
from pipeline.promotion import Asked

T = TypeVar("T")


class Step(Protocol):
    """Does a stage of a job once and keeps its result."""

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        """Return what the work returns, now or when it was done before."""


def backtest(desk: PlanningDesk, job: JobRecord, step: Step, progress: Progress) -> dict[str, Any]:
    """Score models on rolling origins and keep the scores as an MLflow run."""
    asked = job.request
    progress("backtest", 0.0)
    models = list(asked["models"] or desk.usual_contestants())
    scores = step(
        "backtest",
        lambda: desk.backtest(
            models,
            origins=asked["origins"],
            horizon=asked["horizon"],
            progress=lambda name, fraction: progress(name, 0.95 * fraction),
        ),
    )
    progress("record", 0.96)
    run_id = step("record", lambda: desk.record_backtest(scores))
    return {"run_id": run_id, "models": models, "tables": sorted(scores.tables())}


def promote(desk: PlanningDesk, audit: AuditLog, job: JobRecord, step: Step, progress: Progress) -> dict[str, Any]:
    """Let the challenger serve if it earned it. A job that comes back after the change does not make it again."""
    registry = desk.registries.demand
    versions = step("input", lambda: {name: registry.version_of(name) for name in (CHAMPION, CHALLENGER)})

    def change() -> str:
        asked, serving = Asked(job.job_id, versions[CHALLENGER]), registry.version_of(CHAMPION)
        if versions[CHAMPION] != versions[CHALLENGER] == serving:
            return model_changes.complete(desk, audit, by=_who(job), asked=asked)
        _not_again(desk, asked, serving)
        return model_changes.promote(desk, audit, by=_who(job), asked=asked, progress=progress)

    sentence = step("promote", change)
    return {"sentence": sentence, "serving": desk.models().version}


def roll_back(desk: PlanningDesk, audit: AuditLog, job: JobRecord, step: Step, progress: Progress) -> dict[str, Any]:
    """Let the pair before this one serve again; a job that comes back does not go back twice."""
    registry = desk.registries.demand

    def pair() -> dict[str, str]:
        return {"from": registry.version_of(CHAMPION), "to": registry.former()}

    def change() -> str:
        asked, serving = Asked(job.job_id, versions["to"]), registry.version_of(CHAMPION)
        if serving == versions["to"]:
            return model_changes.complete_roll_back(desk, audit, by=_who(job), asked=asked)
        _not_again(desk, asked, serving)
        if serving != versions["from"]:
            raise ConflictError(
                f"Demand model {versions['from']} served when the rollback was asked for, now {serving}: ask again."
            )
        return model_changes.roll_back(desk, audit, by=_who(job), asked=asked)

    progress("input", 0.0)
    versions = step("input", pair)
    sentence = step("rollback", change)
    return {"sentence": sentence, "serving": desk.models().version}


def _not_again(desk: PlanningDesk, asked: Asked, serving: str) -> None:
    """Refuse a job that comes back after its change when somebody let another model serve since."""
    if asked.version != serving and asked.done(desk.registries):
        raise ConflictError(
            f"Demand model {asked.version} served by this job, and since then somebody let {serving} serve: it stays."
        )


def _who(job: JobRecord) -> str:
    """Return who asked, and why if that was said."""
    why = job.request.get("note") or ""
    return job.requested_by + (f", who says: {why}" if why else "")
