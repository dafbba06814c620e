"""Which search answers a purchase problem, and what every search hands back."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from contracts.solve import SolveLimits
from optimize.purchase.costs import price_out
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.model import add_tangents, build
from optimize.purchase.solver import SOLVER, Effort, solve, value
from optimize.purchase.start import cheapest_offer_plan

ROUNDS = 8
"""Most times the whole model is solved again with tangents where its last answer lies."""


@dataclass(frozen=True)
class Found:
    """What a search hands back: additional cases per offer (None: no answer), and a proven bound on the cost."""

    cases: Ints | None
    bound: float | None
    stopped_by: str
    solver: str
    impossible: tuple[str, ...] = ()


def search(data: PurchaseData, limits: SolveLimits) -> Found:
    """Return the best plan a search finds within the limits."""
    return solve_whole(data, limits)


def solve_whole(data: PurchaseData, limits: SolveLimits) -> Found:
    """Solve the whole model in PuLP and HiGHS, refining the regret where the answer lies until it is exact.

    The tangents lie below the convex regret, so the solver's bound is a bound of the true cost at every round; the
    cost of each answer is our own. A fall-back answer from the cheapest offers stands in where the solver has none.
    """
    started = time.perf_counter()
    best = cheapest_offer_plan(data)
    cost = price_out(data, best)["total"]
    model = build(data)
    bound, stopped, impossible = -np.inf, "proof", []
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
        impossible = [
            f"Supplier {data.suppliers['supplier_id'].iloc[s]!r} stays {value(gap):.2f} yuan below its minimum order "
            f"with its locked lines, and no other limit allows more: unlock its lines or lower its minimum order."
            for s, gap in model.below_minimum.items()
            if value(gap) > 0.005
        ]
        cases = model.chosen_cases()
        found = price_out(data, cases)["total"]
        if found <= cost or impossible or model.below_minimum:
            best, cost = cases, found
        if impossible or cost - bound <= limits.gap * max(abs(cost), 1e-9) or answer.stopped_by in ("seconds", "work"):
            break
        add_tangents(model, data.received(cases))
    lowered = bound - 0.005 * len(data.offers) if _has_odd_cents(data) else bound
    return Found(
        cases=best,
        bound=lowered if np.isfinite(lowered) else None,
        stopped_by=stopped,
        solver=SOLVER,
        impossible=tuple(impossible),
    )


def _has_odd_cents(data: PurchaseData) -> bool:
    """Return whether line amounts can be rounded: then a line may cost half a cent less than the model counts."""
    cents = np.concatenate([data.column("bands", "yuan_per_case"), data.column("bands", "fixed_yuan")]) * 100.0
    return bool((np.abs(cents - np.rint(cents)) > 1e-6).any())
