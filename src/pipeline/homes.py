"""Should communities belong to other warehouses? What a free assignment would save on a night like this one."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Allotments
from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing import radial_yuan
from optimize.sorting import Homes, HomesData, free_homes
from pipeline.goods import stop_loads
from pipeline.joint import sorting_limits


def homes_of(reference: Reference, allotments: DataFrame[Allotments], settings: Settings) -> Homes:
    """Return the free assignment of communities (or whole depots) to warehouses for these goods, and what it saves.

    Transport is estimated by `radial_yuan`; sorting is priced by the worker-hour. Advice for the reference data: the
    night itself keeps the homes its goods were bought for.
    """
    loads = stop_loads(allotments, reference.skus)
    communities = reference.communities.set_index("community_id")
    placed = loads.assign(
        place_id=loads["destination_id"].map(communities["depot_id"]).fillna(loads["destination_id"]).astype("str")
    )
    units = placed.groupby(["place_id", "temperature_zone"], as_index=False).agg(
        units=("units", "sum"), destinations=("destination_id", "nunique")
    )
    now = pd.concat([communities["warehouse_id"], reference.depots.set_index("depot_id")["warehouse_id"]])
    return free_homes(
        HomesData(
            units=units,
            ways=radial_yuan(reference, loads, travel=settings.travel, settings=settings.routing),
            now=now.reindex(units["place_id"].unique()),
            floors=reference.warehouse_zones,
            settings=settings.sorting,
        ),
        limits=sorting_limits(settings),
    )
