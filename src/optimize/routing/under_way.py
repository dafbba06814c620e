"""A night under way: trips that have left are taken out of the problem, and put back beside the routes of the rest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import InputError
from contracts.planned import RouteStops, Trips
from contracts.reference import VehicleTypes
from contracts.solve import SolveStatus, relative_gap
from optimize.routing.data import RoutingData
from optimize.routing.plan import RoutePlan
from optimize.routing.territory import Territory, Van

TRIP = ["route_id", "trip"]
STOP = [*TRIP, "seq"]
Stop = tuple[str, int, int]
"""Route, trip and place in it."""


@dataclass(frozen=True)
class Road:
    """What has left by a moment, as it was planned.

    Attributes
    ----------
    stops, trips : DataFrame
        Rows of the trips that have left, from warehouses and from depots.
    aboard : mapping of Stop to tuple of str
        Communities whose goods a truck takes to each depot stop.
    """

    as_of: pd.Timestamp
    stops: DataFrame[RouteStops]
    trips: DataFrame[Trips]
    aboard: Mapping[Stop, tuple[str, ...]]

    @property
    def delivered(self) -> frozenset[str]:
        """Return the communities that a van on the road brings their goods: nothing about them can change."""
        return frozenset(self.stops["community_id"].dropna())

    @property
    def loaded(self) -> frozenset[str]:
        """Return the communities whose goods have left the warehouse, by van or by truck: nothing can be added."""
        return self.delivered.union(*self.aboard.values())

    def left_at(self, community: str) -> tuple[str, pd.Timestamp]:
        """Return route and departure of the van that is under way to a community."""
        stop = self.stops[self.stops["community_id"] == community].iloc[0]
        trips = self.trips[(self.trips["route_id"] == stop["route_id"]) & (self.trips["trip"] == stop["trip"])]
        return str(stop["route_id"]), trips["departs_at"].iloc[0]

    def loaded_at(self, loading_s: int) -> pd.DataFrame:
        """Return ``destination_id`` and ``latest_at``: when the loading of the warehouse trip that has left began."""
        departs = self.trips.set_index(TRIP)["departs_at"]
        of = {name: (stop[0], stop[1]) for stop, names in self.aboard.items() for name in names}
        own = self.stops.dropna(subset="community_id")
        trips = zip(own["community_id"], own["route_id"], own["trip"], strict=True)
        of = {name: (route, trip) for name, route, trip in trips} | of
        moments = pd.Series([departs[trip] for trip in of.values()], dtype="datetime64[us, UTC]")
        names = pd.Series(list(of), dtype="str")
        return pd.DataFrame({"destination_id": names, "latest_at": moments - pd.Timedelta(seconds=loading_s)})

    def ready_s(self, data: RoutingData) -> dict[str, int]:
        """Return when depots' vans may load what trucks on the road bring, seconds from local midnight."""
        at = self.stops.set_index(STOP)["depart_at"]
        unloaded = {stop: math.ceil((at[stop] - data.midnight).total_seconds()) for stop in self.aboard}
        return {name: unloaded[stop] + data.handling_s for stop, names in self.aboard.items() for name in names}


def departed(plan: RoutePlan, *, as_of: pd.Timestamp) -> tuple[DataFrame[RouteStops], DataFrame[Trips]]:
    """Return the stops and trips of a plan that have left by a moment."""
    trips = plan.trips[plan.trips["departs_at"] <= as_of]
    return RouteStops.check(plan.stops[_among(plan.stops, trips)]), Trips.check(trips)


