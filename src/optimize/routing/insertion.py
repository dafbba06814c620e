"""Putting one more stop into duties: where it costs least, and how late it would make things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimize.routing.duty import Duty, Timetable, fits, timetable, whole_yuan
from optimize.routing.territory import Territory


@dataclass(frozen=True)
class Insertion:
    """A duty with one more stop: which duty it replaces (None: another van), what it adds, what it breaks.

    Attributes
    ----------
    late_s : int
        Seconds after windows and shift ends, summed over the duty; 0 means that all rules hold.
    """

    position: int | None
    duty: Duty
    extra_yuan: float
    late_s: int


def insertions(territory: Territory, duties: Sequence[Duty], stop: int) -> Iterator[Insertion]:
    """Yield every way to serve one more stop whose van carries it: in a trip, as a trip of its own, by another van."""
    used = [0] * len(territory.vans)
    for position, duty in enumerate(duties):
        used[duty.van] += 1
        if not fits(territory, duty.van, (stop,)):
            continue
        before = whole_yuan(territory, duty)
        for longer in _longer(territory, duty, stop):
            times = timetable(territory, longer)
            yield Insertion(
                position, longer, whole_yuan(territory, longer, times) - before, _late(territory, longer, times)
            )
    for number, van in enumerate(territory.vans):
        if used[number] < van.count and fits(territory, number, (stop,)):
            yield alone(territory, number, stop)


def alone(territory: Territory, van: int, stop: int) -> Insertion:
    """Return a duty that serves only this stop."""
    duty = Duty(van, ((stop,),))
    times = timetable(territory, duty)
    return Insertion(None, duty, whole_yuan(territory, duty, times), _late(territory, duty, times))


def _late(territory: Territory, duty: Duty, times: Timetable) -> int:
    """Return seconds after windows, the shift's end and the longest duty allowed."""
    longest = territory.vans[duty.van].max_duty_s
    return times.late_s + times.over_s + (0 if longest is None else max(times.duty_s - longest, 0))


def _longer(territory: Territory, duty: Duty, stop: int) -> Iterator[Duty]:
    for number, trip in enumerate(duty.trips):
        if fits(territory, duty.van, (*trip, stop)):
            for place in range(len(trip) + 1):
                grown = (*trip[:place], stop, *trip[place:])
                yield Duty(duty.van, (*duty.trips[:number], grown, *duty.trips[number + 1 :]))
    if len(duty.trips) < territory.vans[duty.van].max_trips:
        for number in range(len(duty.trips) + 1):
            yield Duty(duty.van, (*duty.trips[:number], (stop,), *duty.trips[number:]))


def insert_left_over(territory: Territory, duties: Sequence[Duty]) -> tuple[Duty, ...]:
    """Return the duties with each left-over stop where it costs least, if rules hold and it is worth it.

    A search that ends early may leave out a stop that fits; this closes the gap without another search.
    """
    grown = list(duties)
    served = {stop for duty in duties for stop in duty.stops}
    for stop in range(len(territory.stops)):
        if stop in served:
            continue
        fitting = [way for way in insertions(territory, grown, stop) if way.late_s == 0]
        best = min(fitting, key=lambda way: way.extra_yuan, default=None)
        if best is None or (territory.unserved_yuan is not None and best.extra_yuan >= territory.unserved_yuan):
            continue
        if best.position is None:
            grown.append(best.duty)
        else:
            grown[best.position] = best.duty
    return tuple(grown)
