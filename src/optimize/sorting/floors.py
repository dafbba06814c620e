"""From sorting data to floors: batches of destinations, when their goods are there, how late each wave is for them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.clock import clock_instant
from optimize.sorting.data import SortingData
from optimize.sorting.floor import UNPLACED, Floor, Zone
from optimize.sorting.grid import wave_grid
from optimize.sorting.ready import ready_moments


def build_floors(data: SortingData) -> tuple[list[Floor], list[str]]:
    """Return every floor that has goods and hours, and a sentence for each that has goods but does not exist."""
    rows: dict[Any, Any] = {(z.warehouse_id, z.temperature_zone): z for z in data.floors.itertuples(index=False)}
    floors: list[Floor] = []
    missing: list[str] = []
    for (warehouse_id, zone), goods in data.goods.groupby(["warehouse_id", "temperature_zone"], sort=True):
        if (warehouse_id, zone) not in rows:
            missing.append(
                f"Warehouse {warehouse_id} has no {zone} zone, but {goods['units'].sum():,.0f} {zone} units of "
                f"{goods['sku_id'].nunique()} SKUs for {goods['destination_id'].nunique()} destinations are to be "
                f"sorted there: add the zone to warehouse_zones or sort these goods at another warehouse."
            )
            continue
        floor = _floor(data, rows[warehouse_id, zone], goods)
        if floor is not None:
            floors.append(floor)
            continue
        missing.append(
            f"{warehouse_id} {zone}: no wave starts any more, overtime included, but {goods['units'].sum():,.0f} units "
            f"for {goods['destination_id'].nunique()} destinations are not sorted: extend the overtime."
        )
    return floors, missing


def _floor(data: SortingData, row: Any, goods: pd.DataFrame) -> Floor | None:
    grid = wave_grid(
        row.opens_at,
        row.closes_at,
        delivery_date=data.delivery_date,
        city=data.city,
        settings=data.settings,
        not_before=data.not_before,
    )
    if not len(grid):
        return None
    closing = clock_instant(row.closes_at, delivery_date=data.delivery_date, timezone=data.city.timezone)
    number, names = pd.factorize(goods["destination_id"], sort=True)
    latest = data.deadlines.reindex(names).fillna(closing)
    late = np.maximum((_utc(grid["ends_at"])[None, :] - _utc(latest)[:, None]) / np.timedelta64(1, "m"), 0.0)
    units = np.bincount(number, weights=goods["units"].to_numpy(np.float64)).astype(np.float64)
    earliest = _earliest(data, row.warehouse_id, goods, number, latest, grid)
    members, batches = _batches(data.routes, names, units)
    of, count = members["batch"].to_numpy(), len(batches)
    row_of = pd.Index(names).get_indexer(members["destination_id"])
    worst, yuan, first = np.zeros((count, len(grid))), np.zeros((count, len(grid))), np.zeros(count, dtype=np.int64)
    np.maximum.at(worst, of, late[row_of])
    np.add.at(yuan, of, late[row_of] * data.settings.late_yuan_per_minute)
    np.maximum.at(first, of, earliest[row_of])
    return Floor(
        zone=Zone(**{field.name: getattr(row, field.name) for field in fields(Zone)}),
        grid=grid,
        members=members,
        batches=batches,
        units=np.bincount(of, weights=members["units"]).astype(np.float64),
        seats=np.bincount(of).astype(np.int64),
        earliest=first,
        late_minutes=worst,
        late_yuan=yuan,
        before=_before(data, row, members, grid),
    )


def _before(data: SortingData, row: Any, members: pd.DataFrame, grid: pd.DataFrame) -> NDArray[np.int64]:
    """Return the wave (0-based) in which each batch's first destination stands in the plan people have."""
    first = members.drop_duplicates("batch")
    if data.before is None:
        return np.full(len(first), UNPLACED)
    key = pd.MultiIndex.from_arrays(
        [[row.warehouse_id] * len(first), [row.temperature_zone] * len(first), first["destination_id"]]
    )
    wave = data.before.reindex(key).fillna(0).astype("int64").to_numpy()
    found: NDArray[np.int64] = pd.Index(grid["wave"]).get_indexer(wave).astype(np.int64)
    return found


def _batches(
    routes: pd.DataFrame, names: pd.Index, units: NDArray[np.float64]
) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Return destinations by batch, last stop first, and the batches' names; without a route each is its own."""
    known = routes.reindex(names)
    batch = known["batch_id"].fillna(pd.Series(names, index=names)).to_numpy(object)
    number, batches = pd.factorize(batch, sort=True)
    members = pd.DataFrame(
        {"destination_id": names.to_numpy(object), "batch": number, "units": units, "seq": known["seq"].to_numpy()}
    ).sort_values(["batch", "seq", "destination_id"], ascending=[True, False, True], ignore_index=True)
    return members[["destination_id", "batch", "units"]].astype({"destination_id": "str"}), batches


def _utc(instants: pd.Series) -> NDArray[np.datetime64]:
    """Return instants as plain UTC datetimes, which numpy can subtract and search."""
    plain: NDArray[np.datetime64] = instants.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    return plain


def _earliest(
    data: SortingData,
    warehouse_id: str,
    goods: pd.DataFrame,
    number: NDArray[np.int64],
    latest: pd.Series,
    grid: pd.DataFrame,
) -> NDArray[np.int64]:
    """Return the first wave that starts at or after the moment each destination is ready."""
    sku, skus = pd.factorize(goods["sku_id"], sort=True)
    here = data.arrivals[(data.arrivals["warehouse_id"] == warehouse_id) & data.arrivals["sku_id"].isin(set(skus))]
    starts = _utc(grid["starts_at"])
    wave = np.searchsorted(starts, _utc(here["arrives_at"]), side="left")
    came = np.zeros((len(starts) + 1, len(skus)))
    np.add.at(came, (wave, pd.Index(skus).get_indexer(here["sku_id"])), here["units"].to_numpy())
    by_wave = np.cumsum(came[:-1], axis=0)
    order = np.argsort(number, kind="stable")
    return ready_moments(
        goods["units"].to_numpy()[order],
        number[order].astype(np.int64),
        sku[order].astype(np.int64),
        came=by_wave,
        order=np.lexsort((np.arange(len(latest)), _utc(latest))),
    )