def carried(data: RoutingData, stops: pd.DataFrame, *, left: pd.DataFrame) -> dict[Stop, tuple[str, ...]]:
    """Return whose goods each truck stop in `left` carries; parts of a depot's goods are told by their load.

    Parameters
    ----------
    data : RoutingData
        What the routes were planned from.
    stops : DataFrame[RouteStops]
        All truck stops of those routes.

    Raises
    ------
    InputError
        A depot gets several trucks, and their loads are not those of the plan's goods.
    """
    parts: dict[tuple[str, float, float], list[tuple[str, ...]]] = {}
    for hand in data.handovers:
        goods = data.warehouses[hand.warehouse].stops
        kg, litres = round(float(goods.load_kg[hand.stop]), 6), round(float(goods.load_l[hand.stop]), 6)
        parts.setdefault((hand.depot_id, kg, litres), []).append(hand.communities)
    of_depot: dict[str, set[str]] = {}
    for hand in data.handovers:
        of_depot.setdefault(hand.depot_id, set()).update(hand.communities)
    trucks = Counter(stops["depot_id"].dropna())
    found: dict[Stop, tuple[str, ...]] = {}
    for row in left.dropna(subset="depot_id").sort_values(STOP).to_dict("records"):
        depot, stop = str(row["depot_id"]), (str(row["route_id"]), int(row["trip"]), int(row["seq"]))
        same = parts.get((depot, round(float(row["load_kg"]), 6), round(float(row["load_l"]), 6)))
        if same:
            found[stop] = same.pop(0)
        elif trucks[depot] == 1:
            found[stop] = tuple(sorted(of_depot.get(depot, ())))
        else:
            raise InputError(
                f"{depot} gets {trucks[depot]} trucks and the load of {stop[0]} is none of its goods': nobody knows "
                "whose goods have left. Revise the plan these routes were made with."
            )
    return found


def still_open(data: RoutingData, plan: RoutePlan, road: Road) -> tuple[RoutingData, RoutePlan]:
    """Return what can still be planned, and the routes of the plan that have not left.

    No van loads before the moment. A van on the road is free again when it is back, if its shift and number of trips
    allow another one: as a kind of its own, whose fixed cost is paid.
    """
    since_s = math.ceil((road.as_of - data.midnight).total_seconds())
    back = _back(road)
    back_s = (back["back_at"] - data.midnight).dt.total_seconds().astype("int64")
    stages = [
        tuple(replace(one, vans=_vans_left(one, back.assign(back_s=back_s), since_s), since_s=since_s) for one in stage)
        for stage in (data.warehouses, data.depots)
    ]
    again, rest = back["resumes"].to_dict(), []
    tables: list[pd.DataFrame] = [plan.stops, plan.trips]
    for table in tables:
        rows = table[~_among(table, road.trips)]
        vans = zip(rows["route_id"], rows["vehicle_type_id"], strict=True)
        kinds = pd.Series([again.get(route, kind) for route, kind in vans], index=rows.index, dtype="str")
        rest.append(rows.assign(vehicle_type_id=kinds))
    left = replace(plan, stops=RouteStops.check(rest[0]), trips=Trips.check(rest[1]))
    return replace(data, warehouses=stages[0], depots=stages[1]), left


def with_road(rest: RoutePlan, road: Road, *, vehicles: DataFrame[VehicleTypes], loading_s: int) -> RoutePlan:
    """Return the routes of the rest together with the trips that have left, which stay as they were.

    A van that is back goes on under its route's id; waiting at the base between its trips is paid. Other routes that
    happen to have the id of one that left get a new one.
    """
    if road.trips.empty:
        return rest
    rates, waited = vehicles.set_index("vehicle_type_id"), 0.0
    trips: pd.DataFrame = rest.trips
    stops: pd.DataFrame = rest.stops
    if len(trips):
        back = _back(road)
        trips, stops = _named(trips, rest, back, road), _named(stops, rest, back, road)
        waits = _waits(trips, back, rates, loading_s)
        trips, waited = trips.assign(cost_yuan=trips["cost_yuan"] + waits), float(waits.sum())
    kept = _kept_yuan(road, rates)
    costs = {kind: yuan + kept.get(kind, 0.0) for kind, yuan in rest.costs.items() if kind != "total"}
    costs["duty"] += waited
    costs["total"] = sum(costs.values())
    report = rest.report
    bound = None if report.bound_yuan is None else report.bound_yuan + costs["total"] - rest.costs["total"]
    report = report.model_copy(
        update={
            "status": SolveStatus.FEASIBLE,  # something is served: what has left
            "cost_yuan": costs["total"],
            "bound_yuan": bound,
            "gap": relative_gap(costs["total"], bound),
        }
    )
    all_stops: list[pd.DataFrame] = [table for table in (road.stops, stops) if len(table)]
    all_trips: list[pd.DataFrame] = [table for table in (road.trips, trips) if len(table)]
    return replace(
        rest,
        stops=RouteStops.check(pd.concat(all_stops, ignore_index=True).sort_values(["base_id", *STOP])),
        trips=Trips.check(pd.concat(all_trips, ignore_index=True).sort_values(["base_id", *TRIP])),
        costs=costs,
        report=report,
    )


