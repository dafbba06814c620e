"""Two practices to compare with: the cheapest list price per SKU, and the plain model given to the solver."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from contracts.solve import relative_gap
from optimize.purchase import PurchaseData
from optimize.purchase.costs import price_out
from optimize.purchase.demand import Ints
from optimize.purchase.feasible import broken_yuan
from optimize.purchase.model import constant_yuan
from optimize.purchase.solver import Effort, new_problem, number, solve, value, weighted, whole


def cheapest_price(data: PurchaseData) -> dict[str, Any]:
    """Return the cost of buying expected demand, rounded up to cases, at the cheapest list price, then the next."""
    started = time.perf_counter()
    offers = data.offers
    cases = np.zeros(len(offers), dtype=np.int64)
    key = ["supplier_id", "sku_id", "warehouse_id"]
    listed = offers[key].merge(data.reference.offers, on=key, how="left", validate="1:1")
    missing = data.demand.mean - data.base_units
    lowest = data.bands.groupby("offer")["from_cases"].min().reindex(range(len(offers)), fill_value=0)
    order = np.lexsort((np.arange(len(offers)), listed["unit_price_yuan"], offers["cell"]))
    received = data.column("offers", "received_per_case")
    for o in order.tolist():
        c = int(offers["cell"].iloc[o])
        if missing[c] <= 0 or offers["max_cases"].iloc[o] <= 0:
            continue
        wanted = int(np.ceil(missing[c] / received[o] - 1e-9))
        cases[o] = min(max(wanted, int(lowest.iloc[o])), int(offers["max_cases"].iloc[o]))
        missing[c] -= cases[o] * received[o]
    seconds = time.perf_counter() - started
    return {
        "cost": price_out(data, cases)["total"],
        "bound": None,
        "gap": None,
        "seconds": seconds,
        "keeps_limits": broken_yuan(data, cases) == 0,
    }


def plain_milp(data: PurchaseData, *, seconds: float) -> dict[str, Any]:
    """Return what the solver makes of the textbook model: spend per rebate level, one big-M per supplier."""
    started = time.perf_counter()
    problem = new_problem("plain")
    offer = data.bands["offer"].to_numpy(np.int64)
    low, high = data.bands["from_cases"].tolist(), data.bands["to_cases"].tolist()
    n = [whole(problem, f"n_{b}", high=high[b]) for b in range(len(offer))]
    on = [whole(problem, f"on_{b}", high=1) for b in range(len(offer))]
    for b in range(len(offer)):
        problem += weighted([(n[b], 1.0), (on[b], -float(low[b]))]) >= 0
        problem += weighted([(n[b], 1.0), (on[b], -float(high[b]))]) <= 0
    bands_of: dict[int, list[int]] = {}
    for b, o in enumerate(offer.tolist()):
        bands_of.setdefault(o, []).append(b)
    for bands in bands_of.values():
        problem += weighted([(on[b], 1.0) for b in bands]) <= 1
    objective = _suppliers(problem, data, n, on)
    objective += _regret(problem, data, n)
    salvage = data.column("cells", "salvage_yuan")[data.offers["cell"].to_numpy(np.int64)]
    per_case = data.column("offers", "freight_yuan_per_case") - salvage * data.column("offers", "received_per_case")
    slope = data.column("bands", "yuan_per_case") + per_case[offer]
    objective += list(zip(n, slope.tolist(), strict=True))
    objective += list(zip(on, data.column("bands", "fixed_yuan").tolist(), strict=True))
    problem.setObjective(weighted(objective, constant_yuan(data)))
    left = seconds - (time.perf_counter() - started)
    answer = solve(problem, Effort(seconds=max(left, 1.0), gap=1e-4))
    spent = time.perf_counter() - started
    if not answer.has_values:
        return {"cost": None, "bound": answer.bound, "gap": None, "seconds": spent}
    cases = np.zeros(len(data.offers), dtype=np.int64)
    np.add.at(cases, offer, np.rint([value(v) for v in n]).astype(np.int64))
    cost = price_out(data, cases)["total"]
    return {"cost": cost, "bound": answer.bound, "gap": relative_gap(cost, answer.bound), "seconds": spent}


def _suppliers(problem: Any, data: PurchaseData, n: list[Any], on: list[Any]) -> list[tuple[Any, float]]:
    """Spend of a supplier is split over its levels; each level needs its threshold; all need the supplier opened."""
    supplier = data.offers["supplier"].to_numpy(np.int64)[data.bands["offer"].to_numpy(np.int64)]
    slope, fixed = data.column("bands", "yuan_per_case"), data.column("bands", "fixed_yuan")
    most = fixed + slope * data.column("bands", "to_cases")
    objective = []
    for s in range(len(data.suppliers)):
        bands = np.flatnonzero(supplier == s).tolist()
        tiers = data.tiers[data.tiers["supplier"] == s]
        top = float(most[bands].sum()) + float(data.suppliers["locked_yuan"].iloc[s])
        opened, spent = [], []
        for t, row in enumerate(tiers.itertuples()):
            opened.append(whole(problem, f"open_{s}_{t}", high=1))
            spent.append(number(problem, f"spend_{s}_{t}"))
            problem += weighted([(spent[t], 1.0), (opened[t], -float(row.from_yuan))]) >= 0
            problem += weighted([(spent[t], 1.0), (opened[t], -top)]) <= 0
            objective.append((spent[t], -float(row.rebate_rate)))
            objective.append((opened[t], float(data.suppliers["order_cost_yuan"].iloc[s])))
        problem += weighted([(z, 1.0) for z in opened]) <= 1
        bill = [(n[b], slope[b]) for b in bands] + [(on[b], fixed[b]) for b in bands]
        total = weighted([*bill, *((v, -1.0) for v in spent)], float(data.suppliers["locked_yuan"].iloc[s]))
        problem += total == 0
    return objective


def _regret(problem: Any, data: PurchaseData, n: list[Any]) -> list[tuple[Any, float]]:
    """Regret lies above tangents at the quantiles of demand."""
    offer = data.bands["offer"].to_numpy(np.int64)
    cell = data.offers["cell"].to_numpy(np.int64)[offer]
    received = data.column("offers", "received_per_case")[offer]
    order = np.argsort(cell, kind="stable")
    ends = np.searchsorted(cell[order], np.arange(len(data.cells) + 1))
    points = np.stack([data.demand.quantile(np.full(len(data.cells), p)) for p in np.linspace(0.0, 0.999, 16)])
    points = np.maximum(points, data.base_units)
    objective = []
    for c in range(len(data.cells)):
        regret = number(problem, f"regret_{c}")
        objective.append((regret, 1.0))
        cells = np.full(len(points), c)
        height = data.recourse.regret_yuan(points[:, c], cells)
        slope = data.recourse.regret_slope(points[:, c], cells)
        own: Ints = order[ends[c] : ends[c + 1]]
        for x, h, b in zip(points[:, c].tolist(), height.tolist(), slope.tolist(), strict=True):
            pairs = [(n[m], -b * received[m]) for m in own.tolist()]
            problem += weighted([(regret, 1.0), *pairs]) >= h - b * x + b * float(data.base_units[c])
    return objective
