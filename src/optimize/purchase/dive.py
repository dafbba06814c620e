"""Choosing a rebate level for every supplier: fix the clearest, let the prices answer, and go on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimize.purchase.ascent import Climb, Pace, climb
from optimize.purchase.compiled import Grid
from optimize.purchase.demand import Ints
from optimize.purchase.pool import Pool
from optimize.purchase.relaxation import Flags, Relaxation

CLOSED = -1


def dive(
    relaxation: Relaxation,
    grid: Grid,
    start: Climb,
    *,
    free: Flags,
    levels: Ints,
    rounds: int,
    pace: Pace,
    pool: Pool,
    expired: Callable[[], bool],
) -> tuple[Ints, Climb]:
    """Return a level per supplier (`CLOSED`: not ordered from) and the last climb.

    Parameters
    ----------
    start : Climb
        Prices and open shares to begin with.
    free : array of bool, shape (suppliers,)
        Suppliers to decide; the others keep their entry of `levels`.
    rounds : int
        Rounds over which the free suppliers are fixed, the clearest first.
    pace : Pace
        Of the climb after each round.
    """
    levels = levels.copy()
    open_now = free.copy()
    last = start
    for left in range(rounds, 0, -1):
        undecided = np.flatnonzero(open_now)
        if not len(undecided):
            break
        choice, clear = _clearest(relaxation, last)
        count = int(np.ceil(len(undecided) / left)) if not expired() else len(undecided)
        chosen = undecided[np.argsort(-clear[undecided], kind="stable")][:count]
        levels[chosen] = choice[chosen]
        open_now[chosen] = False
        allowed = allowed_levels(relaxation, levels, open_now)
        last = climb(relaxation, grid, last.prices, pace=pace, pool=pool, allowed=allowed, expired=expired)
    return levels, last


def allowed_levels(relaxation: Relaxation, levels: Ints, free: Flags) -> Flags:
    """Return which levels stay open: all of a free supplier, the chosen one of the others."""
    allowed: Flags = np.array(free[relaxation.tier_supplier], dtype=bool)
    fixed = levels[~free & (levels != CLOSED)]
    allowed[fixed] = True
    return allowed


def _clearest(relaxation: Relaxation, last: Climb) -> tuple[Ints, np.ndarray]:
    """Return each supplier's most often open level (or `CLOSED`) and how often that was the answer."""
    share = last.open_share
    choice = np.full(relaxation.suppliers, CLOSED, dtype=np.int64)
    clear = np.ones(relaxation.suppliers)
    np.subtract.at(clear, relaxation.tier_supplier, share)
    clear[relaxation.has_locked] = -1.0
    for t, s in enumerate(relaxation.tier_supplier.tolist()):
        if share[t] > clear[s]:
            clear[s], choice[s] = share[t], t
    return choice, clear
