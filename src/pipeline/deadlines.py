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
    left for them: latest end = window end - direct drive - share x window length. Without knowing the routes this is a
    rule of thumb; the routes report lateness exactly.
    """
    city, travel = settings.city, settings.travel
    places = reference.communities.merge(
        reference.warehouses[["warehouse_id", "latitude", "longitude"]], on="warehouse_id", suffixes=("", "_base")
    )
    metres = great_circle_m(places["latitude"], places["longitude"], places["latitude_base"], places["longitude_base"])
    drive = pd.to_timedelta(np.ceil(metres * travel.circuity / (travel.speed_kmh / 3.6)), unit="s")
    opens, closes = (
        places[column].map(
            {c: clock_instant(c, delivery_date=delivery_date, timezone=city.timezone) for c in places[column].unique()}
        )
        for column in ("window_start", "window_end")
    )
    latest = closes - drive - (closes - opens) * settings.routing.tour_share
    return pd.DataFrame({"destination_id": places["community_id"], "latest_end": latest.dt.floor("min")})
