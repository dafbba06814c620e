"""Slot labels: one per slot a destination has, or one per household parcel where a community takes parcels."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import TEMPERATURE_ZONES
from contracts.planned import SortingTasks
from contracts.reference import Communities, Skus

SEAT = ["warehouse_id", "temperature_zone", "wave", "station", "slot", "destination_id"]


def slot_labels(
    tasks: DataFrame[SortingTasks],
    *,
    communities: DataFrame[Communities],
    skus: DataFrame[Skus],
    handed: pd.DataFrame | None = None,
    parcel_communities: Collection[str] = (),
    vans: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the labels: seat, ``name``, ``leader_id``, ``order_id``, ``parcel``, ``parcels``, ``units``, ``items``.

    A community gets one label per slot it has goods in: one box per zone, handed out by the leader, or several after a
    revision sorted what was missing into a later wave. In `parcel_communities` every household order with goods of the
    zone gets one (一件代发) instead, at the slot of the last wave, when all its goods are there. Boxes or parcels of a
    destination and zone are numbered 1..n. ``items`` lists (name, units) pairs.

    Parameters
    ----------
    handed : DataFrame, optional
        `hand_out` of the night; needed for communities that take parcels.
    vans : Series, optional
        By destination, what to write of the van that takes it: ``van`` of the labels, empty where nothing is known.
    """
    zone = skus.set_index("sku_id")["temperature_zone"]
    called = skus.set_index("sku_id")["name"]
    boxes = tasks[~tasks["destination_id"].isin(set(parcel_communities))].assign(order_id="")
    rows = pd.DataFrame(boxes[[*SEAT, "order_id", "sku_id", "units"]])
    if handed is not None and parcel_communities:
        own = handed[handed["community_id"].isin(set(parcel_communities)) & (handed["given"] > 0)]
        parcels = pd.DataFrame(
            {
                "destination_id": own["community_id"],
                "temperature_zone": own["sku_id"].map(zone).astype("str"),
                "order_id": own["order_id"],
                "sku_id": own["sku_id"],
                "units": own["given"],
            }
        )
        place = ["destination_id", "temperature_zone"]
        last = tasks[SEAT].sort_values(SEAT).drop_duplicates(place, keep="last")
        tables: list[pd.DataFrame] = [rows, parcels.merge(last, on=place)]
        rows = pd.concat([table for table in tables if len(table)] or [rows], ignore_index=True)
    key = [*SEAT, "order_id"]
    rows = rows.sort_values([*key, "sku_id"])
    items = zip(rows["sku_id"].map(called).fillna(rows["sku_id"]), rows["units"], strict=True)
    grouped = rows.assign(item=pd.Series(list(items), index=rows.index, dtype=object)).groupby(key)
    labels = pd.DataFrame({"units": grouped["units"].sum(), "items": grouped["item"].agg(list)}).reset_index()
    group = labels.groupby(["destination_id", "temperature_zone"])
    labels["parcel"] = group.cumcount() + 1
    labels["parcels"] = group["units"].transform("size")
    who = communities[["community_id", "name", "leader_id"]].rename(columns={"community_id": "destination_id"})
    table = labels.merge(who, on="destination_id", how="left")
    table["name"] = table["name"].fillna(table["destination_id"])
    known = pd.Series(dtype="str") if vans is None else vans
    table["van"] = known.reindex(table["destination_id"]).fillna("").to_numpy(object)
    columns = [*SEAT, "name", "leader_id", "van", "order_id", "parcel", "parcels", "units", "items"]
    return table.sort_values([*SEAT[:5], "parcel"], ignore_index=True)[columns]


def parcel_list(labels: pd.DataFrame) -> pd.DataFrame:
    """Return how many parcels each household order has, to be counted as they are packed and handed out.

    Columns: warehouse_id, destination_id, name, order_id, parcels (one per temperature zone), units, and per zone the
    number on its label (0 where the order has none). Communities that get one box have no rows.
    """
    own = labels[labels["order_id"] != ""]
    key = ["warehouse_id", "destination_id", "name", "order_id"]
    counted = own.groupby(key, as_index=False).agg(parcels=("parcel", "size"), units=("units", "sum"))
    numbers = own.pivot_table(index=key, columns="temperature_zone", values="parcel", aggfunc="first")
    zones = numbers.reindex(columns=list(TEMPERATURE_ZONES)).fillna(0).astype("int64").add_prefix("parcel_")
    return counted.merge(zones.reset_index(), on=key, how="left")
