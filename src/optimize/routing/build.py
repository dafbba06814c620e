"""From reference data, loads and releases to `RoutingData`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.errors import InputError, UnknownReferenceError, first_keys
from contracts.planned import Releases, StopLoads
from contracts.settings import CitySettings, RoutingSettings, TravelSettings
from contracts.world import Reference
from optimize.routing.data import Handover, RoutingData
from optimize.routing.linehaul import aimed_arrival, latest_arrival, truckloads
from optimize.routing.territory import Stops, Territory, Van
from optimize.routing.travel import Travel, computed_travel, given_travel, lopsided

STOP_COLUMNS = ("units", "load_kg", "load_l", "chilled", "frozen", "service_s", "open_s", "close_s", "release_s")


@dataclass(frozen=True)
class _City:
    """Reference data ready to be looked up."""

    reference: Reference
    travel: TravelSettings
    settings: RoutingSettings
    places: pd.DataFrame  # index place id: latitude, longitude
    vans: Mapping[str, tuple[Van, ...]]  # by base
    clock: Mapping[str, int]  # clock text to seconds

    def travel_among(self, ids: Sequence[str]) -> Travel:
        """Return travel among places: from the matrix if one is given, computed otherwise."""
        if len(self.reference.travel_matrix):
            return given_travel(ids, self.reference.travel_matrix)
        at = self.places.loc[list(ids)]
        return computed_travel(ids, at["latitude"].to_numpy(), at["longitude"].to_numpy(), settings=self.travel)

    def territory(self, base: str, stops: pd.DataFrame, travel: Travel) -> Territory:
        """Return the territory of one base; `stops` has one row per stop in the order of `travel`."""
        at = self.places.loc[[base, *stops["stop_id"]]]
        return Territory(
            name=base,
            base_ids=(base,),
            vans=self.vans.get(base, ()),
            stops=Stops(
                ids=tuple(stops["stop_id"]),
                is_depot=stops["is_depot"].to_numpy(bool),
                **{name: stops[name].to_numpy(_KINDS[name]) for name in STOP_COLUMNS},
            ),
            travel=travel,
            latitude=at["latitude"].to_numpy(np.float64),
            longitude=at["longitude"].to_numpy(np.float64),
            loading_s=round(self.settings.loading_minutes * 60.0),
            unserved_yuan=self.settings.unserved_yuan,
        )


_KINDS = {
    name: np.float64 if name in ("units", "load_kg", "load_l") else bool if name in ("chilled", "frozen") else np.int64
    for name in STOP_COLUMNS
}


def routing_data(
    reference: Reference,
    loads: DataFrame[StopLoads],
    releases: DataFrame[Releases],
    *,
    delivery_date: date,
    city: CitySettings,
    travel: TravelSettings,
    settings: RoutingSettings,
) -> RoutingData:
    """Return what routing works on, in a canonical order, so that the order of input rows changes nothing.

    Every community with a load is a stop: of its depot if it hangs on one, of its warehouse otherwise. A depot's
    goods are stops of its warehouse, in whole communities and at most one truckload each. A load addressed to a depot
    is brought there and goes no further.

    Raises
    ------
    UnknownReferenceError
        A load's destination is neither a community nor a depot.
    InputError
        A destination has no release; a place has no position or lacks a row of the travel matrix; a window closes
        before it opens.
    """
    midnight = clock_instant("00:00", delivery_date=delivery_date, timezone=city.timezone)
    clock = _clock_seconds(reference, delivery_date, city.timezone, midnight)
    places = _places(reference)
    town = _City(reference, travel, settings, places, _vans(reference, clock), clock)
    stops = _community_stops(town, StopLoads.check(loads), Releases.check(releases), midnight)
    of_depot = stops[stops["depot_id"].notna() & ~stops["is_depot"]]
    depots = tuple(
        town.territory(str(base), group, town.travel_among([str(base), *group["stop_id"]]))
        for base, group in of_depot.groupby("depot_id", sort=True)
    )
    warehouses, handovers = _warehouse_stage(town, stops, {territory.name: territory for territory in depots})
    odd = [
        f"Travel matrix: {pair}. Taken as given."
        for territory in (*warehouses, *depots)
        if len(reference.travel_matrix)
        for pair in lopsided([*territory.base_ids, *territory.stops.ids], territory.travel)[:3]
    ]
    master = reference.master_routes if len(reference.master_routes) else None
    return RoutingData(
        delivery_date, city.timezone, midnight, warehouses, depots, handovers, settings, master, tuple(odd)
    )


def _clock_seconds(reference: Reference, day: date, timezone: str, midnight: pd.Timestamp) -> dict[str, int]:
    columns: list[pd.Series[str]] = [
        reference.communities["window_start"],
        reference.communities["window_end"],
        reference.vehicle_types["shift_start"],
        reference.vehicle_types["shift_end"],
        reference.depots["opens_at"],
    ]
    texts: list[str] = sorted(set().union(*columns))
    return {
        text: round((clock_instant(text, delivery_date=day, timezone=timezone) - midnight).total_seconds())
        for text in texts
    }


def _places(reference: Reference) -> pd.DataFrame:
    tables: list[pd.DataFrame] = [
        frame.rename(columns={key: "place_id"})[["place_id", "latitude", "longitude"]]
        for frame, key in (
            (reference.warehouses, "warehouse_id"),
            (reference.depots, "depot_id"),
            (reference.communities, "community_id"),
        )
    ]
    places = pd.concat(tables, ignore_index=True)
    twice = places["place_id"][places["place_id"].duplicated()]
    if len(twice):
        raise InputError(
            f"The ids {first_keys(twice)} name more than one place; warehouses, depots and communities need ids of "
            "their own."
        )
    return places.set_index("place_id")


def _vans(reference: Reference, clock: Mapping[str, int]) -> dict[str, tuple[Van, ...]]:
    vans: dict[str, list[Van]] = {}
    bans = reference.vehicle_bans.groupby("vehicle_type_id")["community_id"].agg(frozenset).to_dict()
    for row in reference.vehicle_types.sort_values("vehicle_type_id").to_dict("records"):
        vans.setdefault(row["base_id"], []).append(
            Van(
                vehicle_type_id=row["vehicle_type_id"],
                base=0,
                count=int(row["count"]),
                capacity_kg=row["capacity_kg"],
                capacity_l=row["capacity_l"],
                carries_chilled=bool(row["carries_chilled"]),
                carries_frozen=bool(row["carries_frozen"]),
                fixed_yuan=row["fixed_yuan"],
                yuan_per_km=row["yuan_per_km"],
                yuan_per_hour=row["yuan_per_hour"],
                shift_start_s=clock[row["shift_start"]],
                shift_end_s=clock[row["shift_end"]],
                max_trips=int(row["max_trips"]),
                closed_to=bans.get(row["vehicle_type_id"], frozenset()),
            )
        )
    return {base: tuple(kinds) for base, kinds in vans.items()}


def _community_stops(town: _City, loads: pd.DataFrame, releases: pd.DataFrame, midnight: pd.Timestamp) -> pd.DataFrame:
    """Return one row per destination with a load: sums over zones, needs, window, service, release."""
    communities = town.reference.communities.rename(columns={"community_id": "stop_id"})
    depots = town.reference.depots.rename(columns={"depot_id": "stop_id"})
    known = pd.concat([communities["stop_id"], depots["stop_id"]])
    strange = loads["destination_id"][~loads["destination_id"].isin(known)].unique()
    if len(strange):
        raise UnknownReferenceError("StopLoads", "destination_id", "communities and depots", sorted(strange))
    sums = loads.groupby("destination_id", sort=True)[["units", "load_kg", "load_l"]].sum()
    for zone in ("chilled", "frozen"):
        sums[zone] = sums.index.isin(loads.loc[loads["temperature_zone"] == zone, "destination_id"])
    sums = sums.rename_axis("stop_id").reset_index()
    shops = sums.merge(communities, on="stop_id", how="inner")
    service = shops["service_minutes"] * 60.0 + shops["units"] * town.settings.seconds_per_unit
    shops = shops.assign(
        is_depot=False,
        service_s=np.ceil(service - 1e-6).astype(np.int64),
        open_s=shops["window_start"].map(town.clock).astype(np.int64),
        close_s=shops["window_end"].map(town.clock).astype(np.int64),
    )
    docks = sums.merge(depots, on="stop_id", how="inner")
    docks = docks.assign(is_depot=True, depot_id=docks["stop_id"], service_s=0, open_s=0, close_s=0)
    columns = ["stop_id", "is_depot", "warehouse_id", "depot_id", *STOP_COLUMNS[:-1]]
    stops = pd.concat([shops[columns], docks[columns]], ignore_index=True).sort_values("stop_id", ignore_index=True)
    return stops.assign(release_s=_release_seconds(stops, releases, midnight))


def _release_seconds(stops: pd.DataFrame, releases: pd.DataFrame, midnight: pd.Timestamp) -> pd.Series[int]:
    """Return each stop's release: its own, or that of its depot where the depot is the sorting destination."""
    key = ["warehouse_id", "destination_id"]
    at = np.ceil((releases["released_at"] - midnight).dt.total_seconds().to_numpy(np.float64) - 1e-6)
    known = pd.Series(at, index=pd.MultiIndex.from_frame(releases[key]))
    own, dock = (
        np.asarray(known.reindex(pd.MultiIndex.from_arrays([stops["warehouse_id"], place])), dtype=np.float64)
        for place in (stops["stop_id"], stops["depot_id"].fillna(""))
    )
    found = pd.Series(np.where(np.isnan(own), dock, own), index=stops.index)
    unknown = stops["stop_id"][found.isna()]
    if len(unknown):
        raise InputError(
            f"No release time for {first_keys(unknown)}: expected a Releases row from its warehouse for the community "
            "or its depot. Without it a van could leave before the goods are sorted."
        )
    return found.astype(np.int64)


