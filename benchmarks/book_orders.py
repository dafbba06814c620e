"""Order lines for the order book's benchmark: from a file of the contract, from a raw export, or simulated."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from contracts.clock import clock_minutes, clock_text
from contracts.flow import OrderLines
from contracts.reference import Communities, Skus
from contracts.settings import CitySettings

ONE_PLACE = "all"


@dataclass(frozen=True)
class OrderSource:
    """Order lines with the little reference data the book needs."""

    orders: pd.DataFrame
    communities: pd.DataFrame
    skus: pd.DataFrame
    city: CitySettings
    level: str
    listings: pd.DataFrame | None = None
    calendar: pd.DataFrame | None = None

    @cached_property
    def until(self) -> pd.Timestamp:
        """Return a moment by which every delivery date is past."""
        return pd.Timestamp(self.orders["delivery_date"].max(), tz="UTC") + pd.Timedelta(days=3)

    @cached_property
    def by_day(self) -> dict[pd.Timestamp, pd.DataFrame]:
        """Return the lines of each delivery date."""
        return dict(iter(self.orders.groupby("delivery_date")))

    def orders_of(self, day: pd.Timestamp) -> pd.DataFrame:
        """Return the lines of one delivery date."""
        return self.by_day[day]

    def place_codes(self, community_ids: pd.Index) -> np.ndarray:
        """Return the place code of each community."""
        return np.unique(self._homes(community_ids), return_inverse=True)[1].astype(np.int64)

    def place_ids(self, community_ids: pd.Index) -> np.ndarray:
        """Return the place ids the codes point to."""
        return np.unique(self._homes(community_ids))

    def clock(self, time: str) -> str:
        """Return a time of the order day as clock text relative to the delivery date."""
        order_day = clock_minutes(self.city.cutoff) // 1440
        return clock_text(clock_minutes(time) + order_day * 1440)

    def _homes(self, community_ids: pd.Index) -> np.ndarray:
        column = f"{self.level}_id"
        return self.communities.set_index("community_id", drop=False)[column].reindex(community_ids).to_numpy(object)


def read_source(given: argparse.Namespace) -> OrderSource:
    """Return the order lines the command line asks for."""
    city, listings, calendar = CitySettings(), None, None
    if given.orders.startswith("simulate:"):
        from simulate import build_world

        world = build_world(given.orders.removeprefix("simulate:"), seed=given.seed)
        orders, communities, skus = world.order_lines, world.reference.communities, world.reference.skus
        if given.listings:
            listings, calendar = world.reference.listings, world.reference.calendar
    else:
        orders, city = read_orders(given, city)
        communities = read_table(given.communities) if given.communities else lone_places(orders)
        skus = plain_skus(orders)
    keep = orders["quantity"] <= given.max_quantity
    print(f"{(~keep).sum():,} lines of more than {given.max_quantity:g} units left out")
    kept = orders[keep].reset_index(drop=True)
    return OrderSource(kept, Communities.check(communities), skus, city, given.level, listings, calendar)


def read_orders(given: argparse.Namespace, city: CitySettings) -> tuple[pd.DataFrame, CitySettings]:
    """Return lines of the contract and a city whose cutoff fits them.

    What a raw export lacks is filled in: delivery the day after the order, one place, running line numbers, no
    cancellations, price 0. Rows that are no orders (quantity 0 or less, or dropped by ``--drop``) are left out.
    """
    raw = read_table(Path(given.orders))
    renames = dict(pair.split("=") for pair in given.map.split(",") if pair)
    raw = raw.rename(columns=renames)
    for rule in filter(None, given.drop.split(",")):
        column, text = rule.split("=")
        raw = raw[~raw[column].astype(str).str.startswith(text)]
    raw = raw[raw["quantity"] > 0].reset_index(drop=True)
    zone = given.timezone or city.timezone
    if raw["placed_at"].dt.tz is None:
        raw["placed_at"] = raw["placed_at"].dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
        raw = raw[raw["placed_at"].notna()]
    raw["placed_at"] = raw["placed_at"].dt.tz_convert("UTC")
    if "delivery_date" not in raw:
        raw["delivery_date"] = raw["placed_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize() + pd.Timedelta(
            days=1
        )
    if "line_no" not in raw:
        raw["line_no"] = raw.groupby("order_id").cumcount() + 1
    for column, value in {"community_id": ONE_PLACE, "unit_price_yuan": 0.0, "cancelled_at": pd.NaT}.items():
        if column not in raw:
            raw[column] = value
    raw["unit_price_yuan"] = raw["unit_price_yuan"].clip(lower=0)
    orders = OrderLines.check(raw)
    return orders, fitting_city(orders, city, zone, asked=given.timezone is not None)


def fitting_city(orders: pd.DataFrame, city: CitySettings, zone: str, *, asked: bool) -> CitySettings:
    """Return a city whose order day and zone the lines fit; says so where it is not the default."""
    for name in dict.fromkeys([zone] if asked else [zone, "UTC"]):
        local = orders["placed_at"].dt.tz_convert(name).dt.tz_localize(None)
        lead = int((orders["delivery_date"] - local.dt.normalize()).dt.days.mode().iloc[0])
        cutoff = clock_text(clock_minutes("23:00") - 1440 * lead)
        found = city.model_copy(update={"timezone": name, "cutoff": cutoff, "orders_open": clock_text(-1440 * lead)})
        passed = (local - orders["delivery_date"]).dt.total_seconds() / 60.0
        late = float((passed > clock_minutes(cutoff)).mean())
        if late < 0.01:
            if name != city.timezone or lead != 1:
                print(f"order times read in {name}, {lead} day(s) before delivery")
            return found
    sys.exit(f"{late:.1%} of the lines lie after the cutoff {cutoff} in {name}: give the zone with --timezone.")


def read_table(path: Path) -> pd.DataFrame:
    """Return a Parquet or CSV table; times of a CSV are parsed."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    table = pd.read_csv(path, dtype={"order_id": str, "sku_id": str, "community_id": str})
    for column in ("placed_at", "cancelled_at"):
        if column in table:
            table[column] = pd.to_datetime(table[column], utc=True)
    if "delivery_date" in table:
        table["delivery_date"] = pd.to_datetime(table["delivery_date"])
    return table


def lone_places(orders: pd.DataFrame) -> pd.DataFrame:
    """Return a table of communities for lines that come without one; it only carries ids."""
    return pd.DataFrame(
        {
            "community_id": sorted(orders["community_id"].unique()),
            "name": "-",
            "area_id": ONE_PLACE,
            "warehouse_id": ONE_PLACE,
            "latitude": 0.0,
            "longitude": 0.0,
            "window_start": "07:00",
            "window_end": "12:00",
            "service_minutes": 0.0,
        }
    )


def plain_skus(orders: pd.DataFrame) -> pd.DataFrame:
    """Return a SKU table of one category for lines that come without one."""
    return Skus.check(
        pd.DataFrame(
            {
                "sku_id": sorted(orders["sku_id"].unique()),
                "name": "-",
                "category_id": ONE_PLACE,
                "temperature_zone": "ambient",
                "unit": "-",
                "weight_kg": 1.0,
                "volume_l": 1.0,
                "shelf_life_days": 1.0,
                "salvage_yuan": 0.0,
                "shortage_penalty_yuan": 0.0,
            }
        )
    )
