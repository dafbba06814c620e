"""What sorting is decided from: goods per destination, their arrivals, the floors and their hours."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import EmptyInputError, InputError, MissingColumnError, UnknownReferenceError
from contracts.planned import Allotments, Arrivals
from contracts.reference import WarehouseZones
from contracts.settings import CitySettings, SortingSettings
from contracts.world import Reference

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SortingData:
    """Input of `sort`, validated.

    Attributes
    ----------
    goods : DataFrame
        ``warehouse_id``, ``temperature_zone``, ``destination_id``, ``sku_id`` (unique together), ``units`` > 0.
    arrivals : DataFrame[Arrivals]
        Goods of the night by source and moment.
    floors : DataFrame[WarehouseZones]
        Every zone of the warehouses that have goods.
    deadlines : Series
        Latest wave end (UTC instant) by destination id; a destination without one has its floor's closing time.
    routes : DataFrame
        ``batch_id`` and ``seq`` by destination id: destinations of one batch are sorted in one wave, last ``seq``
        first into the van. A destination without a row is sorted on its own.
    not_before : Timestamp or None
        Waves that have started by then are over: the rest of a night is planned again.
    before : Series or None
        Wave by (warehouse, zone, destination) in the plan people have; kept where cost allows.
    """

    goods: pd.DataFrame
    arrivals: DataFrame[Arrivals]
    floors: DataFrame[WarehouseZones]
    deadlines: pd.Series
    routes: pd.DataFrame
    delivery_date: pd.Timestamp
    city: CitySettings
    settings: SortingSettings
    not_before: pd.Timestamp | None = None
    before: pd.Series | None = None


def sorting_data(
    reference: Reference,
    allotments: DataFrame[Allotments],
    arrivals: DataFrame[Arrivals],
    *,
    delivery_date: pd.Timestamp,
    city: CitySettings,
    settings: SortingSettings,
    deadlines: pd.DataFrame | None = None,
    destinations: Mapping[str, str] | None = None,
    routes: pd.DataFrame | None = None,
) -> SortingData:
    """Return the checked input of `sort`.

    Parameters
    ----------
    deadlines : DataFrame, optional
        ``destination_id`` (unique), ``latest_end`` (instant). Missing destinations: the closing time of the floor.
    destinations : mapping, optional
        Community id to the route or depot it is sorted for; communities not in it are destinations themselves.
    routes : DataFrame, optional
        ``destination_id`` (unique), ``route_id``, ``trip`` (1 if absent), ``seq``: each trip is sorted in one wave
        per zone, its last stop in the first slot, because it is loaded first.

    Raises
    ------
    EmptyInputError
        Nothing is allotted.
    UnknownReferenceError
        A community, SKU or warehouse that the reference does not know.
    InputError
        Deadlines or route stops come twice for a destination, deadlines have no zone, or a route or depot is fed
        from two warehouses.
    """
    began = time.perf_counter()
    rows = allotments[allotments["allotted_units"] > 0]
    if not len(rows):
        raise EmptyInputError("Nothing is allotted to any community, so there is nothing to sort.")
    _refuse_unknown(rows, "community_id", "communities", reference.communities["community_id"])
    _refuse_unknown(rows, "sku_id", "skus", reference.skus["sku_id"])
    _refuse_unknown(rows, "warehouse_id", "warehouses", reference.warehouses["warehouse_id"])
    zone_of = reference.skus.set_index("sku_id")["temperature_zone"]
    names = {c: c for c in rows["community_id"].unique()} | dict(destinations or {})
    goods = pd.DataFrame(
        {
            "warehouse_id": rows["warehouse_id"],
            "temperature_zone": rows["sku_id"].map(zone_of).astype("str"),
            "destination_id": rows["community_id"].map(names).astype("str"),
            "sku_id": rows["sku_id"],
            "units": rows["allotted_units"],
        }
    )
    key = ["warehouse_id", "temperature_zone", "destination_id", "sku_id"]
    if destinations is not None:
        goods = goods.groupby(key)["units"].sum().reset_index()
    goods = goods.sort_values(key, ignore_index=True)
    homes = goods[["warehouse_id", "destination_id"]].drop_duplicates()
    twice = homes.loc[homes["destination_id"].duplicated(), "destination_id"]
    if destinations is not None and len(twice):
        raise InputError(
            f"{len(twice)} destinations get goods from two warehouses, e.g. {twice.iloc[0]!r}: "
            "a route or depot is loaded at one warehouse; split it."
        )
    data = SortingData(
        goods=goods,
        arrivals=arrivals,
        floors=WarehouseZones.check(
            reference.warehouse_zones[reference.warehouse_zones["warehouse_id"].isin(set(goods["warehouse_id"]))]
        ),
        deadlines=_deadlines(deadlines),
        routes=_routes(routes),
        delivery_date=delivery_date,
        city=city,
        settings=settings,
    )
    log.info(
        "sorting_data: rows in %d, rows out %d, units %.1f, %d destinations, %.2f s",
        len(allotments),
        len(goods),
        goods["units"].sum(),
        len(homes),
        time.perf_counter() - began,
    )
    return data


def _refuse_unknown(rows: pd.DataFrame, column: str, target: str, known: pd.Series) -> None:
    unknown = sorted(set(rows[column].unique()) - set(known))
    if unknown:
        raise UnknownReferenceError("allotments", column, target, unknown)


def _routes(given: pd.DataFrame | None) -> pd.DataFrame:
    if given is None:
        return pd.DataFrame({"batch_id": pd.Series(dtype="str"), "seq": pd.Series(dtype="float64")})
    missing = [column for column in ("destination_id", "route_id", "seq") if column not in given]
    if missing:
        raise MissingColumnError("routes", missing, [str(c) for c in given.columns])
    again = given.loc[given["destination_id"].duplicated(), "destination_id"]
    if len(again):
        raise InputError(f"{len(again)} destinations are on two routes or trips, e.g. {again.iloc[0]!r}: keep one.")
    trip = given["trip"].astype(str) if "trip" in given else "1"
    table = pd.DataFrame(
        {
            "batch_id": (given["route_id"].astype(str) + " trip " + trip).to_numpy(object),
            "seq": given["seq"].to_numpy("float64"),
        },
        index=pd.Index(given["destination_id"].to_numpy(object), dtype="str"),
    )
    return table.astype({"batch_id": "str"})


def _deadlines(given: pd.DataFrame | None) -> pd.Series:
    if given is None:
        return pd.Series(dtype="datetime64[us, UTC]", index=pd.Index([], dtype="str"))
    missing = [column for column in ("destination_id", "latest_end") if column not in given]
    if missing:
        raise MissingColumnError("deadlines", missing, [str(c) for c in given.columns])
    table = given.dropna(subset="latest_end")
    if getattr(table["latest_end"].dt, "tz", None) is None:
        raise InputError("deadlines.latest_end has no time zone: give instants in UTC.")
    if table["destination_id"].duplicated().any():
        again = table.loc[table["destination_id"].duplicated(), "destination_id"]
        raise InputError(f"{len(again)} destinations have two deadlines, e.g. {again.iloc[0]!r}: keep the earlier.")
    instants = table["latest_end"].dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    return pd.Series(instants.to_numpy(), index=pd.Index(table["destination_id"]), dtype="datetime64[us, UTC]")
