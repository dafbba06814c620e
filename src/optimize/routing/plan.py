"""The route plan: duties as tables, what they cost, and who is not served and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import RouteStops, Trips, Unserved
from contracts.solve import StageReport
from optimize.routing.duty import Duty, duty_yuan, timetable
from optimize.routing.territory import Territory


@dataclass(frozen=True)
class RoutePlan:
    """Which van brings what to which community, and when.

    Attributes
    ----------
    stops : DataFrame[RouteStops]
        Linehaul stops name a depot, the others a community.
    trips : DataFrame[Trips]
    unserved : DataFrame[Unserved]
    costs : mapping of str to float
        Yuan: ``fixed``, ``distance``, ``duty``, ``unserved`` (the price the settings put on a stop left out; nobody
        pays it) and their sum ``total``.
    report : StageReport
    warnings : tuple of str
    """

    stops: DataFrame[RouteStops]
    trips: DataFrame[Trips]
    unserved: DataFrame[Unserved]
    costs: Mapping[str, float]
    report: StageReport
    warnings: tuple[str, ...]


Planned = Sequence[tuple[Territory, Sequence[Duty]]]
"""Each territory with its duties."""


def plan_tables(
    planned: Planned, midnight: pd.Timestamp, *, names: Mapping[tuple[str, Duty], str] | None = None
) -> tuple[DataFrame[RouteStops], DataFrame[Trips], dict[str, float]]:
    """Return the stops and trips of all duties and their cost in yuan by kind (fixed, distance, duty).

    Routes are numbered by departure; `names` keeps the route id of (territory, duty) pairs.
    """
    stop_rows: list[dict[str, object]] = []
    trip_rows: list[dict[str, object]] = []
    costs = {"fixed": 0.0, "distance": 0.0, "duty": 0.0}
    known = names or {}
    for territory, duties in planned:
        timed = [(duty, timetable(territory, duty)) for duty in duties]
        timed.sort(key=lambda pair: (pair[1].trips[0].departs_s, pair[0].van, pair[0].trips))
        kept = {duty: known[territory.name, duty] for duty in duties if (territory.name, duty) in known}
        fresh = _fresh_names(territory.name, set(kept.values()))
        for duty, times in timed:
            route = kept.get(duty) or next(fresh)
            fixed, distance, paid = duty_yuan(territory, duty, times)
            for kind, yuan in zip(costs, (fixed, distance, paid), strict=True):
                costs[kind] += yuan
            _add_duty(territory, duty, route, stop_rows, trip_rows)
    stops = pd.DataFrame(stop_rows, columns=[*RouteStops.column_names()])
    trips = pd.DataFrame(trip_rows, columns=[*Trips.column_names()])
    for frame, moments in ((stops, ("arrive_at", "depart_at")), (trips, ("departs_at", "returns_at"))):
        for name in moments:
            frame[name] = midnight + pd.to_timedelta(frame[name].astype(np.float64), unit="s")
    return RouteStops.check(stops), Trips.check(trips), costs


def _fresh_names(territory: str, taken: set[str]) -> Iterator[str]:
    return (name for number in count(1) if (name := f"{territory}-R{number:03d}") not in taken)


def _add_duty(
    territory: Territory,
    duty: Duty,
    route: str,
    stop_rows: list[dict[str, object]],
    trip_rows: list[dict[str, object]],
) -> None:
    times, van, stops = timetable(territory, duty), territory.vans[duty.van], territory.stops
    metres, first, base = territory.travel.distance_m, territory.first_stop, territory.base_ids[van.base]
    last_return = times.trips[0].loads_s
    for number, (trip, at) in enumerate(zip(duty.trips, times.trips, strict=True), start=1):
        chosen = np.array(trip)
        paid_s, last_return = at.returns_s - last_return, at.returns_s
        trip_rows.append(
            {
                "route_id": route,
                "trip": number,
                "base_id": base,
                "vehicle_type_id": van.vehicle_type_id,
                "departs_at": at.departs_s,
                "returns_at": at.returns_s,
                "stops": len(trip),
                "distance_m": float(at.distance_m),
                "load_kg": float(stops.load_kg[chosen].sum()),
                "load_l": float(stops.load_l[chosen].sum()),
                "cost_yuan": van.fixed_yuan * (number == 1)
                + van.yuan_per_km * at.distance_m / 1000.0
                + van.yuan_per_hour * paid_s / 3600.0,
            }
        )
        here = van.base
        for seq, stop in enumerate(trip, start=1):
            arrive, name = at.arrive_s[seq - 1], stops.ids[stop]
            stop_rows.append(
                {
                    "route_id": route,
                    "trip": number,
                    "seq": seq,
                    "base_id": base,
                    "vehicle_type_id": van.vehicle_type_id,
                    "community_id": None if stops.is_depot[stop] else name,
                    "depot_id": name if stops.is_depot[stop] else None,
                    "arrive_at": arrive,
                    "depart_at": at.depart_s[seq - 1],
                    "units": float(stops.units[stop]),
                    "load_kg": float(stops.load_kg[stop]),
                    "load_l": float(stops.load_l[stop]),
                    "distance_m": float(metres[here, first + stop]),
                    "wait_minutes": max(int(stops.open_s[stop]) - arrive, 0) / 60.0,
                    "late_minutes": max(arrive - int(stops.close_s[stop]), 0) / 60.0,
                }
            )
            here = first + stop


def unserved_table(rows: Sequence[Mapping[str, object]]) -> DataFrame[Unserved]:
    """Return the table of stops left out, one row per place."""
    frame = pd.DataFrame(list(rows), columns=[*Unserved.column_names()])
    return Unserved.check(frame.drop_duplicates("destination_id").sort_values("destination_id", ignore_index=True))
