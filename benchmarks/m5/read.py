"""Reading M5: stores become communities and price areas, states warehouses, departments categories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from contracts.reference import Calendar, Communities, Skus
from forecast import Context, Panel

HORIZON = 28


@dataclass(frozen=True)
class M5:
    """The whole panel with prices for the days ahead, and what is needed to cut it at any day.

    Attributes
    ----------
    units : float32, days x series
        All known days; NaN while an item has no price in a store (not on sale there).
    series : DataFrame
        ``item_id, dept_id, cat_id, store_id, state_id`` in the files' order.
    """

    days: pd.DatetimeIndex
    units: np.ndarray
    price: np.ndarray
    series: pd.DataFrame
    context: Context

    def panel(self, until: int) -> Panel:
        """Return the history up to day number `until` (1 is the first), prices 28 days further."""
        count = min(until + HORIZON, len(self.days))
        named = self.series.rename(
            columns={"store_id": "community_id", "item_id": "sku_id", "state_id": "warehouse_id"}
        )
        series = named.assign(area_id=named["community_id"], category_id=named["dept_id"], division_id=named["cat_id"])
        quantity = self.units[:until]
        price = self.price[:count]
        return Panel(
            days=self.days[:count],
            series=series.astype("str"),
            quantity=quantity,
            censored=np.zeros(quantity.shape, np.bool_),
            price=price,
            list_price=np.full((count, 1), np.nan, np.float32) * np.ones((1, len(series)), np.float32),
        )


def read_m5(folder: Path, *, item_share: float = 1.0, seed: int = 0) -> M5:
    """Read the panel; `item_share` below 1 keeps that share of the items in all stores, for a quick look."""
    sales = pd.read_parquet(folder / "sales_d1_d1941.parquet")
    if item_share < 1.0:
        items = sales["item_id"].drop_duplicates()
        kept = items.sample(frac=item_share, random_state=seed)
        sales = sales[sales["item_id"].isin(kept)].reset_index(drop=True)
    calendar = pd.read_parquet(folder / "calendar.parquet")
    days = pd.DatetimeIndex(pd.to_datetime(calendar["date"])).as_unit("us")
    names = ["item_id", "dept_id", "cat_id", "store_id", "state_id"]
    series = sales[names].astype("str")
    units = np.array(sales.drop(columns=names).to_numpy(np.float32).T, order="C", copy=True)
    price = _prices(folder, series, calendar)
    units[np.isnan(price[: len(units)])] = np.nan
    return M5(days, units, price, series, _context(series, calendar, days))


def _prices(folder: Path, series: pd.DataFrame, calendar: pd.DataFrame) -> np.ndarray:
    table = pd.read_parquet(folder / "sell_prices.parquet")
    weeks = pd.Index(calendar["wm_yr_wk"].unique())
    key = pd.MultiIndex.from_frame(series[["store_id", "item_id"]])
    stores, items = pd.Index(key.levels[0]), pd.Index(key.levels[1])
    slot = np.full((len(stores), len(items)), -1)
    slot[stores.get_indexer(series["store_id"]), items.get_indexer(series["item_id"])] = np.arange(len(series))
    store = stores.get_indexer(pd.Index(table["store_id"]))
    item = items.get_indexer(pd.Index(table["item_id"]))
    week = weeks.get_indexer(pd.Index(table["wm_yr_wk"]))
    inside = (store >= 0) & (item >= 0) & (week >= 0)
    weekly = np.full((len(weeks), len(series)), np.nan, np.float32)
    weekly[week[inside], slot[store[inside], item[inside]]] = table["sell_price"].to_numpy(np.float32)[inside]
    return weekly[weeks.get_indexer(pd.Index(calendar["wm_yr_wk"]))]


def _context(series: pd.DataFrame, calendar: pd.DataFrame, days: pd.DatetimeIndex) -> Context:
    stores = series[["store_id", "state_id"]].drop_duplicates(ignore_index=True)
    items = series[["item_id", "dept_id"]].drop_duplicates(ignore_index=True)
    communities = pd.DataFrame({"community_id": stores["store_id"], "name": stores["store_id"]}).assign(
        area_id=stores["store_id"],
        warehouse_id=stores["state_id"],
        latitude=0.0,
        longitude=0.0,
        window_start="08:00",
        window_end="20:00",
        service_minutes=1.0,
    )
    skus = pd.DataFrame({"sku_id": items["item_id"], "name": items["item_id"], "category_id": items["dept_id"]}).assign(
        temperature_zone="ambient",
        unit="piece",
        weight_kg=1.0,
        volume_l=1.0,
        shelf_life_days=30.0,
        salvage_yuan=0.0,
        shortage_penalty_yuan=0.0,
    )
    event = calendar["event_name_1"].astype(object)
    table = Calendar.check(
        pd.DataFrame(
            {
                "day": days,
                "is_holiday": calendar["event_type_1"].eq("National"),
                "event": event.where(event.notna(), None),
            }
        )
    )
    flags = [
        pd.DataFrame({"day": days[calendar[f"snap_{state}"].to_numpy() == 1]}).assign(
            area_id=store, event="benefit_day"
        )
        for store, state in stores.itertuples(index=False)
    ]
    return Context(Skus.check(skus), Communities.check(communities), calendar=table, area_events=pd.concat(flags))
