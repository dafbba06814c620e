"""What it costs to move a line to another supplier: exact differences of the whole plan's cost, all at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimize.purchase.costs import lane_kg, spend_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.feasible import zone_room


def alternatives(data: PurchaseData, cases: Ints) -> pd.DataFrame:
    """Return, per offer with cases, the best other supplier for its units.

    Returns
    -------
    DataFrame, one row per offer with cases, in offer order
        ``offer, rivals`` (other suppliers with an open offer), ``best`` (offer position, -1: none can take more),
        ``supplier_id`` of the best, ``extra_yuan`` (change of the plan's cost), ``taken_share`` of the line's received
        units that the other can bring.
    """
    bought = np.flatnonzero(cases)
    pairs = _pairs(data, bought)
    table = pd.DataFrame({"offer": bought})
    rivals = pairs.groupby("from_offer")["to_offer"].count()
    table["rivals"] = rivals.reindex(bought, fill_value=0).to_numpy()
    moved = _priced(data, cases, pairs)
    moved = moved[np.isfinite(moved["extra_yuan"])].sort_values(["from_offer", "extra_yuan", "to_offer"])
    best = moved.drop_duplicates("from_offer").set_index("from_offer").reindex(bought)
    spot = best["to_offer"].fillna(-1).to_numpy(np.int64)
    names = data.offers["supplier_id"].to_numpy(object)
    table["best"] = spot
    table["supplier_id"] = [names[o] if o >= 0 else "" for o in spot]
    table["extra_yuan"] = best["extra_yuan"].to_numpy()
    table["taken_share"] = best["taken_share"].to_numpy()
    return table


def _pairs(data: PurchaseData, bought: Ints) -> pd.DataFrame:
    able = np.flatnonzero(data.offers["max_cases"].to_numpy() > 0)
    cell = data.offers["cell"].to_numpy(np.int64)
    left = pd.DataFrame({"cell": cell[bought], "from_offer": bought})
    pairs = left.merge(pd.DataFrame({"cell": cell[able], "to_offer": able}), on="cell")
    return pairs[pairs["from_offer"] != pairs["to_offer"]].reset_index(drop=True)


def _priced(data: PurchaseData, cases: Ints, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs with ``taken_share`` and ``extra_yuan`` (inf: a limit forbids it)."""
    away, to = pairs["from_offer"].to_numpy(np.int64), pairs["to_offer"].to_numpy(np.int64)
    received = data.column("offers", "received_per_case")
    units = data.column("offers", "case_units")
    asked = cases[to] + np.ceil(cases[away] * received[away] / received[to] - 1e-9).astype(np.int64)
    target = _allowed(data, to, asked)
    goods = data.goods_yuan(cases)
    leaves, comes = goods[away], np.minimum(_cost_at(data, to, target), 1e12) - goods[to]
    extra = comes - leaves
    supplier = data.offers["supplier"].to_numpy(np.int64)
    spend = spend_yuan(data, goods)
    count = np.bincount(supplier, weights=cases > 0, minlength=len(data.suppliers)) + data.column(
        "suppliers", "has_locked"
    )
    s, t = supplier[away], supplier[to]
    extra += _standing(data, s, spend[s] - leaves, count[s] - 1) - _standing(data, s, spend[s], count[s])
    joins = count[t] + (cases[to] == 0)
    extra += _standing(data, t, spend[t] + comes, joins) - _standing(data, t, spend[t], count[t])
    extra += _freight_change(data, cases, away, to, target)
    cell = data.offers["cell"].to_numpy(np.int64)[away]
    before = data.received(cases)[cell]
    after = before - cases[away] * received[away] + (target - cases[to]) * received[to]
    extra += data.recourse.cost_yuan(after, cell) - data.recourse.cost_yuan(before, cell)
    zone = data.offers["zone"].to_numpy(np.int64)[away]
    grows = (target - cases[to]) * units[to] - cases[away] * units[away]
    taken = np.minimum((target - cases[to]) * received[to] / (cases[away] * received[away]), 1.0)
    full = grows > np.maximum(zone_room(data, cases), 0.0)[zone] + 1e-9
    shared = np.zeros(len(data.cells), dtype=bool)
    shared[data.offers.loc[data.offers["max_share"] < 1.0, "cell"]] = True
    total = np.bincount(data.offers["cell"], weights=cases * units, minlength=len(data.cells))
    all_units = total[cell] + grows + data.column("cells", "locked_units")[cell]
    held = (target + data.column("offers", "locked_cases")[to]) * units[to]
    over = shared[cell] & (held > data.column("offers", "max_share")[to] * all_units + 1e-9)
    over |= float(goods.sum()) + comes - leaves > data.budget_left_yuan + 1e-6
    return pairs.assign(taken_share=taken, extra_yuan=np.where(full | over | (target <= cases[to]), np.inf, extra))


def _allowed(data: PurchaseData, offer: Ints, asked: Ints) -> Ints:
    """Return the fewest cases of each offer in a band that are at least `asked`; the most it sells otherwise."""
    bands = data.bands
    wanted = pd.DataFrame({"row": np.arange(len(offer)), "offer": offer, "asked": asked})
    fits = wanted.merge(bands[["offer", "from_cases", "to_cases"]], on="offer")
    fits = fits[fits["to_cases"] >= fits["asked"]]
    least = fits[["asked", "from_cases"]].max(axis=1).groupby(fits["row"]).min().reindex(range(len(offer)))
    most = data.offers["max_cases"].to_numpy(np.int64)[offer]
    return np.asarray(least.fillna(pd.Series(most)), dtype=np.int64)


def _cost_at(data: PurchaseData, offer: Ints, cases: Ints) -> Floats:
    """Return the goods yuan of `cases` of each listed offer (an offer may be listed more than once)."""
    wanted = pd.DataFrame({"row": np.arange(len(offer)), "offer": offer, "n": cases})
    inside = wanted.merge(data.bands, on="offer")
    inside = inside[(inside["n"] >= inside["from_cases"]) & (inside["n"] <= inside["to_cases"])]
    cost = np.full(len(offer), np.inf)
    cost[inside["row"]] = inside["fixed_yuan"] + inside["yuan_per_case"] * inside["n"]
    return cost


def _standing(data: PurchaseData, supplier: Ints, spend: Floats, count: Floats) -> Floats:
    """Return order cost less rebate of suppliers at a spend; inf below the minimum order, zero if not ordered from."""
    rate = np.zeros(len(supplier))
    level = data.tiers["supplier"].to_numpy(np.int64)
    for s, floor, share in zip(level, data.tiers["from_yuan"], data.tiers["rebate_rate"], strict=True):
        rate = np.where((supplier == s) & (spend >= floor - 1e-9), np.maximum(rate, share), rate)
    cost = data.column("suppliers", "order_cost_yuan")[supplier] - rate * spend
    below = spend < data.column("suppliers", "min_order_yuan")[supplier] - 1e-9
    return np.where(count <= 0, 0.0, np.where(below, np.inf, cost))


def _freight_change(data: PurchaseData, cases: Ints, away: Ints, to: Ints, target: Ints) -> Floats:
    per_case, kg = data.column("offers", "freight_yuan_per_case"), data.column("offers", "kg_per_case")
    lane = data.offers["lane"].to_numpy(np.int64)
    capacity, yuan = data.column("lanes", "truck_capacity_kg"), data.column("lanes", "truck_yuan")
    load = lane_kg(data, cases)

    def trucks(at: Ints, change: Floats) -> Floats:
        more = np.ceil((load[at] + change) / capacity[at] - 1e-9) - np.ceil(load[at] / capacity[at] - 1e-9)
        return np.asarray(more * yuan[at])

    comes = (target - cases[to]).astype(np.float64)
    leaves = cases[away].astype(np.float64)
    extra = comes * per_case[to] - leaves * per_case[away]
    return np.asarray(
        extra + trucks(lane[away], -leaves * kg[away]) + trucks(lane[to], comes * kg[to]), dtype=np.float64
    )
