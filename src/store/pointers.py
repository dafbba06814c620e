"""Rows of a reference table whose ids point nowhere: found before they are merged, so the store stays readable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from contracts.world import _POINTERS, ESTIMATE_PLACES, OFFER_KEY
from store.reference_import import ReferenceRowsRead
from store.tidy import failure_rows, failure_table


def without_lost_rows(read: ReferenceRowsRead, table: str, held: Callable[[str], pd.DataFrame]) -> ReferenceRowsRead:
    """Return the rows read, those with an id that the store does not know moved to the failures.

    The same pointers as in `contracts.world.Reference.check`, and the areas of local events: no table lists areas, so a
    community that moves later may leave events behind that nobody lives at, and they do no harm. Tables may come in any
    order, so a pointer to a table that is still empty is not checked.

    Parameters
    ----------
    held : callable
        Gives a reference table of the store by name, empty if it was never given.
    """
    good, failures = read.good, [read.failures]
    for _, column, target, target_column in (pointer for pointer in _POINTERS if pointer[0] == table):
        known, places = held(target)[target_column], target
        if known.empty:
            continue
        if table == "vehicle_types":  # vans start at a warehouse or a depot
            known, places = pd.concat([known, held("depots")["depot_id"]]), f"{target} or depots"
        lost = good[column].notna() & ~good[column].isin(known)
        failures.append(_failed(lost, f"unknown {column}: not in {places}", column, good[column]))
        good = good[~lost]
    if table == "price_breaks" and len(offers := held("offers")):
        known_offers = pd.MultiIndex.from_frame(offers[list(OFFER_KEY)])
        lost = pd.Series(~pd.MultiIndex.from_frame(good[list(OFFER_KEY)]).isin(known_offers), index=good.index)
        owner = good["supplier_id"] + "/" + good["sku_id"] + "/" + good["warehouse_id"]
        failures.append(_failed(lost, "unknown offer: not in offers", "/".join(OFFER_KEY), owner))
        good = good[~lost]
    if table == "area_events" and len(places_known := held("communities")):
        lost = ~good["area_id"].isin(places_known["area_id"])
        failures.append(_failed(lost, "unknown area_id: no community is in it", "area_id", good["area_id"]))
        good = good[~lost]
    if table == "outside_estimates":
        for level, (target, target_column) in ESTIMATE_PLACES.items():
            if len(places_known := held(target)):
                lost = (good["level"] == level) & ~good["place_id"].isin(places_known[target_column])
                failures.append(_failed(lost, f"unknown {level}: not in {target}", "place_id", good["place_id"]))
                good = good[~lost]
    return read if len(good) == len(read.good) else replace(read, good=good, failures=failure_table(failures))


def rows_that_point(table: str, key: Sequence[str], held: Callable[[str], pd.DataFrame]) -> dict[str, int]:
    """Return how many rows of other tables would point nowhere without an id of a table, by table.

    Parameters
    ----------
    key : sequence of str
        What goes by its key columns, as text.
    """
    places: list[tuple[str, tuple[str, ...]]] = [
        (t, (column,)) for t, column, target, _ in _POINTERS if target == table
    ]
    places += [("price_breaks", OFFER_KEY)] if table == "offers" else []
    places += [("vehicle_types", ("base_id",))] if table == "depots" else []
    found: dict[str, int] = {}
    for other, columns in places:
        rows = held(other)
        if len(columns) != len(key):
            continue
        pointing = np.logical_and.reduce(
            [rows[name].astype("str") == one for name, one in zip(columns, key, strict=True)]
        )
        if count := int(pointing.sum()):
            found[other] = found.get(other, 0) + count
    return found


def _failed(lost: pd.Series[bool], rule: str, column: str, values: pd.Series[Any]) -> pd.DataFrame:
    return failure_rows(pd.Series(rule, index=lost.index[lost.to_numpy()], dtype="str"), column, values)