def _among(rows: pd.DataFrame, trips: pd.DataFrame) -> pd.Series:
    """Return which rows belong to some trips."""
    found = pd.MultiIndex.from_frame(rows[TRIP]).isin(pd.MultiIndex.from_frame(trips[TRIP]))
    return pd.Series(found, index=rows.index)


def _back(road: Road) -> pd.DataFrame:
    """Return per route that left: base_id, kind, trips gone, back_at, and the name of its van from then on."""
    trips = road.trips.sort_values(TRIP)
    last = trips.drop_duplicates("route_id", keep="last").set_index("route_id")
    return pd.DataFrame(
        {
            "base_id": last["base_id"],
            "kind": last["vehicle_type_id"],
            "trips": last["trip"],
            "back_at": last["returns_at"],
            "resumes": last["vehicle_type_id"] + " back from " + last.index.astype("str"),
        }
    )


def _vans_left(territory: Territory, back: pd.DataFrame, since_s: int) -> tuple[Van, ...]:
    vans: list[Van] = []
    mine = back[back["base_id"].isin(territory.base_ids)]
    for van in territory.vans:
        away = mine[mine["kind"] == van.vehicle_type_id]
        start = max(van.shift_start_s, since_s)
        free = max(van.count - len(away), 0) if start + territory.loading_s < van.shift_end_s else 0
        vans.append(replace(van, count=free, away=len(away), shift_start_s=start))
        for route, row in away.iterrows():
            again = max(int(row["back_s"]), start)
            if row["trips"] < van.max_trips and again + territory.loading_s < van.shift_end_s:
                vans.append(
                    replace(
                        van,
                        vehicle_type_id=row["resumes"],
                        resumes=str(route),
                        count=1,
                        shift_start_s=again,
                        max_trips=van.max_trips - int(row["trips"]),
                        fixed_yuan=0.0,
                    )
                )
    return tuple(vans)


def _named(rows: pd.DataFrame, rest: RoutePlan, back: pd.DataFrame, road: Road) -> pd.DataFrame:
    """Return rows of the rest under their final route ids, trips and kinds of van."""
    of_van = {row["resumes"]: route for route, row in back.iterrows()}
    firsts = rest.trips.drop_duplicates("route_id")
    names: dict[str, str] = {}
    taken = set(road.trips["route_id"]) | set(firsts["route_id"])
    for route, van, base in zip(firsts["route_id"], firsts["vehicle_type_id"], firsts["base_id"], strict=True):
        names[route] = of_van.get(van, route)
        if van not in of_van and route in set(back.index):
            names[route] = next(name for n in count(1) if (name := f"{base}-R{n:03d}") not in taken)
            taken.add(names[route])
    resumed = rows["vehicle_type_id"].isin(list(of_van))
    final = rows["route_id"].map(names)
    trip = rows["trip"] + final.map(back["trips"]).where(resumed, 0).fillna(0).astype("int64")
    kind = rows["vehicle_type_id"].mask(resumed, final.map(back["kind"]))
    return rows.assign(route_id=final.astype("str"), trip=trip.astype("int64"), vehicle_type_id=kind.astype("str"))


def _waits(trips: pd.DataFrame, back: pd.DataFrame, rates: pd.DataFrame, loading_s: int) -> pd.Series:
    """Return yuan for the time between a van's return and the loading of its next trip."""
    first = trips["trip"] == trips["route_id"].map(back["trips"]) + 1
    waited = (trips["departs_at"] - trips["route_id"].map(back["back_at"])).dt.total_seconds() - loading_s
    return waited.where(first, 0.0) * trips["vehicle_type_id"].map(rates["yuan_per_hour"]).fillna(0.0) / 3600.0


def _kept_yuan(road: Road, rates: pd.DataFrame) -> dict[str, float]:
    """Return what the trips on the road cost by kind; hours are what is neither fixed nor driving."""
    trips = road.trips
    fixed = float(trips["vehicle_type_id"].map(rates["fixed_yuan"]).where(trips["trip"] == 1, 0.0).fillna(0.0).sum())
    per_km = trips["vehicle_type_id"].map(rates["yuan_per_km"]).fillna(0.0)
    distance = float((per_km * trips["distance_m"] / 1000.0).sum())
    return {"fixed": fixed, "distance": distance, "duty": float(trips["cost_yuan"].sum()) - fixed - distance}
