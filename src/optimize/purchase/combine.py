"""Combining patterns at given rebate levels: column generation by the relaxed master, then the whole one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimize.purchase.compiled import Grid
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.dive import CLOSED, allowed_levels
from optimize.purchase.exchange import Cooling, Terms, anneal, descend, state_of
from optimize.purchase.master import HAIR_YUAN, Master
from optimize.purchase.polish import SWEEPS
from optimize.purchase.pool import PatternTable, Pool
from optimize.purchase.relaxation import Multipliers, Relaxation
from optimize.purchase.solver import Effort

MANY_COLUMNS = 4.0
"""Patterns per SKU x warehouse besides its best one, on average, in the relaxed master."""
FEW_COLUMNS = 0.2
"""The same in the whole master, where most cells are settled: their second best costs clearly more."""
LEAST_OTHERS = 500
WHOLE_MASTER_CELLS = 400
"""Up to so many SKU x warehouse the whole master is solved as well; beyond, annealing comes closer in less time."""
LEAST_LACK_YUAN = 0.05
"""Least price of a lacking yuan while annealing begins: below it thresholds would be forgotten."""
ANNEAL_MOVES = 200
"""Moves per SKU x warehouse; four times as many gain 0.003 % on 500 SKUs."""
HOT_YUAN = 0.3
COLD_YUAN = 0.02
"""Yuan a move may cost more at first and at last: the size of differences between good patterns."""


def combine(
    relaxation: Relaxation,
    grid: Grid,
    pool: Pool,
    terms: Terms,
    levels: Ints,
    prices: Multipliers,
    *,
    rounds: int,
    effort: Callable[[], Effort],
    expired: Callable[[], bool],
) -> tuple[PatternTable, Ints, int]:
    """Return the priced patterns, one per cell so that the levels are reached if that can be, and evaluations made.

    Parameters
    ----------
    prices : Multipliers
        Prices of the thresholds to begin with; the relaxed master's own follow.
    rounds : int
        Most rounds in which every cell offers its best pattern at the relaxed master's prices.
    effort : callable
        What a solve may still use.
    """
    nobody = np.zeros(relaxation.suppliers, dtype=bool)
    allowed = allowed_levels(relaxation, levels, nobody)
    made, relaxed = 0, None
    for _ in range(rounds):
        if expired():
            break
        table = pool.table()
        columns, _ = promising(table, terms, relaxation, levels, prices, extra=MANY_COLUMNS)
        master = Master(relaxation, table, terms, levels, columns, relaxed=True)
        if not master.solve(effort()).has_values:
            break
        relaxed = master
        prices = relaxed.prices()
        made += 1
        if not pool.add(relaxation.evaluate(prices, grid, allowed=allowed).cases):
            break
    table = pool.table()
    columns, best = promising(table, terms, relaxation, levels, prices, extra=MANY_COLUMNS)
    if relaxed is not None:
        best = pool.same(relaxed.table, relaxed.chosen())
    near = settle(relaxation, table, terms, levels, prices, columns, best, seed=effort().seed)
    if len(best) > WHOLE_MASTER_CELLS or expired():
        return table, near, made
    columns, _ = promising(table, terms, relaxation, levels, prices, extra=FEW_COLUMNS)
    master = Master(relaxation, table, terms, levels, np.union1d(columns, near), relaxed=False)
    return table, master.chosen() if master.solve(effort(), start=near).has_values else near, made


def settle(
    relaxation: Relaxation,
    table: PatternTable,
    terms: Terms,
    levels: Ints,
    prices: Multipliers,
    columns: Ints,
    chosen: Ints,
    *,
    seed: int,
) -> Ints:
    """Return a choice of patterns that reaches the levels, from a rounded one.

    What lacks at a threshold costs its price in the relaxed master at first, and more and more while the choice is
    annealed: near that price exchanges between suppliers are almost free, so that thresholds are met without waste.
    """
    closed = levels == CLOSED
    lack = np.full(relaxation.suppliers, LEAST_LACK_YUAN)
    lack[~closed] = np.maximum(prices.reward[levels[~closed]], LEAST_LACK_YUAN)
    aimed = terms._replace(
        aimed=True,
        aim_rate=np.where(closed, 0.0, relaxation.rate[levels]),
        aim_from=np.where(closed, np.inf, relaxation.data.column("tiers", "from_yuan")[levels] + HAIR_YUAN),
        lack_yuan=lack,
    )
    state = state_of(relaxation.data, table, chosen)
    cell = np.searchsorted(table.cell_patterns, columns, side="right") - 1
    ends = np.searchsorted(cell, np.arange(len(chosen) + 1)).astype(np.int64)
    cooling = Cooling(ANNEAL_MOVES * len(chosen), HOT_YUAN, COLD_YUAN, seed)
    anneal(columns, ends, table, aimed, state, cooling)
    descend(np.arange(len(chosen)), table, aimed, state, SWEEPS)
    return state.chosen


def promising(
    table: PatternTable, terms: Terms, relaxation: Relaxation, levels: Ints, prices: Multipliers, *, extra: float
) -> tuple[Ints, Ints]:
    """Return the patterns with the least cost at some prices, and each cell's best.

    Kept are the best and the empty one of every cell and, overall, the `extra` times as many others as there are cells
    that cost least more than their cell's best.
    """
    score = _scores(table, terms, relaxation, levels, prices)
    cell = np.repeat(np.arange(len(table.cell_patterns) - 1), np.diff(table.cell_patterns))
    order = np.lexsort((score, cell))
    rank = np.arange(len(order)) - table.cell_patterns[cell[order]]
    best = order[rank == 0]
    more = score - score[best][cell]
    keep = np.zeros(len(order), dtype=bool)
    others = max(int(extra * len(best)), LEAST_OTHERS)
    keep[np.argsort(more, kind="stable")[: len(best) + others]] = True
    keep[table.cell_patterns[:-1]] = True
    return np.flatnonzero(keep), best


def _scores(table: PatternTable, terms: Terms, relaxation: Relaxation, levels: Ints, prices: Multipliers) -> Floats:
    """Return each pattern's cost at the levels' rates and the prices of thresholds, zones and budget."""
    tier = levels[table.entry_supplier]
    pay = np.where(tier == CLOSED, 1e9, prices.purse.sum() - relaxation.rate[tier] - prices.reward[tier])
    cell = np.repeat(np.arange(len(table.cell_patterns) - 1), np.diff(table.cell_patterns))
    zone = terms.cell_zone[cell]
    crowd = np.where(zone >= 0, prices.crowd[zone], 0.0)
    entries = np.bincount(table.entry_pattern, table.entry_yuan * pay, minlength=len(table.base_yuan))
    return np.asarray(table.base_yuan + crowd * table.units + entries, dtype=np.float64)
