"""Station sheets as tables: which SKU puts how many units into which slot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import SortingTasks
from contracts.reference import Skus

STATION = ["warehouse_id", "temperature_zone", "wave", "station"]


@dataclass(frozen=True)
class StationPage:
    """One station in one wave: rows are SKUs in the order they are brought, columns are slots."""

    warehouse_id: str
    temperature_zone: str
    wave: int
    station: int
    starts_at: pd.Timestamp
    ends_at: pd.Timestamp
    destinations: dict[int, str]
    grid: pd.DataFrame


def station_grid(tasks: pd.DataFrame, skus: DataFrame[Skus]) -> pd.DataFrame:
    """Return a station's work as a grid: ``sku_id``, ``name``, ``total`` and a column per slot (0 where nothing goes).

    The totals are what is brought to the station; rows are in the order of the SKU ids, as on every other station of
    the wave, so that one tour of the floor serves all.
    """
    grid = tasks.pivot_table(index="sku_id", columns="slot", values="units", aggfunc="sum", fill_value=0.0)
    names = skus.set_index("sku_id")["name"].reindex(grid.index)
    grid.insert(0, "total", grid.sum(axis=1))
    grid.insert(0, "name", names.fillna(""))
    grid.columns.name = None
    return grid.reset_index()


def station_pages(
    tasks: DataFrame[SortingTasks], *, skus: DataFrame[Skus], names: pd.Series | None = None
) -> Iterator[StationPage]:
    """Yield the stations in the order they are worked; `names` maps destination ids to what people call them."""
    for _, rows in tasks.groupby(STATION, sort=True):
        seats = rows.drop_duplicates("slot").sort_values("slot")
        called = seats["destination_id"] if names is None else seats["destination_id"].map(names)
        called = called.fillna(seats["destination_id"])
        first = rows.iloc[0]
        yield StationPage(
            **{column: first[column] for column in [*STATION, "starts_at", "ends_at"]},
            destinations=dict(zip(seats["slot"].tolist(), called.tolist(), strict=True)),
            grid=station_grid(rows, skus),
        )
