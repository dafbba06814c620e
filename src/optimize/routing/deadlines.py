"""What routes ask of the waves: until when the goods of each trip must be sorted for the routes to hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimize.routing.data import RoutingData
from optimize.routing.duty import Duty, timetable
from optimize.routing.plan import RoutePlan
from optimize.routing.replan import given_duties
from optimize.routing.territory import Territory, Times


@dataclass(frozen=True)
class _TripRow:
    """One stop of a trip: its place in the order, when its trip loads and until when that may be put off."""

    stop: int
    route_id: str
    trip: int
    seq: int
    loads_s: int
    latest_s: int


def trip_deadlines(data: RoutingData, plan: RoutePlan) -> pd.DataFrame:
    """Return, per community on a route, the warehouse trip that takes its goods and how late that may load.

    ``latest_at`` is found backwards from windows and shift ends with the order of stops kept: if every trip loaded
    that late, no stop would be late and no shift too long. Goods of a depot must come by truck before the depot's vans
    have to load; they belong to the truck's trip, ordered by the depot stop and then by their van.

    Returns
    -------
    DataFrame
        ``destination_id`` (unique), ``route_id``, ``trip``, ``seq`` (order of delivery, smallest first), ``loads_at``
        (as planned), ``latest_at``; instants in UTC; ``by_depot``. Communities that no trip serves have no row.
    """
    second = {
        depot.stops.ids[row.stop]: row for depot in data.depots for row in _trip_rows(depot, plan, depot.stops.close_s)
    }
    handed = {(hand.warehouse, hand.stop): hand.communities for hand in data.handovers}
    rows: list[dict[str, object]] = []
    for number, territory in enumerate(data.warehouses):
        close = _dock_close(data, number, second)
        for row in _trip_rows(territory, plan, close):
            members = handed.get((number, row.stop), ())
            if territory.stops.is_depot[row.stop]:
                served = sorted(members, key=lambda name: _order(second.get(name)))
            else:
                served = [territory.stops.ids[row.stop]]
            rows.extend(
                {
                    "destination_id": name,
                    "route_id": row.route_id,
                    "trip": row.trip,
                    "seq": row.seq + place / max(len(served), 1),
                    "loads_at": row.loads_s,
                    "latest_at": row.latest_s,
                    "by_depot": bool(territory.stops.is_depot[row.stop]),
                }
                for place, name in enumerate(served)
            )
    columns = ["destination_id", "route_id", "trip", "seq", "loads_at", "latest_at", "by_depot"]
    table = pd.DataFrame(rows, columns=columns).sort_values("destination_id", ignore_index=True)
    for name in ("loads_at", "latest_at"):
        moment = data.midnight + pd.to_timedelta(table[name].astype(np.float64), unit="s")
        table[name] = moment.astype("datetime64[us, UTC]")
    return table.astype(
        {"destination_id": "str", "route_id": "str", "trip": "int64", "seq": "float64", "by_depot": "bool"}
    )


def _order(row: _TripRow | None) -> tuple[int, str, int, int]:
    """Return where in the depot's day a community is delivered; those no van serves come last."""
    return (1, "", 0, 0) if row is None else (0, row.route_id, row.trip, row.seq)


def _dock_close(data: RoutingData, warehouse: int, second: Mapping[str, _TripRow]) -> Times:
    """Return the latest arrivals of a warehouse's stops; a truck comes before its communities' vans must load."""
    territory = data.warehouses[warehouse]
    close = territory.stops.close_s.copy()
    for hand in data.handovers:
        needed = [second[name].latest_s for name in hand.communities if name in second]
        if hand.warehouse == warehouse and needed:
            unloaded = min(needed) - data.handling_s
            close[hand.stop] = min(int(close[hand.stop]), unloaded - int(territory.stops.service_s[hand.stop]))
    return close


def _trip_rows(territory: Territory, plan: RoutePlan, close_s: Times) -> Iterator[_TripRow]:
    given = given_duties(territory, plan)
    for duty in given.free:
        planned = timetable(territory, duty).trips
        for number, (trip, latest) in enumerate(
            zip(duty.trips, latest_loadings(territory, duty, close_s), strict=True), start=1
        ):
            loads = planned[number - 1].loads_s
            for seq, stop in enumerate(trip, start=1):
                yield _TripRow(stop, given.names[duty], number, seq, loads, max(latest, loads))


def latest_loadings(territory: Territory, duty: Duty, close_s: Times) -> list[int]:
    """Return the latest loading of each trip with which every stop is served by `close_s` and the shift is kept.

    Backwards over the day: the latest start of service at a stop is the smaller of its close and what the way to the
    next place leaves; a trip must be back before the next one has to load.
    """
    stops, seconds = territory.stops, territory.travel.duration_s
    van, first = territory.vans[duty.van], territory.first_stop
    back, latest = van.shift_end_s, []
    for trip in reversed(duty.trips):
        clock, there = back, van.base
        for stop in reversed(trip):
            clock -= int(seconds[first + stop, there]) + int(stops.service_s[stop])
            clock = min(clock, int(close_s[stop]))
            there = first + stop
        back = clock - int(seconds[van.base, there]) - territory.loading_s
        latest.append(back)
    return latest[::-1]
