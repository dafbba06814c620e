"""Trips divided where a wave cannot hold them: no part beyond a wave, no more parts than it takes."""

from __future__ import annotations

import itertools

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.planned import Allotments
from contracts.settings import SortingSettings
from contracts.world import World
from pipeline.whole_trips import trips_in_waves

SLOTS, MOST = 4, 30.0


def inputs(world: World, units: list[tuple[float, float]]) -> tuple[pd.DataFrame, pd.DataFrame, object]:
    """Return one trip of made-up stops with ambient and chilled units, their allotments, and floors of 4 slots."""
    known = world.reference
    home = known.warehouses["warehouse_id"].iloc[0]
    skus = [known.skus.loc[known.skus["temperature_zone"] == zone, "sku_id"].iloc[0] for zone in ("ambient", "chilled")]
    rows = [
        {"warehouse_id": home, "community_id": f"P{n}", "sku_id": sku, "allotted_units": float(amount)}
        for n, pair in enumerate(units)
        for sku, amount in zip(skus, pair, strict=True)
    ]
    table = pd.DataFrame(rows)
    allotments = Allotments.check(table.assign(ordered_units=table["allotted_units"], short_units=0.0))
    names = [f"P{n}" for n in range(len(units))]
    wanted = pd.DataFrame({"destination_id": names, "route_id": "R1", "trip": 1, "seq": range(1, len(units) + 1)})
    zones = known.warehouse_zones.assign(
        stations=2, slots_per_station=SLOTS // 2, max_workers=3, units_per_worker_hour=10.0
    )
    return wanted.assign(by_depot=False), allotments, type(known)(**{**vars(known), "warehouse_zones": zones})


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=14))
def test_parts_fit_a_wave_and_keep_the_load_order(tiny: World, units: list[tuple[float, float]]) -> None:
    """Every stop is in one part; parts follow each other from the last stop; none exceeds slots or workers of a wave;
    two parts that follow each other would not fit together."""
    wanted, allotments, reference = inputs(tiny, units)
    told = trips_in_waves(wanted, allotments, reference, SortingSettings())  # type: ignore[arg-type]
    assert sorted(told["destination_id"]) == sorted(wanted["destination_id"])
    order = told.sort_values("seq", ascending=False)
    assert order["trip"].tolist() == sorted(order["trip"], key=lambda name: int(name.split(" part ")[-1]))
    loads = [[units[int(name[1:])] for name in rows] for _, rows in order.groupby("trip", sort=False)["destination_id"]]

    def fits(stops: list[tuple[float, float]]) -> bool:
        return all(
            sum(stop[z] > 0 for stop in stops) <= SLOTS and sum(stop[z] for stop in stops) <= MOST for z in (0, 1)
        )

    assert all(fits(part) for part in loads)
    assert not any(fits([*part, then[0]]) for part, then in itertools.pairwise(loads))
    assert (told["trip"] == "1").all() == fits([stop for part in loads for stop in part])


def test_stops_of_depots_have_no_part(tiny: World) -> None:
    """A depot's goods are loaded again there: only direct stops are told."""
    wanted, allotments, reference = inputs(tiny, [(1, 1), (2, 2)])
    wanted["by_depot"] = [True, False]
    told = trips_in_waves(wanted, allotments, reference, SortingSettings())  # type: ignore[arg-type]
    assert told["destination_id"].tolist() == ["P1"]
    assert trips_in_waves(wanted.assign(by_depot=True), allotments, reference, SortingSettings()).empty  # type: ignore[arg-type]
