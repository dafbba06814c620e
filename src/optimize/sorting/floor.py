"""A floor: one temperature zone of one warehouse, as the numbers its waves are decided from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

UNPLACED = -1
"""Wave of a batch that has none yet."""


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
    """One warehouse x temperature zone with B batches and W waves; floors do not touch each other.

    A batch is what is sorted in one wave together: the destinations of a route, or a single destination.

    Attributes
    ----------
    grid : DataFrame, W rows
        ``wave``, ``starts_at``, ``ends_at``, ``hours``, ``overtime``.
    members : DataFrame, one row per destination
        ``destination_id``, ``batch`` (0..B-1), ``units``; by batch, in load order (last stop first).
    batches : ndarray of str, shape (B,), ascending
        Route or destination id.
    units : ndarray, shape (B,)
    seats : ndarray of int, shape (B,)
        Destinations of the batch: the slots it needs.
    earliest : ndarray of int, shape (B,)
        First wave (0-based) that starts when all goods of the batch are there; W: none does.
    late_minutes : ndarray, shape (B, W)
        Minutes wave w ends after the latest end of the batch's most urgent destination.
    late_yuan : ndarray, shape (B, W)
        What that costs, over all destinations of the batch.
    before : ndarray of int, shape (B,)
        Wave of the batch in the plan people have; `UNPLACED` where there is none.
    """

    zone: Zone
    grid: pd.DataFrame
    members: pd.DataFrame
    batches: NDArray[np.object_]
    units: NDArray[np.float64]
    seats: NDArray[np.int64]
    earliest: NDArray[np.int64]
    late_minutes: NDArray[np.float64]
    late_yuan: NDArray[np.float64]
    before: NDArray[np.int64]

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
        """Return units per wave, shape (W,), of the batches that are placed."""
        placed = waves != UNPLACED
        return np.bincount(waves[placed], weights=self.units[placed], minlength=len(self.grid)).astype(np.float64)

    def slots_taken(self, waves: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return slots used per wave, shape (W,), by the batches that are placed."""
        placed = waves != UNPLACED
        used = np.bincount(waves[placed], weights=self.seats[placed], minlength=len(self.grid))
        return np.round(used).astype(np.int64)

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Whether a wave starts after the batch's goods came, shape (B, W)."""
        return np.arange(len(self.grid)) >= self.earliest[:, None]


def workers_for(units: NDArray[np.float64], worker_units: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the whole workers that sort so many units, float noise taken off.

    Examples
    --------
    >>> workers_for(np.array([0.0, 100.0, 100.5]), np.array([100.0, 100.0, 100.0])).tolist()
    [0, 1, 2]
    """
    return np.ceil(np.round(units / worker_units, 9)).astype(np.int64)
