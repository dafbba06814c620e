"""From a purchase problem to a checked plan."""

from __future__ import annotations

import logging
import time

import numpy as np
import pandas as pd

from contracts.errors import CheckFailedError
from contracts.money import line_amounts
from contracts.solve import SolveLimits, SolveStatus, StageReport, relative_gap
from optimize.purchase.check import check
from optimize.purchase.costs import price_out, spend_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.found import Found
from optimize.purchase.limits import unmet_minimums
from optimize.purchase.notes import plan_notes
from optimize.purchase.plan import PurchasePlan, coverage_table, line_table
from optimize.purchase.reasons import line_reasons
from optimize.purchase.search import search

FLOAT_NOISE = 1e-9
"""Relative gap that sums of floats leave."""
_log = logging.getLogger(__name__)


def allocate(data: PurchaseData, *, limits: SolveLimits, start: pd.DataFrame | None = None) -> PurchasePlan:
    """Return the purchase plan of least expected cost the limits allow, checked.

    The status says what is known: ``PROVED`` (gap at most ``limits.gap``), ``FEASIBLE`` (with the gap),
    ``INFEASIBLE`` (locked lines contradict a limit; the explanation names it, the tables hold the plan of least
    violation) or ``NO_ANSWER`` (the limits ended before any plan; the tables hold the locked lines only).

    Parameters
    ----------
    start : DataFrame[PurchaseLines], optional
        Lines of an earlier plan to begin from (default: `PurchaseData.previous`); what no longer can be bought of them
        is left out. The search only gets better from there.

    Raises
    ------
    CheckFailedError
        The plan does not survive its own check: a defect of ours, never a plan.
    """
    started = time.perf_counter()
    found = search(data, limits, begin=data.previous if start is None else start)
    cases = found.cases if found.cases is not None else np.zeros(len(data.offers), dtype=np.int64)
    costs = price_out(data, cases)
    broken = [*data.impossible, *_unmet(data, cases)]
    gap = relative_gap(costs["total"], found.bound) if found.cases is not None else None
    plan = PurchasePlan(
        lines=line_table(data, cases, line_reasons(data, cases)),
        coverage=coverage_table(data, cases),
        costs=costs,
        report=StageReport(
            stage="purchase",
            status=_status(found, broken, gap, limits),
            cost_yuan=costs["total"] if found.cases is not None else None,
            bound_yuan=found.bound,
            gap=gap,
            seconds=time.perf_counter() - started,
            seed=limits.seed,
            solver=found.solver,
            stopped_by=found.stopped_by,
            explanation=tuple(broken),
        ),
        groups=data.groups.decisions,
        warnings=(*data.warnings, *plan_notes(data, cases)),
    )
    findings = check(data, plan)
    if findings and not broken:
        raise CheckFailedError("purchase", findings)
    _log.info(
        "allocate: %d offers in, %d lines out, %s, cost %.2f, gap %s, %.1f s",
        len(data.offers),
        len(plan.lines),
        plan.report.status,
        costs["total"],
        gap,
        plan.report.seconds,
    )
    return plan


def _unmet(data: PurchaseData, cases: Ints) -> list[str]:
    """Return broken minimum orders, unless the input itself already explains them."""
    if data.impossible:
        return []
    return unmet_minimums(data.suppliers, spend_yuan(data, line_amounts(np.ones(len(cases)), data.goods_yuan(cases))))


def _status(found: Found, broken: list[str], gap: float | None, limits: SolveLimits) -> SolveStatus:
    if broken:
        return SolveStatus.INFEASIBLE
    if found.cases is None:
        return SolveStatus.NO_ANSWER
    return SolveStatus.PROVED if gap is not None and gap <= limits.gap + FLOAT_NOISE else SolveStatus.FEASIBLE
