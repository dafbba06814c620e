"""The history as matrices, one row per day and one column per series: what every member and feature reads.

A long table of a city's history holds each id once per row; the same facts as ``float32`` matrices take a tenth of
the memory and every window, lag and group sum is a slice. Absent stays apart from zero: NaN is "not on sale", 0 is
"on sale and nobody bought".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.errors import EmptyInputError, InputError
from contracts.flow import DailyDemand
from forecast.context import Context

Matrix = NDArray[np.float32]
Mask = NDArray[np.bool_]
LARGEST_QUANTITY = 1_000_000.0
"""Units of one SKU in one community on one day; a larger figure is a typing error and would bend every mean."""
SERIES_COLUMNS = ("community_id", "sku_id", "area_id", "warehouse_id", "category_id")


@dataclass(frozen=True)
class Panel:
    """Daily demand of n series over D days, of which the first K are known.

    Attributes
    ----------
    days : DatetimeIndex, D
        Consecutive days; from row K on they are ahead.
    series : DataFrame, n rows
        ``community_id, sku_id, area_id, warehouse_id, category_id``; for an aggregate the lost id reads ``*``.
    quantity : float32, K x n
        Units; NaN where the series was not on sale.
    censored : bool, K x n
        Sold out during the day: the quantity is a lower bound.
    price, list_price : float32, D x n
        Price asked and price without promotion as planned; NaN where unknown or not on sale.
    """

    days: pd.DatetimeIndex
    series: pd.DataFrame
    quantity: Matrix
    censored: Mask
    price: Matrix
    list_price: Matrix

    @property
    def known(self) -> int:
        """Return K, the number of days whose demand is known."""
        return len(self.quantity)

    @property
    def width(self) -> int:
        """Return n, the number of series."""
        return len(self.series)

    def known_until(self, known: int) -> Panel:
        """Return the panel as it was when only the first `known` days had happened (prices ahead are plans)."""
        return replace(self, quantity=self.quantity[:known], censored=self.censored[:known])

    def last_days(self, days: int) -> Panel:
        """Return the panel from `days` before the first unknown day on."""
        start = max(0, self.known - days)
        return replace(
            self,
            days=self.days[start:],
            quantity=self.quantity[start:],
            censored=self.censored[start:],
            price=self.price[start:],
            list_price=self.list_price[start:],
        )

    def extended(self, days_ahead: int) -> Panel:
        """Return the panel with at least `days_ahead` rows after the known days; new prices are unknown."""
        more = self.known + days_ahead - len(self.days)
        if more <= 0:
            return self
        unknown = np.full((more, self.width), np.nan, np.float32)
        return replace(
            self,
            days=pd.date_range(self.days[0], periods=len(self.days) + more, freq="D", unit="us"),
            price=np.vstack([self.price, unknown]),
            list_price=np.vstack([self.list_price, unknown]),
        )

    @classmethod
    def from_history(
        cls,
        history: DataFrame[DailyDemand],
        context: Context,
        *,
        until: pd.Timestamp | None = None,
        max_days: int | None = None,
        days_ahead: int = 0,
        also: pd.DataFrame | None = None,
    ) -> Panel:
        """Return the panel of a history.

        Parameters
        ----------
        until : Timestamp, optional
            Last day to read; later rows do not exist for the panel.
        max_days : int, optional
            Keep only so many days before the first unknown day.
        days_ahead : int
            Days after the last known one whose planned prices are read from the context's listings.
        also : DataFrame, optional
            ``community_id, sku_id`` pairs that get a series even without history (new goods, new communities).

        Raises
        ------
        EmptyInputError
            The history has no row up to `until`.
        InputError
            A quantity is negative, not finite or absurdly large, or a day comes twice for a series.
        UnknownReferenceError
            A community or SKU that the reference data do not know.
        """
        rows: pd.DataFrame = history if until is None else history[history["delivery_date"] <= until]
        if not len(rows):
            raise EmptyInputError(
                f"The history has no row{'' if until is None else f' up to {until.date()}'}: nothing to forecast from."
            )
        last = rows["delivery_date"].max()
        first = rows["delivery_date"].min()
        if max_days is not None and (last - first).days >= max_days:
            first = last - pd.Timedelta(days=max_days - 1)
            rows = rows[rows["delivery_date"] >= first]
        days = pd.date_range(first, last + pd.Timedelta(days=days_ahead), freq="D", unit="us")
        known = (last - first).days + 1
        pairs = rows[["community_id", "sku_id"]].drop_duplicates()
        if also is not None:
            pairs = pd.concat([pairs, also[["community_id", "sku_id"]]]).drop_duplicates()
        pairs = pairs.sort_values(["community_id", "sku_id"], ignore_index=True)
        series = context.places(pairs["community_id"], pairs["sku_id"])
        column = _positions(rows, series)
        row = (rows["delivery_date"] - first).dt.days.to_numpy()
        quantity = np.full((known, len(series)), np.nan, np.float32)
        values = rows["quantity"].to_numpy(np.float32)
        _refuse_bad_rows(rows, values, row, column, quantity.shape)
        quantity[row, column] = values
        censored = np.zeros(quantity.shape, np.bool_)
        censored[row, column] = rows["censored"].to_numpy(np.bool_)
        price = np.full((len(days), len(series)), np.nan, np.float32)
        price[row, column] = rows["price_yuan"].to_numpy(np.float32)
        list_price = np.full(price.shape, np.nan, np.float32)
        panel = cls(days, series, quantity, censored, price, list_price)
        _plan_prices(panel, context)
        return panel


def _positions(rows: pd.DataFrame, series: pd.DataFrame) -> NDArray[np.int64]:
    """Return each row's column in the panel."""
    communities = pd.Index(series["community_id"].unique())
    skus = pd.Index(series["sku_id"].unique())
    slots = np.full(len(communities) * len(skus), -1, np.int64)
    own = communities.get_indexer(series["community_id"]) * len(skus) + skus.get_indexer(series["sku_id"])
    slots[own] = np.arange(len(series))
    cell = communities.get_indexer(rows["community_id"]) * len(skus) + skus.get_indexer(rows["sku_id"])
    return np.asarray(slots[cell], np.int64)


