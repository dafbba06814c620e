"""The answer of the sorting room: tables, costs and a report."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.planned import Releases, SortingTasks, WaveLoads
from contracts.solve import StageReport
from optimize.sorting.data import SortingData
from optimize.sorting.floor import Floor, workers_for
from optimize.sorting.stations import seat


@dataclass(frozen=True)
class SortingPlan:
    """Which destination is sorted in which wave, station and slot, and with how many people.

    Attributes
    ----------
    tasks : DataFrame[SortingTasks]
        One row per SKU and slot.
    waves : DataFrame[WaveLoads]
        Load, workers and lateness per wave that has work.
    releases : DataFrame[Releases]
        When each destination's goods are all sorted.
    costs : dict
        Yuan: ``labour`` (regular hours), ``overtime``, ``lateness``, ``total``.
    """

    report: StageReport
    tasks: DataFrame[SortingTasks] = field(default_factory=SortingTasks.empty)
    waves: DataFrame[WaveLoads] = field(default_factory=WaveLoads.empty)
    releases: DataFrame[Releases] = field(default_factory=Releases.empty)
    costs: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def task_table(data: SortingData, floors: list[Floor], waves: list[NDArray[np.int64]]) -> DataFrame[SortingTasks]:
    """Return one row per SKU and slot, ordered as it is worked."""
    seats = [
        seat(floor, chosen)
        .merge(floor.grid[["wave", "starts_at", "ends_at"]], on="wave")
        .assign(warehouse_id=floor.zone.warehouse_id, temperature_zone=floor.zone.temperature_zone)
        for floor, chosen in zip(floors, waves, strict=True)
    ]
    key = ["warehouse_id", "temperature_zone", "destination_id"]
    tasks = data.goods.merge(pd.concat(seats, ignore_index=True), on=key, how="left", validate="many_to_one")
    order = ["warehouse_id", "temperature_zone", "wave", "sku_id", "station", "slot"]
    return SortingTasks.check(tasks.sort_values(order, kind="stable", ignore_index=True))


def wave_table(floors: list[Floor], waves: list[NDArray[np.int64]]) -> DataFrame[WaveLoads]:
    """Return units, workers and lateness of every wave that has work."""
    tables = []
    for floor, chosen in zip(floors, waves, strict=True):
        loads = floor.loads(chosen)
        late = np.zeros(len(floor.grid))
        np.maximum.at(late, chosen, floor.late_minutes[np.arange(len(chosen)), chosen])
        table = floor.grid[["wave", "starts_at", "ends_at"]].assign(
            warehouse_id=floor.zone.warehouse_id,
            temperature_zone=floor.zone.temperature_zone,
            units=loads,
            workers=workers_for(loads, floor.worker_units),
            late_minutes=late,
        )
        tables.append(table[np.bincount(chosen, minlength=len(table)) > 0])
    return WaveLoads.check(pd.concat(tables, ignore_index=True))


def release_table(tasks: pd.DataFrame) -> DataFrame[Releases]:
    """Return the end of the last wave that has goods for each destination."""
    last = tasks.groupby(["warehouse_id", "destination_id"])["ends_at"].max()
    return Releases.check(last.rename("released_at").reset_index())
