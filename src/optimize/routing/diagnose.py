"""Why a stop is not served, and the cheapest change that would serve it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.settings import RoutingSettings
from optimize.routing.duty import Duty, timetable
from optimize.routing.insertion import alone, insertions
from optimize.routing.territory import Territory, Van


@dataclass(frozen=True)
class Diagnosis:
    """Reason and cure in business words; the cure's yuan where they are known."""

    reason: str
    cure: str
    cure_yuan: float | None

    def row(self, destination_id: str, base_id: str) -> dict[str, object]:
        """Return the row of the Unserved table."""
        return {
            "destination_id": destination_id,
            "base_id": base_id,
            "reason": self.reason,
            "cure": self.cure,
            "cure_yuan": self.cure_yuan,
        }


def hopeless(territory: Territory) -> list[int]:
    """Return the stops that no van could serve even with nothing else to do; the search is spared them."""
    able = [
        [van for van in _able(territory, stop) if name not in territory.vans[van].closed_to]
        for stop, name in enumerate(territory.stops.ids)
    ]
    return [
        stop
        for stop, vans in enumerate(able)
        if not any(alone(territory, van, stop).late_s == 0 for van in vans if _fits(territory, van, stop))
    ]


def diagnose(
    territory: Territory, duties: Sequence[Duty], stop: int, settings: RoutingSettings, *, frozen: Sequence[Duty] = ()
) -> Diagnosis:
    """Return why the stop is not served beside these duties, and the cheapest cure; nothing is added to `frozen` ones.

    The first rule that alone makes it impossible is named: vans at all, temperature, size, then time. A stop that a
    van of its own could serve is a matter of fleet or hours; then cures are compared in yuan: another van, or moved
    windows and shifts at the settings' price per minute.
    """
    base = territory.base_ids[0]
    if not territory.vans:
        return Diagnosis(f"{base} has no vans.", f"Give {base} a van.", None)
    able = _able(territory, stop)
    if not able:
        return _no_capable_van(territory, stop, base)
    able = [van for van in able if territory.stops.ids[stop] not in territory.vans[van].closed_to]
    if not able:
        return _closed(territory, stop, base)
    sized = [van for van in able if _fits(territory, van, stop)]
    if not sized:
        return _too_big(territory, stop, able)
    in_time = [van for van in sized if alone(territory, van, stop).late_s == 0]
    if not in_time:
        return _too_late(territory, stop, sized, settings)
    busy = np.bincount([duty.van for duty in frozen], minlength=len(territory.vans))
    vans = tuple(
        replace(van, count=max(van.count - int(n), 0), away=van.away + int(n))
        for van, n in zip(territory.vans, busy, strict=True)
    )
    return _fleet_too_small(replace(territory, vans=vans), duties, stop, in_time, settings)


def _able(territory: Territory, stop: int) -> list[int]:
    chilled, frozen = bool(territory.stops.chilled[stop]), bool(territory.stops.frozen[stop])
    return [
        number
        for number, van in enumerate(territory.vans)
        if (van.carries_chilled or not chilled) and (van.carries_frozen or not frozen)
    ]


def _fits(territory: Territory, van: int, stop: int) -> bool:
    kind, stops = territory.vans[van], territory.stops
    return bool(stops.load_kg[stop] <= kind.capacity_kg + 1e-9 and stops.load_l[stop] <= kind.capacity_l + 1e-9)


def _at_home(territory: Territory, vans: Sequence[int]) -> list[int]:
    """Return the vans without those back from a trip, which another van would not be like; all if there is no other."""
    return [van for van in vans if not territory.vans[van].resumes] or list(vans)


def _need(territory: Territory, stop: int) -> str:
    needs = [
        name
        for name, flags in (("chilled", territory.stops.chilled), ("frozen", territory.stops.frozen))
        if flags[stop]
    ]
    return " and ".join(needs)


