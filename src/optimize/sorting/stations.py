"""Stations and slots within a wave: the same units for every station, destinations in a fixed order."""

from __future__ import annotations

import heapq

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimize.sorting.floor import Floor, workers_for


def seat(floor: Floor, waves: NDArray[np.int64]) -> pd.DataFrame:
    """Return ``destination_id``, ``wave``, ``station`` and ``slot`` (all from 1), one row per destination.

    Largest first onto the station with the fewest units that has a slot left (LPT; Graham 1969: the fullest station
    has at most 4/3 of the best possible). Only as many stations open as the destinations need slots, but at least one
    per worker, so that workers do not stand in each other's way. Slots of a station follow the destination ids.
    """
    count = len(waves)
    station = np.zeros(count, dtype=np.int64)
    per_station, stations = floor.zone.slots_per_station, floor.zone.stations
    workers = workers_for(floor.loads(waves), floor.worker_units)
    for w in np.unique(waves):
        here = np.flatnonzero(waves == w)
        open_stations = min(stations, max(-(-len(here) // per_station), int(workers[w])), len(here))
        heap = [(0.0, number, 0) for number in range(1, open_stations + 1)]
        for d in here[np.lexsort((here, -floor.units[here]))]:
            load, number, used = heapq.heappop(heap)
            station[d] = number
            if used + 1 < per_station:
                heapq.heappush(heap, (load + float(floor.units[d]), number, used + 1))
    seats = pd.DataFrame({"destination_id": floor.destinations, "wave": waves + 1, "station": station})
    seats["slot"] = seats.groupby(["wave", "station"]).cumcount() + 1
    return seats
