"""Published routing instances as routing data: the rounding and objective of each set as its best-known costs use them.

Conventions (checked against the best-known ``.sol`` of each set): CVRP distances rounded to whole numbers; VRPTW and
MTVRPTWR distances and times x 10, cut off; MDVRPTW and HFVRP distances, times and fixed costs x 1000, rounded. Driving
takes as long as it is far. The objective is distance x the van's rate + fixed cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import vrplib
from numpy.typing import NDArray

from contracts.settings import RoutingSettings
from optimize.routing.data import RoutingData
from optimize.routing.duty import Duty, duty_yuan, timetable
from optimize.routing.territory import Stops, Territory, Van
from optimize.routing.travel import Travel

FAR_S = 1 << 40
Rounding = Callable[[Any], NDArray[np.int64]]


def _nearest(values: Any) -> NDArray[np.int64]:
    return np.round(values).astype(np.int64)


def _tenths_cut(values: Any) -> NDArray[np.int64]:
    return np.asarray(10 * np.asarray(values, dtype=np.float64)).astype(np.int64)


def _thousandths(values: Any) -> NDArray[np.int64]:
    return np.round(1000 * np.asarray(values, dtype=np.float64)).astype(np.int64)


ROUNDING: dict[str, Rounding] = {
    "CVRP": _nearest,
    "VRPTW": _tenths_cut,
    "MTVRPTWR": _tenths_cut,
    "MDVRPTW": _thousandths,
    "HFVRP": _thousandths,
}


@dataclass(frozen=True)
class Instance:
    """One instance with its best-known routes, in the instance's own whole-number cost units."""

    name: str
    data: RoutingData
    best_known: float
    published: str


def read_instance(path: Path, family: str) -> Instance:
    """Return an instance as routing data; its best-known cost is recomputed from the routes of the ``.sol``.

    Raises
    ------
    ValueError
        The published routes do not keep the instance's rules as read here.
    """
    territory, kind = _territory(vrplib.read_instance(path), path.stem, ROUNDING[family])
    data = RoutingData(
        delivery_date=date(2000, 1, 1),
        timezone="UTC",
        midnight=pd.Timestamp("2000-01-01", tz="UTC").as_unit("us"),
        warehouses=(territory,),
        depots=(),
        handovers=(),
        settings=RoutingSettings(loading_minutes=0),
    )
    solution = path.with_suffix(".sol")
    return Instance(path.stem, data, _best_known(solution, territory, kind), _published(solution))


def _territory(raw: dict[str, Any], name: str, rounding: Rounding) -> tuple[Territory, list[int]]:
    """Return the territory and the van type of each vehicle of the file."""
    places = int(raw["dimension"])
    bases = len(np.atleast_1d(raw["depot"]))
    stops = places - bases
    way = rounding(raw["edge_weight"])
    windows = rounding(raw["time_window"]) if "time_window" in raw else np.array([[0, FAR_S]] * places)
    service = _per_place(raw.get("service_time", 0), places, rounding)
    release = _per_place(raw.get("release_time", 0), places, rounding)
    demand = np.asarray(raw["demand"], dtype=np.float64)
    nothing = np.zeros(stops, dtype=bool)
    vans, kind = _vans(raw, windows, rounding, stops=stops)
    territory = Territory(
        name=name,
        base_ids=tuple(f"base {number + 1}" for number in range(bases)),
        vans=vans,
        stops=Stops(
            ids=tuple(str(number) for number in range(1, stops + 1)),
            is_depot=nothing,
            units=np.ones(stops),
            load_kg=demand[bases:],
            load_l=np.zeros(stops),
            chilled=nothing,
            frozen=nothing,
            service_s=service[bases:],
            open_s=windows[bases:, 0],
            close_s=windows[bases:, 1],
            release_s=release[bases:],
        ),
        travel=Travel(way, way),
        latitude=np.asarray(raw["node_coord"], dtype=np.float64)[:, 1],
        longitude=np.asarray(raw["node_coord"], dtype=np.float64)[:, 0],
        loading_s=0,
        unserved_yuan=None,
    )
    return territory, kind


def _per_place(value: Any, places: int, rounding: Rounding) -> NDArray[np.int64]:
    return rounding(np.broadcast_to(np.asarray(value, dtype=np.float64), places))


def _vans(
    raw: dict[str, Any], windows: NDArray[np.int64], rounding: Rounding, *, stops: int
) -> tuple[tuple[Van, ...], list[int]]:
    """Return the fleet by kind: equal vehicles of one base are one van type."""
    count = int(raw.get("vehicles", stops))

    def each(key: str, default: float) -> NDArray[np.float64]:
        return np.broadcast_to(np.asarray(raw.get(key, default), dtype=np.float64), count)

    capacity = _capacities(raw["capacity"], count)
    base = each("vehicles_depot", 1).astype(np.int64) - 1
    limit = rounding(each("vehicles_max_duration", 0.0)) if "vehicles_max_duration" in raw else np.full(count, 0)
    fixed, rate = rounding(each("vehicles_fixed_cost", 0.0)), each("vehicles_unit_distance_cost", 1.0)
    trips = stops if "vehicles_reload_depot" in raw else 1
    vehicles = list(zip(capacity, base.tolist(), limit.tolist(), fixed.tolist(), rate.tolist(), strict=True))
    kinds = Counter(vehicles)
    vans = tuple(
        Van(
            vehicle_type_id=f"kind {number + 1}",
            base=where,
            count=amount,
            capacity_kg=size,
            capacity_l=1.0,
            carries_chilled=True,
            carries_frozen=True,
            fixed_yuan=float(once),
            yuan_per_km=1000.0 * per_unit,
            yuan_per_hour=0.0,
            shift_start_s=int(windows[where, 0]),
            shift_end_s=int(windows[where, 1]),
            max_trips=trips,
            max_duty_s=int(longest) or None,
        )
        for number, ((size, where, longest, once, per_unit), amount) in enumerate(kinds.items())
    )
    order = list(kinds)
    return vans, [order.index(vehicle) for vehicle in vehicles]


def _capacities(capacity: Any, count: int) -> list[float]:
    """Return the capacity of each vehicle."""
    return [float(c) for c in np.broadcast_to(np.asarray(capacity, dtype=np.float64), count)]


def _published(path: Path) -> str:
    lines = [line for line in path.read_text().splitlines() if line.lower().startswith("cost")]
    return lines[0].split()[-1] if lines else ""


def _best_known(path: Path, territory: Territory, kind: list[int]) -> float:
    """Return the cost of the published routes by our own arithmetic; route n is driven by vehicle n."""
    total = 0.0
    routes = [_trips(line, territory) for line in path.read_text().splitlines() if line.startswith("Route")]
    for number, trips in enumerate(routes):
        if not trips:
            continue
        duty = Duty(kind[number], trips)
        times = timetable(territory, duty)
        load = max(float(territory.stops.load_kg[list(trip)].sum()) for trip in trips)
        if times.late_s or times.over_s or load > territory.vans[duty.van].capacity_kg:
            raise ValueError(f"{path.name}: route {number + 1} breaks the rules as read here")
        total += sum(duty_yuan(territory, duty, times))
    return total


def _trips(line: str, territory: Territory) -> tuple[tuple[int, ...], ...]:
    trips: list[list[int]] = [[]]
    for word in line.split(":", 1)[1].replace("|", " 0 ").split():
        if int(word) < territory.first_stop:
            trips.append([])
        else:
            trips[-1].append(int(word) - territory.first_stop)
    return tuple(tuple(trip) for trip in trips if trip)
