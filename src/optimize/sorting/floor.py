"""A floor: one temperature zone of one warehouse, as the numbers its waves are decided from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimize.sorting.data import SortingData
from optimize.sorting.grid import wave_grid
from optimize.sorting.ready import ready_moments

UNPLACED = -1
"""Wave of a destination that has none yet."""


@dataclass(frozen=True)
class Zone:
    """What a floor has and costs: the row of `WarehouseZones`, without its clocks."""

    warehouse_id: str
    temperature_zone: str
    stations: int
    slots_per_station: int
    units_per_worker_hour: float
    max_workers: int
    worker_hour_yuan: float
    overtime_hour_yuan: float


@dataclass(frozen=True)
class Floor:
    """One warehouse x temperature zone with D destinations and W waves; floors do not touch each other.

    Attributes
    ----------
    grid : DataFrame, W rows
        ``wave``, ``starts_at``, ``ends_at``, ``hours``, ``overtime``.
    destinations : ndarray of str, shape (D,), ascending
    units : ndarray, shape (D,)
    earliest : ndarray, shape (D,)
        First wave (0-based) that starts when all goods of the destination are there; W: none does.
    late_minutes : ndarray, shape (D, W)
        Minutes wave w ends after the destination's latest end.
    """

    zone: Zone
    grid: pd.DataFrame
    destinations: NDArray[np.object_]
    units: NDArray[np.float64]
    earliest: NDArray[np.int64]
    late_minutes: NDArray[np.float64]
    late_yuan_per_minute: float

    @property
    def name(self) -> str:
        """Warehouse and zone, as people say it."""
        return f"{self.zone.warehouse_id} {self.zone.temperature_zone}"

    @property
    def slots(self) -> int:
        """Destinations a wave can hold."""
        return self.zone.stations * self.zone.slots_per_station

    @property
    def worker_units(self) -> NDArray[np.float64]:
        """Units one worker sorts in each wave, shape (W,)."""
        return self.grid["hours"].to_numpy(np.float64) * self.zone.units_per_worker_hour

    @property
    def worker_yuan(self) -> NDArray[np.float64]:
        """Yuan one worker costs in each wave, shape (W,)."""
        wage = np.where(self.grid["overtime"], self.zone.overtime_hour_yuan, self.zone.worker_hour_yuan)
        yuan: NDArray[np.float64] = self.grid["hours"].to_numpy(np.float64) * wage
        return yuan

    def loads(self, waves: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return units per wave, shape (W,), of the destinations that are placed."""
        placed = waves != UNPLACED
        return np.bincount(waves[placed], weights=self.units[placed], minlength=len(self.grid)).astype(np.float64)

    @property
    def late_yuan(self) -> NDArray[np.float64]:
        """Cost of sorting a destination in a wave that ends after its latest end, shape (D, W)."""
        return self.late_minutes * self.late_yuan_per_minute

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Whether a wave starts after the destination's goods came, shape (D, W)."""
        return np.arange(len(self.grid)) >= self.earliest[:, None]


def workers_for(units: NDArray[np.float64], worker_units: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the whole workers that sort so many units, float noise taken off.

    Examples
    --------
    >>> workers_for(np.array([0.0, 100.0, 100.5]), np.array([100.0, 100.0, 100.0])).tolist()
    [0, 1, 2]
    """
    return np.ceil(np.round(units / worker_units, 9)).astype(np.int64)


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
        floors.append(_floor(data, rows[warehouse_id, zone], goods))
    return floors, missing


def _floor(data: SortingData, row: Any, goods: pd.DataFrame) -> Floor:
    grid = wave_grid(
        row.opens_at,
        row.closes_at,
        delivery_date=data.delivery_date,
        city=data.city,
        settings=data.settings,
    )
    closing = grid.loc[~grid["overtime"], "ends_at"].iloc[-1]
    number, names = pd.factorize(goods["destination_id"], sort=True)
    latest = data.deadlines.reindex(names).fillna(closing)
    late = _utc(grid["ends_at"])[None, :] - _utc(latest)[:, None]
    return Floor(
        zone=Zone(**{field.name: getattr(row, field.name) for field in fields(Zone)}),
        grid=grid,
        destinations=names.to_numpy(object),
        units=np.bincount(number, weights=goods["units"].to_numpy(np.float64)).astype(np.float64),
        earliest=_earliest(data, row.warehouse_id, goods, number, latest, grid),
        late_minutes=np.maximum(late / np.timedelta64(1, "m"), 0.0),
        late_yuan_per_minute=data.settings.late_yuan_per_minute,
    )


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