def _refuse_bad_rows(
    rows: pd.DataFrame,
    values: Matrix,
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    shape: tuple[int, int],
) -> None:
    """Raise when a quantity is no quantity or a day comes twice: a matrix would swallow both silently."""
    wrong = ~(values >= 0) | ~(values <= LARGEST_QUANTITY)
    if wrong.any():
        sample = rows.loc[wrong, ["delivery_date", "community_id", "sku_id", "quantity"]].iloc[0]
        raise InputError(
            f"{int(wrong.sum())} history rows have a quantity that is negative or not finite or above "
            f"{LARGEST_QUANTITY:,.0f}, e.g. {sample.to_dict()}. Mend the orders they come from."
        )
    cell = row * shape[1] + column
    again = len(cell) - len(np.unique(cell))
    if again:
        raise InputError(
            f"{again} history rows repeat a delivery date, community and SKU. Sum or drop them; "
            "DailyDemand.split(...) lists them."
        )


def _plan_prices(panel: Panel, context: Context) -> None:
    """Write the listings' prices into a fresh panel: list prices everywhere, asked prices on the days ahead."""
    listings = context.listings
    inside = listings[(listings["delivery_date"] >= panel.days[0]) & (listings["delivery_date"] <= panel.days[-1])]
    if not len(inside):
        return
    areas = pd.Index(panel.series["area_id"].unique())
    skus = pd.Index(panel.series["sku_id"].unique())
    area, sku = areas.get_indexer(inside["area_id"]), skus.get_indexer(inside["sku_id"])
    used = (area >= 0) & (sku >= 0)
    day = (inside["delivery_date"] - panel.days[0]).dt.days.to_numpy()[used]
    cell = (area * len(skus) + sku)[used]
    own = areas.get_indexer(panel.series["area_id"]) * len(skus) + skus.get_indexer(panel.series["sku_id"])
    for target, name in ((panel.price, "price_yuan"), (panel.list_price, "list_price_yuan")):
        value = inside[name].to_numpy(np.float32)[used]
        order = np.argsort(day, kind="stable")
        borders = np.searchsorted(day[order], np.arange(len(panel.days) + 1))
        for d in range(len(panel.days)):
            picked = order[borders[d] : borders[d + 1]]
            line = np.full(len(areas) * len(skus), np.nan, np.float32)
            line[cell[picked]] = value[picked]
            own_line = line[own]
            blank = np.isnan(target[d])
            target[d, blank] = own_line[blank]
