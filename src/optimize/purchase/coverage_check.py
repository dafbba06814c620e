"""Shortage and surplus recounted from the order book, the stock, the lines and the reference tables, for the check."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

from optimize.purchase.data import PurchaseData
from optimize.purchase.group_check import Group
from optimize.purchase.outcomes import (
    Outcomes,
    expected_short,
    mean_units,
    outcomes_of,
    short_after_sources,
)
from optimize.purchase.plan import PurchasePlan
from optimize.purchase.recount import Place, Terms
from optimize.purchase.rows import rows_of

Sources = list[tuple[float, float]]


def counts(table: Any, *names: str) -> list[tuple[Any, int]]:
    """Return every key of a table with its number of rows."""
    return list(Counter(tuple(getattr(row, name) for name in names) for row in rows_of(table)).items())


def coverage_findings(data: PurchaseData, plan: PurchasePlan, terms: Terms, groups: dict[str, Group]) -> list[str]:
    """Return what is wrong with the coverage rows of a plan."""
    received: dict[Place, float] = defaultdict(float)
    bought: dict[Place, float] = defaultdict(float)
    for row in rows_of(plan.lines):
        bought[row.warehouse_id, row.sku_id] += row.units
        received[row.warehouse_id, row.sku_id] += row.units * terms.fill_rate[row.supplier_id]
    shown_rows = counts(plan.coverage, "warehouse_id", "sku_id")
    found = [f"Coverage of {place[1]!r} at {place[0]!r} occurs {n} times." for place, n in shown_rows if n > 1]
    covered = {place for place, _ in shown_rows}
    asked = {(row.place_id, row.sku_id) for row in rows_of(data.book) if row.q99 > 0}
    found += [f"Coverage lacks {sku!r} at {place!r}." for place, sku in sorted((asked | set(bought)) - covered)]
    known = asked | set(bought) | {place for place, units in terms.stock.items() if units > 0}
    for row in rows_of(plan.coverage):
        place = row.warehouse_id, row.sku_id
        if place not in known:
            found.append(f"Coverage of {place[1]!r} at {place[0]!r} is shown, but nothing is asked or held there.")
            continue
        level = groups[row.sku_id].level[row.warehouse_id] if row.sku_id in groups else 0.0
        stock = terms.stock.get(place, 0.0)
        due = _recourse(data, terms, place, outcomes_of(row, nothing_below=level), stock, received[place])
        for name, value in {"available": stock, "bought": bought[place], **due}.items():
            shown = getattr(row, name)
            if not abs(shown - value) <= 1e-6 * (1.0 + abs(value)):
                found.append(f"Coverage of {place[1]!r} at {place[0]!r}: {name} is {shown:.4f}, should be {value:.4f}.")
    return found


def _recourse(
    data: PurchaseData, terms: Terms, place: Place, demand: Outcomes, stock: float, received: float
) -> dict[str, float]:
    """Return expected short and left-over units and their yuan, for each way the deliveries may turn out."""
    usual = terms.usual.get(place, 0.0)
    penalty, salvage = _penalty(data, terms, place, usual), _salvage(data, terms, place, usual)
    late, again, seen = _later(data, terms, place)
    firsts = [_first_yuan(late, penalty), (1 - seen) * _first_yuan(late, penalty) + seen * _first_yuan(again, penalty)]
    salvage = min(salvage, *firsts)
    seen = seen if data.settings.ask_again else 0.0
    short = over = yuan = 0.0
    for arrives, chance in _deliveries(data, terms, place):
        units = stock + received * arrives
        lack = expected_short(demand, units)
        short += chance * lack
        over += chance * max(units - mean_units(demand) + lack, 0.0)
        yuan += chance * (1.0 - seen) * short_after_sources(demand, units, late, penalty)
        yuan += chance * seen * short_after_sources(demand, units, again, penalty)
    return {
        "expected_short": short,
        "expected_surplus": over,
        "short_yuan": yuan,
        "surplus_yuan": -salvage * over,
    }


def _deliveries(data: PurchaseData, terms: Terms, place: Place) -> list[tuple[float, float]]:
    """Return (share of what is expected that arrives, chance)."""
    rates = terms.offered.get(place, [])
    rate, spread = (sum(rates) / len(rates) if rates else 1.0), data.settings.fill_spread
    if spread == 0.0 or rate >= 1.0:
        return [(1.0, 1.0)]
    low = rate * (1.0 - spread**2)  # arrives then; otherwise everything does
    chance = (1.0 - rate) / (1.0 - low)
    return [(1.0 / rate, 1.0 - chance), (low / rate, chance)]


def _penalty(data: PurchaseData, terms: Terms, place: Place, usual: float) -> float:
    sku = terms.skus[place[1]]
    penalty = float(sku.shortage_penalty_yuan)
    level = data.settings.service_levels.get(sku.category_id)
    if level is not None:
        loss = max(usual - _salvage(data, terms, place, usual), 0.0)
        penalty = max(penalty, level * loss / (1.0 - level))
    return penalty + usual


def _salvage(data: PurchaseData, terms: Terms, place: Place, usual: float) -> float:
    sku, settings = terms.skus[place[1]], data.settings
    if settings.carry_shelf_days is None or sku.shelf_life_days < settings.carry_shelf_days:
        return float(sku.salvage_yuan)
    carried = usual * (settings.carry_share - settings.holding_share_per_night * settings.carry_nights)
    return max(float(sku.salvage_yuan), carried)


def _later(data: PurchaseData, terms: Terms, place: Place) -> tuple[Sources, Sources, float]:
    """Return the sources (yuan, units) at the cutoff, those if all is known earlier, and the share known by then."""
    cutoff = terms.cutoff
    if data.as_of >= cutoff:
        return [], [], 0.0
    late, moments = [], []
    zone = place[0], terms.zone[place[1]]
    for key in terms.keys_of.get(place, []) if zone in terms.capacity else []:
        offer = terms.offers[key]
        if offer.latest is None or min(offer.deadline, offer.latest) < data.as_of:
            continue
        fill, kg = terms.fill_rate[key[0]], terms.lanes[key[0], key[2]][0] * terms.weight_kg[key[1]]
        if not math.isnan(offer.late_price_yuan) and offer.latest >= cutoff:
            most = offer.max_cases if math.isnan(offer.late_max_cases) else offer.late_max_cases
            late.append(((offer.late_price_yuan + kg) / fill, most * offer.case_units * fill))
        normal = (offer.prices[0][1] + kg) / fill, offer.max_cases * offer.case_units * fill
        moments.append((min(offer.deadline, offer.latest, cutoff), normal))
    last = max((moment for moment, _ in moments), default=data.as_of)
    if last <= data.as_of:
        return late, late, 0.0
    seen = (last - data.as_of) / (cutoff - data.as_of)
    return late, late + [normal for moment, normal in moments if moment == last], seen


def _first_yuan(sources: Sources, penalty: float) -> float:
    return min([penalty, *(yuan for yuan, units in sources if units > 0)])
