"""Does a route plan hold? Times, loads, windows, shifts, releases, needs, distances and cost, without the solver."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from optimize.routing.data import RoutingData
from optimize.routing.plan import RoutePlan
from optimize.routing.territory import Territory, Van

SECOND = 1e-3
"""Float noise allowed in seconds; all planned times are whole."""
YUAN = 1e-4
LOAD = 1e-6


def check(data: RoutingData, plan: RoutePlan) -> list[str]:
    """Return what is wrong with a plan as sentences; an empty list means that it holds.

    Everything is recomputed from `plan.stops`, `plan.trips` and the input, row by row: each stop served once or
    listed as unserved with what it should get, each leg's metres and seconds, waiting and windows, loading after
    release and return, shift ends, kg, litres, temperature, number of vans and trips, linehaul before last mile, and
    the cost.
    """
    findings: list[str] = []
    ready = _ready_at_depots(data, plan)
    seen: set[str] = set()
    yuan = 0.0
    for territory in (*data.warehouses, *data.depots):
        mine = plan.stops[plan.stops["base_id"].isin(territory.base_ids)]
        judge = _Judge(territory, data, ready, findings)
        served = judge.matched(mine)
        judge.all_accounted(served, plan)
        trips = plan.trips[plan.trips["base_id"].isin(territory.base_ids)]
        seen |= set(trips["route_id"])
        yuan += judge.duties(mine.assign(stop=pd.Series(served, index=mine.index, dtype="float64")), trips)
    for frame, name in ((plan.stops, "stops"), (plan.trips, "trips")):
        lost = sorted(set(frame["route_id"]) - seen)
        if lost:
            findings.append(f"{name} hold routes {lost[:3]} of no known base or without trips")
    paid = sum(plan.costs[kind] for kind in ("fixed", "distance", "duty"))
    if abs(paid - yuan) > YUAN + 1e-9 * yuan:
        findings.append(f"cost of the routes is {yuan:.4f} yuan by the tables, the plan says {paid:.4f}")
    if abs(sum(v for k, v in plan.costs.items() if k != "total") - plan.costs["total"]) > YUAN:
        findings.append("the parts of the cost do not sum to its total")
    return findings


def _ready_at_depots(data: RoutingData, plan: RoutePlan) -> dict[str, float]:
    """Return when each community's goods may be loaded at its depot: the linehaul stop that brought them + handling."""
    ready: dict[str, float] = dict(data.brought)
    for number, territory in enumerate(data.warehouses):
        rows = plan.stops[plan.stops["base_id"].isin(territory.base_ids) & plan.stops["depot_id"].notna()]
        stop = _match(territory, rows)
        left_s = {s: t for s, t in zip(stop, _seconds(rows["depart_at"], data), strict=True) if s is not None}
        for hand in data.handovers:
            if hand.warehouse == number and hand.stop in left_s:
                ready.update(dict.fromkeys(hand.communities, left_s[hand.stop] + data.handling_s))
    return ready


def _seconds(instants: pd.Series[pd.Timestamp], data: RoutingData) -> list[float]:
    return [float(s) for s in (instants - data.midnight).dt.total_seconds()]


def _match(territory: Territory, rows: pd.DataFrame) -> list[int | None]:
    """Return the territory's stop of each row: same place, same goods; each stop is matched once."""
    stops = territory.stops
    free: dict[tuple[object, ...], list[int]] = {}
    for i in reversed(range(len(stops))):
        goods = (_load(stops.load_kg[i]), _load(stops.load_l[i]), _load(stops.units[i]))
        free.setdefault((stops.ids[i], bool(stops.is_depot[i]), *goods), []).append(i)
    found: list[int | None] = []
    for row in rows.to_dict("records"):
        to_depot = isinstance(row["depot_id"], str)
        place = row["depot_id"] if to_depot else row["community_id"]
        left = free.get((place, to_depot, _load(row["load_kg"]), _load(row["load_l"]), _load(row["units"])))
        found.append(left.pop() if left else None)
    return found


def _load(amount: float) -> float:
    return round(float(amount), 6)


