"""Questions about a plan's purchase: what stands behind it, and what other circumstances would change."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.access import PriceReader
from api.asked import PlanId, Running
from api.problems import PROBLEM_RESPONSES
from api.rows import records_json
from contracts.solve import StageReport
from contracts.what_if import WhatIf

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["plans"], responses=PROBLEM_RESPONSES)
Rows = list[dict[str, Any]]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Factor = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]


class PurchaseExplained(BaseModel):
    """What stands behind a plan's purchase."""

    confirmed_yuan: float = Field(description="Cost apart from chance.", examples=[4950.2])
    uncertainty_yuan: float = Field(description="What chance costs: shortage and left-overs.", examples=[170.2])
    asking_again_yuan: float = Field(description="Of it saved by ordering at the last deadlines.", examples=[35.0])
    shortfalls: Rows = Field(
        description="Placed orders left uncovered, with the limit to lift.",
        examples=[[{"warehouse_id": "W1", "sku_id": "K001", "units_short": 12.0, "cases_short": 1.0, "limit": "zone"}]],
    )
    limits: Rows = Field(
        description="Limits that bind and what one more unit is worth.",
        examples=[[{"kind": "zone", "where": "W1 chilled", "used": 900.0, "limit": 900.0, "worth_yuan": 3.2}]],
    )
    rebates: Rows = Field(
        description="Rebates reached per supplier, and how far the next level is.",
        examples=[[{"supplier_id": "S1", "spend_yuan": 1200.0, "rebate_yuan": 36.0, "missing_yuan": 300.0}]],
    )
    trucks: Rows = Field(examples=[[{"supplier_id": "S1", "warehouse_id": "W1", "trucks": 1, "free_kg": 120.0}]])
    stale: list[str] = Field(description="Inputs that are not as when it was planned.", examples=[["offers"]])


class Circumstances(BaseModel):
    """Other circumstances than the reference data and the orders say."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"without_suppliers": ["S1"], "demand_factor": {"*": 1.2}}}
    )

    without_suppliers: list[Name] = Field(default=[], max_length=1_000, description="Suppliers that take no order.")
    price_factor: dict[Name, Factor] = Field(default={}, description="Supplier to factor on all its prices.")
    demand_factor: dict[Name, Factor] = Field(
        default={}, description="SKU to factor on what is not ordered yet; * for all others."
    )
    lock: list[tuple[Name, Name, Name]] = Field(
        default=[], max_length=10_000, description="Lines that stay: supplier, SKU, warehouse."
    )
    budget_yuan: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Another budget.")

    def change(self) -> WhatIf:
        """Return them as the planning room takes them."""
        return WhatIf.model_validate(self.model_dump(include=set(WhatIf.model_fields)))


class WhatIfAsked(Circumstances):
    """Other circumstances, and the time to think about them."""

    seconds: float = Field(default=10.0, gt=0, le=30, description="Seconds to plan again.")


class WhatIfAnswer(BaseModel):
    """What would change; nothing is kept."""

    report: StageReport = Field(description="How good the answer is.")
    costs_before: dict[str, float] = Field(examples=[{"goods": 4800.0, "total": 5120.4}])
    costs_after: dict[str, float] = Field(examples=[{"goods": 4862.0, "total": 5182.4}])
    changes: Rows = Field(
        description="Purchase lines that differ.",
        examples=[[{"supplier_id": "S1", "sku_id": "K001", "change": "dropped", "extra_yuan": -186.0}]],
    )
    stale: list[str] = Field(description="Inputs that are not as when it was planned.", examples=[[]])


@router.get("/explain", summary="What stands behind a plan's purchase")
def explain_plan(plan_id: PlanId, _holder: PriceReader, service: Running) -> PurchaseExplained:
    """Return limits that bind and their worth, rebates, trucks, uncovered orders and what chance costs."""
    from pipeline.purchase_questions import explain_purchase

    found, kept = explain_purchase(service.desk, plan_id)
    return PurchaseExplained(
        confirmed_yuan=found.confirmed_yuan,
        uncertainty_yuan=found.uncertainty_yuan,
        asking_again_yuan=found.asking_again_yuan,
        shortfalls=_rows(found.shortfalls),
        limits=_rows(found.limits),
        rebates=_rows(found.rebates),
        trucks=_rows(found.trucks),
        stale=list(kept.stale),
    )


@router.post("/what-if", summary="Plan the purchase again under other circumstances")
def ask_what_if(plan_id: PlanId, asked: WhatIfAsked, _holder: PriceReader, service: Running) -> WhatIfAnswer:
    """Return cost by part before and after and the lines that differ, within some seconds; nothing is kept."""
    from pipeline import purchase_questions

    answer = purchase_questions.ask_what_if(service.desk, plan_id, asked.change(), seconds=asked.seconds)
    return WhatIfAnswer(
        report=answer.after.report,
        costs_before=answer.before.costs,
        costs_after=answer.after.costs,
        changes=_rows(answer.changes),
        stale=list(answer.stale),
    )


def _rows(frame: pd.DataFrame) -> Rows:
    found: Rows = json.loads(records_json(frame))
    return found
