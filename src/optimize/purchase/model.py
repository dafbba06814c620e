"""The whole purchase model in PuLP: one function per constraint family.

Indices: c SKU x warehouse, o offer, m = (band, rebate level) of an offer, s supplier, t rebate level, l lane, z zone.

Variables
    ``n[m]`` cases bought in a mode, ``on[m]`` whether the mode is used, ``open[t]`` whether the supplier buys at this
    level, ``truck[l]`` whole trucks, ``regret[c]`` expected cost of missing units, above the salvage of left-overs.

Spend is split over levels: a supplier opens one level at most and all its offers then buy in modes of that level. The
link ``on[m] <= open[t]`` is stated per offer, not per supplier: it makes the relaxation several times tighter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.solver import Expression, Variable, new_problem, number, value, weighted, whole

ELASTIC_YUAN = 1000.0
"""Price of a yuan below the minimum order of a supplier with locked lines: only paid when nothing else is left."""
TANGENTS = 24
"""Tangents of the regret per SKU x warehouse to begin with; more are added where a solution lies."""


@dataclass
class WholeModel:
    """The PuLP problem with its variables."""

    data: PurchaseData
    problem: Any
    mode_band: Ints
    mode_tier: Ints
    cases: list[Variable] = field(default_factory=list)
    used: list[Variable] = field(default_factory=list)
    opened: list[Variable] = field(default_factory=list)
    trucks: dict[int, Variable] = field(default_factory=dict)
    regret: list[Variable] = field(default_factory=list)
    below_minimum: dict[int, Variable] = field(default_factory=dict)
    received: list[Expression] = field(default_factory=list)

    def chosen_cases(self) -> Ints:
        """Return additional cases per offer of the solved problem."""
        offer = self.data.bands["offer"].to_numpy(np.int64)[self.mode_band]
        cases = np.zeros(len(self.data.offers), dtype=np.int64)
        np.add.at(cases, offer, np.rint([value(n) for n in self.cases]).astype(np.int64))
        return cases


def most_useful_cases(data: PurchaseData) -> Ints:
    """Return per band the most cases worth buying: enough, alone, to cover demand surely, or the band's minimum.

    Beyond that a case only adds left-over units. That is no loss of optimality while a unit costs more than its
    salvage even at the best rebate; where it may not, the band's own limit stands.
    """
    bands, offers = data.bands, data.offers
    offer = bands["offer"].to_numpy(np.int64)
    own = offers.iloc[offer]
    missing = np.maximum(data.recourse.enough_units - data.base_units, 0.0)[own["cell"]]
    enough = np.ceil(missing / own["received_per_case"].to_numpy(np.float64) - 1e-9)
    best_rate = data.tiers.groupby("supplier")["rebate_rate"].max().to_numpy()[own["supplier"]]
    pays = bands["yuan_per_case"] * (1.0 - best_rate) + own["freight_yuan_per_case"].to_numpy()
    brings = data.column("cells", "salvage_yuan")[own["cell"]] * own["received_per_case"].to_numpy(np.float64)
    top = np.minimum(bands["to_cases"].to_numpy(), np.maximum(enough, bands["from_cases"].to_numpy()))
    single = (pays > brings).to_numpy() & ~_fills_up(data)[own["supplier"]]
    return np.where(single, top, bands["to_cases"]).astype(np.int64)


def _fills_up(data: PurchaseData) -> np.ndarray:
    """Return which suppliers' thresholds may make a plan buy beyond need: a rebate, a minimum order or a share."""
    tiers = np.bincount(data.tiers["supplier"], minlength=len(data.suppliers)) > 1
    shares = np.zeros(len(data.suppliers), dtype=bool)
    shared_cells = np.unique(data.offers.loc[data.offers["max_share"] < 1.0, "cell"])
    shares[data.offers.loc[data.offers["cell"].isin(shared_cells), "supplier"]] = True
    return np.asarray(tiers | (data.column("suppliers", "min_order_yuan") > 0) | shares)


def build(data: PurchaseData) -> WholeModel:
    """Return the model with all its families."""
    offer = data.bands["offer"].to_numpy(np.int64)
    supplier = data.offers["supplier"].to_numpy(np.int64)
    level_supplier = data.tiers["supplier"].to_numpy(np.int64)
    pairs = [
        (band, tier)
        for band in range(len(offer))
        for tier in np.flatnonzero(level_supplier == supplier[offer[band]]).tolist()
    ]
    modes = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    model = WholeModel(data, new_problem("purchase"), modes[:, 0], modes[:, 1])
    _modes(model)
    _levels(model)
    _recourse(model)
    _one_mode_per_offer(model)
    _spend_reaches_level(model)
    _trucks(model)
    _zone_capacity(model)
    _largest_shares(model)
    _budget(model)
    _objective(model)
    return model


