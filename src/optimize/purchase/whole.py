"""Small problems: the whole model in PuLP and HiGHS, solved to proof."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from contracts.solve import SolveLimits
from optimize.purchase.costs import price_out
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.feasible import broken_yuan
from optimize.purchase.found import Found, lowered
from optimize.purchase.model import add_tangents, build
from optimize.purchase.solver import SOLVER, Effort, solve, value

ROUNDS = 8
"""Most times the whole model is solved again with tangents where its last answer lies."""


def solve_whole(data: PurchaseData, starts: Sequence[Ints], limits: SolveLimits) -> Found:
    """Solve the whole model in PuLP and HiGHS, refining the regret where the answer lies until it is exact.

    The tangents lie below the convex regret, so the solver's bound is a bound of the true cost at every round; the
    cost of each answer is our own. The best of `starts` stands in where the solver has none better.
    """
    started = time.perf_counter()
    best = min(starts, key=lambda cases: _judged(data, cases))
    cost = _judged(data, best)
    model = build(data)
    bound, stopped = -np.inf, "proof"
    nodes = limits.work
    for _ in range(ROUNDS):
        left = limits.seconds - (time.perf_counter() - started)
        if left <= 0 or (nodes is not None and nodes <= 0):
            stopped = "seconds" if left <= 0 else "work"
            break
        effort = Effort(seconds=left, gap=limits.gap / 2.0, nodes=nodes, seed=limits.seed)
        answer = solve(model.problem, effort)
        bound, stopped = max(bound, answer.bound), answer.stopped_by
        nodes = None if nodes is None else nodes - max(answer.nodes, 1)
        if not answer.has_values:
            break
        cases = model.chosen_cases()
        found = _judged(data, cases)
        if found <= cost:
            best, cost = cases, found
        violated = any(value(gap) > 0.005 for gap in model.below_minimum.values())
        if (
            violated
            or cost - bound <= (limits.gap + 1e-9) * max(abs(cost), 1e-9)
            or answer.stopped_by in ("seconds", "work")
        ):
            break
        add_tangents(model, data.received(cases))
    return Found(cases=best, bound=lowered(data, bound), stopped_by=stopped, solver=SOLVER)


def _judged(data: PurchaseData, cases: Ints) -> float:
    """Return a plan's cost with a price on what it breaks."""
    return price_out(data, cases)["total"] + broken_yuan(data, cases)
