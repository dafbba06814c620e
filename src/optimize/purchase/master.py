"""The master problem in PuLP: one pattern per SKU x warehouse so that every chosen rebate level is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from optimize.purchase.demand import Floats, Ints
from optimize.purchase.dive import CLOSED
from optimize.purchase.exchange import LACK_YUAN, Terms
from optimize.purchase.pool import PatternTable, entries_of
from optimize.purchase.relaxation import Multipliers, Relaxation
from optimize.purchase.solver import Answer, Effort, Variable, new_problem, number, solve, value, weighted, whole

Pair = tuple[Variable, float]
HAIR_YUAN = 0.01
"""A threshold is aimed at a hair above its value, so that rounded line amounts still reach it."""


@dataclass
class Master:
    """The master problem over some columns at given rebate levels, whole or relaxed."""

    relaxation: Relaxation
    table: PatternTable
    terms: Terms
    levels: Ints
    columns: Ints
    relaxed: bool
    problem: Any = field(default_factory=lambda: new_problem("master"))
    take: dict[int, Variable] = field(default_factory=dict)
    thresholds: dict[int, Any] = field(default_factory=dict)
    rooms: dict[int, Any] = field(default_factory=dict)
    budget: Any = None
    lacks: dict[int, Variable] = field(default_factory=dict)
    trucks: dict[int, Variable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Build the rows, one family after the other."""
        table, tier = self.table, self.levels[self.table.entry_supplier]
        shut = np.bincount(table.entry_pattern, tier == CLOSED, minlength=len(table.base_yuan)) > 0
        self.columns = self.columns[~shut[self.columns]]
        rate = np.where(tier == CLOSED, 0.0, self.relaxation.rate[tier])
        yuan = table.base_yuan - np.bincount(
            table.entry_pattern, table.entry_yuan * rate, minlength=len(table.base_yuan)
        )
        kind = number if self.relaxed else whole
        self.take = {p: kind(self.problem, f"take_{p}", high=1) for p in self.columns.tolist()}
        costs = [(self.take[p], y) for p, y in zip(self.columns.tolist(), yuan[self.columns].tolist(), strict=True)]
        costs += self._trucks(kind)
        costs += self._thresholds()
        self.problem.setObjective(weighted(costs))
        self._one_pattern_each()
        self._zones()
        self._budget()

    def solve(self, effort: Effort, *, start: Ints | None = None) -> Answer:
        """Solve in place, beginning with a choice of patterns if given and none of them uses a closed supplier."""
        if start is None or not set(start.tolist()) <= set(self.take):
            return solve(self.problem, effort)
        begin = {self.take[p]: 1.0 for p in start.tolist()}
        entries = entries_of(self.table, start)
        bought = np.bincount(self.table.entry_supplier[entries], self.table.entry_yuan[entries], len(self.levels))
        for s, lack in self.lacks.items():
            begin[lack] = max(self.relaxation.missing[self.levels[s]] + HAIR_YUAN - bought[s], 0.0)
        load = np.bincount(self.table.entry_lane[entries], self.table.entry_kg[entries], len(self.terms.truck_kg))
        kg = load + self.relaxation.data.column("lanes", "locked_kg")
        for lane, truck in self.trucks.items():
            begin[truck] = float(np.ceil(kg[lane] / self.terms.truck_kg[lane] - 1e-9))
        return solve(self.problem, effort, start=begin)

    def chosen(self) -> Ints:
        """Return the pattern of each cell with the highest value."""
        best = np.zeros(len(self.table.cell_patterns) - 1, dtype=np.int64)
        cell = np.searchsorted(self.table.cell_patterns, self.columns, side="right") - 1
        held = np.array([value(self.take[p]) for p in self.columns.tolist()])
        order = np.lexsort((held, cell))
        last = np.append(np.diff(cell[order]) > 0, True)
        best[cell[order][last]] = self.columns[order][last]
        return best

    def prices(self) -> Multipliers:
        """Return the multipliers the solved relaxed master implies (levels are given, so nothing waits)."""
        relaxation = self.relaxation
        start = relaxation.start()
        reward, crowd = np.zeros_like(start.reward), np.zeros_like(start.crowd)
        for tier, row in self.thresholds.items():
            reward[tier] = min(max(float(row.pi), 0.0), float(relaxation.most_reward[tier]))
        for zone, row in self.rooms.items():
            crowd[zone] = max(-float(row.pi), 0.0)
        purse = np.zeros_like(start.purse)
        if self.budget is not None:
            purse[:] = max(-float(self.budget.pi), 0.0)
        return Multipliers(np.zeros_like(start.wait), reward, crowd, np.zeros_like(start.share), purse)

    def _one_pattern_each(self) -> None:
        """Every cell takes one pattern (the empty one is always there)."""
        ends = self.table.cell_patterns
        spots = np.searchsorted(self.columns, ends)
        names = self.columns.tolist()
        for a, b in pairwise(spots.tolist()):
            self.problem += weighted([(self.take[p], 1.0) for p in names[a:b]]) == 1

    def _sums(self, keys: Ints, amounts: Floats) -> dict[int, list[Pair]]:
        """Return the terms of a sum over entries, by key (a pattern has at most one entry per key)."""
        sums: dict[int, list[Pair]] = {}
        for p, key, amount in zip(self.table.entry_pattern.tolist(), keys.tolist(), amounts.tolist(), strict=True):
            if p in self.take:
                sums.setdefault(key, []).append((self.take[p], amount))
        return sums

    def _thresholds(self) -> list[Pair]:
        """The spend at a supplier reaches its level, minimum order included; what lacks is priced."""
        costs = []
        sums = self._sums(self.table.entry_supplier, self.table.entry_yuan)
        for s, tier in enumerate(self.levels.tolist()):
            if tier != CLOSED and self.relaxation.missing[tier] > 0:
                lack = number(self.problem, f"lack_{s}")
                self.lacks[s] = lack
                costs.append((lack, LACK_YUAN))
                row = weighted([*sums.get(s, []), (lack, 1.0)]) >= self.relaxation.missing[tier] + HAIR_YUAN
                self.problem += row
                self.thresholds[tier] = row
        return costs

    def _zones(self) -> None:
        """Units fit each zone that could overflow."""
        ends = self.table.cell_patterns
        cell = np.searchsorted(ends, self.columns, side="right") - 1
        units = self.table.units[self.columns]
        most = np.zeros(len(ends) - 1)
        np.maximum.at(most, cell, units)
        for zone, room in enumerate(self.relaxation.room.tolist()):
            if most[self.terms.cell_zone == zone].sum() > room:
                here = np.flatnonzero((self.terms.cell_zone[cell] == zone) & (units > 0))
                pairs = [
                    (self.take[p], u) for p, u in zip(self.columns[here].tolist(), units[here].tolist(), strict=True)
                ]
                self.rooms[zone] = weighted(pairs) <= room
                self.problem += self.rooms[zone]

    def _budget(self) -> None:
        """Goods stay within the budget, if there is one."""
        left = self.relaxation.data.budget_left_yuan
        if np.isfinite(left):
            goods = np.bincount(self.table.entry_pattern, self.table.entry_yuan, len(self.table.base_yuan))
            pairs = [(self.take[p], goods[p]) for p in self.columns.tolist() if goods[p] > 0]
            self.budget = weighted(pairs) <= left
            self.problem += self.budget

    def _trucks(self, kind: Any) -> list[Pair]:
        """Whole trucks carry each lane's kilograms."""
        if not (self.terms.truck_yuan > 0).any():
            return []
        costs = []
        loads = self._sums(self.table.entry_lane, self.table.entry_kg)
        locked = self.relaxation.data.column("lanes", "locked_kg")
        for lane in np.flatnonzero(self.terms.truck_yuan > 0).tolist():
            if lane in loads or locked[lane] > 0:
                truck = kind(self.problem, f"truck_{lane}")
                self.trucks[lane] = truck
                costs.append((truck, float(self.terms.truck_yuan[lane])))
                pairs = [*loads.get(lane, []), (truck, -float(self.terms.truck_kg[lane]))]
                self.problem += weighted(pairs) <= -float(locked[lane])
        return costs
