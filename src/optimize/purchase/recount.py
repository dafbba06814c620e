"""The terms of trade read straight from the reference tables, for the check: no shared code with the search."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from contracts.clock import clock_instant
from contracts.money import round_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.outcomes import expected_short, outcomes_of
from optimize.purchase.rows import rows_of

Place = tuple[str, str]
"""(warehouse_id, sku_id)"""


@dataclass
class OfferTerms:
    """One offer as written in the tables."""

    case_units: int
    min_cases: int
    max_cases: int
    incremental: bool
    prices: list[tuple[int, float]]
    late_price_yuan: float
    late_max_cases: float
    deadline: pd.Timestamp
    latest: pd.Timestamp | None

    def price_of(self, new: int, *, after: int, late: bool) -> float:
        """Return the rounded yuan of `new` cases ordered after `after` earlier ones."""
        if late:
            return round_yuan(new * self.case_units * self.late_price_yuan)
        if self.incremental:
            return round_yuan(self._climb(after + new) - self._climb(after))
        unit = [price for start, price in self.prices if start <= after + new][-1]
        return round_yuan(new * self.case_units * unit)

    def _climb(self, cases: int) -> float:
        """Return the yuan of the first `cases` cases, each at the price of its level."""
        ends = [start for start, _ in self.prices[1:]] + [cases + 1]
        return sum(
            max(min(cases, end - 1) - start + 1, 0) * self.case_units * price
            for (start, price), end in zip(self.prices, ends, strict=True)
        )


@dataclass
class Terms:
    """Everything the check needs, as plain dictionaries."""

    as_of: pd.Timestamp
    cutoff: pd.Timestamp
    offers: dict[tuple[str, str, str], OfferTerms] = field(default_factory=dict)
    min_order: dict[str, float] = field(default_factory=dict)
    order_cost: dict[str, float] = field(default_factory=dict)
    fill_rate: dict[str, float] = field(default_factory=dict)
    max_share: dict[str, float] = field(default_factory=dict)
    rebates: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    zone: dict[str, str] = field(default_factory=dict)
    weight_kg: dict[str, float] = field(default_factory=dict)
    capacity: dict[tuple[str, str], float] = field(default_factory=dict)
    due_in: dict[tuple[str, str], float] = field(default_factory=dict)
    stock: dict[tuple[str, str], float] = field(default_factory=dict)
    rivals: dict[tuple[str, str], int] = field(default_factory=dict)
    lanes: dict[tuple[str, str], tuple[float, float, float]] = field(default_factory=dict)
    dual: set[tuple[str, str]] = field(default_factory=set)
    skus: dict[str, Any] = field(default_factory=dict)
    usual: dict[Place, float] = field(default_factory=dict)
    offered: dict[Place, list[float]] = field(default_factory=dict)
    keys_of: dict[Place, list[tuple[str, str, str]]] = field(default_factory=dict)

    def freight(self, lane: tuple[str, str], kg: float) -> float:
        """Return the yuan of a load on a lane; a lane that does not exist (locked lines only) costs nothing here."""
        if lane not in self.lanes:
            return 0.0
        per_kg, capacity, truck = self.lanes[lane]
        trucks = 0 if math.isnan(capacity) or math.isnan(truck) else math.ceil(kg / capacity - 1e-9)
        return kg * per_kg + (trucks * truck if trucks else 0.0)


def read_terms(data: PurchaseData) -> Terms:
    """Return the terms of a purchase problem from its reference tables."""
    reference = data.reference
    cutoff = clock_instant(data.city.cutoff, delivery_date=data.delivery_date, timezone=data.city.timezone)
    terms = Terms(as_of=data.as_of, cutoff=cutoff)
    clock = {
        text: clock_instant(text, delivery_date=data.delivery_date, timezone=data.city.timezone)
        for text in {*reference.suppliers["order_deadline"], *reference.lanes["arrives_at"]}
    }
    lead = {}
    for row in rows_of(reference.suppliers):
        name = row.supplier_id
        terms.min_order[name], terms.order_cost[name] = row.min_order_yuan, row.order_cost_yuan
        terms.fill_rate[name], terms.max_share[name] = row.fill_rate, row.max_share
        lead[name] = (clock[row.order_deadline], pd.Timedelta(seconds=round(row.lead_time_hours * 3600.0)))
    arrives = {}
    for row in rows_of(reference.lanes):
        lane = row.supplier_id, row.warehouse_id
        arrives[lane] = clock[row.arrives_at]
        terms.lanes[lane] = row.yuan_per_kg, row.truck_capacity_kg, row.truck_yuan
    for row in rows_of(reference.spend_rebates):
        terms.rebates.setdefault(row.supplier_id, []).append((row.from_yuan, row.rebate_rate))
    for row in rows_of(reference.skus):
        terms.zone[row.sku_id], terms.weight_kg[row.sku_id] = row.temperature_zone, row.weight_kg
        terms.skus[row.sku_id] = row
    for row in rows_of(reference.warehouse_zones):
        terms.capacity[row.warehouse_id, row.temperature_zone] = row.inbound_capacity_units
    _read_stock(data, terms)
    breaks: dict[tuple[str, str, str], list[tuple[int, float]]] = defaultdict(list)
    for row in rows_of(reference.price_breaks):
        breaks[row.supplier_id, row.sku_id, row.warehouse_id].append((row.from_cases, row.unit_price_yuan))
    for row in rows_of(reference.offers):
        key = row.supplier_id, row.sku_id, row.warehouse_id
        place = row.warehouse_id, row.sku_id
        terms.usual[place] = min(terms.usual.get(place, math.inf), row.unit_price_yuan)
        terms.keys_of.setdefault(place, []).append(key)
        terms.offered.setdefault(place, []).append(terms.fill_rate[row.supplier_id])
        arrival = arrives.get((row.supplier_id, row.warehouse_id))
        deadline, needs = lead[row.supplier_id]
        terms.offers[key] = OfferTerms(
            case_units=row.case_units,
            min_cases=row.min_cases,
            max_cases=row.max_cases,
            incremental=row.discount_kind == "incremental",
            prices=[(1, row.unit_price_yuan), *sorted(breaks.get(key, []))],
            late_price_yuan=row.late_price_yuan,
            late_max_cases=row.late_max_cases,
            deadline=deadline,
            latest=None if arrival is None else arrival - needs,
        )
    _count_rivals(data, terms)
    if data.settings.dual_source_units is not None:
        for row in rows_of(data.book):
            if expected_short(outcomes_of(row), 0.0) >= data.settings.dual_source_units:
                terms.dual.add((row.place_id, row.sku_id))
    return terms


def _read_stock(data: PurchaseData, terms: Terms) -> None:
    for row in rows_of(data.reference.stock):
        if pd.isna(row.expires_on) or row.expires_on >= data.delivery_date:
            place = row.warehouse_id, row.sku_id
            terms.stock[place] = terms.stock.get(place, 0.0) + row.on_hand + row.due_in
            zone = row.warehouse_id, terms.zone[row.sku_id]
            terms.due_in[zone] = terms.due_in.get(zone, 0.0) + row.due_in


def _count_rivals(data: PurchaseData, terms: Terms) -> None:
    """Count suppliers per SKU x warehouse that can sell now or have sold: a share needs two."""
    locked = {(r.supplier_id, r.sku_id, r.warehouse_id): r.cases for r in rows_of(data.locked)}
    able: dict[tuple[str, str], set[str]] = defaultdict(set)
    for supplier, sku, warehouse in locked:
        able[sku, warehouse].add(supplier)
    for key, offer in terms.offers.items():
        late = offer.deadline < terms.as_of
        most = offer.late_max_cases if late and not math.isnan(offer.late_max_cases) else math.inf
        room = min(offer.max_cases - locked.get(key, 0), math.floor(most) if most < math.inf else most)
        in_time = offer.latest is not None and offer.latest >= terms.as_of
        zone = (key[2], terms.zone[key[1]]) in terms.capacity
        if in_time and zone and room >= 1 and not (late and math.isnan(offer.late_price_yuan)):
            able[key[1], key[2]].add(key[0])
    terms.rivals = defaultdict(int, {place: len(names) for place, names in able.items()})
