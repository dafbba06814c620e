"""How early the waves could be: what routes may wish for when they are planned before the waves."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Releases
from optimize.sorting.data import SortingData
from optimize.sorting.floors import build_floors


def earliest_releases(data: SortingData) -> DataFrame[Releases]:
    """Return when each destination's goods could be sorted if its own wave were the first after they came.

    The end of that wave, the last one over the zones. No plan releases a destination earlier; all of them at once
    would seldom find the workers. Goods that come after the last wave has started have that wave's end.
    """
    tables = []
    floors, _ = build_floors(data)
    for floor in floors:
        ends = floor.grid["ends_at"].iloc[floor.earliest.clip(max=len(floor.grid) - 1)].array
        batches = pd.Series(ends, name="released_at")
        tables.append(
            pd.DataFrame(
                {
                    "warehouse_id": floor.zone.warehouse_id,
                    "destination_id": floor.members["destination_id"],
                    "released_at": batches.iloc[floor.members["batch"]].array,
                }
            )
        )
    if not tables:
        return Releases.empty()
    last = pd.concat(tables, ignore_index=True).groupby(["warehouse_id", "destination_id"])["released_at"].max()
    return Releases.check(last.reset_index())
