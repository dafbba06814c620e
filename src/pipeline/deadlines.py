"""Wave deadlines: when a community's goods must be sorted so that its van can still come in time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.clock import clock_instant
from contracts.settings import Settings
from contracts.travel import great_circle_m
from contracts.world import Reference


def wave_deadlines(reference: Reference, *, delivery_date: pd.Timestamp, settings: Settings) -> pd.DataFrame:
    """Return the latest wave end per community: ``destination_id``, ``latest_end``.

    The van that carries a community's goods has other stops before it; `routing.tour_share` of the delivery window is
    left for them: latest end = window end - loading - drive - share x window length. Behind a depot the truck's
    loading, drive, unloading and handling are taken off too. Without knowing the routes this is a rule of thumb; the
    routes say exactly when each trip must load (`optimize.routing.trip_deadlines`).
    """
    city, travel, routing = settings.city, settings.travel, settings.routing
    places = reference.communities.merge(reference.depots, on="depot_id", how="left", suffixes=("", "_depot")).merge(
        reference.warehouses, on="warehouse_id", suffixes=("", "_warehouse")
    )
    echelon = places["depot_id"].notna().to_numpy()
    warehouse, depot, door = (
        (places[f"latitude{place}"].to_numpy(), places[f"longitude{place}"].to_numpy())
        for place in ("_warehouse", "_depot", "")
    )
    metres = np.where(
        echelon,
        great_circle_m(*warehouse, *depot) + great_circle_m(*depot, *door),
        great_circle_m(*warehouse, *door),
    )
    minutes = routing.loading_minutes + np.where(
        echelon, routing.depot_unloading_minutes + routing.depot_handling_minutes + routing.loading_minutes, 0.0
    )
    needed = pd.to_timedelta(np.ceil(metres * travel.circuity / (travel.speed_kmh / 3.6) + minutes * 60.0), unit="s")
    opens, closes = (
        places[column].map(
            {c: clock_instant(c, delivery_date=delivery_date, timezone=city.timezone) for c in places[column].unique()}
        )
        for column in ("window_start", "window_end")
    )
    latest = closes - needed - (closes - opens) * routing.tour_share
    return pd.DataFrame({"destination_id": places["community_id"], "latest_end": latest.dt.floor("min")})