class _Judge:
    """Judges one territory's rows and notes findings."""

    def __init__(self, territory: Territory, data: RoutingData, ready: dict[str, float], findings: list[str]) -> None:
        self.territory = territory
        self.data = data
        self.findings = findings
        self.release_s = [float(s) for s in territory.stops.release_s]
        self.of_depot = any(territory is depot for depot in data.depots)
        if self.of_depot:
            self.release_s = [
                max(own, ready.get(stop, math.inf))
                for own, stop in zip(self.release_s, territory.stops.ids, strict=True)
            ]

    def note(self, sentence: str) -> None:
        """Note a finding of this territory."""
        self.findings.append(f"{self.territory.name}: {sentence}")

    def matched(self, rows: pd.DataFrame) -> list[int | None]:
        """Return each row's stop; rows that match none are findings."""
        stop = _match(self.territory, rows)
        for row, found in zip(rows.to_dict("records"), stop, strict=True):
            if found is None:
                place = row["depot_id"] if isinstance(row["depot_id"], str) else row["community_id"]
                self.note(f"{place} on {row['route_id']} is no stop here, comes twice, or gets other goods than loaded")
        return stop

    def all_accounted(self, served: Sequence[int | None], plan: RoutePlan) -> None:
        """Note stops that are neither served nor listed as unserved, and those that are both."""
        listed = set(plan.unserved["destination_id"])
        done = {stop for stop in served if stop is not None}
        for i, place in enumerate(self.territory.stops.ids):
            if i not in done and place not in listed:
                self.note(f"{place} is neither served nor listed as unserved")
            if i in done and place in listed and not self.territory.stops.is_depot[i]:
                self.note(f"{place} is served and listed as unserved")

    def duties(self, rows: pd.DataFrame, trips: pd.DataFrame) -> float:
        """Judge every duty; return what they cost in yuan."""
        vans = {van.vehicle_type_id: van for van in self.territory.vans}
        used: dict[str, int] = {}
        yuan = 0.0
        by_trip = dict(iter(rows.sort_values(["route_id", "trip", "seq"]).groupby(["route_id", "trip"])))
        for route, mine in trips.sort_values(["route_id", "trip"]).groupby("route_id"):
            kinds = set(mine["vehicle_type_id"])
            if len(kinds) != 1 or not kinds <= set(vans) or len(set(mine["base_id"])) != 1:
                self.note(f"{route} is driven by {sorted(kinds)}, not by one van type of this base")
                continue
            van = vans[kinds.pop()]
            used[van.vehicle_type_id] = used.get(van.vehicle_type_id, 0) + 1
            if mine["base_id"].iloc[0] != self.territory.base_ids[van.base]:
                self.note(f"{route} starts at {mine['base_id'].iloc[0]}, its van stands elsewhere")
            if list(mine["trip"]) != list(range(1, len(mine) + 1)) or len(mine) > van.max_trips:
                self.note(f"{route} makes trips {list(mine['trip'])}, at most {van.max_trips} allowed")
            yuan += self._duty(str(route), van, mine, by_trip)
        for name, count in used.items():
            if count > vans[name].count:
                self.note(f"{count} vans of type {name} used, {vans[name].count} there")
        return yuan

    def _duty(
        self, route: str, van: Van, trips: pd.DataFrame, by_trip: Mapping[tuple[Hashable, ...], pd.DataFrame]
    ) -> float:
        free_at = float(van.shift_start_s)
        first_loading: float | None = None
        metres = cost_by_trip = 0.0
        for trip in trips.to_dict("records"):
            rows = by_trip.get((route, trip["trip"]))
            if rows is None or rows["stop"].isna().any() or len(rows) != trip["stops"]:
                self.note(f"{route} trip {trip['trip']} has no stops, or others than it counts")
                return math.nan
            stops = [int(s) for s in rows["stop"]]
            leaves = (trip["departs_at"] - self.data.midnight).total_seconds()
            loads = leaves - self.territory.loading_s
            if loads < free_at - SECOND:
                self.note(f"{route} trip {trip['trip']} loads {free_at - loads:.0f} s before its van is there")
            released = max(self.release_s[s] for s in stops)
            if loads < released - SECOND:
                self.note(f"{route} trip {trip['trip']} loads {released - loads:.0f} s before its goods are sorted")
            self._carries(f"{route} trip {trip['trip']}", van, stops, trip)
            back, driven = self._drive(f"{route} trip {trip['trip']}", van, stops, rows, leaves)
            if abs(back - (trip["returns_at"] - self.data.midnight).total_seconds()) > SECOND:
                self.note(f"{route} trip {trip['trip']} cannot be back when it says")
            if abs(driven - trip["distance_m"]) > SECOND:
                self.note(f"{route} trip {trip['trip']} is {driven:.0f} m, it says {trip['distance_m']:.0f}")
            first_loading = loads if first_loading is None else first_loading
            free_at, metres = back, metres + driven
            cost_by_trip += trip["cost_yuan"]
        if free_at > van.shift_end_s + SECOND:
            self.note(f"{route} is back {free_at - van.shift_end_s:.0f} s after the shift ends")
        on_duty = free_at - (first_loading or 0.0)
        if van.max_duty_s is not None and on_duty > van.max_duty_s + SECOND:
            self.note(f"{route} is on duty {on_duty:.0f} s, at most {van.max_duty_s} allowed")
        yuan = van.fixed_yuan + van.yuan_per_km * metres / 1000.0 + van.yuan_per_hour * on_duty / 3600.0
        if abs(yuan - cost_by_trip) > YUAN:
            self.note(f"{route} costs {yuan:.4f} yuan, its trips say {cost_by_trip:.4f}")
        return yuan

    def _carries(self, label: str, van: Van, stops: list[int], trip: Mapping[Hashable, float]) -> None:
        goods = self.territory.stops
        for unit, amounts, capacity in (
            ("kg", goods.load_kg, van.capacity_kg),
            ("l", goods.load_l, van.capacity_l),
        ):
            load = float(sum(amounts[s] for s in stops))
            if load > capacity + LOAD:
                self.note(f"{label} carries {load:.2f} {unit}, the van takes {capacity:.2f}")
            if abs(load - trip[f"load_{unit}"]) > LOAD * max(load, 1.0):
                self.note(f"{label} carries {load:.2f} {unit}, it says {trip[f'load_{unit}']:.2f}")
        for need, flags, able in (
            ("chilled", goods.chilled, van.carries_chilled),
            ("frozen", goods.frozen, van.carries_frozen),
        ):
            if not able and any(flags[s] for s in stops):
                self.note(f"{label} has {need} goods in a van that does not carry them")
        for s in stops:
            if goods.ids[s] in van.closed_to:
                self.note(f"{label} calls at {goods.ids[s]}, which is closed to {van.vehicle_type_id}")

    def _drive(self, label: str, van: Van, stops: list[int], rows: pd.DataFrame, leaves: float) -> tuple[float, float]:
        """Return when the trip is back and its metres; note legs, times and windows that do not hold."""
        travel, goods, first = self.territory.travel, self.territory.stops, self.territory.first_stop
        clock, metres, here = leaves, 0.0, van.base
        told = zip(_seconds(rows["arrive_at"], self.data), _seconds(rows["depart_at"], self.data), strict=True)
        for stop, leg_m, wait, late, (arrive, depart) in zip(
            stops, rows["distance_m"], rows["wait_minutes"], rows["late_minutes"], told, strict=True
        ):
            there = first + stop
            clock += float(travel.duration_s[here, there])
            metres += float(travel.distance_m[here, there])
            place, opens, closes = goods.ids[stop], float(goods.open_s[stop]), float(goods.close_s[stop])
            if abs(arrive - clock) > SECOND:
                self.note(f"{label} cannot be at {place} when it says ({arrive - clock:+.0f} s)")
            if abs(leg_m - float(travel.distance_m[here, there])) > SECOND:
                self.note(f"{label}: the leg to {place} is {travel.distance_m[here, there]} m, it says {leg_m:.0f}")
            if clock > closes + SECOND:
                self.note(f"{label} is at {place} {(clock - closes) / 60:.1f} minutes after its window")
            if abs(wait - max(opens - clock, 0.0) / 60) > 1e-6 or abs(late - max(clock - closes, 0.0) / 60) > 1e-6:
                self.note(f"{label} waits or is late at {place} other than it says")
            clock = max(clock, opens) + float(goods.service_s[stop])
            if abs(depart - clock) > SECOND:
                self.note(f"{label} cannot leave {place} when it says ({depart - clock:+.0f} s)")
            here = there
        clock += float(travel.duration_s[here, van.base])
        metres += float(travel.distance_m[here, van.base])
        return clock, metres
