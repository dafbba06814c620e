"""Deciding one floor: the whole model when it is small, its relaxation repaired to whole batches when not."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.solve import SolveLimits, relative_gap
from optimize.sorting.floor import UNPLACED, Floor
from optimize.sorting.model import WaveModel, cap_cost, read_waves, spread_workers, wave_model
from optimize.sorting.solver import Answer, Ending, minimise
from optimize.sorting.start import cost_of, place_greedily

SPREAD_NODES = 50
"""Branch-and-bound nodes for the second goal, the spread: it need not be proved, and must not depend on the clock."""
REPAIR_NODES = 100
REPAIR_ROUNDS = 3
REPAIR_FREE = 60
"""Batches a repair round frees besides those still to be placed."""


@dataclass(frozen=True)
class Decision:
    """What is known of one floor.

    Attributes
    ----------
    waves : ndarray of int, shape (B,), or None
        Wave (0-based) of every batch; None without a plan.
    bound_yuan : float or None
        No plan of this floor costs less.
    infeasible : bool
        It is proved that no plan exists.
    endings : tuple of Ending
        What ended each search for cost.
    """

    waves: NDArray[np.int64] | None
    bound_yuan: float | None
    infeasible: bool
    endings: tuple[Ending, ...]


def decide(floor: Floor, *, limits: SolveLimits, pairs: int) -> Decision:
    """Return the cheapest waves found for a floor, the most even among equally cheap ones, with a bound.

    Waves that people have already (`Floor.before`) are one of the answers, if they still hold.

    Parameters
    ----------
    pairs : int
        Largest number of batch x wave pairs whose whole model is solved.
    """
    if (floor.earliest >= len(floor.grid)).any():
        return Decision(None, None, True, (Ending.INFEASIBLE,))
    search = _Search(floor, limits, time.perf_counter() + limits.seconds)
    whole = int(floor.allowed.sum()) <= pairs
    model = wave_model(floor, whole=whole)
    answer = search.run(model.problem, share=0.6)
    if answer.ending == Ending.INFEASIBLE:
        return Decision(None, None, True, (Ending.INFEASIBLE,))
    nowhere = np.full(len(floor.units), UNPLACED)
    plans = [place_greedily(floor, nowhere), floor.before]
    if answer.found is not None and whole:
        cheapest = read_waves(model, answer.found, nowhere)
        plans += [cheapest, search.spread(model, cost_of(floor, cheapest)[0])]
    elif answer.found is not None and answer.objective is not None:
        cheapest = read_waves(model, answer.found, nowhere)
        split = search.spread(model, answer.objective)
        plans += search.repair(cheapest if split is None else split, answer.bound)
    return Decision(_best(floor, plans), answer.bound, False, tuple(search.endings))


def _best(floor: Floor, plans: list[NDArray[np.int64] | None]) -> NDArray[np.int64] | None:
    """Return the cheapest, then most even, of the plans that place everything within the limits."""
    complete = [plan for plan in plans if plan is not None and (plan != UNPLACED).all()]
    ranked = [(*cost_of(floor, plan), number) for number, plan in enumerate(complete)]
    kept = [(round(yuan, 4), spread, number) for yuan, spread, number in ranked if np.isfinite(yuan)]
    return complete[min(kept)[2]] if kept else None


class _Search:
    """The searches on one floor, which share a clock, and what ended those for cost."""

    def __init__(self, floor: Floor, limits: SolveLimits, until: float) -> None:
        self.floor, self.limits, self.until = floor, limits, until
        self.endings: list[Ending] = []

    def run(self, problem: object, *, share: float = 1.0, nodes: int | None = None, note: bool = True) -> Answer:
        """Minimise within `share` of the seconds left."""
        work = self.limits.work if nodes is None else min(nodes, self.limits.work or nodes)
        seconds = max(self.until - time.perf_counter(), 0.05) * share
        answer = minimise(problem, seconds=seconds, nodes=work, gap=self.limits.gap * 0.5, seed=self.limits.seed)
        if note or answer.ending == Ending.SECONDS:
            self.endings.append(answer.ending)
        return answer

    def spread(self, model: WaveModel, yuan: float) -> NDArray[np.int64] | None:
        """Return the most even waves found among those that cost at most `yuan`; turns the model to this goal."""
        cap_cost(model, yuan)
        spread_workers(model, self.floor)
        answer = self.run(model.problem, share=0.5, nodes=SPREAD_NODES, note=False)
        nowhere = np.full(len(self.floor.units), UNPLACED)
        return None if answer.found is None else read_waves(model, answer.found, nowhere)

    def repair(self, waves: NDArray[np.int64], bound: float | None) -> list[NDArray[np.int64] | None]:
        """Return plans that place what a relaxation split, freeing more batches while the gap is open.

        At a vertex of the relaxation at most two batches per wave are split (Shmoys and Tardos 1993), so the
        first round is small. Later rounds also free random small batches, which fill workers up.
        """
        rng = np.random.default_rng(self.limits.seed)
        plans: list[NDArray[np.int64] | None] = [place_greedily(self.floor, waves)]
        small = np.argsort(self.floor.units, kind="stable")[: max(4 * REPAIR_FREE, len(waves) // 4)]
        held = waves.copy()
        for extra in range(REPAIR_ROUNDS):
            if extra:
                held[rng.choice(small, min(REPAIR_FREE * extra, len(small)), replace=False)] = UNPLACED
            model = wave_model(self.floor, whole=True, fixed=held)
            spread_workers(model, self.floor, beside_cost=self._hair())
            answer = self.run(model.problem, share=0.5, nodes=REPAIR_NODES, note=False)
            if answer.found is not None:
                held = read_waves(model, answer.found, held)
                plans.append(held.copy())
                gap = relative_gap(cost_of(self.floor, held)[0], bound)
                if gap is not None and gap <= self.limits.gap:
                    break
        return plans

    def _hair(self) -> float:
        """Return a weight at which the spread never outweighs the price of one worker."""
        wages = self.floor.worker_yuan[self.floor.worker_yuan > 0]
        most = float(len(self.floor.grid) * self.floor.zone.max_workers**2)
        most *= 1 + int((self.floor.before != UNPLACED).sum())
        return float(wages.min() if len(wages) else 1.0) / (2.0 * most)
