"""Forecasts and order books as they are read: computed once for what they depend on, then kept until that changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
from pandera.typing import DataFrame

from api.kept import Kept, frame_bytes
from contracts.errors import ConflictError, NotFoundError, StoreError
from contracts.flow import CategoryForecast, DailyDemand, Forecast, OrderBook

if TYPE_CHECKING:
    from pipeline.desk import PlanningDesk
    from pipeline.night import NightInput

KEPT_MB = 256
"""Memory for forecasts and books that were read lately; a city's day at all levels is about 100 MB."""
ASK_EVERY_S = 2.0
"""The registry is asked so often which model serves; a promotion shows in reads within this time."""
AWAY = "registry away"
"""Instead of versions when the registry does not answer; what is made meanwhile is not kept."""
TRIES = 3
"""A value is made so often when another model takes over while it is made."""
V = TypeVar("V")


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
        return self._made(self._forecasts, day, lambda _before: self._desk().forecast(day))

    def categories(self, day: pd.Timestamp) -> DataFrame[CategoryForecast]:
        """Return the forecast of a delivery date by place and category, summed from the one that is kept."""
        return self._made(self._categories, day, lambda _before: self._desk().by_category(self.forecast(day)))

    def order_book(self, day: pd.Timestamp, as_of: pd.Timestamp) -> DataFrame[OrderBook]:
        """Return the book of a delivery date as of a moment; the forecast in it is made once per date.

        Raises
        ------
        InputError
            The moment lies before orders open, or the orders known are too old.
        """
        desk = self._desk()
        orders = desk.store.orders_mark(day.date())
        return self._made(self._books, day, lambda before: self._book(desk, before, day, as_of), orders, as_of)

    def _made(self, kept: Kept[V], day: pd.Timestamp, make: Callable[[tuple[object, ...]], V], *more: object) -> V:
        """Return the value of a date's premises, made again when another model took over while it was made.

        Raises
        ------
        ConflictError
            Other models took over each time.
        """
        for _ in range(TRIES):
            before = self._premises(day)
            value = kept.get((before, *more), partial(make, before), holds=partial(self._holds, before))
            if self._version[0] == before[1]:
                return value
        raise ConflictError("Other models took over each time this was read. Read it again.")

    def _holds(self, before: tuple[object, ...]) -> bool:
        """Return whether the models of the premises serve still, asked now: the premises may be two seconds old."""
        serving = self._serving(self._desk(), every_s=-1.0)
        return serving == before[1] != AWAY

    def _book(
        self, desk: PlanningDesk, before: tuple[object, ...], day: pd.Timestamp, as_of: pd.Timestamp
    ) -> DataFrame[OrderBook]:
        from pipeline.night import forecast_demand, open_book
        from pipeline.premises import check_premises
        from pipeline.progress import silent

        def open_date() -> Opened:
            night = desk.night_input(day, as_of)
            expected = forecast_demand(night, desk.settings, silent)
            last = night.history["delivery_date"].max()  # the premises ask how old the history is, the book no more
            tail = DailyDemand.check(night.history[night.history["delivery_date"] == last])
            return Opened(replace(night, history=tail), expected)

        opened = self._opened.get((before, day), open_date, holds=partial(self._holds, before))
        lines = desk.store.order_lines(delivery_from=day, delivery_to=day)
        night = replace(opened.night, order_lines=lines, as_of=as_of)
        check_premises(night, desk.settings)
        return open_book(night, opened.expected, desk.settings, silent)

    def _premises(self, day: pd.Timestamp) -> tuple[object, ...]:
        """Return what a date's forecast depends on: the model, the reference data, the orders of earlier dates."""
        desk = self._desk()
        yesterday = (day - pd.Timedelta(days=1)).date()
        return day, self._serving(desk), desk.store.reference_mark(), desk.store.orders_mark(yesterday)

    def _serving(self, desk: PlanningDesk, *, every_s: float | None = None) -> str:
        """Return the versions that serve; a registry that is away is asked again only after a while."""
        with self._asking:
            told, at = self._version
            if time.monotonic() - at > (ASK_EVERY_S if every_s is None else every_s):
                try:
                    versions = [one.version_of("champion") for one in (desk.registries.demand, desk.registries.book)]
                    told = " ".join(versions)
                except NotFoundError:
                    raise
                except StoreError:
                    told = AWAY
                self._version = (told, time.monotonic())
            return told
