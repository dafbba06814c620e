"""The reference data of a city as one value, checked as a whole: every id points to a row that exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import InputError, UnknownReferenceError
from contracts.flow import OrderLines, OutsideEstimates, PrepaidOrders, Stock
from contracts.planned import ArrivalCurve, TrueDemand
from contracts.reference import (
    AreaEvents,
    Calendar,
    Communities,
    Depots,
    GroupThresholds,
    Lanes,
    Listings,
    MasterRoutes,
    Offers,
    PriceBreaks,
    Skus,
    SpendRebates,
    Suppliers,
    TravelMatrix,
    VehicleBans,
    VehicleTypes,
    Warehouses,
    WarehouseZones,
)
from contracts.table import Table

REFERENCE_TABLES: dict[str, type[Table]] = {
    "warehouses": Warehouses,
    "warehouse_zones": WarehouseZones,
    "depots": Depots,
    "communities": Communities,
    "skus": Skus,
    "suppliers": Suppliers,
    "offers": Offers,
    "price_breaks": PriceBreaks,
    "spend_rebates": SpendRebates,
    "lanes": Lanes,
    "vehicle_types": VehicleTypes,
    "listings": Listings,
    "travel_matrix": TravelMatrix,
    "calendar": Calendar,
    "stock": Stock,
    "outside_estimates": OutsideEstimates,
    "group_thresholds": GroupThresholds,
    "vehicle_bans": VehicleBans,
    "prepaid_orders": PrepaidOrders,
    "master_routes": MasterRoutes,
    "area_events": AreaEvents,
}
"""File name (a world directory holds ``offers.csv`` or ``offers.parquet``) to contract."""

SUPPLY_TABLES: tuple[str, ...] = (
    "suppliers",
    "offers",
    "price_breaks",
    "spend_rebates",
    "lanes",
    "vehicle_types",
)


@dataclass(frozen=True)
class Reference:
    """Reference data of a city.

    Attributes
    ----------
    synthetic : tuple of str
        Names of tables that were generated, not given; shown wherever a plan built on them is shown.
    """

    warehouses: DataFrame[Warehouses]
    warehouse_zones: DataFrame[WarehouseZones]
    communities: DataFrame[Communities]
    skus: DataFrame[Skus]
    suppliers: DataFrame[Suppliers]
    offers: DataFrame[Offers]
    lanes: DataFrame[Lanes]
    vehicle_types: DataFrame[VehicleTypes]
    listings: DataFrame[Listings] = field(default_factory=Listings.empty)
    depots: DataFrame[Depots] = field(default_factory=Depots.empty)
    price_breaks: DataFrame[PriceBreaks] = field(default_factory=PriceBreaks.empty)
    spend_rebates: DataFrame[SpendRebates] = field(default_factory=SpendRebates.empty)
    travel_matrix: DataFrame[TravelMatrix] = field(default_factory=TravelMatrix.empty)
    calendar: DataFrame[Calendar] = field(default_factory=Calendar.empty)
    stock: DataFrame[Stock] = field(default_factory=Stock.empty)
    outside_estimates: DataFrame[OutsideEstimates] = field(default_factory=OutsideEstimates.empty)
    group_thresholds: DataFrame[GroupThresholds] = field(default_factory=GroupThresholds.empty)
    vehicle_bans: DataFrame[VehicleBans] = field(default_factory=VehicleBans.empty)
    prepaid_orders: DataFrame[PrepaidOrders] = field(default_factory=PrepaidOrders.empty)
    master_routes: DataFrame[MasterRoutes] = field(default_factory=MasterRoutes.empty)
    area_events: DataFrame[AreaEvents] = field(default_factory=AreaEvents.empty)
    synthetic: tuple[str, ...] = ()

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each table with its file name."""
        for item in fields(self):
            if item.name in REFERENCE_TABLES:
                yield item.name, getattr(self, item.name)

    def check(self) -> Reference:
        """Return self, or raise when an id points nowhere.

        Raises
        ------
        UnknownReferenceError
            Names the table, the column and the first ids.
        InputError
            A community's depot hangs on another warehouse than the community.
        """
        for table, column, target, target_column in _POINTERS:
            known = set(getattr(self, target)[target_column])
            if table == "vehicle_types":
                known |= set(self.depots["depot_id"])
            used = getattr(self, table)[column].dropna()
            unknown = [key for key in used.unique() if key not in known]
            if unknown:
                raise UnknownReferenceError(table, column, target, unknown)
        _check_break_owners(self)
        _check_estimate_places(self)
        _check_depot_warehouses(self)
        return self


