"""Wave deadlines: when a community's goods must be sorted so that its van can still come in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.clock import clock_instant
from contracts.settings import Settings, TravelSettings
from contracts.travel import great_circle_m
from contracts.world import Reference


def wave_deadlines(reference: Reference, *, delivery_date: pd.Timestamp, settings: Settings) -> pd.DataFrame:
    """Return the latest wave end per community: ``destination_id``, ``latest_end``.

    The van that carries a community's goods has other stops before it; `routing.tour_share` of the delivery window is
    left for them: latest end = window end - loading - drive - share x window length. Behind a depot the truck's
    loading, drive, unloading and handling are taken off too. A way the travel matrix holds takes as long as it says.
    Without knowing the routes this is a rule of thumb; the routes say exactly when each trip must load
    (`optimize.routing.trip_deadlines`).
    """
    city, travel, routing = settings.city, settings.travel, settings.routing
    places = reference.communities.merge(reference.depots, on="depot_id", how="left", suffixes=("", "_depot")).merge(
        reference.warehouses, on="warehouse_id", suffixes=("", "_warehouse")
    )
    echelon = places["depot_id"].notna().to_numpy()
    direct = _drive_s(places, "warehouse", "community", reference.travel_matrix, travel)
    dock = _drive_s(places, "warehouse", "depot", reference.travel_matrix, travel)
    onward = _drive_s(places, "depot", "community", reference.travel_matrix, travel)
    drive_s = np.where(echelon, dock + onward, direct)
    minutes = routing.loading_minutes + np.where(
        echelon, routing.depot_unloading_minutes + routing.depot_handling_minutes + routing.loading_minutes, 0.0
    )
    needed = pd.to_timedelta(np.ceil(drive_s + minutes * 60.0), unit="s")
    opens, closes = (
        places[column].map(
            {c: clock_instant(c, delivery_date=delivery_date, timezone=city.timezone) for c in places[column].unique()}
        )
        for column in ("window_start", "window_end")
    )
    latest = closes - needed - (closes - opens) * routing.tour_share
    return pd.DataFrame({"destination_id": places["community_id"], "latest_end": latest.dt.floor("min")})


def _drive_s(
    places: pd.DataFrame, start: str, end: str, matrix: pd.DataFrame, travel: TravelSettings
) -> NDArray[np.float64]:
    """Return seconds of each row's way: the matrix's, computed where it has none; NaN without such a place."""
    suffix = {"warehouse": "_warehouse", "depot": "_depot", "community": ""}
    at = [places[f"{axis}{suffix[place]}"].to_numpy() for place in (start, end) for axis in ("latitude", "longitude")]
    computed: NDArray[np.float64] = great_circle_m(*at) * travel.circuity / (travel.speed_kmh / 3.6)
    if matrix.empty:
        return computed
    starts, ends = places[f"{start}_id"], places[f"{end}_id"]
    ways = matrix[matrix["from_id"].isin(set(starts.dropna())) & matrix["to_id"].isin(set(ends.dropna()))]
    known = ways.set_index(["from_id", "to_id"])["duration_s"].reindex(pd.MultiIndex.from_arrays([starts, ends]))
    return np.where(known.isna(), computed, known.to_numpy(np.float64))
