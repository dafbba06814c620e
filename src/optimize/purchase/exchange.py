"""Local search over patterns at exact costs: rebates by the whole bill, order costs, whole trucks, limits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optimize.purchase.compiled import compiled
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.feasible import OVER_UNIT_YUAN, OVER_YUAN
from optimize.purchase.pool import PatternTable, entries_of

LACK_YUAN = 20.0
"""Price of a yuan of spend that lacks at a threshold aimed at: far above what a yuan of rebate is worth."""


class Terms(NamedTuple):
    """Terms of suppliers, lanes and zones for compiled code; ``tier_first[s]:tier_first[s+1]`` are a supplier's levels.

    ``lean_yuan`` is added per yuan of spend at a supplier: zero, except while a search is pushed elsewhere.
    While a search is ``aimed``, rebates are not judged by the spend: a supplier gives ``aim_rate`` on all of it, and
    each yuan below ``aim_from`` costs ``lack_yuan`` (infinite ``aim_from``: not to be ordered from).
    """

    order_cost: Floats
    min_order: Floats
    always: np.ndarray
    tier_first: Ints
    tier_from: Floats
    tier_rate: Floats
    truck_kg: Floats
    truck_yuan: Floats
    room: Floats
    cell_zone: Ints
    budget_left: float
    lean_yuan: Floats
    aimed: bool
    aim_rate: Floats
    aim_from: Floats
    lack_yuan: Floats


class Cooling(NamedTuple):
    """How an annealing goes: random moves, the yuan a move may cost more at first and at last, the seed."""

    moves: int
    hot_yuan: float
    cold_yuan: float
    seed: int


class State(NamedTuple):
    """A choice of one pattern per cell, and its sums per supplier, lane, zone and in all (changed in place)."""

    chosen: Ints
    spend: Floats
    buyers: Ints
    kg: Floats
    taken: Floats
    bill: Floats


def make_terms(data: PurchaseData) -> Terms:
    """Return the terms of a problem."""
    tiers = data.tiers["supplier"].to_numpy(np.int64)
    zones = {
        key: z for z, key in enumerate(zip(data.zones["warehouse_id"], data.zones["temperature_zone"], strict=True))
    }
    cell_zone = [zones.get(key, -1) for key in zip(data.cells["warehouse_id"], data.cells["zone"], strict=True)]
    return Terms(
        order_cost=data.column("suppliers", "order_cost_yuan"),
        min_order=data.column("suppliers", "min_order_yuan"),
        always=data.suppliers["has_locked"].to_numpy(bool),
        tier_first=np.searchsorted(tiers, np.arange(len(data.suppliers) + 1)).astype(np.int64),
        tier_from=data.column("tiers", "from_yuan"),
        tier_rate=data.column("tiers", "rebate_rate"),
        truck_kg=data.column("lanes", "truck_capacity_kg"),
        truck_yuan=data.column("lanes", "truck_yuan"),
        room=np.maximum(data.column("zones", "capacity_units") - data.column("zones", "taken_units"), 0.0),
        cell_zone=np.array(cell_zone, dtype=np.int64),
        budget_left=data.budget_left_yuan,
        lean_yuan=np.zeros(len(data.suppliers)),
        aimed=False,
        aim_rate=np.zeros(len(data.suppliers)),
        aim_from=np.zeros(len(data.suppliers)),
        lack_yuan=np.full(len(data.suppliers), LACK_YUAN),
    )


@compiled
def supplier_yuan(s: int, spend: float, buyers: int, terms: Terms) -> float:
    """Return order cost less rebate of a supplier at a spend, heavily priced below its minimum order."""
    if buyers == 0 and not terms.always[s]:
        return 0.0
    rate = 0.0
    if terms.aimed:
        if np.isinf(terms.aim_from[s]):
            return OVER_YUAN
        short = max(terms.aim_from[s] - spend, 0.0)
        return float(terms.order_cost[s] - terms.aim_rate[s] * spend + terms.lack_yuan[s] * short)
    for t in range(terms.tier_first[s], terms.tier_first[s + 1]):
        if spend >= terms.tier_from[t] - 1e-9 and terms.tier_rate[t] > rate:
            rate = terms.tier_rate[t]
    yuan: float = terms.order_cost[s] - rate * spend + terms.lean_yuan[s] * spend
    if spend < terms.min_order[s] - 1e-9:
        yuan += OVER_YUAN + OVER_UNIT_YUAN * (terms.min_order[s] - spend)
    return yuan


@compiled
def _lane_yuan(lane: int, kg: float, terms: Terms) -> float:
    if terms.truck_yuan[lane] == 0.0:
        return 0.0
    return float(np.ceil(kg / terms.truck_kg[lane] - 1e-9) * terms.truck_yuan[lane])


@compiled
def _zone_yuan(zone: int, units: float, terms: Terms) -> float:
    if zone < 0:
        return 0.0
    over = units - terms.room[zone]
    return OVER_YUAN + OVER_UNIT_YUAN * over if over > 1e-9 else 0.0


@compiled
def _bill_yuan(bill: float, terms: Terms) -> float:
    over = bill - terms.budget_left
    return OVER_YUAN + OVER_UNIT_YUAN * over if over > 1e-6 else 0.0


@compiled
def _change(p: int, cell: int, sign: int, table: PatternTable, terms: Terms, state: State) -> float:
    """Add (sign 1) or remove (-1) a pattern; return the change of cost."""
    yuan: float = sign * table.base_yuan[p] - _bill_yuan(state.bill[0], terms)
    for e in range(table.pattern_entries[p], table.pattern_entries[p + 1]):
        s, lane = table.entry_supplier[e], table.entry_lane[e]
        yuan -= supplier_yuan(s, state.spend[s], state.buyers[s], terms) + _lane_yuan(lane, state.kg[lane], terms)
        state.spend[s] += sign * table.entry_yuan[e]
        state.buyers[s] += sign
        state.bill[0] += sign * table.entry_yuan[e]
        state.kg[lane] += sign * table.entry_kg[e]
        yuan += supplier_yuan(s, state.spend[s], state.buyers[s], terms) + _lane_yuan(lane, state.kg[lane], terms)
    yuan += _bill_yuan(state.bill[0], terms)
    zone = terms.cell_zone[cell]
    if zone >= 0 and table.units[p] > 0.0:
        yuan -= _zone_yuan(zone, state.taken[zone], terms)
        state.taken[zone] += sign * table.units[p]
        yuan += _zone_yuan(zone, state.taken[zone], terms)
    return yuan


@compiled
def state_yuan(table: PatternTable, terms: Terms, state: State) -> float:
    """Return the cost of a state, what is locked left out, broken limits heavily priced."""
    yuan = 0.0
    for c in range(len(state.chosen)):
        yuan += table.base_yuan[state.chosen[c]]
    for s in range(len(state.spend)):
        yuan += supplier_yuan(s, state.spend[s], state.buyers[s], terms)
    for lane in range(len(state.kg)):
        yuan += _lane_yuan(lane, state.kg[lane], terms)
    for zone in range(len(state.taken)):
        yuan += _zone_yuan(zone, state.taken[zone], terms)
    return yuan + _bill_yuan(state.bill[0], terms)


@compiled
def descend(order: Ints, table: PatternTable, terms: Terms, state: State, sweeps: int) -> float:
    """Give each cell in turn its best pattern until a sweep changes nothing; return the change of cost."""
    total = 0.0
    for _ in range(sweeps):
        moved = 0
        for c in order:
            old = state.chosen[c]
            free = _change(old, c, -1, table, terms, state)
            best, best_yuan = old, -free - 1e-7
            for p in range(table.cell_patterns[c], table.cell_patterns[c + 1]):
                if p == old:
                    continue
                yuan = _change(p, c, 1, table, terms, state)
                _change(p, c, -1, table, terms, state)
                if yuan < best_yuan:
                    best, best_yuan = p, yuan
            total += free + _change(best, c, 1, table, terms, state)
            state.chosen[c] = best
            moved += best != old
        if moved == 0:
            break
    return total


@compiled
def anneal(columns: Ints, cell_columns: Ints, table: PatternTable, terms: Terms, state: State, plan: Cooling) -> float:
    """Try random patterns in random cells, taking dearer ones less and less; return the change of cost.

    ``columns[cell_columns[c]:cell_columns[c+1]]`` are the patterns tried in cell c. Random numbers are those of
    G. Marsaglia's xorshift ("Xorshift RNGs", Journal of Statistical Software 8, 2003) from the plan's seed.
    """
    total = 0.0
    bits = np.uint64(plan.seed) * np.uint64(2685821657736338717) + np.uint64(88172645463325252)
    heat = plan.hot_yuan
    cool = (plan.cold_yuan / plan.hot_yuan) ** (1.0 / max(plan.moves, 1))
    cells = np.uint64(len(cell_columns) - 1)
    soft = terms.lack_yuan.copy()
    for move in range(plan.moves):
        heat *= cool
        if move % 64 == 0:
            share = move / plan.moves
            for s in range(len(soft)):
                terms.lack_yuan[s] = soft[s] * (LACK_YUAN / soft[s]) ** share
        bits ^= bits << np.uint64(13)
        bits ^= bits >> np.uint64(7)
        bits ^= bits << np.uint64(17)
        c = int((bits >> np.uint64(11)) % cells)
        first, count = cell_columns[c], cell_columns[c + 1] - cell_columns[c]
        if count < 2:
            continue
        bits ^= bits << np.uint64(13)
        bits ^= bits >> np.uint64(7)
        bits ^= bits << np.uint64(17)
        p = columns[first + int((bits >> np.uint64(11)) % np.uint64(count))]
        old = state.chosen[c]
        if p == old:
            continue
        yuan = _change(old, c, -1, table, terms, state) + _change(p, c, 1, table, terms, state)
        bits ^= bits << np.uint64(13)
        bits ^= bits >> np.uint64(7)
        bits ^= bits << np.uint64(17)
        luck = np.float64(bits >> np.uint64(11)) / 9007199254740992.0
        if yuan <= 0.0 or luck < np.exp(-yuan / heat):
            state.chosen[c] = p
            total += yuan
        else:
            _change(p, c, -1, table, terms, state)
            _change(old, c, 1, table, terms, state)
    terms.lack_yuan[:] = LACK_YUAN
    return total


def state_of(data: PurchaseData, table: PatternTable, chosen: Ints) -> State:
    """Return the state of a choice of patterns, added up afresh."""
    entries = entries_of(table, chosen)
    supplier, lane = table.entry_supplier[entries], table.entry_lane[entries]
    terms = make_terms(data)
    taken = np.zeros(len(data.zones))
    zoned = terms.cell_zone >= 0
    np.add.at(taken, terms.cell_zone[zoned], table.units[chosen][zoned])
    return State(
        chosen=chosen.copy(),
        spend=data.column("suppliers", "locked_yuan")
        + np.bincount(supplier, table.entry_yuan[entries], minlength=len(data.suppliers)),
        buyers=np.bincount(supplier, minlength=len(data.suppliers)).astype(np.int64),
        kg=data.column("lanes", "locked_kg") + np.bincount(lane, table.entry_kg[entries], minlength=len(data.lanes)),
        taken=taken,
        bill=np.array([table.entry_yuan[entries].sum()]),
    )