def _no_capable_van(territory: Territory, stop: int, base: str) -> Diagnosis:
    need = _need(territory, stop)
    fitting = [n for n in _at_home(territory, range(len(territory.vans))) if _fits(territory, n, stop)]
    yuan = min((alone(territory, n, stop).extra_yuan for n in fitting), default=None)
    return Diagnosis(
        f"It has {need} goods and no van at {base} carries them.",
        f"One van at {base} that carries {need} goods"
        + (f"; its tour would cost about {yuan:.0f} yuan at the rates of the vans there." if yuan is not None else "."),
        yuan,
    )


def _closed(territory: Territory, stop: int, base: str) -> Diagnosis:
    """Return that every van which could carry the goods must not drive there, and what admitting one would cost."""
    fitting = [n for n in _able(territory, stop) if _fits(territory, n, stop)]
    kinds = ", ".join(territory.vans[n].vehicle_type_id for n in _able(territory, stop))
    ways = [alone(territory, n, stop) for n in fitting]
    best = min(ways, key=lambda way: way.extra_yuan, default=None)
    if best is None:
        return Diagnosis(f"It is closed to {kinds}.", f"A van at {base} that may drive there.", None)
    name = territory.vans[best.duty.van].vehicle_type_id
    return Diagnosis(
        f"It is closed to {kinds}, every van at {base} that carries its goods.",
        f"Admit {name} there, or a van at {base} that may drive there; a tour costs about {best.extra_yuan:.0f} yuan.",
        best.extra_yuan,
    )


def _too_big(territory: Territory, stop: int, able: Sequence[int]) -> Diagnosis:
    kg, litres = float(territory.stops.load_kg[stop]), float(territory.stops.load_l[stop])
    vans = [territory.vans[n] for n in able]
    shares = [max(kg / van.capacity_kg, litres / van.capacity_l) for van in vans]
    best = vans[min(range(len(vans)), key=shares.__getitem__)]
    over = [
        f"{amount - capacity:.1f} {unit} less"
        for amount, capacity, unit in ((kg, best.capacity_kg, "kg"), (litres, best.capacity_l, "l"))
        if amount > capacity
    ]
    need = f" that carries {_need(territory, stop)} goods" if _need(territory, stop) else ""
    parts = math.ceil(min(shares) - 1e-9)
    return Diagnosis(
        f"Its load of {kg:.1f} kg and {litres:.1f} l exceeds every van{need}; the largest, {best.vehicle_type_id}, "
        f"takes {best.capacity_kg:.1f} kg and {best.capacity_l:.1f} l.",
        f"{' and '.join(over)}, or the goods divided over {parts} stops.",
        None,
    )


def _too_late(territory: Territory, stop: int, vans: Sequence[int], settings: RoutingSettings) -> Diagnosis:
    """Return what makes even a direct tour too late: release or shift start before the window or the shift's end."""
    ways = [(alone(territory, van, stop).late_s, van) for van in vans]
    _, number = min(ways)
    van = territory.vans[number]
    late_s, over_s = _lateness(territory, number, stop)
    held_by_release = int(territory.stops.release_s[stop]) > van.shift_start_s
    at_once = not held_by_release and territory.since_s is not None and van.shift_start_s <= territory.since_s
    shift = "at once" if at_once else f"when the shift of {van.vehicle_type_id} starts"
    start = "when its goods are sorted" if held_by_release else shift
    reason = (
        f"Loaded {start}, even a direct van comes {_minutes(late_s)} minutes after its window"
        if late_s
        else f"Loaded {start}, even a direct van is back {_minutes(over_s)} minutes after its shift ends"
    )
    total = late_s + over_s
    earlier = "Goods sorted" if held_by_release else f"A shift of {van.vehicle_type_id} that starts"
    most_s = max(late_s, over_s)
    helps = not at_once and _helps_earlier(territory, number, stop, most_s)
    cures = [f"{earlier} {_minutes(most_s)} minutes earlier"] if helps else []
    if late_s:
        tail = f" and a shift {_minutes(over_s)} minutes longer" if over_s else ""
        cures.append(f"a window that closes {_minutes(late_s)} minutes later{tail}")
    elif over_s:
        cures.append(f"a shift of {van.vehicle_type_id} that ends {_minutes(over_s)} minutes later")
    yuan = alone(territory, number, stop).extra_yuan + settings.late_yuan_per_minute * _minutes(total)
    return Diagnosis(reason + ".", _sentence(cures), yuan)