def _modes(model: WholeModel) -> None:
    """Cases of a mode lie in its band, if it is used at all: ``from on <= n <= to on``; and only at an open level."""
    low = model.data.bands["from_cases"].to_numpy()
    high = most_useful_cases(model.data)
    model.opened = [whole(model.problem, f"open_{t}", high=1) for t in range(len(model.data.tiers))]
    for m, (band, tier) in enumerate(zip(model.mode_band.tolist(), model.mode_tier.tolist(), strict=True)):
        n = whole(model.problem, f"n_{m}", high=int(high[band]))
        on = whole(model.problem, f"on_{m}", high=1)
        model.cases.append(n)
        model.used.append(on)
        model.problem += weighted([(n, 1.0), (on, -float(low[band]))]) >= 0
        model.problem += weighted([(n, 1.0), (on, -float(high[band]))]) <= 0
        model.problem += weighted([(on, 1.0), (model.opened[tier], -1.0)]) <= 0


def _levels(model: WholeModel) -> None:
    """A supplier opens one level at most; one with locked lines exactly one."""
    locked = model.data.suppliers["has_locked"].to_numpy(bool)
    for s, rows in _group(model.data.tiers["supplier"].to_numpy(np.int64)).items():
        total = weighted([(model.opened[t], 1.0) for t in rows])
        model.problem += (total == 1) if locked[s] else (total <= 1)


def _one_mode_per_offer(model: WholeModel) -> None:
    """An offer buys in one mode at most."""
    for rows in _group(model.data.bands["offer"].to_numpy(np.int64)[model.mode_band]).values():
        if len(rows) > 1:
            model.problem += weighted([(model.used[m], 1.0) for m in rows]) <= 1


def _spend_reaches_level(model: WholeModel) -> None:
    """What is bought in the modes of a level, with the locked yuan, reaches its threshold."""
    data = model.data
    fixed, slope = data.column("bands", "fixed_yuan"), data.column("bands", "yuan_per_case")
    locked = data.column("suppliers", "locked_yuan")
    rows_of = _group(model.mode_tier)
    for t, (s, from_yuan, _) in enumerate(data.tiers.itertuples(index=False)):
        missing = from_yuan - locked[s]
        if missing <= 0:
            continue
        spend = [(model.cases[m], slope[model.mode_band[m]]) for m in rows_of.get(t, [])]
        spend += [(model.used[m], fixed[model.mode_band[m]]) for m in rows_of.get(t, []) if fixed[model.mode_band[m]]]
        spend.append((model.opened[t], -missing))
        if data.suppliers["has_locked"].iloc[s] and data.tiers["rebate_rate"].iloc[t] == 0.0:
            gap = number(model.problem, f"below_{s}")
            model.below_minimum[s] = gap
            spend.append((gap, 1.0))
        model.problem += weighted(spend) >= 0


def _trucks(model: WholeModel) -> None:
    """Whole trucks carry the kilograms of a lane."""
    data = model.data
    lanes = _group(data.offers["lane"].to_numpy(np.int64)[data.bands["offer"].to_numpy(np.int64)[model.mode_band]])
    kg = data.column("offers", "kg_per_case")[data.bands["offer"].to_numpy(np.int64)[model.mode_band]]
    capacity, locked = data.column("lanes", "truck_capacity_kg"), data.column("lanes", "locked_kg")
    for lane in np.flatnonzero(np.isfinite(capacity) & (data.column("lanes", "truck_yuan") > 0)).tolist():
        if lane not in lanes and locked[lane] <= 0:
            continue
        model.trucks[lane] = whole(model.problem, f"truck_{lane}")
        load = [(model.cases[m], kg[m]) for m in lanes.get(lane, [])]
        model.problem += weighted([*load, (model.trucks[lane], -capacity[lane])], locked[lane]) <= 0


def _zone_capacity(model: WholeModel) -> None:
    """Units bought fit what a warehouse's zone can still receive."""
    data = model.data
    offer = data.bands["offer"].to_numpy(np.int64)[model.mode_band]
    units = data.column("offers", "case_units")[offer]
    room = np.maximum(data.column("zones", "capacity_units") - data.column("zones", "taken_units"), 0.0)
    for z, rows in _group(data.offers["zone"].to_numpy(np.int64)[offer]).items():
        model.problem += weighted([(model.cases[m], units[m]) for m in rows]) <= room[z]


def _largest_shares(model: WholeModel) -> None:
    """A supplier's units stay within its share of the SKU x warehouse, if it is ordered from now."""
    data = model.data
    offers = data.offers
    offer = data.bands["offer"].to_numpy(np.int64)[model.mode_band]
    modes_of = _group(offer)
    in_cell = _group(offers["cell"].to_numpy(np.int64)[offer])
    units = data.column("offers", "case_units")
    locked = data.column("cells", "locked_units")
    for o in np.flatnonzero(data.column("offers", "max_share") < 1.0).tolist():
        if o not in modes_of:
            continue
        share, cell = float(offers["max_share"].iloc[o]), int(offers["cell"].iloc[o])
        pairs = [(model.cases[m], units[offer[m]] * ((1.0 if offer[m] == o else 0.0) - share)) for m in in_cell[cell]]
        own_locked = float(offers["locked_cases"].iloc[o]) * units[o]
        excess = own_locked - share * locked[cell]
        if excess > 0:  # locked lines may be beyond the share already: then it binds only if more is ordered
            pairs += [(model.used[m], excess) for m in modes_of[o]]
            model.problem += weighted(pairs) <= 0
        else:
            model.problem += weighted(pairs, excess) <= 0


