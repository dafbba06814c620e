"""A night under way: trips that left are taken out and put back, and the whole still passes the check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from contracts.solve import SolveLimits
from optimize.routing import check, route
from optimize.routing.under_way import Road, departed, still_open, with_road

LOADING_S = 20 * 60


@pytest.mark.parametrize("seed", range(4))
def test_the_whole_night_holds_whatever_has_left(town: Callable[..., Any], limits: SolveLimits, seed: int) -> None:
    """Two vans with up to three trips, as of each departure: kept to the letter, nothing loads before."""
    full = town(9, seed=seed, count=2, max_trips=3, kg=70.0)
    assert full.settings.loading_minutes * 60 == LOADING_S
    data = full.data()
    before = route(data, limits=limits)
    for as_of in sorted(before.trips["departs_at"]):
        stops, trips = departed(before, as_of=as_of)
        road = Road(as_of, stops, trips, {})
        left = [row for row in full.loads if row["destination_id"] not in road.delivered]
        if not left:
            continue
        rest, plan = still_open(full.but(loads=left).data(), before, road)
        again = route(rest, limits=limits.model_copy(update={"work": 60}), previous=plan)
        vehicles = full.reference().vehicle_types
        made = with_road(again, road, vehicles=vehicles, loading_s=LOADING_S)
        assert check(data, made) == []
        order = ["route_id", "trip", "seq"]
        kept = made.stops.merge(stops[order], on=order).sort_values(order, ignore_index=True)
        pd.testing.assert_frame_equal(kept, stops.sort_values(order, ignore_index=True))
        key = ["route_id", "trip"]
        gone = pd.MultiIndex.from_frame(trips[key])
        others = made.trips[~pd.MultiIndex.from_frame(made.trips[key]).isin(gone)]
        assert (others["departs_at"] - pd.Timedelta(seconds=LOADING_S) >= as_of).all()
        assert set(made.stops["community_id"]) | set(made.unserved["destination_id"]) == set(
            data.warehouses[0].stops.ids
        )
