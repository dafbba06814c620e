"""The sorting of a night: every floor decided, seated, checked and reported."""

from __future__ import annotations

import logging
import time

import numpy as np
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.errors import CheckFailedError
from contracts.planned import WaveLoads
from contracts.solve import SolveLimits, SolveStatus, StageReport, relative_gap
from optimize.sorting.check import check, recomputed_costs
from optimize.sorting.data import SortingData
from optimize.sorting.decide import Decision, decide
from optimize.sorting.explain import explain, missing_goods
from optimize.sorting.floor import Floor
from optimize.sorting.floors import build_floors
from optimize.sorting.plan import SortingPlan, release_table, task_table, wave_table
from optimize.sorting.solver import Ending, solver_name

PROOF_GAP = 1e-9
"""Relative gap below which cost and bound are the same number."""

log = logging.getLogger(__name__)


def sort(data: SortingData, *, limits: SolveLimits) -> SortingPlan:
    """Decide wave, station and slot of every destination's goods in every zone, at least cost.

    Cost is labour + overtime + lateness; among plans of equal cost found, the one whose workers are spread most
    evenly over the waves. A destination's goods of a zone are sorted together, in one slot of one wave, which starts
    after all of them came; the destinations of a route trip share a wave. Of goods that come in several lots,
    destinations are served in the order of their latest end, each whole (`ready_moments`); bound and proof hold
    under this rule.

    Returns
    -------
    SortingPlan
        With status INFEASIBLE or NO_ANSWER the tables are empty and ``report.explanation`` says why.

    Raises
    ------
    CheckFailedError
        The plan breaks its own check.
    """
    began = time.perf_counter()
    floors, reasons = build_floors(data)
    reasons += missing_goods(data)
    decisions = [] if reasons else _decide_all(floors, data, limits, began)
    for floor, decision in zip(floors, decisions, strict=False):
        reasons += explain(data, floor) if decision.infeasible else []
    seconds = time.perf_counter() - began
    stopped = _stopped_by(decisions)
    if reasons or any(decision.waves is None for decision in decisions):
        status = SolveStatus.INFEASIBLE if reasons else SolveStatus.NO_ANSWER
        return SortingPlan(
            StageReport(
                stage="sorting",
                status=status,
                seconds=seconds,
                seed=limits.seed,
                solver=solver_name(),
                stopped_by=stopped,
                explanation=tuple(reasons) or _no_answer(floors, decisions),
            )
        )
    plan = _tables(data, floors, decisions, limits, stopped, began)
    findings = check(data, plan)
    if findings:
        raise CheckFailedError("sorting", findings)
    log.info(
        "sort: rows in %d, rows out %d, %s, %.2f yuan, %.2f s",
        len(data.goods),
        len(plan.tasks),
        plan.report.status,
        plan.costs["total"],
        plan.report.seconds,
    )
    return plan


def _decide_all(floors: list[Floor], data: SortingData, limits: SolveLimits, began: float) -> list[Decision]:
    """Decide floor after floor; each may use its share, by number of destinations, of the seconds left."""
    decisions: list[Decision] = []
    for number, floor in enumerate(floors):
        left = max(limits.seconds - (time.perf_counter() - began), 0.1)
        ahead = sum(len(other.units) for other in floors[number:])
        mine = limits.model_copy(update={"seconds": left * len(floor.units) / ahead})
        decisions.append(decide(floor, limits=mine, pairs=data.settings.whole_model_pairs))
    return decisions


def _tables(
    data: SortingData,
    floors: list[Floor],
    decisions: list[Decision],
    limits: SolveLimits,
    stopped: str,
    began: float,
) -> SortingPlan:
    waves: list[NDArray[np.int64]] = [d.waves for d in decisions if d.waves is not None]
    tasks = task_table(data, floors, waves)
    loads = wave_table(floors, waves)
    draft = SortingPlan(StageReport(stage="sorting", status=SolveStatus.FEASIBLE), tasks, loads)
    costs = recomputed_costs(data, draft)
    bounds = [d.bound_yuan for d in decisions]
    bound = None if any(b is None for b in bounds) else float(sum(b for b in bounds if b is not None))
    gap = relative_gap(costs["total"], bound)
    status = SolveStatus.PROVED if gap is not None and gap <= limits.gap else SolveStatus.FEASIBLE
    report = StageReport(
        stage="sorting",
        status=status,
        cost_yuan=costs["total"],
        bound_yuan=bound,
        gap=gap,
        seconds=time.perf_counter() - began,
        seed=limits.seed,
        solver=solver_name(),
        stopped_by=_ended(stopped, gap, limits.gap),
        explanation=_what_binds(floors, loads),
    )
    return SortingPlan(report, tasks, loads, release_table(tasks), costs, _warnings(loads))


def _stopped_by(decisions: list[Decision]) -> str:
    """Return the weakest ending of any search: seconds, then work, then gap or proof."""
    endings = {ending for decision in decisions for ending in decision.endings}
    for weak in (Ending.SECONDS, Ending.WORK):
        if weak in endings:
            return str(weak)
    return str(Ending.PROOF) if endings else ""


def _ended(stopped: str, gap: float | None, wanted: float) -> str:
    """Return what ended the search: a limit that was hit, else proof, else gap, else the rounds of repair."""
    if stopped in (Ending.SECONDS, Ending.WORK):
        return stopped
    if gap is None or gap > wanted:
        return str(Ending.WORK)
    return str(Ending.PROOF) if gap <= PROOF_GAP else "gap"


def _no_answer(floors: list[Floor], decisions: list[Decision]) -> tuple[str, ...]:
    return tuple(
        f"{floor.name}: the limits ended before waves for {len(floor.members)} destinations were found: allow more "
        "seconds or work."
        for floor, decision in zip(floors, decisions, strict=True)
        if decision.waves is None
    )


def _what_binds(floors: list[Floor], loads: DataFrame[WaveLoads]) -> tuple[str, ...]:
    """Return which floors use every worker or need overtime."""
    sentences = []
    for floor in floors:
        mine = loads[
            (loads["warehouse_id"] == floor.zone.warehouse_id)
            & (loads["temperature_zone"] == floor.zone.temperature_zone)
        ]
        full = mine[mine["workers"] >= floor.zone.max_workers]
        if len(full):
            sentences.append(f"{floor.name}: all {floor.zone.max_workers} workers are used in {len(full)} waves.")
    return tuple(sentences)


def _warnings(loads: DataFrame[WaveLoads]) -> tuple[str, ...]:
    late = loads[loads["late_minutes"] > 0]
    return tuple(
        f"{key[0]} {key[1]}: {len(waves)} waves end after a destination's latest end, by up to "
        f"{waves['late_minutes'].max():,.0f} minutes."
        for key, waves in late.groupby(["warehouse_id", "temperature_zone"])
    )
