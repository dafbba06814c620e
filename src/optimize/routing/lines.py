"""Where the routes run: one line per trip, for maps and GeoJSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from contracts.world import Reference
from optimize.routing.plan import RoutePlan


@dataclass(frozen=True)
class Line:
    """One trip on the map: longitude and latitude of base, stops in order, base; stops with their names."""

    route_id: str
    trip: int
    base_id: str
    points: tuple[tuple[float, float], ...]
    places: tuple[str, ...]
    load_kg: float
    distance_km: float


def trip_lines(plan: RoutePlan, *, reference: Reference) -> list[Line]:
    """Return the line of each trip, in the order of `plan.trips`. Lines are straight between stops, not roads."""
    at: dict[str, tuple[float, float]] = {}
    tables: list[tuple[pd.DataFrame, str]] = [
        (reference.warehouses, "warehouse_id"),
        (reference.depots, "depot_id"),
        (reference.communities, "community_id"),
    ]
    for frame, key in tables:
        at.update(zip(frame[key], zip(frame["longitude"], frame["latitude"], strict=True), strict=True))
    stops = plan.stops.assign(place_id=plan.stops["depot_id"].fillna(plan.stops["community_id"]))
    ordered = stops.sort_values(["route_id", "trip", "seq"])
    places = {key: tuple(rows["place_id"]) for key, rows in ordered.groupby(["route_id", "trip"])}
    return [
        Line(
            route_id=trip["route_id"],
            trip=int(trip["trip"]),
            base_id=trip["base_id"],
            points=tuple(at[p] for p in (trip["base_id"], *called, trip["base_id"])),
            places=called,
            load_kg=trip["load_kg"],
            distance_km=trip["distance_m"] / 1000.0,
        )
        for trip in plan.trips.to_dict("records")
        for called in [places[trip["route_id"], trip["trip"]]]
    ]


def geojson(plan: RoutePlan, *, reference: Reference) -> dict[str, Any]:
    """Return the routes as a GeoJSON FeatureCollection (RFC 7946): a line per trip, a point per stop and base."""
    features: list[dict[str, Any]] = []
    for line in trip_lines(plan, reference=reference):
        facts = {"route_id": line.route_id, "trip": line.trip, "base_id": line.base_id}
        features.append(
            _feature(
                "LineString",
                [list(point) for point in line.points],
                {**facts, "load_kg": line.load_kg, "distance_km": line.distance_km, "stops": len(line.places)},
            )
        )
        features.extend(
            _feature("Point", list(point), {**facts, "seq": seq, "place_id": place})
            for seq, (place, point) in enumerate(zip(line.places, line.points[1:-1], strict=True), start=1)
        )
    return {"type": "FeatureCollection", "features": features}


def _feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}
