"""Planning again from a plan: frozen routes stay, late stops come in, cancelled ones go, changes have a price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Trips, Unserved
from contracts.reference import MasterRoutes
from contracts.solve import SolveStatus, StageReport
from optimize.routing.duty import Duty, holds, timetable
from optimize.routing.plan import RoutePlan
from optimize.routing.territory import Territory


@dataclass(frozen=True)
class Given:
    """Duties of one territory that a plan starts from.

    Attributes
    ----------
    frozen : tuple of Duty
        Kept as they are.
    free : tuple of Duty
        The search may change them.
    names : mapping of Duty to str
        Route ids; a duty that stays as it is keeps its id.
    loose : tuple of str
        A sentence for each route that was to be kept and cannot be.
    """

    frozen: tuple[Duty, ...] = ()
    free: tuple[Duty, ...] = ()
    names: Mapping[Duty, str] = field(default_factory=dict)
    loose: tuple[str, ...] = ()


def given_duties(territory: Territory, plan: RoutePlan, *, frozen: Collection[str] = ()) -> Given:
    """Return a plan's duties in a territory as it is now.

    Stops the territory no longer has are taken off their trips; stops it has anew are in no duty yet. A duty that no
    longer keeps the rules (heavier goods, a later release) is dropped from the start and its stops are searched anew,
    frozen or not; of frozen ones that is said. They have the first choice of vans. The parts of a divided depot are
    matched by their order, since their goods may have changed.
    """
    numbers: dict[tuple[str, bool], list[int]] = {}
    for stop in reversed(range(len(territory.stops))):
        key = (territory.stops.ids[stop], bool(territory.stops.is_depot[stop]))
        numbers.setdefault(key, []).append(stop)
    vans = {van.vehicle_type_id: number for number, van in enumerate(territory.vans)}
    rows = plan.stops[plan.stops["base_id"].isin(territory.base_ids)].sort_values(["route_id", "trip", "seq"])
    left = [van.count for van in territory.vans]
    kept: dict[bool, list[Duty]] = {True: [], False: []}
    names: dict[Duty, str] = {}
    loose: list[str] = []
    duties: dict[str, Duty] = {}
    for route, mine in rows.groupby("route_id", sort=True):
        trips = [_stops(trip, numbers) for _, trip in mine.groupby("trip", sort=True)]
        van = vans.get(mine["vehicle_type_id"].iloc[0], -1)
        duties[str(route)] = Duty(van, tuple(trip for trip in trips if trip))
    for route in sorted(duties, key=lambda name: (name not in frozen, name)):
        duty = duties[route]
        why = _broken(territory, duty, left)
        if why:
            loose += [f"Route {route} was to stay as it is, but {why}."] if route in frozen else []
            continue
        left[duty.van] -= 1
        kept[route in frozen].append(duty)
        names[duty] = route
    return Given(frozen=tuple(kept[True]), free=tuple(kept[False]), names=names, loose=tuple(loose))


def _broken(territory: Territory, duty: Duty, left: Sequence[int]) -> str:
    """Return why a duty cannot be kept, empty if it can; `left` counts the vans of each kind still without a duty."""
    if not duty.trips:
        return "none of its stops is left"
    if duty.van < 0 or not left[duty.van]:
        return "no van of its kind is free: its stops are planned anew"
    if not holds(territory, duty, timetable(territory, duty)):
        return "it no longer keeps its loads, windows or hours: its stops are planned anew"
    return ""


def as_plan(master: DataFrame[MasterRoutes]) -> RoutePlan:
    """Return a master route set as a plan to start from: its stops, without times and loads."""
    report = StageReport(stage="routing", status=SolveStatus.FEASIBLE)
    return RoutePlan(master, Trips.empty(), Unserved.empty(), {}, report, ())  # type: ignore[arg-type]


def rounds_known(territory: Territory, stops: pd.DataFrame, *, numbers: Mapping[int, int]) -> tuple[Duty, ...]:
    """Return who usually goes where: a duty per route of a table of stops, whether or not it holds tonight.

    Parameters
    ----------
    stops : DataFrame
        ``base_id``, ``route_id``, ``trip``, ``seq``, ``community_id``, ``depot_id``.
    numbers : mapping
        Stops of the territory that count, to the numbers they are told by.
    """
    known: dict[tuple[str, bool], list[int]] = {}
    for stop in sorted(numbers, reverse=True):
        key = (territory.stops.ids[stop], bool(territory.stops.is_depot[stop]))
        known.setdefault(key, []).append(numbers[stop])
    rows = stops[stops["base_id"].isin(territory.base_ids)].sort_values(["route_id", "trip", "seq"])
    rounds = [_stops(mine, known) for _, mine in rows.groupby("route_id", sort=True)]
    return tuple(Duty(-1, (places,)) for places in rounds if places)


def _stops(trip: pd.DataFrame, numbers: Mapping[tuple[str, bool], list[int]]) -> tuple[int, ...]:
    found = []
    for depot, community in zip(trip["depot_id"], trip["community_id"], strict=True):
        left = numbers.get((depot, True) if isinstance(depot, str) else (community, False))
        if left:
            found.append(left.pop())
    return tuple(found)


def without(
    territory: Territory, frozen: Sequence[Duty]
) -> tuple[Territory, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return the territory without the stops and vans of frozen duties, and which stops remain."""
    busy = np.bincount([duty.van for duty in frozen], minlength=len(territory.vans))
    done = [stop for duty in frozen for stop in duty.stops]
    rest = np.setdiff1d(np.arange(len(territory.stops)), np.array(done, dtype=np.int64)).astype(np.int64)
    vans = tuple(replace(van, count=van.count - int(n)) for van, n in zip(territory.vans, busy, strict=True))
    return replace(territory.only(rest), vans=vans), rest


def moved_stops(duties: Sequence[Duty], master: Sequence[Duty]) -> list[int]:
    """Return the stops whose driver changes against a master route set.

    Each master duty is taken over by the duty that keeps most of its stops (the first in order on a tie), and a duty
    takes over one master duty only. A stop on another duty than the one that took over its master's is moved; a stop
    the master does not have is new, and a stop no longer on any duty is counted as unserved, not here.

    Examples
    --------
    >>> moved_stops([Duty(0, ((1, 2, 3),)), Duty(0, ((4,),))], [Duty(0, ((1, 2),)), Duty(0, ((3, 4),))])
    [3]
    """
    now = {stop: number for number, duty in enumerate(duties) for stop in duty.stops}
    shared = Counter((number, now[stop]) for number, duty in enumerate(master) for stop in duty.stops if stop in now)
    heir: dict[int, int] = {}
    for (was, becomes), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if was not in heir and becomes not in heir.values():
            heir[was] = becomes
    return sorted(
        stop
        for number, duty in enumerate(master)
        for stop in duty.stops
        if stop in now and heir.get(number) != now[stop]
    )
