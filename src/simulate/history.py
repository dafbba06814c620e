"""The order history of a world: evening after evening, as contract tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import OrderLines
from contracts.planned import TrueDemand
from contracts.settings import CitySettings
from simulate.assortment import Assortment
from simulate.orders import City, Evening, draw_evening
from simulate.streams import stream


@dataclass(frozen=True)
class History:
    """What happened.

    Attributes
    ----------
    nights : ndarray, shape (D, W, K)
        Units truly wanted, cancellations taken off.
    loads : list of ndarray, shape (C, 2)
        Kilograms and litres wanted per community, one per night with orders.
    sold_out_at : dict
        (day, area, SKU) positions to the moment the listing closed.
    """

    order_lines: DataFrame[OrderLines]
    true_demand: DataFrame[TrueDemand]
    nights: np.ndarray
    loads: list[np.ndarray]
    sold_out_at: dict[tuple[int, int, int], pd.Timestamp]


@dataclass(frozen=True)
class Clock:
    """Days and the city's wall clock."""

    days: pd.DatetimeIndex
    city: CitySettings

    def instants(self, day: int, minute: np.ndarray) -> pd.DatetimeIndex:
        """Return the UTC instants of minutes after midnight of the order day; nan gives no time."""
        midnight = self.days[day] - pd.Timedelta(days=1)
        seconds = np.round(np.asarray(minute) * 60.0)
        wall = pd.DatetimeIndex(midnight + pd.to_timedelta(seconds, unit="s")).as_unit("us")
        first = np.ones(len(wall), dtype=bool)
        local = wall.tz_localize(self.city.timezone, ambiguous=first, nonexistent="shift_forward")
        return local.tz_convert("UTC")


def draw_history(
    city: City, assortment: Assortment, clock: Clock, *, seed: int, line_days: int | None, truth_days: int | None
) -> History:
    """Draw every evening of the history; each day has a random stream of its own.

    Order lines are kept for the last `line_days` delivery dates and the truth for the last `truth_days`.
    """
    count, skus = len(clock.days), city.goods.skus
    nights = np.zeros((count, len(city.places.warehouses), len(skus)))
    loads: list[np.ndarray] = []
    sold_out_at: dict[tuple[int, int, int], pd.Timestamp] = {}
    lines: list[pd.DataFrame] = []
    truth: list[pd.DataFrame] = []
    measures = skus[["weight_kg", "volume_l"]].to_numpy()
    for day, date in enumerate(clock.days):
        rng = stream(seed, "evening", date.toordinal())
        order_weekday = (date.weekday() - 1) % 7
        evening = draw_evening(city, day, order_weekday=order_weekday, rng=rng)
        kept = np.isnan(evening.cancel_minute)
        np.add.at(
            nights[day],
            (city.places.warehouse_index[evening.community[kept]], evening.sku[kept]),
            evening.quantity[kept],
        )
        if len(evening.sku):
            load = np.zeros((len(city.places.size), 2))
            np.add.at(load, evening.community[kept], evening.quantity[kept, None] * measures[evening.sku[kept]])
            loads.append(load)
        for (area, sku), minute in evening.sold_out.items():
            sold_out_at[day, area, sku] = clock.instants(day, np.array([minute]))[0]
        if line_days is None or day >= count - line_days:
            lines.append(_line_frame(evening, day, clock, assortment, city))
        if truth_days is None or day >= count - truth_days:
            truth.append(_truth_frame(evening, day, clock, city))
    return History(
        order_lines=OrderLines.check(_join(lines)),
        true_demand=TrueDemand.check(_join(truth)),
        nights=nights,
        loads=loads,
        sold_out_at=sold_out_at,
    )


def _join(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True)


def _ids(frame: pd.DataFrame, column: str, codes: np.ndarray) -> pd.Series[str]:
    return frame[column].take(codes).reset_index(drop=True)


def _line_frame(evening: Evening, day: int, clock: Clock, assortment: Assortment, city: City) -> pd.DataFrame:
    """Return the observed lines of an evening in order of time; order numbers run from 1 without gaps."""
    rows = np.flatnonzero(evening.observed)
    order, community, sku = evening.order[rows], evening.community[rows], evening.sku[rows]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = np.diff(order) != 0
    number = np.cumsum(new)
    starts = np.flatnonzero(new)
    date = f"{clock.days[day]:%Y%m%d}"
    names = np.array([f"{date}-{i:06d}" for i in range(1, len(starts) + 1)], dtype=object)
    price = assortment.price_yuan[day, city.places.area_index[community], sku]
    return pd.DataFrame(
        {
            "order_id": pd.array(names, dtype="str").take(number - 1),
            "line_no": np.arange(len(rows)) - starts[number - 1] + 1,
            "placed_at": clock.instants(day, evening.minute[rows]),
            "delivery_date": clock.days[day],
            "community_id": _ids(city.places.communities, "community_id", community),
            "sku_id": _ids(city.goods.skus, "sku_id", sku),
            "quantity": evening.quantity[rows].astype(np.float64),
            "unit_price_yuan": price,
            "cancelled_at": clock.instants(day, evening.cancel_minute[rows]),
        }
    )


def _truth_frame(evening: Evening, day: int, clock: Clock, city: City) -> pd.DataFrame:
    """Return the truth of every listed SKU in every open community."""
    goods, places = city.goods, city.places
    kept = np.isnan(evening.cancel_minute)
    units = np.zeros((len(places.size), len(goods.skus)), dtype=np.float32)
    np.add.at(units, (evening.community[kept], evening.sku[kept]), evening.quantity[kept])
    keep_rate = 1.0 - city.demand.cancel_rate
    parts: list[pd.DataFrame] = []
    for area in range(city.mean.base.shape[1]):
        on_sale = np.flatnonzero(city.mean.base[day, area])
        mine = np.flatnonzero((places.area_index == area) & (city.mean.member[day] > 0))
        mean = city.mean.lines(day, area, mine, on_sale, goods.category_index[on_sale])
        mean = mean * (goods.units_per_line[on_sale] * keep_rate)
        grid = np.ix_(mine, on_sale)
        parts.append(
            pd.DataFrame(
                {
                    "community_id": _ids(places.communities, "community_id", np.repeat(mine, len(on_sale))),
                    "sku_id": _ids(goods.skus, "sku_id", np.tile(on_sale, len(mine))),
                    "expected_units": mean.ravel().astype(np.float64),
                    "units": units[grid].ravel().astype(np.float64),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "delivery_date", clock.days[day])
    return table
