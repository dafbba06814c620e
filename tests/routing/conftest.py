"""Small cities for the routing tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contracts.clock import clock_instant
from contracts.reference import (
    Communities,
    Depots,
    Lanes,
    Offers,
    Skus,
    Suppliers,
    TravelMatrix,
    VehicleBans,
    VehicleTypes,
    WarehouseZones,
)
from contracts.settings import CitySettings, RoutingSettings, TravelSettings
from contracts.solve import SolveLimits
from contracts.table import Table
from contracts.world import Reference
from optimize.routing import RoutingData, routing_data

DAY = date(2026, 3, 2)
VAN = {
    "vehicle_type_id": "W1-van",
    "base_id": "W1",
    "count": 2,
    "capacity_kg": 300.0,
    "capacity_l": 2000.0,
    "carries_chilled": True,
    "carries_frozen": True,
    "fixed_yuan": 120.0,
    "yuan_per_km": 1.5,
    "yuan_per_hour": 36.0,
    "shift_start": "04:00",
    "shift_end": "14:00",
    "max_trips": 2,
}


@cache
def _empty(contract: type[Table]) -> Any:
    """Return an empty table, made once: contract checks are most of a small test's time."""
    return contract.empty()


@dataclass(frozen=True)
class Town:
    """Plain rows of a small city; `data` turns them into routing data."""

    communities: list[dict[str, Any]]
    vans: list[dict[str, Any]]
    loads: list[dict[str, Any]]
    releases: list[dict[str, Any]]
    depots: list[dict[str, Any]] = field(default_factory=list)
    warehouses: list[dict[str, Any]] = field(
        default_factory=lambda: [{"warehouse_id": "W1", "name": "West", "latitude": 30.0, "longitude": 104.0}]
    )
    matrix: list[dict[str, Any]] = field(default_factory=list)
    bans: list[dict[str, Any]] = field(default_factory=list)
    settings: RoutingSettings = field(default_factory=RoutingSettings)
    travel: TravelSettings = field(default_factory=TravelSettings)

    def but(self, **changes: Any) -> Town:
        """Return the town with other rows."""
        return replace(self, **changes)

    def reference(self) -> Reference:
        """Return the reference data."""
        return Reference(
            warehouses=pd.DataFrame(self.warehouses),
            warehouse_zones=_empty(WarehouseZones),
            communities=Communities.check(pd.DataFrame(self.communities)),
            skus=_empty(Skus),
            suppliers=_empty(Suppliers),
            offers=_empty(Offers),
            lanes=_empty(Lanes),
            vehicle_types=pd.DataFrame(self.vans) if self.vans else _empty(VehicleTypes),
            depots=Depots.check(pd.DataFrame(self.depots)) if self.depots else _empty(Depots),
            travel_matrix=pd.DataFrame(self.matrix) if self.matrix else _empty(TravelMatrix),
            vehicle_bans=VehicleBans.check(pd.DataFrame(self.bans)) if self.bans else _empty(VehicleBans),
        )

    def data(self) -> RoutingData:
        """Return the routing data."""
        released = pd.DataFrame(self.releases)
        released["released_at"] = [
            clock_instant(clock, delivery_date=DAY, timezone="Asia/Shanghai") for clock in released["released_at"]
        ]
        return routing_data(
            self.reference(),
            pd.DataFrame(self.loads),
            released,
            delivery_date=DAY,
            city=CitySettings(),
            travel=self.travel,
            settings=self.settings,
        )


def _town(places: int = 5, *, seed: int = 0, spread: float = 0.08, kg: float = 60.0, **van: Any) -> Town:
    random = np.random.default_rng(seed)
    names = [f"C{number:02d}" for number in range(1, places + 1)]
    communities = [
        {
            "community_id": name,
            "name": name,
            "area_id": "A",
            "warehouse_id": "W1",
            "depot_id": None,
            "latitude": 30.0 + float(random.uniform(-spread, spread)),
            "longitude": 104.0 + float(random.uniform(-spread, spread)),
            "window_start": "07:00",
            "window_end": "12:00",
            "service_minutes": 6.0,
        }
        for name in names
    ]
    loads = [
        {
            "destination_id": name,
            "temperature_zone": "ambient",
            "units": 30.0,
            "load_kg": round(kg * float(random.uniform(0.6, 1.4)), 1),
            "load_l": 150.0,
        }
        for name in names
    ]
    releases = [{"warehouse_id": "W1", "destination_id": name, "released_at": "05:00"} for name in names]
    return Town(communities, [{**VAN, **van}], loads, releases)


@pytest.fixture(scope="session")
def town() -> Callable[..., Town]:
    """Return the builder of small towns: count of communities, seed, spread in degrees, mean kg, van columns."""
    return _town


@pytest.fixture(scope="session")
def limits() -> SolveLimits:
    """Return limits that are plenty for small towns."""
    return SolveLimits(seconds=30.0, work=400, seed=1)
