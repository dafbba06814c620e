"""How good the models are: registered versions, their cards, and whether the serving one has drifted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from api.access import DemandReader, Trainer
from api.asked import Running
from api.problems import PROBLEM_RESPONSES

if TYPE_CHECKING:
    from forecast import DriftReport

router = APIRouter(prefix="/v1/models", tags=["models"], responses=PROBLEM_RESPONSES)


class ModelVersion(BaseModel):
    """A registered demand model."""

    version: str = Field(examples=["3"])
    aliases: str = Field(description="champion serves, challenger is the newest.", examples=["champion, challenger"])
    promoted_on: str = Field(
        description="Evidence of its promotion, empty for the first.",
        examples=["warehouse pinball 0.7033 against 0.7100, better in 6 of 8 windows"],
    )
    decision: str = Field(
        description="The last word on it: promoted, refused or rolled back, on which figures, by whom.",
        examples=["promoted: warehouse pinball 0.7033 against 0.7100, better in 6 of 8 windows (by 9f1c2ab03d4e)"],
    )
    book_version: str = Field(
        description="Order book model that serves or served with it, else the one trained with it; empty: not known.",
        examples=["3"],
    )
    run_id: str = Field(description="MLflow run.", examples=["7fbb9cc2bb404c6f9e43ef662da25e18"])


class LevelScore(BaseModel):
    """How one level did on the days looked at, forecast a day ahead."""

    level: str = Field(examples=["warehouse"])
    days: int = Field(examples=[14])
    units: float = Field(examples=[1561.0])
    wape: float = Field(description="Absolute errors over units.", examples=[0.18])
    bias: float = Field(description="Signed errors over units; above 0 is too much.", examples=[0.02])
    promised_wape: float | None = Field(
        description="The same on the model's rolling origins; null for a model without them.", examples=[0.17]
    )


class WeekScore(BaseModel):
    """One level in one week."""

    week_until: str = Field(description="Last delivery date of the week.", examples=["2026-03-08"])
    level: str = Field(examples=["warehouse"])
    units: float = Field(examples=[757.0])
    wape: float = Field(examples=[0.17])
    bias: float = Field(examples=[-0.01])


class Finding(BaseModel):
    """One thing that is not as promised."""

    kind: Literal["error", "bias", "coverage"] = Field(examples=["bias"])
    level: str = Field(examples=["all"])
    english: str = Field(examples=["All levels: 12% too much was forecast over the last 14 days."])
    chinese: str = Field(examples=["各层级：最近 14 天的预测偏多 12%。"])


class Drift(BaseModel):
    """The serving demand model held against what its rolling origins promised."""

    drifted: bool = Field(examples=[False])
    trained_until: str = Field(examples=["2026-02-22"])
    first_day: str = Field(examples=["2026-02-23"])
    last_day: str = Field(examples=["2026-03-08"])
    scores: list[LevelScore]
    weeks: list[WeekScore]
    findings: list[Finding] = Field(description="Empty when nothing is wrong.")
    report_en: str = Field(description="The report in plain words.", examples=["No drift was found."])
    report_zh: str = Field(description="The report in Chinese.", examples=["没有发现漂移，模型可以继续使用。"])


@router.get("", summary="Registered demand models")
def list_models(_holder: DemandReader, service: Running) -> list[ModelVersion]:
    """Return every version of the demand model, newest first."""
    registries = service.desk.registries
    from pipeline.promotion import listed_models  # with the forecasting libraries, which the desk has imported by now

    return [ModelVersion(**one) for one in listed_models(registries)]


@router.get("/drift", summary="Drift of the serving demand model")
def get_drift(
    _holder: Trainer,
    service: Running,
    days: Annotated[int, Query(description="Delivery dates to look back on.", ge=3, le=56)] = 14,
) -> Drift:
    """Hold the last closed delivery dates, forecast a day ahead, against the model's rolling origins.

    Only days the model has not learned from count; 422 when there is none.
    """
    return shown_drift(service.desk.drift(days=days))


@router.get(
    "/{version}/card",
    summary="Model card of a version",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/markdown": {}}, "description": "The card as Markdown."}},
)
def get_card(
    _holder: DemandReader,
    service: Running,
    version: Annotated[str, Path(description="Registered version.", examples=["3"], pattern=r"^[0-9]{1,9}$")],
) -> PlainTextResponse:
    """Return what a version learned from, who answers for what, and how good it was on rolling origins."""
    return PlainTextResponse(service.desk.registries.demand.card(version), media_type="text/markdown")


def shown_drift(report: DriftReport) -> Drift:
    """Return a drift report as it is shown."""
    scores = report.scores.drop(columns="promised_bias").to_dict("records")
    weeks = report.weeks.drop(columns="days").assign(week_until=report.weeks["week_until"].dt.strftime("%Y-%m-%d"))
    return Drift(
        drifted=report.drifted,
        trained_until=str(report.trained_until.date()),
        first_day=str(report.first_day.date()),
        last_day=str(report.last_day.date()),
        scores=[LevelScore.model_validate({k: _known(v) for k, v in row.items()}) for row in scores],
        weeks=[WeekScore.model_validate(row) for row in weeks.to_dict("records")],
        findings=[
            Finding(kind=one.kind, level=one.level, english=one.english, chinese=one.chinese) for one in report.findings
        ],
        report_en=report.text("en"),
        report_zh=report.text("zh"),
    )


def _known(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
