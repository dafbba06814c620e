"""Before the cutoff: people, stations and vans to book for a median and for a busy outcome of the order book."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.errors import EmptyInputError, InfeasibleError
from contracts.flow import OrderBook
from contracts.planned import Arrivals
from contracts.reference import WarehouseZones
from contracts.settings import CitySettings, SortingSettings
from contracts.solve import SolveLimits
from contracts.world import Reference
from optimize.sorting.data import SortingData, sorting_data
from optimize.sorting.share import share_out
from optimize.sorting.solve import sort

log = logging.getLogger(__name__)
ZONE = ["warehouse_id", "temperature_zone"]
NEVER_SHORT = 1_000_000


@dataclass(frozen=True)
class Booking:
    """What to book.

    Attributes
    ----------
    floors : DataFrame
        By ``quantile``, ``warehouse_id``, ``temperature_zone``: ``units``, ``destinations``, ``workers`` (most at
        once), ``worker_hours``, ``overtime_hours``, ``stations``, ``late_minutes``, ``workers_missing`` and
        ``stations_missing`` against what the floor has.
    vans : DataFrame
        By ``quantile``, ``base_id``, ``goods`` (``all``, ``chilled``, ``frozen``): ``load_kg``, ``load_l``,
        ``capacity_kg``, ``capacity_l`` of all trips of the vans that can carry it, ``share`` of the tighter one, and
        ``vans`` that share of the fleet is; null where no van of the base can. Goods of a depot are a load of the
        warehouse they leave (linehaul) and of the depot.
    """

    floors: pd.DataFrame
    vans: pd.DataFrame

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return one sentence per floor and base of these tables that has less than it needs."""
        return (*_warnings(self.floors), *_van_warnings(self.vans))


def book_ahead(
    reference: Reference,
    book: DataFrame[OrderBook],
    *,
    delivery_date: pd.Timestamp,
    city: CitySettings,
    settings: SortingSettings,
    limits: SolveLimits,
    quantiles: Sequence[str] = ("q50", "q90"),
) -> Booking:
    """Return people, stations and vans needed at quantiles of the order book.

    For each quantile the warehouse's units of every SKU are set to that quantile and given to its communities in
    proportion to what they are expected to order; then the night is sorted with as many workers and stations as it
    takes. All SKUs of a warehouse at their 90 % quantile at once is busier than nine nights in ten: the safe side.
    Goods are taken to come as late as any supplier's lane that offers them.

    Raises
    ------
    EmptyInputError
        The book expects nothing.
    InfeasibleError
        No number of people and stations can sort the night, e.g. because goods come after closing.
    """
    arrive = latest_arrivals(reference, delivery_date=delivery_date, city=city)
    floors, vans = [], []
    for quantile in quantiles:
        ordered = units_at(book, reference, quantile)
        if not len(ordered):
            raise EmptyInputError(f"The order book has no units at {quantile}: nothing to book for.")
        goods = share_out(ordered, _enough(ordered))
        lots = _lots(goods, arrive, delivery_date, city)
        data = sorting_data(reference, goods, lots, delivery_date=delivery_date, city=city, settings=settings)
        floors.append(floor_needs(data, limits=limits).assign(quantile=quantile))
        vans.append(van_needs(reference, data).assign(quantile=quantile))
    return Booking(pd.concat(floors, ignore_index=True), pd.concat(vans, ignore_index=True))


def units_at(book: DataFrame[OrderBook], reference: Reference, quantile: str) -> pd.DataFrame:
    """Return units per warehouse x community x SKU that add up to a quantile of the warehouse's final units."""
    home = reference.communities.set_index("community_id")["warehouse_id"]
    rows = book[(book["level"] == "community") & (book["final_mean"] > 0)]
    rows = rows.assign(warehouse_id=rows["place_id"].map(home).astype("str"))
    city = book[book["level"] == "warehouse"].set_index(["place_id", "sku_id"])[quantile]
    mean = rows.groupby(["warehouse_id", "sku_id"])["final_mean"].transform("sum")
    wanted = city.reindex(pd.MultiIndex.from_frame(rows[["warehouse_id", "sku_id"]])).to_numpy()
    units = rows["final_mean"] * np.where(np.isnan(wanted), 1.0, wanted / mean)
    return pd.DataFrame(
        {
            "warehouse_id": rows["warehouse_id"],
            "community_id": rows["place_id"],
            "sku_id": rows["sku_id"],
            "units": units,
        }
    ).reset_index(drop=True)


