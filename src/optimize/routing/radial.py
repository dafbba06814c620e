"""What bringing a place its goods costs from each warehouse, before there are routes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.planned import StopLoads
from contracts.settings import RoutingSettings, TravelSettings
from contracts.travel import great_circle_m
from contracts.world import Reference


def radial_yuan(
    reference: Reference,
    loads: DataFrame[StopLoads],
    *,
    travel: TravelSettings,
    settings: RoutingSettings,
) -> pd.DataFrame:
    """Return ``place_id``, ``warehouse_id``, ``yuan``: each place's share of a van straight there and back.

    The radial term of Haimovich and Rinnooy Kan (1985): load / capacity x (fixed cost of a trip + the way there and
    back + loading), at the cheapest van of the warehouse that carries the place's goods. What is driven between stops
    is left out; it hardly depends on the warehouse. A warehouse without such a van has no row. Places are depots with
    all their communities' goods, and communities served directly.
    """
    homes = reference.communities.set_index("community_id")["depot_id"]
    goods = loads.assign(
        place_id=loads["destination_id"].map(homes).fillna(loads["destination_id"]).astype("str"),
        chilled=loads["temperature_zone"] == "chilled",
        frozen=loads["temperature_zone"] == "frozen",
    )
    places = goods.groupby("place_id").agg(
        load_kg=("load_kg", "sum"), load_l=("load_l", "sum"), chilled=("chilled", "any"), frozen=("frozen", "any")
    )
    tables = [
        pd.DataFrame({"place_id": places.index, "warehouse_id": row.warehouse_id, "yuan": yuan})
        for row in reference.warehouses.itertuples()
        for yuan in [_from(reference, str(row.warehouse_id), places, travel, settings)]
    ]
    return pd.concat(tables, ignore_index=True).dropna(subset="yuan").reset_index(drop=True)


def _from(
    reference: Reference, warehouse: str, places: pd.DataFrame, travel: TravelSettings, settings: RoutingSettings
) -> NDArray[np.float64]:
    """Return yuan per place from one warehouse; NaN where no van of it carries the goods."""
    metres, seconds = _there_and_back(reference, warehouse, places.index, travel)
    best = np.full(len(places), np.nan)
    vans = reference.vehicle_types[reference.vehicle_types["base_id"] == warehouse]
    for van in vans.to_dict("records"):
        able = ~(places["chilled"].to_numpy() & (not van["carries_chilled"]))
        able &= ~(places["frozen"].to_numpy() & (not van["carries_frozen"]))
        share = np.maximum(places["load_kg"] / van["capacity_kg"], places["load_l"] / van["capacity_l"]).to_numpy()
        hours = (seconds + settings.loading_minutes * 60.0) / 3600.0
        trip = (
            van["fixed_yuan"] / van["max_trips"] + van["yuan_per_km"] * metres / 1000.0 + van["yuan_per_hour"] * hours
        )
        best = np.fmin(best, np.where(able, share * trip, np.nan))
    return best


def _there_and_back(
    reference: Reference, warehouse: str, places: pd.Index, travel: TravelSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return metres and seconds of both ways: of the travel matrix if one is given, computed otherwise."""
    matrix = reference.travel_matrix
    if len(matrix):
        out = matrix[matrix["from_id"] == warehouse].set_index("to_id").reindex(places)
        back = matrix[matrix["to_id"] == warehouse].set_index("from_id").reindex(places)
        metres, seconds = ((out[column] + back[column]).to_numpy(np.float64) for column in ("distance_m", "duration_s"))
        return metres, seconds
    at = pd.concat(
        [
            reference.depots.set_index("depot_id")[["latitude", "longitude"]],
            reference.communities.set_index("community_id")[["latitude", "longitude"]],
        ]
    ).loc[places]
    base = reference.warehouses.set_index("warehouse_id").loc[warehouse]
    metres = (
        2.0 * travel.circuity * great_circle_m(base["latitude"], base["longitude"], at["latitude"], at["longitude"])
    )
    return metres, metres / (travel.speed_kmh / 3.6)
