"""Forecasts and order books as they are read: computed once for what they depend on, then kept until that changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
from pandera.typing import DataFrame

from api.kept import Kept, frame_bytes
from contracts.errors import NotFoundError, StoreError
from contracts.flow import CategoryForecast, DailyDemand, Forecast, OrderBook

if TYPE_CHECKING:
    from pipeline.desk import PlanningDesk
    from pipeline.night import NightInput

KEPT_MB = 256
"""Memory for forecasts and books that were read lately; a city's day at all levels is about 100 MB."""
ASK_EVERY_S = 2.0
"""The registry is asked so often which model serves; a promotion shows in reads within this time."""


@dataclass(frozen=True)
class Opened:
    """A delivery date's forecast with what the book needs beside the orders."""

    night: NightInput
    expected: DataFrame[Forecast]


class DemandShelf:
    """Forecasts and order books of a desk."""

    def __init__(self, desk: Callable[[], PlanningDesk]) -> None:
        self._desk = desk
        self._forecasts: Kept[DataFrame[Forecast]] = Kept(most_bytes=KEPT_MB * 1_000_000, weigh=frame_bytes)
        self._categories: Kept[DataFrame[CategoryForecast]] = Kept(most_bytes=KEPT_MB * 100_000, weigh=frame_bytes)
        self._opened: Kept[Opened] = Kept(most_bytes=KEPT_MB * 1_000_000, weigh=lambda one: frame_bytes(one.expected))
        self._books: Kept[DataFrame[OrderBook]] = Kept(most_bytes=KEPT_MB * 1_000_000, weigh=frame_bytes)
        self._version = ("", -float("inf"))
        self._asking = threading.Lock()

    def forecast(self, day: pd.Timestamp) -> DataFrame[Forecast]:
        """Return the forecast of a delivery date from what was known when its orders opened."""
        return self._forecasts.get(self._premises(day), lambda: self._desk().forecast(day))

    def categories(self, day: pd.Timestamp) -> DataFrame[CategoryForecast]:
        """Return the forecast of a delivery date by place and category, summed from the one that is kept."""
        return self._categories.get(self._premises(day), lambda: self._desk().by_category(self.forecast(day)))

    def order_book(self, day: pd.Timestamp, as_of: pd.Timestamp) -> DataFrame[OrderBook]:
        """Return the book of a delivery date as of a moment; the forecast in it is made once per date.

        Raises
        ------
        InputError
            The moment lies before orders open, or the orders known are too old.
        """
        desk, before = self._desk(), self._premises(day)
        orders = desk.store.orders_mark(day.date())
        return self._books.get((before, orders, as_of), lambda: self._book(desk, before, day, as_of))

    def _book(self, desk: PlanningDesk, before: object, day: pd.Timestamp, as_of: pd.Timestamp) -> DataFrame[OrderBook]:
        from pipeline.night import forecast_demand, open_book
        from pipeline.premises import check_premises
        from pipeline.progress import silent

        def open_date() -> Opened:
            night = desk.night_input(day, as_of)
            expected = forecast_demand(night, desk.settings, silent)
            last = night.history["delivery_date"].max()  # the premises ask how old the history is, the book no more
            tail = DailyDemand.check(night.history[night.history["delivery_date"] == last])
            return Opened(replace(night, history=tail), expected)

        opened = self._opened.get((before, day), open_date)
        lines = desk.store.order_lines(delivery_from=day, delivery_to=day)
        night = replace(opened.night, order_lines=lines, as_of=as_of)
        check_premises(night, desk.settings)
        return open_book(night, opened.expected, desk.settings, silent)

    def _premises(self, day: pd.Timestamp) -> tuple[object, ...]:
        """Return what a date's forecast depends on: the model, the reference data, the orders of earlier dates."""
        desk = self._desk()
        yesterday = (day - pd.Timedelta(days=1)).date()
        return day, self._serving(desk), desk.store.reference_mark(), desk.store.orders_mark(yesterday)

    def _serving(self, desk: PlanningDesk) -> str:
        """Return the versions that serve; a registry that is away is asked again only after a while."""
        with self._asking:
            told, at = self._version
            if time.monotonic() - at > ASK_EVERY_S:
                try:
                    versions = [one.version_of("champion") for one in (desk.registries.demand, desk.registries.book)]
                    told = " ".join(versions)
                except NotFoundError:
                    raise
                except StoreError:
                    told = "registry away"
                self._version = (told, time.monotonic())
            return told
