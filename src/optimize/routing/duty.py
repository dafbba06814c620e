"""A duty: what one van does in a day, trip by trip, and its timetable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from optimize.routing.territory import Territory

INFINITE_S = 1 << 40


@dataclass(frozen=True)
class Duty:
    """The trips of one van; a trip is the stops in order."""

    van: int
    trips: tuple[tuple[int, ...], ...]

    @property
    def stops(self) -> tuple[int, ...]:
        """Return the stops of all trips in order."""
        return tuple(stop for trip in self.trips for stop in trip)


def renumbered(
    duties: Iterable[Duty], *, stops: Mapping[int, int] | Sequence[int], vans: Mapping[int, int] | Sequence[int]
) -> tuple[Duty, ...]:
    """Return duties in the stop and van numbers of another territory; `stops[s]` is the new number of stop s."""
    return tuple(
        Duty(int(vans[duty.van]), tuple(tuple(int(stops[s]) for s in trip) for trip in duty.trips)) for duty in duties
    )


@dataclass(frozen=True)
class TripTimes:
    """When a trip loads, leaves, calls and returns: whole seconds from local midnight."""

    loads_s: int
    departs_s: int
    arrive_s: tuple[int, ...]
    depart_s: tuple[int, ...]
    returns_s: int
    distance_m: int


@dataclass(frozen=True)
class Timetable:
    """The times of a duty, its total lateness after windows and shift end, and how it is paid."""

    trips: tuple[TripTimes, ...]
    late_s: int
    over_s: int

    @property
    def duty_s(self) -> int:
        """Return seconds from the first loading to the last return."""
        return self.trips[-1].returns_s - self.trips[0].loads_s

    @property
    def distance_m(self) -> int:
        """Return metres of all trips."""
        return sum(trip.distance_m for trip in self.trips)


def timetable(territory: Territory, duty: Duty) -> Timetable:
    """Return the timetable with the earliest end and, for that end, the latest start.

    Forward: every trip loads as early as shift, release of its goods and the previous return allow, a van waits for
    windows, and a late arrival is served late (counted, not moved). Backward: with that end fixed, the first loading
    moves as late as it can without anything becoming later, which makes the paid duty as short as possible.
    """
    starts = _latest_start(territory, duty, _forward(territory, duty, None))
    return _forward(territory, duty, starts)


def _forward(territory: Territory, duty: Duty, start_s: int | None) -> Timetable:
    stops, seconds, metres = territory.stops, territory.travel.duration_s, territory.travel.distance_m
    van, first = territory.vans[duty.van], territory.first_stop
    clock = van.shift_start_s if start_s is None else max(start_s, van.shift_start_s)
    late, trips = 0, []
    for trip in duty.trips:
        loads = max(clock, max(int(stops.release_s[s]) for s in trip))
        departs = clock = loads + territory.loading_s
        here, arrive, depart, driven = van.base, [], [], 0
        for stop in trip:
            there = first + stop
            clock += int(seconds[here, there])
            driven += int(metres[here, there])
            arrive.append(clock)
            clock = max(clock, int(stops.open_s[stop]))
            late += max(clock - int(stops.close_s[stop]), 0)
            clock += int(stops.service_s[stop])
            depart.append(clock)
            here = there
        clock += int(seconds[here, van.base])
        driven += int(metres[here, van.base])
        trips.append(TripTimes(loads, departs, tuple(arrive), tuple(depart), clock, driven))
    return Timetable(tuple(trips), late, max(clock - van.shift_end_s, 0))


def _latest_start(territory: Territory, duty: Duty, earliest: Timetable) -> int:
    """Return the latest first loading that keeps the end, and makes no stop later than it must be."""
    stops, seconds = territory.stops, territory.travel.duration_s
    van, first = territory.vans[duty.van], territory.first_stop
    latest = earliest.trips[-1].returns_s
    for trip, times in zip(reversed(duty.trips), reversed(earliest.trips), strict=True):
        there = van.base
        latest = max(latest, times.returns_s)
        for place in range(len(trip) - 1, -1, -1):
            stop = trip[place]
            latest -= int(seconds[first + stop, there]) + int(stops.service_s[stop])
            served = times.depart_s[place] - int(stops.service_s[stop])
            latest = max(min(latest, int(stops.close_s[stop])), served)
            there = first + stop
        latest -= int(seconds[van.base, there]) + territory.loading_s
    return latest


def fits(territory: Territory, van: int, trip: Sequence[int]) -> bool:
    """Return whether a kind of van may make a trip: kg, litres, temperature, and no stop is closed to it."""
    kind, stops, chosen = territory.vans[van], territory.stops, list(trip)
    return bool(
        stops.load_kg[chosen].sum() <= kind.capacity_kg + 1e-9
        and stops.load_l[chosen].sum() <= kind.capacity_l + 1e-9
        and (kind.carries_chilled or not stops.chilled[chosen].any())
        and (kind.carries_frozen or not stops.frozen[chosen].any())
        and kind.closed_to.isdisjoint(stops.ids[stop] for stop in chosen)
    )


def holds(territory: Territory, duty: Duty, times: Timetable) -> bool:
    """Return whether a duty keeps every rule: loads, needs, windows, shift, hours on duty and number of trips."""
    van = territory.vans[duty.van]
    return (
        times.late_s == 0
        and times.over_s == 0
        and len(duty.trips) <= van.max_trips
        and (van.max_duty_s is None or times.duty_s <= van.max_duty_s)
        and all(fits(territory, duty.van, trip) for trip in duty.trips)
    )


def whole_yuan(territory: Territory, duty: Duty, times: Timetable | None = None) -> float:
    """Return the whole cost of a duty in yuan."""
    return sum(duty_yuan(territory, duty, times or timetable(territory, duty)))


def duty_yuan(territory: Territory, duty: Duty, times: Timetable) -> tuple[float, float, float]:
    """Return fixed, kilometre and hour cost of a duty in yuan."""
    van = territory.vans[duty.van]
    return van.fixed_yuan, van.yuan_per_km * times.distance_m / 1000.0, van.yuan_per_hour * times.duty_s / 3600.0
