"""Two plans beside each other: costs by part, demand, and the purchase lines that differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from pipeline.plan import NightPlan

_LINE = ["supplier_id", "sku_id", "warehouse_id"]


class PlanComparison(BaseModel):
    """How a plan differs from another; differences are after minus before."""

    before: str = Field(description="Plan compared from.", examples=["20260302-0f3a9c1d2e"])
    after: str = Field(description="Plan compared to.", examples=["20260302-7b20de91aa"])
    same_date: bool = Field(description="Whether both are for the same delivery date.", examples=[True])
    costs_yuan: dict[str, tuple[float, float, float]] = Field(
        description="Part to before, after and difference; the parts sum to 'total'.",
        examples=[{"purchase.goods": (4800.0, 4862.0, 62.0), "total": (5120.4, 5182.4, 62.0)}],
    )
    demand_units: dict[str, tuple[float, float, float]] = Field(
        description="confirmed, remaining, final: before, after and difference.",
        examples=[{"final": (930.0, 944.0, 14.0)}],
    )
    lines_added: int = Field(examples=[1])
    lines_removed: int = Field(examples=[0])
    lines_changed: int = Field(examples=[2])
    inputs_changed: list[str] = Field(description="Inputs whose content differs.", examples=[["order_lines"]])


def line_changes(before: NightPlan, after: NightPlan) -> pd.DataFrame:
    """Return the purchase lines that differ, by supplier, SKU and warehouse."""
    columns = [*_LINE, "cases", "amount_yuan"]
    both = before.purchase_lines[columns].merge(
        after.purchase_lines[columns], on=_LINE, how="outer", suffixes=("_before", "_after"), indicator=True
    )
    moved = (both["_merge"] != "both") | (both["cases_before"] != both["cases_after"])
    both = both[moved | ((both["amount_yuan_before"] - both["amount_yuan_after"]).abs() > 0.005)]
    words = {"left_only": "removed", "right_only": "added", "both": "changed"}
    numbers = [f"{name}_{side}" for name in ("cases", "amount_yuan") for side in ("before", "after")]
    filled = both[numbers].fillna(0)
    return (
        both[_LINE]
        .assign(
            change=both["_merge"].astype("str").map(words),
            **{name: filled[name].astype(np.int64 if name.startswith("cases") else np.float64) for name in numbers},
        )
        .sort_values(_LINE, ignore_index=True)
    )


def compare_plans(before: NightPlan, after: NightPlan) -> PlanComparison:
    """Return how a plan differs from another."""
    old, new = before.summary, after.summary
    changes = line_changes(before, after)["change"].value_counts()
    prints = sorted(set(old.input_fingerprints) | set(new.input_fingerprints))
    return PlanComparison(
        before=old.plan_id,
        after=new.plan_id,
        same_date=old.delivery_date == new.delivery_date,
        costs_yuan=_beside(old.costs_yuan, new.costs_yuan),
        demand_units=_beside(old.demand_units, new.demand_units),
        lines_added=int(changes.get("added", 0)),
        lines_removed=int(changes.get("removed", 0)),
        lines_changed=int(changes.get("changed", 0)),
        inputs_changed=[n for n in prints if old.input_fingerprints.get(n) != new.input_fingerprints.get(n)],
    )


def _beside(old: dict[str, float], new: dict[str, float]) -> dict[str, tuple[float, float, float]]:
    names = [*old, *(name for name in new if name not in old)]
    return {name: (old.get(name, 0.0), new.get(name, 0.0), new.get(name, 0.0) - old.get(name, 0.0)) for name in names}
