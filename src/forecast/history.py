"""Order lines to daily demand: what was sold where on each day, zeros included, absences left out."""

from __future__ import annotations

import logging
import time

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.errors import UnknownReferenceError
from contracts.flow import DailyDemand, OrderLines
from contracts.reference import Communities, Listings
from contracts.settings import CitySettings

log = logging.getLogger(__name__)
_KEY = ["delivery_date", "community_id", "sku_id"]


def build_history(
    order_lines: DataFrame[OrderLines],
    listings: DataFrame[Listings],
    communities: DataFrame[Communities],
    *,
    city: CitySettings | None = None,
) -> DataFrame[DailyDemand]:
    """Return units per delivery date, community and SKU, with a zero where a listed SKU found no buyer.

    Lines cancelled by their cutoff do not count; a cancellation after it is a return, not less demand, and a day that
    is closed is not rewritten by what happens later. A SKU that is not listed in a community's area on a day has no
    row; neither has a community before `opened_on` or after `closed_on`. Orders outside what is listed or open are
    kept: they happened. A row is censored when its listing sold out that day. Without any listings the **assumed
    assortment** stands in: a SKU counts as listed in an area on every day of the history between its first and its
    last order there; nothing is then censored and the log says so. `price_yuan` is the listing's price, else the
    units' mean price paid.

    Days run from the first to the last delivery date of the orders: a day ahead is no history.

    Raises
    ------
    UnknownReferenceError
        An order names a community that `communities` does not know.
    """
    started = time.perf_counter()
    unknown = sorted(set(order_lines["community_id"].unique()) - set(communities["community_id"]))
    if unknown:
        raise UnknownReferenceError("order_lines", "community_id", "communities", unknown)
    if not len(order_lines):
        return DailyDemand.empty()
    kept = order_lines[~_cancelled_in_time(order_lines, city or CitySettings())]
    sold = _sold(kept)
    first, last = order_lines["delivery_date"].min(), order_lines["delivery_date"].max()
    if len(listings):
        offered: pd.DataFrame = listings[listings["delivery_date"].between(first, last)]
        on_sale = offered[["delivery_date", "area_id", "sku_id", "price_yuan"]].assign(
            censored=offered["sold_out_at"].notna()
        )
    else:
        log.info("build_history: no listings given; a SKU counts as listed between its first and last order per area")
        on_sale = _assumed_assortment(sold, communities)
    cells = _on_sale_cells(on_sale, communities)
    table = cells.merge(sold, on=_KEY, how="outer")
    table["quantity"] = table["quantity"].fillna(0.0)
    table["price_yuan"] = table["price_yuan"].fillna(table.pop("paid_yuan"))
    table["censored"] = table["censored"].eq(True)
    result = DailyDemand.check(table.sort_values(_KEY, ignore_index=True))
    log.info(
        "build_history: %d order lines in, %d rows out, %.1f s",
        len(order_lines),
        len(result),
        time.perf_counter() - started,
    )
    return result


def _cancelled_in_time(lines: pd.DataFrame, city: CitySettings) -> pd.Series[bool]:
    """Return which lines were cancelled by the cutoff of their delivery date."""
    cutoffs = {
        day: clock_instant(city.cutoff, delivery_date=day, timezone=city.timezone)
        for day in lines["delivery_date"].unique()
    }
    return lines["cancelled_at"] <= lines["delivery_date"].map(cutoffs)


def _sold(kept: pd.DataFrame) -> pd.DataFrame:
    """Return units and mean price paid per key."""
    lines = kept.assign(paid_yuan=kept["unit_price_yuan"] * kept["quantity"])
    sold = lines.groupby(_KEY, as_index=False, sort=False, observed=True)[["quantity", "paid_yuan"]].sum()
    sold["paid_yuan"] /= sold["quantity"]
    return sold


def _assumed_assortment(sold: pd.DataFrame, communities: pd.DataFrame) -> pd.DataFrame:
    """Return the listings that orders alone let one assume: first to last order per area and SKU."""
    area = sold["community_id"].map(communities.set_index("community_id")["area_id"])
    span = sold.assign(area_id=area).groupby(["area_id", "sku_id"], as_index=False)["delivery_date"].agg(["min", "max"])
    length = (span["max"] - span["min"]).dt.days.to_numpy() + 1
    repeated = span.loc[span.index.repeat(length)].reset_index(drop=True)
    offset = np.arange(len(repeated)) - np.repeat(np.cumsum(length) - length, length)
    return pd.DataFrame(
        {
            "delivery_date": repeated["min"] + pd.to_timedelta(offset, unit="D").astype("timedelta64[us]"),
            "area_id": repeated["area_id"],
            "sku_id": repeated["sku_id"],
            "price_yuan": np.nan,
            "censored": False,
        }
    )


def _on_sale_cells(on_sale: pd.DataFrame, communities: pd.DataFrame) -> pd.DataFrame:
    """Return one row per day, open community and SKU on sale in its area."""
    where = communities[["community_id", "area_id", "opened_on", "closed_on"]]
    parts = []
    for area_id, listed in on_sale.groupby("area_id", sort=True):
        members = where[where["area_id"] == area_id]
        cells = listed.drop(columns="area_id").merge(members.drop(columns="area_id"), how="cross")
        closed = (cells["delivery_date"] < cells["opened_on"]) | (cells["delivery_date"] > cells["closed_on"])
        parts.append(cells.loc[~closed, [*_KEY, "price_yuan", "censored"]])
    nothing = on_sale.iloc[:0].assign(community_id=communities["community_id"].iloc[:0])
    return pd.concat(parts, ignore_index=True) if parts else nothing[[*_KEY, "price_yuan", "censored"]]
