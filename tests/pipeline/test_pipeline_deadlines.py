"""The rule of thumb for wave deadlines: drives from the travel matrix where it has them, computed elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from contracts.reference import Communities, Depots, TravelMatrix
from contracts.settings import Settings
from contracts.world import World
from pipeline.deadlines import wave_deadlines

DAY = pd.Timestamp("2026-04-22")


@pytest.mark.parametrize("behind", [False, True], ids=["direct", "depot"])
def test_a_given_way_takes_as_long_as_the_matrix_says(tiny: World, behind: bool) -> None:
    """An hour from the last place to C1 in the matrix: its deadline moves by the difference, nobody else's does."""
    known = tiny.reference
    settings = Settings()
    if behind:
        dock = known.warehouses.rename(columns={"warehouse_id": "depot_id"}).head(1)
        depots = Depots.check(dock.assign(depot_id="D1", name="Dock", warehouse_id="W1", opens_at="03:00"))
        linked = known.communities["community_id"] == "C1"
        ids = pd.Series("D1", index=known.communities.index).where(linked)
        known = replace(known, depots=depots, communities=Communities.check(known.communities.assign(depot_id=ids)))
    way = pd.DataFrame(
        {"from_id": ["D1" if behind else "W1"], "to_id": ["C1"], "distance_m": [9000.0], "duration_s": [3600.0]}
    )
    given = replace(known, travel_matrix=TravelMatrix.check(way))
    before, after = (
        wave_deadlines(one, delivery_date=DAY, settings=settings).set_index("destination_id")["latest_end"]
        for one in (known, given)
    )
    moved = before - after
    computed_s = 2000.0 * settings.travel.circuity / (settings.travel.speed_kmh / 3.6)
    assert moved["C1"].total_seconds() == pytest.approx(3600.0 - computed_s, abs=90.0)
    assert (moved.drop("C1") == pd.Timedelta(0)).all()