_POINTERS: tuple[tuple[str, str, str, str], ...] = (
    ("warehouse_zones", "warehouse_id", "warehouses", "warehouse_id"),
    ("depots", "warehouse_id", "warehouses", "warehouse_id"),
    ("communities", "warehouse_id", "warehouses", "warehouse_id"),
    ("communities", "depot_id", "depots", "depot_id"),
    ("offers", "supplier_id", "suppliers", "supplier_id"),
    ("offers", "sku_id", "skus", "sku_id"),
    ("offers", "warehouse_id", "warehouses", "warehouse_id"),
    ("spend_rebates", "supplier_id", "suppliers", "supplier_id"),
    ("lanes", "supplier_id", "suppliers", "supplier_id"),
    ("lanes", "warehouse_id", "warehouses", "warehouse_id"),
    ("vehicle_types", "base_id", "warehouses", "warehouse_id"),
    ("listings", "sku_id", "skus", "sku_id"),
    ("stock", "warehouse_id", "warehouses", "warehouse_id"),
    ("stock", "sku_id", "skus", "sku_id"),
    ("group_thresholds", "sku_id", "skus", "sku_id"),
    ("vehicle_bans", "vehicle_type_id", "vehicle_types", "vehicle_type_id"),
    ("vehicle_bans", "community_id", "communities", "community_id"),
    ("outside_estimates", "sku_id", "skus", "sku_id"),
    ("master_routes", "community_id", "communities", "community_id"),
    ("master_routes", "depot_id", "depots", "depot_id"),
)

OFFER_KEY: tuple[str, ...] = ("supplier_id", "sku_id", "warehouse_id")
"""What a price break's offer is found by."""

ESTIMATE_PLACES: dict[str, tuple[str, str]] = {
    "community": ("communities", "community_id"),
    "warehouse": ("warehouses", "warehouse_id"),
    "area": ("communities", "area_id"),
}
"""Table and column that hold the places of each level of an outside estimate."""


def _check_break_owners(reference: Reference) -> None:
    owner = list(OFFER_KEY)
    offered = set(reference.offers[owner].itertuples(index=False, name=None))
    lost = [key for key in reference.price_breaks[owner].itertuples(index=False, name=None) if key not in offered]
    if lost:
        raise UnknownReferenceError("price_breaks", "supplier_id/sku_id/warehouse_id", "offers", lost)


def _check_estimate_places(reference: Reference) -> None:
    estimates = reference.outside_estimates
    for level, (table, column) in ESTIMATE_PLACES.items():
        used = estimates.loc[estimates["level"] == level, "place_id"]
        lost = sorted(set(used) - set(getattr(reference, table)[column]))
        if lost:
            raise UnknownReferenceError("outside_estimates", "place_id", table, lost)


def _check_depot_warehouses(reference: Reference) -> None:
    fed_by = reference.depots.set_index("depot_id")["warehouse_id"]
    linked = reference.communities.dropna(subset="depot_id")
    wrong = linked[linked["depot_id"].map(fed_by) != linked["warehouse_id"]]
    if len(wrong):
        raise InputError(
            f"{len(wrong)} communities hang on a depot that another warehouse feeds, e.g. "
            f"{wrong['community_id'].iloc[0]!r}: set their warehouse_id to the depot's."
        )


@dataclass(frozen=True)
class World:
    """A city with its order history; a simulated one also knows the truth behind the orders."""

    reference: Reference
    order_lines: DataFrame[OrderLines]
    true_demand: DataFrame[TrueDemand] = field(default_factory=TrueDemand.empty)
    arrival_curve: DataFrame[ArrivalCurve] = field(default_factory=ArrivalCurve.empty)