def latest_arrivals(reference: Reference, *, delivery_date: pd.Timestamp, city: CitySettings) -> pd.Series:
    """Return the latest instant a SKU may come to a warehouse, over the lanes of all suppliers that offer it."""
    lanes = reference.offers.merge(reference.lanes, on=["supplier_id", "warehouse_id"])
    clocks = {
        clock: clock_instant(clock, delivery_date=delivery_date, timezone=city.timezone)
        for clock in lanes["arrives_at"].unique()
    }
    lanes["arrives_at"] = pd.Series(lanes["arrives_at"].map(clocks), dtype="datetime64[us, UTC]")
    return lanes.groupby(["warehouse_id", "sku_id"])["arrives_at"].max()


def floor_needs(data: SortingData, *, limits: SolveLimits) -> pd.DataFrame:
    """Return what each floor needs when workers and stations are not limited, beside what it has."""
    most = data.goods.groupby(ZONE)["units"].sum()
    roomy = data.floors.assign(stations=NEVER_SHORT)
    rate = roomy["units_per_worker_hour"] * data.settings.wave_minutes / 60.0
    units = most.reindex(pd.MultiIndex.from_frame(roomy[ZONE])).fillna(0.0).to_numpy()
    roomy["max_workers"] = np.maximum(np.ceil(units / rate), 1).astype("int64")
    plan = sort(replace(data, floors=WarehouseZones.check(roomy)), limits=limits)
    if not plan.report.status.has_plan:
        raise InfeasibleError("sorting, with any number of people and stations", plan.report.explanation)
    hours = (plan.waves["ends_at"] - plan.waves["starts_at"]).dt.total_seconds() / 3600.0
    floors = data.floors.set_index(ZONE)
    closing = floors["closes_at"].map(
        lambda clock: clock_instant(clock, delivery_date=data.delivery_date, timezone=data.city.timezone)
    )
    places = plan.tasks.groupby([*ZONE, "wave"])["destination_id"].nunique().groupby(ZONE).max()
    waves = plan.waves.assign(hours=plan.waves["workers"] * hours)
    overtime = waves["starts_at"].to_numpy() >= closing.reindex(pd.MultiIndex.from_frame(waves[ZONE])).to_numpy()
    needs = waves.groupby(ZONE).agg(
        units=("units", "sum"),
        workers=("workers", "max"),
        worker_hours=("hours", "sum"),
        late_minutes=("late_minutes", "max"),
    )
    has = floors.reindex(needs.index)
    needs["destinations"] = plan.tasks.groupby(ZONE)["destination_id"].nunique()
    needs["overtime_hours"] = waves.assign(hours=waves["hours"].where(overtime, 0.0)).groupby(ZONE)["hours"].sum()
    needs["stations"] = -(-places // has["slots_per_station"])
    needs["workers_missing"] = (needs["workers"] - has["max_workers"]).clip(lower=0)
    needs["stations_missing"] = (needs["stations"] - has["stations"]).clip(lower=0)
    return needs.reset_index()


def van_needs(reference: Reference, data: SortingData) -> pd.DataFrame:
    """Return the loads of each base beside what its vans can carry on all their trips.

    A share of the fleet's kilograms or litres is a lower bound on vans: windows and distances may need more.
    """
    skus, goods = reference.skus.set_index("sku_id"), data.goods
    at_warehouse = pd.DataFrame(
        {
            "base_id": goods["warehouse_id"],
            "zone": goods["temperature_zone"],
            "load_kg": goods["units"] * goods["sku_id"].map(skus["weight_kg"]),
            "load_l": goods["units"] * goods["sku_id"].map(skus["volume_l"]),
        }
    )
    depot = goods["destination_id"].map(reference.communities.set_index("community_id")["depot_id"])
    at_depot = at_warehouse.assign(base_id=depot)[depot.notna()]
    loads = pd.concat([at_warehouse, at_depot], ignore_index=True)
    fleet = reference.vehicle_types
    vans = fleet.assign(
        capacity_kg=fleet["count"] * fleet["max_trips"] * fleet["capacity_kg"],
        capacity_l=fleet["count"] * fleet["max_trips"] * fleet["capacity_l"],
    )
    kinds = {
        "all": (loads, vans),
        "chilled": (loads[loads["zone"] == "chilled"], vans[vans["carries_chilled"]]),
        "frozen": (loads[loads["zone"] == "frozen"], vans[vans["carries_frozen"]]),
    }
    rows = []
    for name, (carried, able) in kinds.items():
        need = carried.groupby("base_id")[["load_kg", "load_l"]].sum()
        has = able.groupby("base_id")[["capacity_kg", "capacity_l", "count"]].sum()
        rows.append(need.join(has, how="left").fillna(0.0).assign(goods=name).reset_index())
    table = pd.DataFrame(pd.concat(rows, ignore_index=True))
    table["share"] = np.maximum(table["load_kg"] / table["capacity_kg"], table["load_l"] / table["capacity_l"])
    table["vans"] = np.where(np.isfinite(table["share"]), np.ceil(table["share"] * table["count"]), np.nan)
    return table.rename(columns={"count": "vans_here"})


def _van_warnings(vans: pd.DataFrame) -> tuple[str, ...]:
    """Return one sentence per base whose vans cannot carry a load however they drive."""
    return tuple(_van_warning(row) for row in vans[~(vans["share"] <= 1.0)].to_dict("records"))


def _van_warning(row: dict[Hashable, Any]) -> str:
    what = "goods" if row["goods"] == "all" else f"{row['goods']} goods"
    if row["capacity_kg"] <= 0:
        return f"{row['quantile']}: no van of {row['base_id']} can carry {what} ({row['load_kg']:,.0f} kg)."
    return (
        f"{row['quantile']}: {row['base_id']} needs {row['vans']:,.0f} vans for {what} at least and has "
        f"{row['vans_here']:,.0f}: {row['load_kg']:,.0f} kg and {row['load_l']:,.0f} l, all their trips carry "
        f"{row['capacity_kg']:,.0f} kg and {row['capacity_l']:,.0f} l."
    )


def _enough(ordered: pd.DataFrame) -> pd.DataFrame:
    pairs = ordered[["warehouse_id", "sku_id"]].drop_duplicates()
    return pairs.assign(units=NEVER_SHORT * 1000.0)


def _lots(
    goods: pd.DataFrame, arrive: pd.Series, delivery_date: pd.Timestamp, city: CitySettings
) -> DataFrame[Arrivals]:
    """Return one lot per warehouse x SKU; goods that no supplier offers are taken to be in stock at the cutoff."""
    lots = goods.groupby(["warehouse_id", "sku_id"])["allotted_units"].sum().rename("units").reset_index()
    cutoff = clock_instant(city.cutoff, delivery_date=delivery_date, timezone=city.timezone)
    come = arrive.reindex(pd.MultiIndex.from_frame(lots[["warehouse_id", "sku_id"]])).set_axis(lots.index)
    return Arrivals.check(
        lots.assign(supplier_id=np.where(come.isna(), "stock", "any"), arrives_at=come.fillna(cutoff))
    )


def _warnings(floors: pd.DataFrame) -> tuple[str, ...]:
    short = floors[(floors["workers_missing"] > 0) | (floors["stations_missing"] > 0)]
    return tuple(
        f"{row.quantile}: {row.warehouse_id} {row.temperature_zone} needs {row.workers} workers and {row.stations} "
        f"stations at once, {row.workers_missing} workers and {row.stations_missing} stations more than it has."
        for row in short.itertuples()
    )
