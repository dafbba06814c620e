"""What flows through a night: orders, demand, forecasts, the order book, stock."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
import pandera.pandas as pa

from contracts.columns import (
    LEVELS,
    QUANTILE_COLUMNS,
    Day,
    Instant,
    amount,
    choice,
    day,
    identifier,
    instant,
    row_rule,
    text,
)
from contracts.table import Table

MOST_UNITS = 1_000_000.0
"""Units of one order line, and the most the forecast takes of an SKU, community and day; more is a typing error."""
MOST_UNIT_PRICE_YUAN = 10_000_000.0
"""Yuan per unit; more is a typing error."""
_DAYS_AHEAD = pd.Timedelta(days=61), pd.Timedelta(days=-2)
"""Delivery date at midnight less the order's moment in UTC: 60 days and none, with a day for the zones of the earth."""


def _rising(frame: pd.DataFrame) -> pd.Series:
    """Return whether each row's quantiles never fall (to 1e-6, the float noise of sums)."""
    rising = np.ones(len(frame), bool)
    for lower, upper in pairwise(QUANTILE_COLUMNS):  # column by column: a city's book has six million rows
        rising &= (frame[upper] - frame[lower]).to_numpy() >= -1e-6
    return pd.Series(rising, index=frame.index)


class OrderLines(Table):
    """Order lines as neighbours placed them; a cancelled line stays, with the moment it was cancelled."""

    _key: ClassVar[tuple[str, ...]] = ("order_id", "line_no")
    order_id: str = identifier("Order")
    line_no: int = amount("Line of the order", gt=0)
    placed_at: Instant = instant("Moment of the order")
    delivery_date: Day = day("Delivery date")
    community_id: str = identifier("Community")
    sku_id: str = identifier("SKU")
    quantity: float = amount("Units ordered", gt=0, le=MOST_UNITS)
    unit_price_yuan: float = amount("Yuan per unit paid", le=MOST_UNIT_PRICE_YUAN)
    cancelled_at: Instant = instant("Moment of the cancellation", nullable=True)

    @row_rule("delivery_date 0 to 60 days after placed_at")
    @classmethod
    def _plausible(cls, frame: pd.DataFrame) -> pd.Series:
        ahead = frame["delivery_date"] - frame["placed_at"].dt.tz_localize(None)
        farthest, least = _DAYS_AHEAD
        plausible: pd.Series = (ahead <= farthest) & (ahead > least)
        return plausible


class DailyDemand(Table):
    """Units per delivery date, community and SKU. Listed without a sale is a row with zero; not listed is no row."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "community_id", "sku_id")
    delivery_date: Day = day("Delivery date")
    community_id: str = identifier("Community")
    sku_id: str = identifier("SKU")
    quantity: float = amount("Units ordered and not cancelled")
    price_yuan: float = amount("Price asked", nullable=True)
    censored: bool = pa.Field(description="Sold out during the day: quantity is a lower bound of demand.")


class Forecast(Table):
    """Demand expected on a delivery date, from what was known at `issued_at`."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "level", "place_id", "sku_id")
    delivery_date: Day = day("Delivery date")
    level: str = choice("Level", LEVELS)
    place_id: str = identifier("Community, warehouse or area")
    sku_id: str = identifier("SKU")
    issued_at: Instant = instant("Nothing later than this was known")
    mean: float = amount("Expected units")
    q05: float = amount("5 % quantile, units")
    q10: float = amount("10 % quantile, units")
    q25: float = amount("25 % quantile, units")
    q50: float = amount("Median, units")
    q75: float = amount("75 % quantile, units")
    q90: float = amount("90 % quantile, units")
    q95: float = amount("95 % quantile, units")
    q99: float = amount("99 % quantile, units")
    source: str = text("Model, or the labelled fallback")

    @row_rule("quantiles rise")
    @classmethod
    def _quantiles(cls, frame: pd.DataFrame) -> pd.Series:
        return _rising(frame)


