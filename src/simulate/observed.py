"""What an order history shows of itself: which SKUs were on sale when, and at what price."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import Listings


def observed_listings(order_lines: pd.DataFrame, area_of: pd.Series[str], *, gap_days: int) -> DataFrame[Listings]:
    """Return the listings that sales give away, per delivery date, area and SKU.

    A SKU counts as listed on every delivery date between two sales in the area that lie at most `gap_days` delivery
    dates apart, and for as long after its last sale; between sales it keeps the last price. The price of a day is the
    median paid; the list price is the SKU's usual (median) price where that is higher. Lines at no price are left out.

    Parameters
    ----------
    area_of : Series
        Area id by community id.

    Examples
    --------
    >>> lines = pd.DataFrame({"delivery_date": pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-03"]),
    ...     "community_id": "C1", "sku_id": ["S1", "S2", "S1"], "unit_price_yuan": [2.0, 5.0, 1.5]})
    >>> shown = observed_listings(lines, pd.Series({"C1": "A1"}), gap_days=7)
    >>> shown.loc[shown["sku_id"] == "S1", "price_yuan"].tolist()
    [2.0, 2.0, 1.5]
    """
    days = pd.DatetimeIndex(np.sort(order_lines["delivery_date"].unique()))
    priced = order_lines[order_lines["unit_price_yuan"] > 0]
    keys = pd.DataFrame(
        {
            "area_id": priced["community_id"].map(area_of).astype("str"),
            "sku_id": priced["sku_id"],
            "position": days.get_indexer(pd.DatetimeIndex(priced["delivery_date"])),
            "price_yuan": priced["unit_price_yuan"].round(4),
        }
    )
    sales = keys.groupby(["area_id", "sku_id", "position"], as_index=False, sort=True)["price_yuan"].median()
    owner = sales.groupby(["area_id", "sku_id"], sort=False)
    usual = owner["price_yuan"].transform("median")
    following = owner["position"].shift(-1)
    apart = (following - sales["position"]).to_numpy()
    left = len(days) - sales["position"].to_numpy()
    last = np.isnan(apart)
    runs = np.where(last, np.minimum(left, gap_days + 1), np.where(apart <= gap_days, apart, 1)).astype(np.int64)
    row = np.repeat(np.arange(len(sales)), runs)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(runs) - runs, runs)
    shown = sales.take(row)
    price = shown["price_yuan"].clip(lower=0.0001).round(4).to_numpy()
    return Listings.check(
        pd.DataFrame(
            {
                "delivery_date": days[shown["position"].to_numpy() + offset],
                "area_id": shown["area_id"].to_numpy(),
                "sku_id": shown["sku_id"].to_numpy(),
                "price_yuan": price,
                "list_price_yuan": np.maximum(usual.to_numpy()[row].round(4), price),
            }
        ).sort_values(["delivery_date", "area_id", "sku_id"], ignore_index=True)
    )
