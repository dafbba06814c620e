"""The plan judged without the solver: limits, prices and costs recomputed line by line from the reference tables."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np

from contracts.columns import QUANTILE_COLUMNS
from optimize.purchase.coverage_check import counts, coverage_findings
from optimize.purchase.data import PurchaseData
from optimize.purchase.group_check import Group, group_findings, recount_groups
from optimize.purchase.plan import PurchasePlan
from optimize.purchase.recount import Terms, read_terms
from optimize.purchase.rows import rows_of

CENT = 0.01
TOLERANCE = 1e-6
DEMAND_COLUMNS = ("confirmed", "final_mean", *QUANTILE_COLUMNS)
Key = tuple[str, str, str]


def check(data: PurchaseData, plan: PurchasePlan) -> list[str]:
    """Return what is wrong with a plan, one sentence each; empty when it keeps every limit and its costs are right.

    Works from the reference tables, the order book and the plan's own lines, with none of the arrays, prices or
    formulas the search used.
    """
    terms = read_terms(data)
    locked = {_key(row): row for row in rows_of(data.locked)}
    lines = {_key(row): row for row in rows_of(plan.lines)}
    found = [f"Locked line {_name(key)} is missing." for key in locked if key not in lines]
    found += [
        f"Line {_name(key)} occurs {n} times."
        for key, n in counts(plan.lines, "supplier_id", "sku_id", "warehouse_id")
        if n > 1
    ]
    for key, row in lines.items():
        found += _line_findings(key, row, locked.get(key), terms)
    found += _supplier_findings(lines, terms)
    found += _share_findings(data, lines, locked, terms)
    found += _zone_findings(lines, locked, terms)
    found += _demand_findings(data, plan)
    groups = recount_groups(data, terms)
    found += group_findings(data, plan, groups)
    found += coverage_findings(data, plan, terms, groups)
    found += _budget_findings(data, lines, locked)
    found += _cost_findings(data, plan, lines, terms, groups)
    return found


def _key(row: Any) -> Key:
    return row.supplier_id, row.sku_id, row.warehouse_id


def _name(key: Key) -> str:
    return f"{key[0]!r} / {key[1]!r} / {key[2]!r}"


def _line_findings(key: Key, row: Any, sent: Any, terms: Terms) -> list[str]:
    """A line is what was locked, or that and cases its offer allows now, at its price."""
    cases, units, amount = row.cases, row.units, row.amount_yuan
    base = (sent.cases, sent.units, sent.amount_yuan) if sent is not None else (0, 0.0, 0.0)
    if cases < base[0]:
        return [f"Line {_name(key)} undoes locked cases: {cases} of {base[0]}."]
    new = cases - base[0]
    if new == 0:
        same = abs(units - base[1]) <= TOLERANCE and abs(amount - base[2]) < CENT / 2
        return [] if same else [f"Locked line {_name(key)} was changed."]
    offer = terms.offers.get(key)
    if offer is None:
        return [f"Line {_name(key)} has no offer."]
    found = []
    late = offer.deadline < terms.as_of
    if offer.latest is None or offer.latest < terms.as_of:
        found.append(f"Line {_name(key)} cannot arrive any more.")
    if late and math.isnan(offer.late_price_yuan):
        return [*found, f"Line {_name(key)} is past the deadline and has no late price."]
    if late and not math.isnan(offer.late_max_cases) and new > offer.late_max_cases + TOLERANCE:
        found.append(f"Line {_name(key)} orders {new} late cases of {offer.late_max_cases:.0f}.")
    if cases > offer.max_cases or (not late and cases < offer.min_cases):
        found.append(f"Line {_name(key)}: {cases} cases, allowed {offer.min_cases} to {offer.max_cases}.")
    if abs(units - base[1] - new * offer.case_units) > TOLERANCE:
        found.append(f"Line {_name(key)}: {units} units are not {cases} cases of {offer.case_units}.")
    due = base[2] + offer.price_of(new, after=base[0], late=late)
    if abs(amount - due) > CENT / 2:
        found.append(f"Line {_name(key)} amounts to {amount:.2f} yuan, its terms give {due:.2f}.")
    return found


def _supplier_findings(lines: dict[Key, Any], terms: Terms) -> list[str]:
    spend: dict[str, float] = defaultdict(float)
    for key, row in lines.items():
        spend[key[0]] += row.amount_yuan
    return [
        f"Supplier {supplier!r} is ordered for {yuan:.2f} yuan, its minimum order is {terms.min_order[supplier]:.2f}."
        for supplier, yuan in spend.items()
        if yuan < terms.min_order[supplier] - CENT / 2
    ]


def _share_findings(data: PurchaseData, lines: dict[Key, Any], locked: dict[Key, Any], terms: Terms) -> list[str]:
    total: dict[tuple[str, str], float] = defaultdict(float)
    for (_, sku, warehouse), row in lines.items():
        total[sku, warehouse] += row.units
    found = []
    for key, row in lines.items():
        sent = locked[key].cases if key in locked else 0
        share = terms.max_share.get(key[0], math.nan)
        if (key[2], key[1]) in terms.dual:
            share = float(np.fmin(share, data.settings.dual_source_share))
        if row.cases == sent or math.isnan(share) or terms.rivals[key[1], key[2]] < 2:
            continue
        most = share * total[key[1], key[2]]
        if row.units > most + TOLERANCE:
            found.append(f"Line {_name(key)} exceeds its supplier's share: {row.units} of {most:.1f} units.")
    return found


def _zone_findings(lines: dict[Key, Any], locked: dict[Key, Any], terms: Terms) -> list[str]:
    taken: dict[tuple[str, str], float] = defaultdict(float, terms.due_in)
    fixed: dict[tuple[str, str], float] = defaultdict(float, terms.due_in)
    for key, row in lines.items():
        place = key[2], terms.zone[key[1]]
        taken[place] += row.units
        fixed[place] += locked[key].units if key in locked else 0.0
    found = []
    for place, units in taken.items():
        most = max(terms.capacity.get(place, 0.0), fixed[place])
        if units > most + TOLERANCE:
            found.append(f"Zone {place[1]} of {place[0]!r} receives {units:.0f} units, it can take {most:.0f}.")
    return found


def _demand_findings(data: PurchaseData, plan: PurchasePlan) -> list[str]:
    """The demand a coverage row shows is the order book's; without a book row (stock or locked lines only) it is zero.

    Needed before `_coverage_findings`, which recounts shortage and surplus from the demand the row itself shows.
    """
    book = {(row.place_id, row.sku_id): row for row in rows_of(data.book)}
    found = []
    for row in rows_of(plan.coverage):
        asked = book.get((row.warehouse_id, row.sku_id))
        for name in DEMAND_COLUMNS:
            shown, due = getattr(row, name), 0.0 if asked is None else getattr(asked, name)
            if not abs(shown - due) <= TOLERANCE * (1.0 + abs(due)):
                found.append(
                    f"Coverage of {row.sku_id!r} at {row.warehouse_id!r}: {name} is {shown:.4f}, "
                    f"the order book says {due:.4f}."
                )
    return found


def _budget_findings(data: PurchaseData, lines: dict[Key, Any], locked: dict[Key, Any]) -> list[str]:
    """Goods stay within the budget, but for the half fen each line may be rounded up by; sent lines are not undone."""
    if data.settings.budget_yuan is None:
        return []
    most = max(data.settings.budget_yuan, sum(row.amount_yuan for row in locked.values()))
    yuan = sum(row.amount_yuan for row in lines.values())
    if yuan <= most + CENT / 2 * len(lines) + TOLERANCE:
        return []
    return [f"Lines cost {yuan:.2f} yuan, the budget is {data.settings.budget_yuan:.2f}."]


def _cost_findings(
    data: PurchaseData, plan: PurchasePlan, lines: dict[Key, Any], terms: Terms, groups: dict[str, Group]
) -> list[str]:
    spend: dict[str, float] = defaultdict(float)
    kg: dict[tuple[str, str], float] = defaultdict(float)
    for (supplier, sku, warehouse), row in lines.items():
        spend[supplier] += row.amount_yuan
        kg[supplier, warehouse] += row.units * terms.weight_kg[sku]
    rebates = 0.0
    for supplier, yuan in spend.items():
        reached = [rate for floor, rate in terms.rebates.get(supplier, []) if yuan >= floor - TOLERANCE]
        rebates += max(reached, default=0.0) * yuan
    freight = sum(terms.freight(lane, load) for lane, load in kg.items())
    due = {
        "goods": sum(spend.values()),
        "rebates": -rebates,
        "order_costs": sum(terms.order_cost[supplier] for supplier in spend),
        "freight": freight,
        "expected_shortage": float(plan.coverage["short_yuan"].sum()),
        "expected_surplus": float(plan.coverage["surplus_yuan"].sum()),
    }
    if len(plan.groups):
        due["refunds"] = sum(group.refund_yuan for group in groups.values() if not group.held)
    if data.previous is not None:
        due["changed_lines"] = data.settings.change_yuan * _changes(data, lines)
    due["total"] = sum(due.values())
    return [
        f"Cost part {name!r} is {plan.costs.get(name, math.nan):.4f} yuan, the lines give {yuan:.4f}."
        for name, yuan in due.items()
        if not abs(plan.costs.get(name, math.nan) - yuan) <= 1e-6 * (1.0 + abs(yuan))
    ]


def _changes(data: PurchaseData, lines: dict[Key, Any]) -> int:
    """Return how many offers that are open now are ordered differently than in the plan before."""
    before = {} if data.previous is None else {_key(row): row.cases for row in rows_of(data.previous)}
    locked = {_key(row): row.cases for row in rows_of(data.locked)}
    count = 0
    for row in rows_of(data.offers):
        key = _key(row)
        now = lines[key].cases if key in lines else 0
        count += now != max(before.get(key, 0), locked.get(key, 0))
    return count
