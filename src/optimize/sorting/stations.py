"""Stations and slots within a wave: the same units for every station, a route's stops side by side in load order."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimize.sorting.floor import Floor, workers_for


def seat(floor: Floor, waves: NDArray[np.int64]) -> pd.DataFrame:
    """Return ``destination_id``, ``wave``, ``station`` and ``slot`` (all from 1), one row per destination.

    Largest batch first onto the station with the fewest units that has slots for all of it (LPT; Graham 1969); a
    batch that no station can hold whole fills stations up, emptiest first. As many stations open as the destinations
    need slots or the wave has workers. Slots of a station follow the batches' names, a batch's slots its load order.
    """
    workers = workers_for(floor.loads(waves), floor.worker_units)
    station = np.zeros(len(floor.members), dtype=np.int64)
    rows = np.split(np.arange(len(floor.members)), np.cumsum(floor.seats)[:-1])
    units = floor.members["units"].to_numpy(np.float64)
    for w in np.unique(waves):
        here = np.flatnonzero(waves == w)
        need = max(-(-int(floor.seats[here].sum()) // floor.zone.slots_per_station), int(workers[w]), 1)
        count = min(floor.zone.stations, need)
        loads, free = np.zeros(count), np.full(count, floor.zone.slots_per_station)
        for batch in here[np.lexsort((here, -floor.units[here]))]:
            left = rows[batch]
            while len(left):
                roomy = np.flatnonzero(free >= len(left))
                one = roomy[np.argmin(loads[roomy])] if len(roomy) else int(np.argmax(free))
                taken, left = left[: free[one]], left[free[one] :]
                station[taken] = one + 1
                loads[one] += units[taken].sum()
                free[one] -= len(taken)
    seats = pd.DataFrame(
        {
            "destination_id": floor.members["destination_id"],
            "wave": floor.grid["wave"].to_numpy()[waves[floor.members["batch"]]],
            "station": station,
        }
    )
    seats["slot"] = seats.groupby(["wave", "station"]).cumcount() + 1
    return seats
