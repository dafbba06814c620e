"""Trips as they are sorted: whole in one wave, or in as few parts as the waves can hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Allotments, RouteStops, SortingTasks
from contracts.settings import SortingSettings
from contracts.world import Reference


def trips_in_waves(
    wanted: pd.DataFrame, allotments: DataFrame[Allotments], reference: Reference, settings: SortingSettings
) -> pd.DataFrame:
    """Return each direct community's trip, divided where no wave of a floor can hold all of it.

    In load order (last stop first) stops join a part until the next one would exceed the slots of a wave, or what its
    workers sort in one, on any floor that has goods for it. A depot's goods travel in the depot's cages and need no
    order here.

    Parameters
    ----------
    wanted : DataFrame
        `trip_deadlines` of the routes.

    Returns
    -------
    DataFrame
        ``destination_id``, ``route_id``, ``trip`` (text: ``1``, or ``1 part 2``), ``seq``; as `sorting_data` takes it.
    """
    direct = wanted[~wanted["by_depot"]].sort_values(["route_id", "trip", "seq"], ascending=[True, True, False])
    units, limits = _units_and_limits(allotments, reference, settings)
    trips = []
    for (_, trip), stops in direct.groupby(["route_id", "trip"], sort=True):
        parts = _parts(units.reindex(stops["destination_id"]).fillna(0.0), limits)
        names = str(trip) if parts.max() == 0 else [f"{trip} part {part + 1}" for part in parts]
        trips.append(stops[["destination_id", "route_id", "seq"]].assign(trip=names))
    if not trips:
        return pd.DataFrame(columns=["destination_id", "route_id", "trip", "seq"])
    return pd.DataFrame(pd.concat(trips, ignore_index=True))


def sorted_whole(tasks: DataFrame[SortingTasks], stops: DataFrame[RouteStops]) -> tuple[int, int]:
    """Return how many warehouse trips to communities are sorted whole in load order, and how many there are.

    In every zone all stops of such a trip stand in one wave, the last stop in the first slot.
    """
    seats = tasks.drop_duplicates(["warehouse_id", "temperature_zone", "destination_id", "wave", "station", "slot"])
    seats = seats.rename(columns={"warehouse_id": "base_id", "destination_id": "community_id"})
    columns = ["base_id", "community_id", "temperature_zone", "wave", "station", "slot"]
    rows = seats[columns].merge(stops[["base_id", "community_id", "route_id", "trip", "seq"]])
    if rows.empty:
        return 0, 0
    rows = rows.sort_values(["route_id", "trip", "seq"], ascending=[True, True, False], ignore_index=True)
    rows["seat"] = rows["station"] * (rows["slot"].max() + 1) + rows["slot"]
    zones = rows.groupby(["route_id", "trip", "temperature_zone"])
    whole = (zones["wave"].min() == zones["wave"].max()) & zones["seat"].agg(lambda seat: seat.is_monotonic_increasing)
    trips = whole.groupby(level=["route_id", "trip"]).all()
    return int(trips.sum()), len(trips)


def _units_and_limits(
    allotments: DataFrame[Allotments], reference: Reference, settings: SortingSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return units by community and floor, and per floor the slots and units of one wave."""
    goods = allotments[allotments["allotted_units"] > 0]
    zone = goods["sku_id"].map(reference.skus.set_index("sku_id")["temperature_zone"]).astype("str")
    floor = goods["warehouse_id"] + " " + zone
    rows = pd.DataFrame({"community_id": goods["community_id"], "floor": floor, "units": goods["allotted_units"]})
    units = rows.pivot_table("units", "community_id", "floor", aggfunc="sum", fill_value=0.0)
    floors = reference.warehouse_zones
    hours = settings.wave_minutes / 60.0
    limits = pd.DataFrame(
        {
            "slots": floors["stations"] * floors["slots_per_station"],
            "units": floors["max_workers"] * floors["units_per_worker_hour"] * hours,
        }
    ).set_axis(floors["warehouse_id"] + " " + floors["temperature_zone"])
    return units, limits.reindex(units.columns)


def _parts(units: pd.DataFrame, limits: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the part (from 0) of each stop in load order."""
    slots, most = limits["slots"].to_numpy(np.float64), limits["units"].to_numpy(np.float64)
    parts = np.zeros(len(units), dtype=np.int64)
    seats, load = np.zeros(len(slots)), np.zeros(len(slots))
    for place, row in enumerate(units.to_numpy(np.float64)):
        seats, load = seats + (row > 0), load + row
        parts[place] = parts[place - 1] if place else 0
        if place and ((seats > slots) | (load > most + 1e-9)).any():
            parts[place] += 1
            seats, load = (row > 0).astype(np.float64), row.copy()
    return parts
