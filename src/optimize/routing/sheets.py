"""Run sheets and load lists: what a driver and a loader hold in their hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import TEMPERATURE_ZONES
from contracts.planned import StopLoads
from contracts.world import Reference
from optimize.routing.data import RoutingData
from optimize.routing.plan import RoutePlan

CRATE_COLUMNS = tuple(f"crates_{zone}" for zone in TEMPERATURE_ZONES)


def run_sheet(plan: RoutePlan, data: RoutingData, *, reference: Reference, loads: DataFrame[StopLoads]) -> pd.DataFrame:
    """Return one row per stop in driving order: where, when in local time, for whom, what to hand over.

    Columns: route_id, trip, seq, vehicle_type_id, base_id, place_id, name, leader_id, latitude, longitude, arrive,
    depart, window (local clock), units, load_kg, load_l, crates per temperature zone, distance_km, note. A crate holds
    `settings.crate_l` litres of one zone and is never shared by two stops.
    """
    places = _places(reference)
    stops = plan.stops.assign(place_id=plan.stops["depot_id"].fillna(plan.stops["community_id"]))
    told = stops.join(places, on="place_id")
    crates = _crates(stops, data, loads)
    sheet = pd.DataFrame(
        {
            **{name: told[name] for name in ("route_id", "trip", "seq", "vehicle_type_id", "base_id", "place_id")},
            **{name: told[name] for name in ("name", "leader_id", "latitude", "longitude")},
            "arrive": _clock(told["arrive_at"], data.timezone),
            "depart": _clock(told["depart_at"], data.timezone),
            "window": told["window_start"].fillna("") + " - " + told["window_end"].fillna(""),
            **{name: told[name] for name in ("units", "load_kg", "load_l")},
            **{name: crates[name] for name in CRATE_COLUMNS},
            "distance_km": told["distance_m"] / 1000.0,
            "note": _notes(told),
        }
    )
    return sheet.sort_values(["route_id", "trip", "seq"], ignore_index=True)


def load_list(sheet: pd.DataFrame, cages: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the crates of each trip in the order they are rolled in: the last stop first.

    Columns: route_id, trip, order (from 1), place_id, name, units, load_kg, crates per zone, crates, van.

    Parameters
    ----------
    cages : DataFrame, optional
        `depot_cages` of the plan: a depot's stop is then listed community by community, what its vans need last first,
        and ``van`` names the route (and trip) that takes the crates on.
    """
    rows = sheet.assign(within=0, van="")
    if cages is not None and len(cages):
        stop = ["route_id", "trip", "seq"]
        split = pd.MultiIndex.from_frame(rows[stop]).isin(pd.MultiIndex.from_frame(cages[stop]))
        tables: list[pd.DataFrame] = [rows[~split], cages]
        rows = pd.concat(tables, ignore_index=True)
    by = ["route_id", "trip", "seq", "within"]
    rows = rows.sort_values(by, ascending=[True, True, False, False], ignore_index=True)
    order = rows.groupby(["route_id", "trip"]).cumcount() + 1
    columns = ["route_id", "trip", "place_id", "name", "units", "load_kg", *CRATE_COLUMNS]
    listed = rows[columns].assign(crates=rows[list(CRATE_COLUMNS)].sum(axis=1), van=rows["van"])
    listed.insert(2, "order", order)
    return listed


def _places(reference: Reference) -> pd.DataFrame:
    shown = ["name", "leader_id", "latitude", "longitude", "window_start", "window_end"]
    communities = reference.communities.set_index("community_id")[shown]
    depots = reference.depots.set_index("depot_id").reindex(columns=shown)
    return pd.concat([communities, depots]) if len(depots) else communities


def _clock(instants: pd.Series[pd.Timestamp], timezone: str) -> pd.Series[str]:
    return instants.dt.tz_convert(timezone).dt.strftime("%H:%M")


def _notes(told: pd.DataFrame) -> list[str]:
    pairs = zip(told["wait_minutes"], told["depot_id"].notna(), strict=True)
    dock_words = ["卸网格仓 unload at the dock"]
    return [
        ", ".join([*(dock_words if dock else []), *([f"等待 wait {wait:.0f} min"] if wait >= 1 else [])])
        for wait, dock in pairs
    ]


def crates_per_place(loads: pd.DataFrame, *, crate_l: float) -> Mapping[str, tuple[int, ...]]:
    """Return crates per zone by place: whole crates of one zone, never shared by two places."""
    litres = loads.pivot_table(index="destination_id", columns="temperature_zone", values="load_l", aggfunc="sum")
    filled = litres.reindex(columns=list(TEMPERATURE_ZONES)).fillna(0.0)
    crates = np.ceil(filled.to_numpy(np.float64) / crate_l - 1e-9).astype(np.int64)
    return {str(place): tuple(row) for place, row in zip(filled.index, crates.tolist(), strict=True)}


def _crates(stops: pd.DataFrame, data: RoutingData, loads: pd.DataFrame) -> dict[str, list[int]]:
    """Return crates per zone of each stop; a linehaul stop carries the crates of its communities."""
    per_place = crates_per_place(loads, crate_l=data.settings.crate_l)
    nothing = (0,) * len(TEMPERATURE_ZONES)
    brought: dict[tuple[str, float], tuple[int, ...]] = {}
    for hand in data.handovers:
        kg = round(float(data.warehouses[hand.warehouse].stops.load_kg[hand.stop]), 6)
        parts = [per_place.get(place, nothing) for place in hand.communities or (hand.depot_id,)]
        brought[hand.depot_id, kg] = _crate_sum(parts)
    rows = []
    keys = zip(stops["route_id"], stops["trip"], stops["seq"], strict=True)
    facts = zip(keys, stops["place_id"], stops["community_id"], stops["load_kg"], strict=True)
    for stop, place, community, kg in facts:
        if isinstance(community, str):
            rows.append(per_place.get(place, nothing))
        elif stop in data.aboard:
            rows.append(_crate_sum([per_place.get(name, nothing) for name in data.aboard[stop]]))
        else:
            rows.append(brought.get((place, round(kg, 6)), nothing))
    return {name: [row[zone] for row in rows] for zone, name in enumerate(CRATE_COLUMNS)}


def _crate_sum(parts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return crates per zone of several places together."""
    return tuple(sum(part[zone] for part in parts) for zone in range(len(TEMPERATURE_ZONES)))
