"""Goods between the stages: what arrives, what each community asks for, what each stop's van must carry."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.errors import InputError
from contracts.flow import OrderBook, OrderLines, PrepaidOrders, Stock
from contracts.planned import Allotments, Arrivals, PurchaseLines, StopLoads
from contracts.reference import Communities, Skus
from contracts.settings import CitySettings
from contracts.world import Reference

STOCK_SOURCE = "stock"


def usable_stock(stock: DataFrame[Stock], *, delivery_date: pd.Timestamp) -> pd.DataFrame:
    """Return units per warehouse x SKU that can be delivered on the date: at hand or due in, and not expired."""
    alive = stock[stock["expires_on"].isna() | (stock["expires_on"] >= delivery_date)]
    units = alive.assign(units=alive["on_hand"] + alive["due_in"])
    return units.groupby(["warehouse_id", "sku_id"], as_index=False).agg(units=("units", "sum"))


def arrivals(
    reference: Reference, lines: DataFrame[PurchaseLines], *, delivery_date: pd.Timestamp, city: CitySettings
) -> DataFrame[Arrivals]:
    """Return when which goods can be sorted: stock at the zones' opening, purchases when their lane arrives.

    Raises
    ------
    InputError
        A purchase line has no lane; its goods would never arrive.
    """
    stock = usable_stock(reference.stock, delivery_date=delivery_date)
    stock = stock[stock["units"] > 0].assign(supplier_id=STOCK_SOURCE)
    opening = clock_instant(city.cutoff, delivery_date=delivery_date, timezone=city.timezone)
    stock["arrives_at"] = pd.Series(opening, index=stock.index, dtype="datetime64[us, UTC]")
    bought = lines.merge(reference.lanes, on=["supplier_id", "warehouse_id"], how="left")
    if bought["arrives_at"].isna().any():
        pairs = bought.loc[bought["arrives_at"].isna(), ["supplier_id", "warehouse_id"]].drop_duplicates()
        raise InputError(
            f"{len(pairs)} supplier x warehouse pairs have purchase lines but no lane, e.g. "
            f"{' -> '.join(pairs.iloc[0])}: add the lane or unlock the lines."
        )
    instants = {
        text: clock_instant(text, delivery_date=delivery_date, timezone=city.timezone)
        for text in bought["arrives_at"].unique()
    }
    bought = bought.assign(arrives_at=bought["arrives_at"].map(instants))
    columns = list(Arrivals.column_names())
    return Arrivals.check(pd.concat([stock[columns], bought[columns]], ignore_index=True))


def supply(arrived: DataFrame[Arrivals]) -> pd.DataFrame:
    """Return whole-night supply per warehouse x SKU: stock plus purchases at their nominal units."""
    return arrived.groupby(["warehouse_id", "sku_id"], as_index=False).agg(units=("units", "sum"))


def asked_units(book: DataFrame[OrderBook], communities: DataFrame[Communities]) -> pd.DataFrame:
    """Return expected final units per warehouse x community x SKU, from the book's community level."""
    rows = book[(book["level"] == "community") & (book["final_mean"] > 0)]
    home = communities.set_index("community_id")["warehouse_id"]
    return pd.DataFrame(
        {
            "warehouse_id": rows["place_id"].map(home).astype("str"),
            "community_id": rows["place_id"],
            "sku_id": rows["sku_id"],
            "units": rows["final_mean"],
        }
    ).reset_index(drop=True)


def with_prepaid(
    asked: pd.DataFrame, lines: DataFrame[OrderLines], paid: DataFrame[PrepaidOrders], *, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Return asked units with ``prepaid_units``: ordered, not cancelled, paid by a moment; at most what is asked.

    Orders that nobody said are paid count as not paid.
    """
    holds = (lines["placed_at"] <= as_of) & ~(lines["cancelled_at"] <= as_of)
    rows = lines[holds & lines["order_id"].isin(paid_by(paid, as_of))]
    key = ["community_id", "sku_id"]
    units = rows.groupby(key)["quantity"].sum().reindex(pd.MultiIndex.from_frame(asked[key])).fillna(0.0)
    return asked.assign(prepaid_units=np.minimum(units.to_numpy(), asked["units"].to_numpy()))


def paid_by(paid: DataFrame[PrepaidOrders], as_of: pd.Timestamp) -> pd.Series:
    """Return the ids of the orders that were paid by a moment."""
    return paid.loc[paid["paid_at"].isna() | (paid["paid_at"] <= as_of), "order_id"]


def stop_loads(allotments: DataFrame[Allotments], skus: DataFrame[Skus]) -> DataFrame[StopLoads]:
    """Return units, kilograms and litres per community and temperature zone."""
    goods = allotments[allotments["allotted_units"] > 0].merge(
        skus[["sku_id", "temperature_zone", "weight_kg", "volume_l"]], on="sku_id", how="left", validate="many_to_one"
    )
    loads = pd.DataFrame(
        {
            "destination_id": goods["community_id"],
            "temperature_zone": goods["temperature_zone"],
            "units": goods["allotted_units"],
            "load_kg": goods["allotted_units"] * goods["weight_kg"],
            "load_l": goods["allotted_units"] * goods["volume_l"],
        }
    )
    return StopLoads.check(loads.groupby(["destination_id", "temperature_zone"], as_index=False).sum())