class CategoryForecast(Table):
    """Forecast demand of a category at a place: sums of the SKU rows, with quantiles of the sums' own errors."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "level", "place_id", "category_id")
    delivery_date: Day = day("Delivery date")
    level: str = choice("Level", LEVELS)
    place_id: str = identifier("Community, warehouse or area")
    category_id: str = identifier("Category")
    issued_at: Instant = instant("Nothing later than this was known")
    mean: float = amount("Expected units")
    q05: float = amount("5 % quantile, units")
    q10: float = amount("10 % quantile, units")
    q25: float = amount("25 % quantile, units")
    q50: float = amount("Median, units")
    q75: float = amount("75 % quantile, units")
    q90: float = amount("90 % quantile, units")
    q95: float = amount("95 % quantile, units")
    q99: float = amount("99 % quantile, units")
    source: str = text("Sum of SKUs, or the labelled fallback where every part is one")

    @row_rule("quantiles rise")
    @classmethod
    def _quantiles(cls, frame: pd.DataFrame) -> pd.Series:
        return _rising(frame)


class OutsideEstimates(Table):
    """Somebody else's figure (预估销量): the marketplace's own estimate, a planner's. Scored beside ours."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "level", "place_id", "sku_id", "known_on")
    delivery_date: Day = day("Delivery date")
    level: str = choice("Level", LEVELS)
    place_id: str = identifier("Community, warehouse or area")
    sku_id: str = identifier("SKU")
    known_on: Day = day("Calendar day the figure was given; it counts from the next day on")
    units: float = amount("Units expected")


class PrepaidOrders(Table):
    """Orders that are paid (预付): served first where goods fall short, if the shortage rule says so."""

    _key: ClassVar[tuple[str, ...]] = ("order_id",)
    order_id: str = identifier("Order")
    paid_at: Instant = instant("Moment of the payment; none: paid when it was placed", nullable=True)


class OrderBook(Table):
    """Demand of a delivery date as of a moment: what is ordered, what is still expected, and their sum's spread."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "level", "place_id", "sku_id")
    delivery_date: Day = day("Delivery date")
    level: str = choice("Level", LEVELS)
    place_id: str = identifier("Community, warehouse or area")
    sku_id: str = identifier("SKU")
    as_of: Instant = instant("Orders and cancellations up to here are counted")
    confirmed: float = amount("Units ordered and not cancelled by then")
    remaining_mean: float = amount("Units still expected until the cutoff")
    final_mean: float = amount("confirmed + remaining_mean")
    q05: float = amount("5 % quantile of the final units")
    q10: float = amount("10 % quantile of the final units")
    q25: float = amount("25 % quantile of the final units")
    q50: float = amount("Median of the final units")
    q75: float = amount("75 % quantile of the final units")
    q90: float = amount("90 % quantile of the final units")
    q95: float = amount("95 % quantile of the final units")
    q99: float = amount("99 % quantile of the final units")
    source: str = text("Method, or the labelled fallback")

    @row_rule("quantiles rise")
    @classmethod
    def _quantiles(cls, frame: pd.DataFrame) -> pd.Series:
        return _rising(frame)

    @row_rule("final is confirmed plus remaining")
    @classmethod
    def _adds_up(cls, frame: pd.DataFrame) -> pd.Series:
        off = (frame["final_mean"] - frame["confirmed"] - frame["remaining_mean"]).abs()
        return off <= 1e-6 * (1.0 + frame["final_mean"])

    @row_rule("no quantile below what is confirmed")
    @classmethod
    def _floor(cls, frame: pd.DataFrame) -> pd.Series:
        return frame["q05"] >= frame["confirmed"] - 1e-6 * (1.0 + frame["confirmed"])


class Stock(Table):
    """Units at hand and due in, by lot (`expires_on`)."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id", "sku_id", "expires_on")
    warehouse_id: str = identifier("Warehouse")
    sku_id: str = identifier("SKU")
    on_hand: float = amount("Units at the warehouse")
    due_in: float = amount("Units on the way that arrive in time for the night")
    expires_on: Day = day("Last day the lot can be delivered", nullable=True)
