"""Models: train them as a job, see which one serves."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.access import DemandReader, Trainer
from api.asked import Running, note
from api.problems import PROBLEM_RESPONSES
from api.routes.jobs import Job, shown_job

router = APIRouter(prefix="/v1/models", tags=["models"], responses=PROBLEM_RESPONSES)
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
    job, new = service.queue.ask(
        "train", asked.model_dump(mode="json"), requested_by=holder.key_id, idempotency_key=idempotency_key
    )
    if new:
        note(request, holder, "ask for training", job.job_id)
    response.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return shown_job(job)


@router.get("/serving", summary="The model that serves")
def get_serving_model(_holder: DemandReader, service: Running) -> ServingModel:
    """Return the version of the models that plans are made with; 503 when none has been trained."""
    return ServingModel(version=service.desk.models().version)
