"""The tiny world, written down: six communities, five SKUs, two suppliers, one warehouse, two vans.

All numbers are round so that a plan can be checked by hand: communities lie 2 km apart on a street east of the
warehouse, prices are whole or half yuan, every offer's case holds 5 or 10 units. Only the orders are drawn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import Stock
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
    VehicleTypes,
    Warehouses,
    WarehouseZones,
)
from contracts.world import Reference
from simulate.catalogue import Category
from simulate.goods import Goods
from simulate.places import KM_PER_DEGREE, Places
from simulate.reference import label

_SKUS = (
    # id, name, category, zone, unit, kg, l, life, list price, cost, salvage, penalty, popularity
    ("S1", "土豆", "vegetables", "chilled", "500 g", 0.5, 1.0, 4.0, 4.0, 2.0, 0.0, 2.5, 0.35),
    ("S2", "红富士苹果", "fruit", "ambient", "1 kg", 1.0, 2.0, 8.0, 10.0, 6.0, 1.0, 5.0, 0.25),
    ("S3", "鲜鸡蛋", "meat_eggs", "chilled", "500 g", 0.5, 1.0, 10.0, 8.0, 5.0, 1.0, 4.0, 0.20),
    ("S4", "水饺", "frozen_food", "frozen", "1 kg", 1.0, 2.0, 180.0, 20.0, 12.0, 8.0, 10.0, 0.10),
    ("S5", "大米", "grain_oil", "ambient", "5 kg", 5.0, 6.0, 360.0, 30.0, 20.0, 18.0, 12.0, 0.10),
)
_OFFERS = (
    # supplier, SKU, case, MOQ, most cases, price, kind, late price, late cases
    ("V1", "S1", 10, 0, 20, 2.0, "all_units", 2.5, 4.0),
    ("V2", "S1", 5, 0, 20, 2.2, "all_units", None, None),
    ("V1", "S2", 5, 2, 20, 6.0, "incremental", 7.0, 4.0),
    ("V2", "S2", 10, 0, 10, 6.2, "all_units", None, None),
    ("V2", "S3", 10, 0, 15, 5.0, "all_units", 6.0, 4.0),
    ("V1", "S4", 5, 0, 15, 12.0, "all_units", None, None),
    ("V2", "S5", 5, 0, 15, 20.0, "all_units", None, None),
)


def _day_count(count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(size, -10_000), np.full(size, count)


def places(days: int) -> Places:
    """Return one warehouse and six communities of equal size, 2 km apart on a street to the east."""
    east = np.arange(1, 7) * 2.0 / (KM_PER_DEGREE * np.cos(np.radians(30.0)))
    first, last = _day_count(days, 6)
    communities = pd.DataFrame(
        {
            "community_id": [f"C{i}" for i in range(1, 7)],
            "name": ["一号楼", "二号楼", "三号楼", "四号楼", "五号楼", "六号楼"],
            "area_id": "A1",
            "warehouse_id": "W1",
            "depot_id": None,
            "latitude": 30.0,
            "longitude": (120.0 + east).round(5),
            "window_start": "07:00",
            "window_end": "12:00",
            "service_minutes": 5.0,
            "leader_id": [f"L{i}" for i in range(1, 7)],
            "opened_on": pd.NaT,
            "closed_on": pd.NaT,
            "members": 120.0,
        }
    )
    warehouse = pd.DataFrame({"warehouse_id": ["W1"], "name": ["中心仓"], "latitude": [30.0], "longitude": [120.0]})
    return Places(
        warehouses=Warehouses.check(warehouse),
        depots=Depots.empty(),
        communities=Communities.check(communities),
        area_ids=["A1"],
        size=np.ones(6),
        area_index=np.zeros(6, dtype=np.int64),
        warehouse_index=np.zeros(6, dtype=np.int64),
        first_day=first,
        last_day=last,
    )


def goods(days: int, categories: tuple[Category, ...]) -> Goods:
    """Return five SKUs in the three temperature zones."""
    names = [
        "sku_id", "name", "category_id", "temperature_zone", "unit", "weight_kg", "volume_l", "shelf_life_days",
        "price", "cost", "salvage_yuan", "shortage_penalty_yuan", "popularity",
    ]  # fmt: skip
    table = pd.DataFrame(list(_SKUS), columns=names)
    position = {kind.category_id: g for g, kind in enumerate(categories)}
    first, last = _day_count(days, len(table))
    return Goods(
        skus=Skus.check(table),
        category_index=np.array([position[c] for c in table["category_id"]]),
        list_price_yuan=table["price"].to_numpy(),
        cost_yuan=table["cost"].to_numpy(),
        popularity=table["popularity"].to_numpy(),
        units_per_line=np.array([1.5, 1.25, 1.25, 1.25, 1.0]),
        first_day=first,
        last_day=last,
        rotating=np.zeros(len(table), dtype=bool),
    )


def reference(
    where: Places,
    what: Goods,
    listings: DataFrame[Listings],
    calendar: DataFrame[Calendar],
    *,
    planning_day: pd.Timestamp,
) -> Reference:
    """Return the written-down supply side around the drawn listings."""
    offer_names = [
        "supplier_id", "sku_id", "case_units", "min_cases", "max_cases", "unit_price_yuan", "discount_kind",
        "late_price_yuan", "late_max_cases",
    ]  # fmt: skip
    offers = pd.DataFrame(list(_OFFERS), columns=offer_names).assign(warehouse_id="W1")
    suppliers = pd.DataFrame(
        {
            "supplier_id": ["V1", "V2"],
            "name": ["绿源供应商", "丰农供应商"],
            "order_cost_yuan": [20.0, 10.0],
            "min_order_yuan": [0.0, 100.0],
            "max_share": [np.nan, np.nan],
            "fill_rate": [1.0, 0.95],
            "lead_time_hours": [1.0, 1.0],
            "order_deadline": ["20:00-1", "23:30-1"],
        }
    )
    breaks = pd.DataFrame(
        [("V1", "S1", "W1", 5, 1.9), ("V1", "S2", "W1", 6, 5.5)],
        columns=["supplier_id", "sku_id", "warehouse_id", "from_cases", "unit_price_yuan"],
    )
    lanes = pd.DataFrame(
        {
            "supplier_id": ["V1", "V2"],
            "warehouse_id": "W1",
            "yuan_per_kg": [0.1, 0.0],
            "truck_capacity_kg": [np.nan, 200.0],
            "truck_yuan": [np.nan, 30.0],
            "arrives_at": ["00:30", "01:30"],
        }
    )
    zones = pd.DataFrame(
        {
            "warehouse_id": "W1",
            "temperature_zone": ["ambient", "chilled", "frozen"],
            "inbound_capacity_units": [200.0, 300.0, 100.0],
            "stations": 1,
            "slots_per_station": 3,
            "units_per_worker_hour": [60.0, 50.0, 40.0],
            "max_workers": 2,
            "worker_hour_yuan": 30.0,
            "overtime_hour_yuan": 45.0,
            "opens_at": "01:00",
            "closes_at": "06:00",
        }
    )
    vans = pd.DataFrame(
        {
            "vehicle_type_id": ["W1-cold", "W1-cold2"],
            "base_id": "W1",
            "count": 1,
            "capacity_kg": [300.0, 200.0],
            "capacity_l": [600.0, 400.0],
            "carries_chilled": True,
            "carries_frozen": True,
            "fixed_yuan": [100.0, 80.0],
            "yuan_per_km": 1.0,
            "yuan_per_hour": 30.0,
            "shift_start": "06:00",
            "shift_end": "13:00",
            "max_trips": [1, 2],
        }
    )
    stock = pd.DataFrame(
        {
            "warehouse_id": "W1",
            "sku_id": ["S4", "S5"],
            "on_hand": [5.0, 4.0],
            "due_in": 0.0,
            "expires_on": [planning_day + pd.Timedelta(days=90), pd.NaT],
        }
    )
    return label(
        Reference(
            warehouses=where.warehouses,
            warehouse_zones=WarehouseZones.check(zones),
            communities=where.communities,
            skus=what.skus,
            suppliers=Suppliers.check(suppliers),
            offers=Offers.check(offers),
            lanes=Lanes.check(lanes),
            vehicle_types=VehicleTypes.check(vans),
            listings=listings,
            price_breaks=PriceBreaks.check(breaks),
            spend_rebates=SpendRebates.check(
                pd.DataFrame({"supplier_id": ["V1"], "from_yuan": [300.0], "rebate_rate": [0.02]})
            ),
            calendar=calendar,
            stock=Stock.check(stock),
        )
    )
