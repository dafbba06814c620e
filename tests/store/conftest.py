"""One small city, small enough to check by hand, for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from contracts.flow import OrderLines
from contracts.reference import (
    Communities,
    Lanes,
    Listings,
    Offers,
    Skus,
    Suppliers,
    VehicleTypes,
    Warehouses,
    WarehouseZones,
)
from contracts.settings import StorageSettings
from contracts.world import Reference
from store import Store


def _frame(names: str, *rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=names.split())


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Two communities, two SKUs, one supplier, one warehouse, one van."""
    return Reference(
        warehouses=Warehouses.check(_frame("warehouse_id name latitude longitude", ("W1", "中心仓", 30.5, 114.3))),
        warehouse_zones=WarehouseZones.check(
            _frame(
                "warehouse_id temperature_zone inbound_capacity_units stations slots_per_station units_per_worker_hour"
                " max_workers worker_hour_yuan overtime_hour_yuan opens_at closes_at",
                ("W1", "ambient", 1000.0, 2, 4, 200.0, 5, 30.0, 45.0, "23:30-1", "06:00"),
            )
        ),
        communities=Communities.check(
            _frame(
                "community_id name area_id warehouse_id latitude longitude window_start window_end service_minutes"
                " leader_id opened_on",
                ("C1", "阳光花园", "A1", "W1", 30.51, 114.31, "07:00", "11:00", 5.0, "L1", pd.Timestamp("2026-01-01")),
                ("C2", "东湖小区", "A1", "W1", 30.52, 114.35, "07:00", "11:00", 5.0, None, pd.NaT),
            )
        ),
        skus=Skus.check(
            _frame(
                "sku_id name category_id temperature_zone unit weight_kg volume_l shelf_life_days salvage_yuan"
                " shortage_penalty_yuan",
                ("001", "苹果", "fruit", "ambient", "500 g", 0.5, 1.0, 7.0, 0.5, 1.0),
                ("002", "大米", "grain", "ambient", "5 kg", 5.0, 6.0, 180.0, 20.0, 3.0),
            )
        ),
        suppliers=Suppliers.check(
            _frame(
                "supplier_id name order_cost_yuan min_order_yuan max_share fill_rate lead_time_hours order_deadline",
                ("S1", "果园", 50.0, 0.0, None, 0.98, 6.0, "18:00-1"),
            )
        ),
        offers=Offers.check(
            _frame(
                "supplier_id sku_id warehouse_id case_units min_cases max_cases unit_price_yuan discount_kind",
                ("S1", "001", "W1", 10, 1, 100, 3.3333, "all_units"),
                ("S1", "002", "W1", 4, 1, 50, 22.1, "all_units"),
            )
        ),
        lanes=Lanes.check(
            _frame("supplier_id warehouse_id yuan_per_kg arrives_at", ("S1", "W1", 0.1, "00:30")),
        ),
        vehicle_types=VehicleTypes.check(
            _frame(
                "vehicle_type_id base_id count capacity_kg capacity_l carries_chilled carries_frozen fixed_yuan"
                " yuan_per_km yuan_per_hour shift_start shift_end max_trips",
                ("V1", "W1", 2, 800.0, 4000.0, True, False, 120.0, 1.2, 25.0, "04:00", "13:00", 2),
            )
        ),
        listings=Listings.check(
            pd.DataFrame(
                {
                    "delivery_date": pd.to_datetime(["2026-03-02", "2026-03-02"]),
                    "area_id": "A1",
                    "sku_id": ["001", "002"],
                    "price_yuan": [5.99, 29.9],
                    "list_price_yuan": [6.99, 29.9],
                    "sold_out_at": [pd.Timestamp("2026-03-01 12:34:56.123457", tz="UTC"), pd.NaT],
                }
            )
        ),
        synthetic=("lanes", "vehicle_types"),
    )


@pytest.fixture
def make_lines() -> Callable[..., pd.DataFrame]:
    """Return a maker of order lines: n orders with one line each, on a delivery date."""

    def make(n: int = 4, *, day: str = "2026-03-02", order: str = "O", quantity: float = 2.0) -> pd.DataFrame:
        placed = pd.Timestamp(day, tz="UTC") - pd.Timedelta(hours=12)
        return OrderLines.check(
            pd.DataFrame(
                {
                    "order_id": [f"{order}{i}" for i in range(n)],
                    "line_no": 1,
                    "placed_at": [placed + pd.Timedelta(minutes=i, microseconds=i) for i in range(n)],
                    "delivery_date": pd.Timestamp(day),
                    "community_id": ["C1" if i % 2 == 0 else "C2" for i in range(n)],
                    "sku_id": ["001" if i % 3 else "002" for i in range(n)],
                    "quantity": quantity,
                    "unit_price_yuan": 5.99,
                    "cancelled_at": pd.NaT,
                }
            )
        )

    return make


@pytest.fixture
def world_directory(tmp_path: Path, reference: Reference, make_lines: Callable[..., pd.DataFrame]) -> Path:
    """A world directory: most tables in CSV, the order lines in Parquet."""
    folder = tmp_path / "world"
    folder.mkdir()
    for name, table in reference.tables():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
    pd.DataFrame({"table": list(reference.synthetic)}).to_csv(folder / "synthetic.csv", index=False)
    make_lines(6).to_parquet(folder / "order_lines.parquet")
    return folder


@pytest.fixture
def storage(tmp_path: Path, database_url: Callable[[Path], str]) -> StorageSettings:
    """Return where the store of a test is."""
    return StorageSettings(url=database_url(tmp_path / "kept"), history=tmp_path / "kept" / "history")


@pytest.fixture
def store(storage: StorageSettings) -> Iterator[Store]:
    """Give an empty store."""
    opened = Store.open(storage)
    yield opened
    opened.close()