def _warehouse_stage(
    town: _City, stops: pd.DataFrame, depots: Mapping[str, Territory]
) -> tuple[tuple[Territory, ...], tuple[Handover, ...]]:
    """Return the warehouse territories and which of their stops hand which goods to a depot."""
    opens = town.reference.depots.set_index("depot_id")["opens_at"].map(town.clock)
    warehouses, handovers = [], []
    for number, (warehouse, mine) in enumerate(stops.groupby("warehouse_id", sort=True)):
        base = str(warehouse)
        direct = mine[mine["depot_id"].isna()].assign(members=None, aim_s=0)
        trucks = town.vans.get(base, ())
        served = [direct]
        hubs = sorted(mine["depot_id"].dropna().unique())
        way = town.travel_among([base, *hubs]) if hubs else None
        for place, depot in enumerate(hubs, start=1):
            goods = mine[mine["depot_id"] == depot]
            allowed = [truck for truck in trucks if depot not in truck.closed_to]
            loads = truckloads(goods, allowed)
            latest = latest_arrival(depots.get(depot), goods, handling_s=_handling_s(town), trucks=allowed)
            way_s = int(way.duration_s[0, place]) if way is not None else 0
            served.append(
                loads.assign(
                    stop_id=depot,
                    is_depot=True,
                    service_s=round(town.settings.depot_unloading_minutes * 60.0),
                    open_s=int(opens[depot]),
                    close_s=np.maximum(latest, int(opens[depot])),
                    aim_s=aimed_arrival(
                        loads["release_s"].to_numpy(np.int64),
                        latest=max(latest, int(opens[depot])),
                        opens=int(opens[depot]),
                        way_s=way_s,
                        trucks=allowed,
                        vans=town.vans.get(depot, ()),
                        settings=town.settings,
                    ),
                )
            )
        rows = pd.concat(served, ignore_index=True)
        names = [base, *dict.fromkeys(rows["stop_id"])]
        index = [0, *(names.index(stop) for stop in rows["stop_id"])]
        warehouses.append(town.territory(base, rows, town.travel_among(names).among(np.array(index))))
        for stop in np.flatnonzero(rows["is_depot"]):
            members, aim_s = rows["members"].iloc[stop], int(rows["aim_s"].iloc[stop])
            handovers.append(Handover(number, int(stop), str(rows["stop_id"].iloc[stop]), tuple(members), aim_s))
    return tuple(warehouses), tuple(handovers)


def _handling_s(town: _City) -> int:
    return round(town.settings.depot_handling_minutes * 60.0)
