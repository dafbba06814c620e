"""What was special on past days: days off, promotions, and listings that sold out or were withdrawn early."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.flow import OrderLines
from contracts.reference import Calendar, Communities, Listings, Skus
from forecast.book.past import Floats, Ints, PastOrders, codes_of
from forecast.book.window import OrderWindow

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PastBook:
    """What the book is learned from.

    Attributes
    ----------
    order_lines
        Lines of past delivery dates, cancelled ones included.
    skus
        Tells categories.
    communities : optional
        Tells warehouses and areas; without it both are taken to be the whole city.
    listings : optional
        Tells which SKUs were on sale in which area, promoted or closed early; without it a SKU is taken to be on sale
        every day, all day, at its usual price.
    calendar : optional
        Tells days off; without it there are none.
    """

    order_lines: DataFrame[OrderLines]
    skus: DataFrame[Skus]
    communities: DataFrame[Communities] | None = None
    listings: DataFrame[Listings] | None = None
    calendar: DataFrame[Calendar] | None = None


@dataclass(frozen=True)
class DayKinds:
    """Flags of D past days, A areas and S SKUs.

    Attributes
    ----------
    area : shape (C,)
        Area code of each community of the past orders.
    holiday : shape (D,)
        The order day was a public holiday.
    listed, promoted, closed : shape (D, A, S)
        On sale; asked below the list price; sold out or withdrawn before the cutoff, so that demand is not known.
    """

    area: Ints
    holiday: Flags
    listed: Flags
    promoted: Flags
    closed: Flags

    @classmethod
    def read(cls, past: PastOrders, given: PastBook, window: OrderWindow) -> DayKinds:
        """Return the flags of the past orders' days."""
        off = days_off(given.calendar)
        holiday = np.array([window.order_day(day) in off for day in past.days], dtype=bool)
        if given.communities is None or given.listings is None:
            none = np.zeros((len(past.days), 1, len(past.skus)), bool)
            return cls(np.zeros(len(past.communities), np.int64), holiday, ~none, none, none)
        home = given.communities.set_index("community_id")["area_id"].reindex(past.communities)
        area, areas = pd.factorize(home)
        shape = (len(past.days), max(len(areas), 1), len(past.skus))
        table = given.listings
        day = past.days.get_indexer(pd.DatetimeIndex(table["delivery_date"]))
        where, sku = codes_of(table["area_id"], pd.Index(areas)), codes_of(table["sku_id"], past.skus)
        known = (day >= 0) & (sku >= 0) & (where >= 0)
        promoted, closed = is_promoted(table), table["sold_out_at"].notna().to_numpy(bool)

        def flags(rows: Flags) -> Flags:
            made = np.zeros(shape, bool)
            made[day[rows], where[rows], sku[rows]] = True
            return made

        return cls(
            np.maximum(area, 0).astype(np.int64), holiday, flags(known), flags(known & promoted), flags(known & closed)
        )

    def of_lines(self, table: Flags, past: PastOrders) -> Flags:
        """Return a table's flag of each order line."""
        return np.asarray(table[past.day, self.area[past.community], past.sku])

    def of_series(self, table: Flags, place_of_community: Ints, place: Ints, sku: Ints) -> Floats:
        """Return which part of each series' communities lies in areas with the flag, shape (D, series)."""
        result = np.zeros((table.shape[0], len(sku)))
        if not table.any():
            return result
        areas = table.shape[1]
        count = np.bincount(
            place_of_community * areas + self.area, minlength=(int(place_of_community.max()) + 1) * areas
        )
        part = count.reshape(-1, areas) / np.maximum(count.reshape(-1, areas).sum(axis=1, keepdims=True), 1)
        for number in range(areas):
            result += table[:, number, :][:, sku] * part[place, number]
        return result


def is_promoted(listings: pd.DataFrame) -> Flags:
    """Return whether each listing asks less than its list price."""
    return (listings["price_yuan"] < listings["list_price_yuan"] - 1e-9).to_numpy(bool)


def days_off(calendar: pd.DataFrame | None) -> frozenset[pd.Timestamp]:
    """Return the public holidays of a calendar."""
    return frozenset() if calendar is None else frozenset(calendar.loc[calendar["is_holiday"], "day"])
