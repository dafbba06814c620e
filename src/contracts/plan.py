"""The summary that goes with every plan: how good it is, what it cost, what it was made from."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from contracts.solve import SolveStatus, StageReport
from contracts.what_if import WhatIf


class PlanSummary(BaseModel):
    """What a plan says of itself. Tables go beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan_id: str = Field(description="Identity: derived from the inputs, so the same input gives the same id.")
    delivery_date: date
    as_of: datetime = Field(description="Orders up to here were counted.")
    after: str | None = Field(default=None, description="Plan whose purchase lines were sent and are locked here.")
    begun_from: str | None = Field(default=None, description="Plan the purchase search began from.")
    stays_near: bool = Field(default=False, description="Lines that differ from it had a price.")
    what_if: WhatIf | None = Field(
        default=None, description="Other circumstances than the data say: a plan to learn from, never to send."
    )
    revises: str | None = Field(default=None, description="Plan this one changes after it was out; orders are its own.")
    revised_at: datetime | None = Field(default=None, description="What was sorted or had left by then stays.")
    aboard: dict[str, tuple[str, ...]] = Field(
        default={}, description="Route/trip/stop of trucks that had left by then, and whose goods they carry."
    )
    stages: tuple[StageReport, ...]
    costs_yuan: dict[str, float] = Field(description="Cost breakdown; the parts sum to 'total'.")
    demand_units: dict[str, float] = Field(description="confirmed, remaining, final.")
    settings_fingerprint: str
    input_fingerprints: dict[str, str] = Field(description="Table name to content hash.")
    model_version: str = Field(description="Forecast model that served, or the labelled fallback.")
    versions: dict[str, str] = Field(description="Library versions that can change an answer.")
    seed: int
    warnings: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = Field(default=(), description="Where a fallback answered instead of the model.")
    synthetic: tuple[str, ...] = Field(default=(), description="Reference tables that were generated, not given.")

    @property
    def status(self) -> SolveStatus:
        """Return the worst status of the stages."""
        order = [SolveStatus.PROVED, SolveStatus.FEASIBLE, SolveStatus.NO_ANSWER, SolveStatus.INFEASIBLE]
        return max((stage.status for stage in self.stages), key=order.index)
