"""Questions about a kept plan's purchase: what stands behind it, and what other circumstances would change."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import PurchaseLines
from contracts.solve import SolveLimits, SolveStatus, StageReport
from optimize.purchase import (
    Insight,
    PurchaseData,
    PurchasePlan,
    WhatIf,
    allocate,
    change_sheet,
    explain,
    purchase_data,
    what_if,
)
from pipeline.desk import PlanningDesk
from pipeline.fingerprint import settings_fingerprint, table_fingerprint

_TERMS = (
    "skus",
    "suppliers",
    "offers",
    "price_breaks",
    "spend_rebates",
    "lanes",
    "warehouse_zones",
    "stock",
    "group_thresholds",
)
"""Reference tables a purchase depends on."""


@dataclass(frozen=True)
class Kept:
    """A kept plan's purchase as a problem again.

    Attributes
    ----------
    stale : tuple of str
        Tables (or ``settings``) that are not as they were when it was planned; figures are those of today's terms.
    """

    data: PurchaseData
    plan: PurchasePlan
    stale: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a what-if changes: the plan under it, the lines that differ, and tables that are not as planned."""

    before: PurchasePlan
    after: PurchasePlan
    changes: pd.DataFrame
    stale: tuple[str, ...]


def kept_purchase(desk: PlanningDesk, plan_id: str) -> Kept:
    """Return a kept plan's purchase and the problem it answered, on the terms the store holds now.

    Raises
    ------
    NotFoundError
        There is no such plan.
    """
    kept = desk.saved_plan(plan_id)
    summary, reference = kept.summary, desk.store.reference(kept.summary.delivery_date)
    day = pd.Timestamp(summary.delivery_date).as_unit("us")
    data = purchase_data(
        reference,
        kept.order_book,
        delivery_date=day,
        as_of=pd.Timestamp(summary.as_of).tz_convert("UTC").as_unit("us"),
        city=desk.settings.city,
        locked=None if summary.after is None else _sent(desk, summary.after),
        settings=desk.settings.purchase,
    )
    costs = {name.removeprefix("purchase."): yuan for name, yuan in summary.costs_yuan.items() if "purchase." in name}
    plan = PurchasePlan(
        lines=kept.purchase_lines,
        coverage=kept.coverage,
        groups=kept.group_decisions,
        costs={**costs, "total": sum(costs.values())},
        report=next((stage for stage in summary.stages if stage.stage == "purchase"), _no_report(kept.summary.seed)),
        warnings=summary.warnings,
    )
    now = {name: table_fingerprint(frame) for name, frame in reference.tables() if name in _TERMS}
    stale = [name for name in _TERMS if summary.input_fingerprints.get(name, now[name]) != now[name]]
    stale += ["settings"] if summary.settings_fingerprint != settings_fingerprint(desk.settings) else []
    return Kept(data, plan, tuple(stale))


def explain_purchase(desk: PlanningDesk, plan_id: str) -> tuple[Insight, Kept]:
    """Return what stands behind a kept plan's purchase."""
    kept = kept_purchase(desk, plan_id)
    return explain(kept.data, kept.plan), kept


def ask_what_if(desk: PlanningDesk, plan_id: str, change: WhatIf, *, seconds: float) -> Answer:
    """Plan a kept plan's purchase again under a change, from its lines on, and return what differs. Nothing is kept.

    Every line that differs costs `PurchaseSettings.change_yuan`, so that only changes worth their trouble are made.
    """
    kept = kept_purchase(desk, plan_id)
    effort = desk.settings.solve
    limits = SolveLimits(seconds=seconds, gap=effort.purchase_gap, seed=effort.seed, workers=effort.workers)
    after = allocate(what_if(kept.data, change, previous=kept.plan.lines), limits=limits)
    return Answer(kept.plan, after, change_sheet(kept.plan.lines, after.lines), kept.stale)


def _sent(desk: PlanningDesk, plan_id: str) -> DataFrame[PurchaseLines]:
    lines = PurchaseLines.check(desk.store.plan_table(plan_id, "purchase_lines"))
    return PurchaseLines.check(lines.assign(locked=True))


def _no_report(seed: int) -> StageReport:
    return StageReport(stage="purchase", status=SolveStatus.NO_ANSWER, seed=seed)
