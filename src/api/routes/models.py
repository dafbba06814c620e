"""Models: train, backtest, promote and roll back as jobs, see which one serves."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.access import DemandReader, Holder, Trainer
from api.asked import Running, note
from api.paging import TABLE_RESPONSES, Page, list_answer
from api.problems import PROBLEM_RESPONSES
from api.routes.jobs import Job, JobId, shown_job
from api.service import Service
from contracts.errors import ConflictError, NotFoundError

router = APIRouter(prefix="/v1/models", tags=["models"], responses=PROBLEM_RESPONSES)
_SPOKEN = {"train": "training", "promote": "promotion"}
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any text of your own; the same key with the same request gives the same job, however often sent.",
        min_length=1,
        max_length=200,
    ),
]


class TrainingAsked(BaseModel):
    """What to train on."""

    model_config = ConfigDict(extra="forbid")

    until: date | None = Field(
        default=None, description="Last delivery date to learn from; default all but the last.", examples=["2026-03-01"]
    )


class BacktestAsked(BaseModel):
    """What to score, and on which past days."""

    model_config = ConfigDict(extra="forbid")

    models: list[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]] | None = Field(
        default=None,
        description="Member names, or champion for the full model; default the full model, the baselines and, if one "
        "was brought in, the outside estimate.",
        examples=[["champion", "seasonal_naive"]],
        min_length=1,
        max_length=12,
    )
    origins: int = Field(default=4, description="Rolling origins; one window is noise.", ge=1, le=30, examples=[4])
    horizon: int = Field(default=7, description="Days ahead.", ge=1, le=60, examples=[7])


class ChangeAsked(BaseModel):
    """Why the models that serve should change."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(
        default="",
        description="Reason for the record; the figures are added to it.",
        examples=["the spring range is in"],
        max_length=200,
    )


class ServingModel(BaseModel):
    """The model that serves."""

    version: str = Field(examples=["3"])


@router.post("/train", summary="Train the models (a job)", status_code=status.HTTP_202_ACCEPTED)
def train(
    request: Request,
    response: Response,
    asked: TrainingAsked,
    holder: Trainer,
    service: Running,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Train demand and order book models on the orders that are there, and register them."""
    return _asked_for(request, response, "train", asked, holder, service, idempotency_key)


@router.post("/backtests", summary="Backtest models (a job)", status_code=status.HTTP_202_ACCEPTED)
def ask_backtest(
    request: Request,
    response: Response,
    asked: BacktestAsked,
    holder: Trainer,
    service: Running,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Train each model as of past days and score what it forecasts; kept as an MLflow run.

    The tables are read at `/v1/models/backtests/{job_id}/summary` and its brothers.
    """
    return _asked_for(request, response, "backtest", asked, holder, service, idempotency_key)


@router.get("/backtests/{job_id}/{table}", summary="A table of a backtest", responses=TABLE_RESPONSES)
def get_backtest_table(
    request: Request,
    job_id: JobId,
    table: Annotated[
        Literal["summary", "value_added", "scores", "coverage"],
        Path(description="summary: means over the origins; scores: every origin and cut.", examples=["summary"]),
    ],
    _holder: DemandReader,
    service: Running,
    page: Page,
) -> Response:
    """Return a table of a backtest that is done; 409 while it is not."""
    job = service.records.jobs.get(job_id)
    if job.kind != "backtest":
        raise NotFoundError("backtest", job_id, hint=f"Job {job_id} is of kind {job.kind}.")
    if job.outcome is None:
        raise ConflictError(f"Backtest {job_id} has no tables: it is {job.state.value}.")
    return list_answer(
        request, service.desk.backtest_table(job.outcome["run_id"], table), page, name=f"backtest-{table}"
    )


@router.post("/promote", summary="Let the challenger serve (a job)", status_code=status.HTTP_202_ACCEPTED)
def promote(
    request: Request,
    response: Response,
    asked: ChangeAsked,
    holder: Trainer,
    service: Running,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Let the newest models serve if rolling origins favour them; the job fails with the figures when they do not.

    Plans and forecasts follow without a restart. The decision is in `GET /v1/models` and in the audit log.
    """
    return _asked_for(request, response, "promote", asked, holder, service, idempotency_key)


@router.post(
    "/rollback", summary="Let the models before these serve again (a job)", status_code=status.HTTP_202_ACCEPTED
)
def roll_back(
    request: Request,
    response: Response,
    asked: ChangeAsked,
    holder: Trainer,
    service: Running,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Let the demand and the order book model that served before serve again, as a pair, without a restart."""
    return _asked_for(request, response, "rollback", asked, holder, service, idempotency_key)


@router.get("/serving", summary="The model that serves")
def get_serving_model(_holder: DemandReader, service: Running) -> ServingModel:
    """Return the version of the models that plans are made with; 503 when none has been trained."""
    return ServingModel(version=service.desk.models().version)


def _asked_for(
    request: Request,
    response: Response,
    kind: str,
    asked: BaseModel,
    holder: Holder,
    service: Service,
    idempotency_key: str | None,
) -> Job:
    """Ask for a job about models, write down who did, and say where it is."""
    job, new = service.queue.ask(
        kind, asked.model_dump(mode="json"), requested_by=holder.key_id, idempotency_key=idempotency_key
    )
    if new:
        note(request, holder, f"ask for {_SPOKEN.get(kind, kind)}", job.job_id)
    response.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return shown_job(job)
