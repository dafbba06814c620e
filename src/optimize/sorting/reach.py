"""Can a few units more be sorted in time: does a wave start when they are there that ends early enough?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.clock import clock_instant
from optimize.sorting.data import SortingData
from optimize.sorting.grid import wave_grid

FLOOR = ["warehouse_id", "temperature_zone"]
SKU = ["warehouse_id", "sku_id"]


def in_reach(
    data: SortingData, calls: pd.DataFrame, lots: pd.DataFrame, waiting: pd.Series, *, as_of: pd.Timestamp
) -> NDArray[np.bool_]:
    """Return for each call whether a wave can bring it goods that nobody waits for before its van must load.

    That is a wave of its floor that starts at `as_of` or later and ends by the destination's latest end, with more of
    the SKU there at its start than others wait for. Whether the wave has people and slots left, `sort` says.

    Parameters
    ----------
    calls : DataFrame
        ``warehouse_id``, ``temperature_zone``, ``destination_id``, ``sku_id``.
    lots : DataFrame
        Goods left by SKU and moment, as `Arrivals`.
    waiting : Series
        Units others wait for, by (warehouse, SKU).
    """
    last = _last_starts(data, calls, as_of=as_of)
    rows = calls[SKU].assign(row=np.arange(len(calls)), last=last)
    came = lots[[*SKU, "units"]].assign(came=_plain(lots["arrives_at"]))
    there = rows.merge(came, on=SKU)
    there = there[there["came"] <= there["last"]]
    units = np.bincount(there["row"], weights=there["units"], minlength=len(calls))
    taken = waiting.reindex(pd.MultiIndex.from_frame(calls[SKU])).fillna(0.0).to_numpy()
    found: NDArray[np.bool_] = ~np.isnat(last) & (units - taken > 1e-9)
    return found


def _last_starts(data: SortingData, calls: pd.DataFrame, *, as_of: pd.Timestamp) -> NDArray[np.datetime64]:
    """Return the start of the last wave that ends by each call's latest end; none where no wave does."""
    found = np.full(len(calls), np.datetime64("NaT", "us"))
    floors = data.floors.set_index(FLOOR)
    places = pd.MultiIndex.from_frame(calls[FLOOR])
    for floor in places.unique():
        if floor not in floors.index:
            continue
        hours = floors.loc[floor]
        grid = wave_grid(
            hours["opens_at"],
            hours["closes_at"],
            delivery_date=data.delivery_date,
            city=data.city,
            settings=data.settings,
            not_before=as_of,
        )
        closing = clock_instant(hours["closes_at"], delivery_date=data.delivery_date, timezone=data.city.timezone)
        mine = np.flatnonzero(places == floor)
        latest = data.deadlines.reindex(calls["destination_id"].iloc[mine]).fillna(closing)
        wave = np.searchsorted(_plain(grid["ends_at"]), _plain(latest), side="right") - 1
        found[mine[wave >= 0]] = _plain(grid["starts_at"])[wave[wave >= 0]]
    return found


def _plain(instants: pd.Series) -> NDArray[np.datetime64]:
    """Return instants as plain UTC datetimes, which numpy can compare and search."""
    plain: NDArray[np.datetime64] = instants.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    return plain
