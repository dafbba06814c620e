"""Between the echelons: when linehaul brings a depot's goods, its vans may load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from optimize.routing.data import RoutingData
from optimize.routing.duty import Duty, timetable
from optimize.routing.territory import Territory


def brought_at(data: RoutingData, warehouse_duties: Sequence[Sequence[Duty]]) -> dict[str, int]:
    """Return for each community on a depot when its goods are ready there, seconds from local midnight.

    Communities whose linehaul stop no truck serves are absent; those of trucks that have left are in `data.brought`.
    """
    unloaded: dict[tuple[int, int], int] = {}
    for number, (territory, duties) in enumerate(zip(data.warehouses, warehouse_duties, strict=True)):
        for duty in duties:
            for trip, times in zip(duty.trips, timetable(territory, duty).trips, strict=True):
                unloaded.update({(number, stop): at for stop, at in zip(trip, times.depart_s, strict=True)})
    return dict(data.brought) | {
        community: unloaded[hand.warehouse, hand.stop] + data.handling_s
        for hand in data.handovers
        for community in hand.communities
        if (hand.warehouse, hand.stop) in unloaded
    }


def last_mile(depot: Territory, ready: Mapping[str, int]) -> tuple[Territory, tuple[str, ...]]:
    """Return the depot's territory with the goods that came, and the communities whose goods did not."""
    came = np.array([i for i, stop in enumerate(depot.stops.ids) if stop in ready], dtype=np.int64)
    left = tuple(stop for stop in depot.stops.ids if stop not in ready)
    kept = depot.only(came)
    return kept.released(np.array([ready[stop] for stop in kept.stops.ids], dtype=np.int64)), left
