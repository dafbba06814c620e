"""The master problem in PuLP: one pattern per SKU x warehouse so that every chosen rebate level is reached."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimize.purchase.demand import Floats, Ints
from optimize.purchase.dive import CLOSED
from optimize.purchase.exchange import Terms, entries_of
from optimize.purchase.pool import PatternTable
from optimize.purchase.relaxation import Relaxation
from optimize.purchase.solver import Effort, Variable, new_problem, number, solve, value, weighted, whole

Pair = tuple[Variable, float]
LACK_YUAN = 1.0
"""Price of a yuan of spend that lacks at a threshold: several times what a rebate is worth, so that few do."""
HAIR_YUAN = 0.01
"""A threshold is aimed at a hair above its value, so that rounded line amounts still reach it."""


def solve_master(
    relaxation: Relaxation,
    table: PatternTable,
    terms: Terms,
    *,
    levels: Ints,
    columns: Ints,
    effort: Effort,
    start: Ints | None = None,
) -> Ints | None:
    """Return one pattern per cell at the given rebate levels, or None if the effort found none.

    Parameters
    ----------
    levels : array, shape (suppliers,)
        Level each supplier is used at; `CLOSED` ones are not ordered from.
    columns : array of int
        Patterns to choose from, rising.
    start : array of int, optional
        A choice that keeps all rows, to begin with.
    """
    tier = levels[table.entry_supplier]
    pattern = np.repeat(np.arange(len(table.base_yuan)), np.diff(table.pattern_entries))
    rate = np.where(tier == CLOSED, 0.0, relaxation.rate[tier])
    yuan = table.base_yuan - np.bincount(pattern, table.entry_yuan * rate, minlength=len(table.base_yuan))
    shut = np.bincount(pattern, tier == CLOSED, minlength=len(table.base_yuan)) > 0
    columns = columns[~shut[columns]]
    problem = new_problem("master")
    take: dict[int, Variable] = {p: whole(problem, f"take_{p}", high=1) for p in columns.tolist()}
    trucks = _add_trucks(problem, relaxation, table, terms, take)
    lacks = _thresholds(problem, relaxation, table, take, levels)
    pairs = [(take[p], y) for p, y in zip(columns.tolist(), yuan[columns].tolist(), strict=True)]
    pairs += [(truck, float(terms.truck_yuan[lane])) for lane, truck in trucks.items()]
    problem.setObjective(weighted([*pairs, *((lack, LACK_YUAN) for lack in lacks)]))
    _one_pattern_each(problem, table, take)
    _zones(problem, relaxation, table, terms, take)
    begin = None
    if start is not None and all(int(p) in take for p in start):
        begin = {take[int(p)]: 1.0 for p in start} | _truck_start(relaxation, table, terms, trucks, start)
    answer = solve(problem, effort, start=begin)
    if not answer.has_values:
        return None
    chosen = np.zeros(len(table.cell_patterns) - 1, dtype=np.int64)
    cell = np.searchsorted(table.cell_patterns, columns, side="right") - 1
    for c, p in zip(cell.tolist(), columns.tolist(), strict=True):
        if value(take[p]) > 0.5:
            chosen[c] = p
    return chosen


def _one_pattern_each(problem: Any, table: PatternTable, take: dict[int, Variable]) -> None:
    """Every cell takes one pattern (the empty one is always there)."""
    for first, end in zip(table.cell_patterns[:-1].tolist(), table.cell_patterns[1:].tolist(), strict=True):
        problem += weighted([(take[p], 1.0) for p in range(first, end) if p in take]) == 1


def _entries(table: PatternTable, take: dict[int, Variable], keys: Ints, amounts: Floats) -> dict[int, list[Pair]]:
    """Return the terms of a sum over entries, by key (a pattern has at most one entry per key)."""
    pattern = np.repeat(np.arange(len(table.base_yuan)), np.diff(table.pattern_entries))
    terms: dict[int, list[Pair]] = {}
    for p, key, amount in zip(pattern.tolist(), keys.tolist(), amounts.tolist(), strict=True):
        if p in take:
            terms.setdefault(key, []).append((take[p], amount))
    return terms


def _thresholds(
    problem: Any, relaxation: Relaxation, table: PatternTable, take: dict[int, Variable], levels: Ints
) -> list[Variable]:
    """The spend at a supplier reaches its level, minimum order included; what lacks is priced, so an answer exists."""
    lacks = []
    sums = _entries(table, take, table.entry_supplier, table.entry_yuan)
    for s, tier in enumerate(levels.tolist()):
        if tier != CLOSED and relaxation.missing[tier] > 0:
            lacks.append(number(problem, f"lack_{s}"))
            problem += weighted([*sums.get(s, []), (lacks[-1], 1.0)]) >= relaxation.missing[tier] + HAIR_YUAN
    return lacks


def _zones(problem: Any, relaxation: Relaxation, table: PatternTable, terms: Terms, take: dict[int, Variable]) -> None:
    """Units fit each zone."""
    cell = np.repeat(np.arange(len(table.cell_patterns) - 1), np.diff(table.cell_patterns))
    for z, room in enumerate(relaxation.room.tolist()):
        here = np.flatnonzero((terms.cell_zone[cell] == z) & (table.units > 0))
        pairs = [(take[p], table.units[p]) for p in here.tolist() if p in take]
        most = sum(table.units[a:b].max(initial=0.0) for a, b in _cells_in(table, terms, z))
        if pairs and most > room:
            problem += weighted(pairs) <= room


def _cells_in(table: PatternTable, terms: Terms, zone: int) -> list[tuple[int, int]]:
    cells = np.flatnonzero(terms.cell_zone == zone).tolist()
    return [(int(table.cell_patterns[c]), int(table.cell_patterns[c + 1])) for c in cells]


def _add_trucks(
    problem: Any, relaxation: Relaxation, table: PatternTable, terms: Terms, take: dict[int, Variable]
) -> dict[int, Variable]:
    """Whole trucks carry each lane's kilograms."""
    trucks = {}
    loads = _entries(table, take, table.entry_lane, table.entry_kg)
    locked = relaxation.data.column("lanes", "locked_kg")
    for lane in np.flatnonzero(terms.truck_yuan > 0).tolist():
        if lane in loads or locked[lane] > 0:
            trucks[lane] = whole(problem, f"truck_{lane}")
            pairs = [*loads.get(lane, []), (trucks[lane], -float(terms.truck_kg[lane]))]
            problem += weighted(pairs) <= -float(locked[lane])
    return trucks


def _truck_start(
    relaxation: Relaxation, table: PatternTable, terms: Terms, trucks: dict[int, Variable], start: Ints
) -> dict[Variable, float]:
    entries = entries_of(table, start)
    kg = relaxation.data.column("lanes", "locked_kg") + np.bincount(
        table.entry_lane[entries], table.entry_kg[entries], minlength=len(terms.truck_kg)
    )
    return {truck: float(np.ceil(kg[lane] / terms.truck_kg[lane] - 1e-9)) for lane, truck in trucks.items()}
