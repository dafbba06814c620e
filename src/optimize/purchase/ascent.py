"""Raising the bound: deflected subgradient steps of Polyak's length.

Each step goes along the supergradient plus nine tenths of the last direction (P. Camerini, L. Fratta, F. Maffioli, "On
improving relaxation methods by modified gradient techniques", Mathematical Programming Study 3, 1975), as far as would
reach a target a little above the best bound (B. Polyak, 1969). When the bound stalls the step is shortened and the
search returns to the best prices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimize.purchase.compiled import Grid
from optimize.purchase.demand import Floats
from optimize.purchase.pool import Pool
from optimize.purchase.relaxation import Evaluation, Flags, Multipliers, Relaxation

DEFLECTION = 0.9
MEMORY = 0.95
"""Weight of the past in the running averages of what the relaxation opens."""


@dataclass(frozen=True)
class Pace:
    """How long and how boldly to climb.

    Attributes
    ----------
    steps : int
    length : float
        First step length, as a share of Polyak's.
    above : float
        How far above the best bound the target lies, as a share of it.
    patience : int
        Steps without a better bound before the step is shortened.
    collect : int
        Last steps whose answers go into the pool of patterns.
    """

    steps: int
    length: float = 1.0
    above: float = 0.01
    patience: int = 20
    collect: int = 40


@dataclass(frozen=True)
class Climb:
    """Where a climb ended: best prices and bound, the share of late steps each level was open, steps made."""

    prices: Multipliers
    bound: float
    open_share: Floats
    steps: int


def climb(
    relaxation: Relaxation,
    grid: Grid,
    prices: Multipliers,
    *,
    pace: Pace,
    pool: Pool,
    allowed: Flags | None = None,
    expired: Callable[[], bool] = lambda: False,
) -> Climb:
    """Return the best prices found from a start, within the pace or until time is up."""
    scale = relaxation.scale().vector()
    most = relaxation.most().vector() * scale
    at = prices.vector() * scale
    best_at, best, length, stalled = at, -np.inf, pace.length, 0
    direction = np.zeros_like(at)
    share = np.zeros(len(relaxation.rate))
    weight, made = 0.0, 0
    while made < pace.steps and not (made > 0 and expired()):
        found: Evaluation = relaxation.evaluate(prices.like(at / scale), grid, allowed=allowed)
        made += 1
        share = MEMORY * share + (1.0 - MEMORY) * found.opened
        weight = MEMORY * weight + (1.0 - MEMORY)
        if made > pace.steps - pace.collect:
            pool.add(found.cases)
        if found.bound > best + 1e-6 * abs(best):
            best, best_at, stalled = found.bound, at, 0
        else:
            if found.bound > best:
                best, best_at = found.bound, at
            stalled += 1
            if stalled >= pace.patience:
                length, stalled, at = 0.7 * length, 0, best_at
                direction = np.zeros_like(at)
        slope = found.slope.vector() / scale
        slope = np.where((at <= 0.0) & (slope < 0.0), 0.0, slope)
        direction = slope + DEFLECTION * direction
        way = np.where((at <= 0.0) & (direction < 0.0), 0.0, direction)
        norm = float(way @ way)
        if norm <= 1e-18:
            break
        target = best + pace.above * max(abs(best), 1.0)
        at = np.clip(at + (length * (target - found.bound) / norm) * way, 0.0, most)
    return Climb(prices.like(best_at / scale), best, share / max(weight, 1e-12), made)
