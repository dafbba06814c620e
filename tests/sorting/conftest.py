"""A sorting floor of plain numbers, built as the tests need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
import pytest

from contracts.clock import clock_instant
from contracts.flow import Stock
from contracts.planned import Allotments, Arrivals
from contracts.reference import (
    Calendar,
    Communities,
    Depots,
    Lanes,
    Listings,
    Offers,
    PriceBreaks,
    Skus,
    SpendRebates,
    Suppliers,
    TravelMatrix,
    VehicleTypes,
    Warehouses,
    WarehouseZones,
)
from contracts.settings import CitySettings, SortingSettings
from contracts.world import Reference
from optimize.sorting import SortingData, sorting_data

DAY = pd.Timestamp("2026-03-02")
CITY = CitySettings()
EMPTY: dict[str, Any] = {
    "suppliers": Suppliers,
    "offers": Offers,
    "lanes": Lanes,
    "vehicle_types": VehicleTypes,
    "listings": Listings,
    "depots": Depots,
    "price_breaks": PriceBreaks,
    "spend_rebates": SpendRebates,
    "travel_matrix": TravelMatrix,
    "calendar": Calendar,
    "stock": Stock,
}
ZONE = {
    "warehouse_id": "W1",
    "temperature_zone": "ambient",
    "inbound_capacity_units": 1e6,
    "stations": 2,
    "slots_per_station": 3,
    "units_per_worker_hour": 10.0,
    "max_workers": 4,
    "worker_hour_yuan": 20.0,
    "overtime_hour_yuan": 30.0,
    "opens_at": "01:00",
    "closes_at": "04:00",
}


def at(clock: str) -> pd.Timestamp:
    return clock_instant(clock, delivery_date=DAY, timezone=CITY.timezone)


def reference(zones: Sequence[Mapping[str, Any]], communities: Sequence[str], skus: Mapping[str, str]) -> Reference:
    homes = list(dict.fromkeys(str(zone["warehouse_id"]) for zone in zones))
    places = {"latitude": 30.0, "longitude": 120.0}
    return Reference(
        warehouses=Warehouses.check(pd.DataFrame([{"warehouse_id": w, "name": w, **places} for w in homes])),
        warehouse_zones=WarehouseZones.check(pd.DataFrame(list(zones))),
        communities=Communities.check(
            pd.DataFrame(
                [
                    {
                        "community_id": c,
                        "name": c,
                        "area_id": "A1",
                        "warehouse_id": homes[0],
                        "window_start": "07:00",
                        "window_end": "11:00",
                        "service_minutes": 5.0,
                        **places,
                    }
                    for c in communities
                ]
            )
        ),
        skus=Skus.check(
            pd.DataFrame(
                [
                    {
                        "sku_id": sku,
                        "name": sku,
                        "category_id": "K",
                        "temperature_zone": zone,
                        "unit": "bag",
                        "weight_kg": 1.0,
                        "volume_l": 1.0,
                        "shelf_life_days": 3.0,
                        "salvage_yuan": 0.0,
                        "shortage_penalty_yuan": 1.0,
                    }
                    for sku, zone in skus.items()
                ]
            )
        ),
        **{name: empty(name) for name in EMPTY},
    )


@cache
def empty(name: str) -> pd.DataFrame:
    return EMPTY[name].empty()


def allotments(rows: Sequence[tuple[str, str, float]], *, warehouse_id: str = "W1") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["community_id", "sku_id", "allotted_units"])
    return Allotments.check(
        table.assign(warehouse_id=warehouse_id, ordered_units=table["allotted_units"], short_units=0.0)
    )


def arrivals(rows: Sequence[tuple[str, str, float, str]], *, warehouse_id: str = "W1") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["sku_id", "supplier_id", "units", "clock"])
    moments = pd.Series([at(clock) for clock in table["clock"]], dtype="datetime64[us, UTC]")
    return Arrivals.check(table.assign(warehouse_id=warehouse_id, arrives_at=moments))


def build(
    goods: Sequence[tuple[str, str, float]],
    *,
    arrive: Sequence[tuple[str, str, float, str]] | None = None,
    skus: Mapping[str, str] | None = None,
    zones: Sequence[Mapping[str, Any]] | None = None,
    deadlines: Mapping[str, str] | None = None,
    settings: SortingSettings | None = None,
    destinations: Mapping[str, str] | None = None,
    routes: pd.DataFrame | None = None,
    **zone: Any,
) -> SortingData:
    """Return sorting data of one ambient floor; goods are (community, sku, units), all there from the start."""
    kinds = dict(skus) if skus is not None else {sku: "ambient" for _, sku, _ in goods}
    totals = pd.DataFrame(goods, columns=["c", "s", "u"]).groupby("s")["u"].sum()
    lots = [(s, "stock", float(u), "00:00") for s, u in totals.items() if u > 0] if arrive is None else list(arrive)
    latest = None
    if deadlines is not None:
        moments = pd.Series([at(c) for c in deadlines.values()], dtype="datetime64[us, UTC]")
        latest = pd.DataFrame({"destination_id": list(deadlines), "latest_end": moments})
    return sorting_data(
        reference([{**ZONE, **zone}] if zones is None else zones, sorted({c for c, _, _ in goods}), kinds),
        allotments(goods),
        arrivals(lots),
        delivery_date=DAY,
        city=CITY,
        settings=settings or SortingSettings(overtime_minutes=60),
        deadlines=latest,
        destinations=destinations,
        routes=routes,
    )


@pytest.fixture(scope="session")
def make_data() -> Callable[..., SortingData]:
    """Return the builder of sorting data."""
    return build


@pytest.fixture(scope="session")
def make_reference() -> Callable[..., Reference]:
    """Return a builder of reference data: communities, SKUs by zone, the zones of warehouse W1."""

    def made(communities: Sequence[str], skus: Mapping[str, str], *, zones: Sequence[str] = ("ambient",)) -> Reference:
        return reference([{**ZONE, "temperature_zone": zone} for zone in zones], communities, skus)

    return made