def _lateness(territory: Territory, van: int, stop: int) -> tuple[int, int]:
    times = timetable(territory, Duty(van, ((stop,),)))
    return times.late_s, times.over_s


def _helps_earlier(territory: Territory, van: int, stop: int, seconds: int) -> bool:
    """Return whether moving release and shift start earlier by so much makes a direct tour possible."""
    kind: Van = territory.vans[van]
    release = territory.stops.release_s.copy()
    release[stop] -= seconds
    held_by_release = int(territory.stops.release_s[stop]) > kind.shift_start_s
    vans = list(territory.vans)
    if not held_by_release:
        vans[van] = replace(kind, shift_start_s=kind.shift_start_s - seconds)
        release = territory.stops.release_s
    moved = replace(territory.released(release), vans=tuple(vans))
    return alone(moved, van, stop).late_s == 0


def _fleet_too_small(
    territory: Territory, duties: Sequence[Duty], stop: int, vans: Sequence[int], settings: RoutingSettings
) -> Diagnosis:
    ways_alone = (alone(territory, van, stop) for van in _at_home(territory, vans))
    extra = min(ways_alone, key=lambda way: way.extra_yuan)
    name = territory.vans[extra.duty.van].vehicle_type_id
    ways = list(insertions(territory, duties, stop))
    price = settings.late_yuan_per_minute / 60.0
    bent = min(ways, key=lambda way: way.extra_yuan + price * way.late_s, default=None)
    if bent is not None and bent.late_s == 0 and bent.extra_yuan < settings.unserved_yuan:
        return Diagnosis(
            f"Serving it costs {bent.extra_yuan:.0f} yuan; the search ended before it found that.",
            "Plan again with more seconds or work for routing.",
            bent.extra_yuan,
        )
    if bent is not None and bent.late_s == 0:
        return Diagnosis(
            f"Serving it costs {bent.extra_yuan:.0f} yuan, more than the {settings.unserved_yuan:.0f} yuan set for a "
            "stop left out.",
            f"A setting routing.unserved_yuan above {bent.extra_yuan:.0f}.",
            bent.extra_yuan,
        )
    used = sum(territory.vans[van].away for van in vans)
    used += sum(1 for duty in duties if duty.van in vans and not territory.vans[duty.van].resumes)
    reason = (
        f"{_all(used)} out: no trip has room left."
        if bent is None
        else f"{_all(used)} full or out of hours; the best trip would need {_minutes(bent.late_s)} minutes more."
    )
    bent_yuan = math.inf if bent is None else bent.extra_yuan + price * bent.late_s
    van_cure = f"One more van of type {name}: {extra.extra_yuan:.0f} yuan"
    if bent is None or extra.extra_yuan <= bent_yuan:
        other = "" if bent is None else f"; or windows and shifts {_minutes(bent.late_s)} minutes longer"
        return Diagnosis(reason, f"{van_cure}{other}.", extra.extra_yuan)
    return Diagnosis(
        reason,
        f"Windows and shifts {_minutes(bent.late_s)} minutes longer on the duty that serves "
        f"{territory.stops.ids[_neighbour(bent.duty, stop)]}: {bent.extra_yuan:.0f} yuan more driving; "
        f"or {van_cure[0].lower()}{van_cure[1:]}.",
        bent_yuan,
    )


def _neighbour(duty: Duty, stop: int) -> int:
    """Return another stop of the duty, to name it by."""
    return next((other for other in duty.stops if other != stop), stop)


def _all(used: int) -> str:
    return "The only van that could take it is" if used == 1 else f"All {used} vans that could take it are"


def _minutes(seconds: int) -> int:
    return math.ceil(seconds / 60)


def _sentence(cures: Sequence[str]) -> str:
    text = ", or ".join(cures)
    return f"{text[0].upper()}{text[1:]}."