def _budget(model: WholeModel) -> None:
    """Goods, before lines are rounded to the fen, stay within what the budget leaves."""
    data = model.data
    if not np.isfinite(data.budget_left_yuan):
        return
    fixed, slope = data.column("bands", "fixed_yuan"), data.column("bands", "yuan_per_case")
    pairs = [(n, slope[band]) for n, band in zip(model.cases, model.mode_band.tolist(), strict=True)]
    pairs += [(on, fixed[b]) for on, b in zip(model.used, model.mode_band.tolist(), strict=True) if fixed[b]]
    model.problem += weighted(pairs) <= data.budget_left_yuan


def _recourse(model: WholeModel) -> None:
    """Regret lies above its tangents, at first in even steps of probability."""
    data = model.data
    offer = data.bands["offer"].to_numpy(np.int64)[model.mode_band]
    received = data.column("offers", "received_per_case")[offer]
    in_cell = _group(data.offers["cell"].to_numpy(np.int64)[offer])
    base = data.base_units
    for c in range(len(data.cells)):
        model.regret.append(number(model.problem, f"regret_{c}"))
        model.received.append(weighted([(model.cases[m], received[m]) for m in in_cell.get(c, [])], base[c]))
    low, high = base, np.maximum(data.recourse.enough_units, base)
    for share in np.linspace(0.0, 1.0, TANGENTS):
        levels = np.full(len(base), share)
        add_tangents(model, np.clip(data.demand.quantile(levels), low, high))
    add_tangents(model, low)


def add_tangents(model: WholeModel, units: Floats, cells: Ints | None = None) -> None:
    """Add a tangent of the regret at a quantity of each cell."""
    recourse = model.data.recourse
    rows = np.arange(len(model.data.cells)) if cells is None else cells
    height, slope = recourse.regret_yuan(units, rows), recourse.regret_slope(units, rows)
    for c, x, h, b in zip(rows.tolist(), units.tolist(), height.tolist(), slope.tolist(), strict=True):
        if b < 0.0:
            line = model.received[c] * (-b)
            line.addterm(model.regret[c], 1.0)
            model.problem += line >= h - b * x


def _objective(model: WholeModel) -> None:
    """Goods less rebates, order costs, freight, regret; salvage of what is received counts per case."""
    data = model.data
    offer = data.bands["offer"].to_numpy(np.int64)[model.mode_band]
    pay = 1.0 - data.column("tiers", "rebate_rate")[model.mode_tier]
    salvage = data.column("cells", "salvage_yuan")[data.offers["cell"].to_numpy(np.int64)]
    per_case = data.column("offers", "freight_yuan_per_case") - salvage * data.column("offers", "received_per_case")
    slope = data.column("bands", "yuan_per_case")[model.mode_band] * pay + per_case[offer]
    fixed = data.column("bands", "fixed_yuan")[model.mode_band] * pay
    supplier = data.tiers["supplier"].to_numpy(np.int64)
    opening = data.column("suppliers", "order_cost_yuan")[supplier] - (
        data.column("tiers", "rebate_rate") * data.column("suppliers", "locked_yuan")[supplier]
    )
    pairs = list(zip(model.cases, slope.tolist(), strict=True))
    once = fixed + data.column("bands", "side_yuan")[model.mode_band]
    pairs += [(on, yuan) for on, yuan in zip(model.used, once.tolist(), strict=True) if yuan]
    pairs += list(zip(model.opened, opening.tolist(), strict=True))
    pairs += [(truck, data.column("lanes", "truck_yuan")[lane]) for lane, truck in model.trucks.items()]
    pairs += [(regret, 1.0) for regret in model.regret]
    pairs += [(gap, ELASTIC_YUAN) for gap in model.below_minimum.values()]
    model.problem += weighted(pairs, constant_yuan(data))


def constant_yuan(data: PurchaseData) -> float:
    """Return what is spent whatever is decided: locked goods and freight, less the salvage counted too much."""
    salvage = data.column("cells", "salvage_yuan")
    return float(
        data.column("suppliers", "locked_yuan").sum()
        + data.column("lanes", "locked_freight_yuan").sum()
        - (salvage * (data.base_units - data.demand.mean)).sum()
        + data.standing_changes_yuan
        + data.groups.refund_yuan
    )


def _group(keys: Ints) -> dict[int, list[int]]:
    """Return the positions of each key."""
    groups: dict[int, list[int]] = {}
    for position, key in enumerate(keys.tolist()):
        groups.setdefault(key, []).append(position)
    return groups
