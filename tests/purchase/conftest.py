"""Builders of small purchase problems: plain numbers in, contract tables out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contracts.columns import QUANTILE_COLUMNS
from contracts.flow import OrderBook, Stock
from contracts.planned import PurchaseLines
from contracts.reference import (
    GroupThresholds,
    Lanes,
    Offers,
    PriceBreaks,
    Skus,
    SpendRebates,
    Suppliers,
    Warehouses,
    WarehouseZones,
)
from contracts.settings import CitySettings, PurchaseSettings
from contracts.world import REFERENCE_TABLES, Reference
from optimize.purchase import PurchaseData, purchase_data

DAY = pd.Timestamp("2026-03-10")
AS_OF = pd.Timestamp("2026-03-09 10:00", tz="UTC")  # 18:00 in the city, before the 23:00 cutoff


@cache
def empty(contract: Any) -> Any:
    """Return a table without rows; made once, because contracts are read row by row and tests make many markets."""
    return contract.empty()


_CHECKED: dict[tuple[str, str], Any] = {}


def table(contract: Any, rows: list[dict[str, Any]]) -> Any:
    """Return rows as a contract table; the same rows are checked once, for most tests change one table of ten."""
    if not rows:
        return empty(contract)
    key = contract.__name__, repr(rows)
    if key not in _CHECKED:
        _CHECKED[key] = contract.check(pd.DataFrame(rows))
    return _CHECKED[key]


@dataclass
class Market:
    """Rows of every table by name of the trade; defaults make one warehouse that buys at flat prices."""

    skus: list[dict[str, Any]] = field(default_factory=list)
    suppliers: list[dict[str, Any]] = field(default_factory=list)
    offers: list[dict[str, Any]] = field(default_factory=list)
    book: list[dict[str, Any]] = field(default_factory=list)
    breaks: list[dict[str, Any]] = field(default_factory=list)
    rebates: list[dict[str, Any]] = field(default_factory=list)
    lanes: list[dict[str, Any]] = field(default_factory=list)
    stock: list[dict[str, Any]] = field(default_factory=list)
    locked: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    capacity: float = 1e6
    capacities: dict[str, float] = field(default_factory=dict)
    warehouses: tuple[str, ...] = ("W1",)
    as_of: pd.Timestamp = AS_OF
    settings: PurchaseSettings = field(default_factory=PurchaseSettings)

    def sku(self, sku_id: str, *, penalty: float = 10.0, salvage: float = 1.0, **more: Any) -> None:
        base = {"name": sku_id, "category_id": "K", "temperature_zone": "ambient", "unit": "bag", "weight_kg": 1.0}
        money = {"salvage_yuan": salvage, "shortage_penalty_yuan": penalty}
        self.skus.append({"sku_id": sku_id, **base, "volume_l": 1.0, "shelf_life_days": 3.0, **money, **more})

    def supplier(self, supplier_id: str, *, freight: float = 0.0, lane: bool = True, **more: Any) -> None:
        terms = {"order_cost_yuan": 0.0, "min_order_yuan": 0.0, "max_share": None, "fill_rate": 1.0}
        hours = {"lead_time_hours": 1.0, "order_deadline": "20:00-1"}
        truck = {k: more.pop(k, None) for k in ("truck_capacity_kg", "truck_yuan")}
        arrives = more.pop("arrives_at", "01:00")
        self.suppliers.append({"supplier_id": supplier_id, "name": supplier_id, **terms, **hours, **more})
        for place in self.warehouses if lane else ():
            where = {"supplier_id": supplier_id, "warehouse_id": place, "yuan_per_kg": freight}
            self.lanes.append({**where, **truck, "arrives_at": arrives})

    def offer(self, supplier_id: str, sku_id: str, price: float, *, place: str = "W1", **more: Any) -> None:
        key = {"supplier_id": supplier_id, "sku_id": sku_id, "warehouse_id": place}
        terms = {"case_units": 1, "min_cases": 0, "max_cases": 1000, "unit_price_yuan": price}
        late = {"late_price_yuan": None, "late_max_cases": None}
        self.offers.append({**key, **terms, "discount_kind": "all_units", **late, **more})

    def demand(
        self, sku_id: str, low: float, high: float, *, place: str = "W1", confirmed: float | None = None
    ) -> None:
        """Add demand spread evenly from low to high."""
        levels = np.array([0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99])
        points = low + levels * (high - low)
        floor = low if confirmed is None else confirmed
        mean = max((low + high) / 2.0, floor)
        row = {"delivery_date": DAY, "level": "warehouse", "place_id": place, "sku_id": sku_id, "as_of": self.as_of}
        units = {"confirmed": floor, "remaining_mean": mean - floor, "final_mean": mean}
        spread = dict(zip(QUANTILE_COLUMNS, np.maximum(points, floor), strict=True))
        self.book.append({**row, **units, **spread, "source": "test"})

    def campaign(self, sku_id: str, min_units: float, *, deadline: str, refund: float = 2.0) -> None:
        """Add a threshold below which a SKU's orders are refunded."""
        key = {"delivery_date": DAY, "sku_id": sku_id, "deadline": deadline}
        self.groups.append({**key, "min_units": min_units, "refund_yuan": refund})

    def reference(self) -> Reference:
        zones = [
            {"warehouse_id": w, "temperature_zone": z, "inbound_capacity_units": self.capacities.get(w, self.capacity)}
            | {"stations": 1, "slots_per_station": 10, "units_per_worker_hour": 100.0, "max_workers": 5}
            | {"worker_hour_yuan": 25.0, "overtime_hour_yuan": 40.0, "opens_at": "00:00", "closes_at": "05:00"}
            for w in self.warehouses
            for z in ("ambient", "chilled")
        ]
        places = [{"warehouse_id": w, "name": w, "latitude": 30.0, "longitude": 120.0} for w in self.warehouses]

        given: dict[str, Any] = {
            "warehouses": table(Warehouses, places),
            "warehouse_zones": table(WarehouseZones, zones),
            "skus": table(Skus, self.skus),
            "suppliers": table(Suppliers, self.suppliers),
            "offers": table(Offers, self.offers),
            "lanes": table(Lanes, self.lanes),
            "price_breaks": table(PriceBreaks, self.breaks),
            "spend_rebates": table(SpendRebates, self.rebates),
            "stock": table(Stock, self.stock),
            "group_thresholds": table(GroupThresholds, self.groups),
        }
        nothing = {name: empty(contract) for name, contract in REFERENCE_TABLES.items() if name not in given}
        return Reference(**given, **nothing).check()

    def lines(self) -> Any:
        rows = [{"reason": "sent", "locked": True, **row} for row in self.locked]
        return table(PurchaseLines, rows)

    def data(self, *, previous: pd.DataFrame | None = None) -> PurchaseData:
        return purchase_data(
            self.reference(),
            table(OrderBook, self.book),
            delivery_date=DAY,
            as_of=self.as_of,
            city=CitySettings(),
            locked=self.lines(),
            previous=previous,
            settings=self.settings,
        )


@pytest.fixture
def market() -> Market:
    """An empty market."""
    return Market()


@pytest.fixture(scope="session")
def new_market() -> Callable[..., Market]:
    """The market class itself, for tests that make many."""
    return Market
