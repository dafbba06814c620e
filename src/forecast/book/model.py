"""The book model: what past delivery dates teach about how a day's orders come in. Pure and picklable."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import perf_counter
from typing import cast

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import LEVELS
from contracts.flow import OrderLines
from contracts.reference import Calendar, Communities, Listings, Skus
from contracts.settings import BookSettings, CitySettings
from forecast.book.kinds import DayKinds, PastBook
from forecast.book.learning import LevelLessons, learn_level
from forecast.book.past import Ints, PastOrders
from forecast.book.remainder import Remainder
from forecast.book.sessions import Sessions
from forecast.book.shares import UsualShares
from forecast.book.spread import Spread
from forecast.book.usual import UsualDemand
from forecast.book.window import OrderWindow

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SessionModel:
    """What was learned of the goods that share a cutoff.

    Attributes
    ----------
    skus : Index
        SKU ids; tables per SKU hold one more row for unknown SKUs.
    levels : dict
        Level to its remainder model and spread.
    days : int
        Past delivery dates learned from; 0 is a cold start, which the book's ``source`` says.
    """

    skus: pd.Index
    shares: UsualShares
    usual: UsualDemand
    levels: dict[str, LevelLessons]
    days: int

    @property
    def is_cold(self) -> bool:
        """Whether nothing was learned, so that orders are assumed to come in evenly."""
        return self.days == 0

    def sku_codes(self, sku_ids: pd.Index) -> Ints:
        """Return the code of each SKU; unknown ones get the last row's."""
        codes = self.skus.get_indexer(sku_ids)
        return np.where(codes < 0, len(self.skus), codes).astype(np.int64)


@dataclass(frozen=True)
class BookModel:
    """Arrival curves, usual demand, remainder models and spread, learned from past delivery dates.

    Attributes
    ----------
    sessions : dict
        Cutoff (clock text) to what was learned of the goods that close then; the city's own cutoff first.
    """

    sessions: dict[str, SessionModel]
    settings: BookSettings

    @property
    def is_cold(self) -> bool:
        """Whether nothing was learned of any session."""
        return all(session.is_cold for session in self.sessions.values())

    def session(self, cutoff: str) -> tuple[SessionModel, str]:
        """Return what was learned of a cutoff, and a label where another cutoff's lessons must stand in for it."""
        if cutoff in self.sessions:
            return self.sessions[cutoff], ""
        stand_in, found = next(iter(self.sessions.items()))
        return found, f"fallback: arrivals learned with the cutoff {stand_in}, "


def fit_curve(
    order_lines: DataFrame[OrderLines],
    *,
    skus: DataFrame[Skus],
    settings: BookSettings,
    city: CitySettings,
    communities: DataFrame[Communities] | None = None,
    listings: DataFrame[Listings] | None = None,
    calendar: DataFrame[Calendar] | None = None,
    as_of: pd.Timestamp | None = None,
) -> BookModel:
    """Learn how orders come in, from delivery dates whose cutoff has passed.

    Parameters
    ----------
    communities : DataFrame[Communities], optional
        Tells warehouses and areas; without it both are learned as the whole city.
    listings : DataFrame[Listings], optional
        Tells what was on sale, promoted or sold out, so that a SKU off sale is not learned as one nobody ordered.
    calendar : DataFrame[Calendar], optional
        Tells public holidays, whose orders come at other hours.
    as_of : Timestamp, optional
        Delivery dates with a later cutoff are the future and are left out. By default the last order placed.

    Returns
    -------
    BookModel
        A session per cutoff. Of no past day: a cold one (orders come in evenly, negative binomial spread). Of fewer
        than ``warm_days + learn_days`` days: additive pickup without pace.
    """
    started = perf_counter()
    sessions = Sessions.of(city)
    until = order_lines["placed_at"].max() if as_of is None else as_of
    row, found = pd.factorize(order_lines["sku_id"])
    of_line = sessions.codes(pd.Index(found, dtype="str"), skus)[row]
    learned = {}
    for number, window in enumerate(sessions.windows):
        lines = order_lines if len(sessions.windows) == 1 else order_lines[of_line == number]
        given = PastBook(cast("DataFrame[OrderLines]", lines), skus, communities, listings, calendar)
        learned[window.cutoff] = _learn_session(given, window=window, until=until, settings=settings)
    days = max(session.days for session in learned.values())
    _LOG.info(
        "fit_curve: %d lines, %d sessions, %d days, %.1f s",
        len(order_lines),
        len(learned),
        days,
        perf_counter() - started,
    )
    return BookModel(learned, settings)


def _learn_session(
    given: PastBook, *, window: OrderWindow, until: pd.Timestamp, settings: BookSettings
) -> SessionModel:
    past = PastOrders.read(given.order_lines, window=window, as_of=until, days=settings.curve_days)
    if not len(past.days):
        return _cold_session(window, settings)
    category = _categories(past.skus, given.skus)
    kinds = DayKinds.read(past, given, window)
    age = (past.days[-1] - past.days).days.to_numpy(np.float64)
    weights = 0.5 ** (age / settings.half_life_days)
    shares = UsualShares.learn(
        past, category=category, open_minutes=window.open_minutes, weights=weights, kinds=kinds, settings=settings
    )
    sold = past.units * weights[past.day] * np.isneginf(past.cancelled_left)
    usual = UsualDemand.learn(
        np.bincount(past.sku, weights=sold, minlength=len(past.skus)).astype(np.float64),
        category,
        days=float(weights.sum()),
        communities=len(past.communities),
        settings=settings,
    )
    levels = {
        level: learn_level(past, given, level=level, category=category, shares=shares, kinds=kinds, settings=settings)
        for level in LEVELS
    }
    return SessionModel(past.skus, shares, usual, levels, len(past.days))


def cold_model(settings: BookSettings, city: CitySettings) -> BookModel:
    """Return the model of a city without any past: orders come in evenly, counts spread widely."""
    return BookModel({window.cutoff: _cold_session(window, settings) for window in Sessions.of(city).windows}, settings)


def _cold_session(window: OrderWindow, settings: BookSettings) -> SessionModel:
    lessons = LevelLessons(Remainder.additive(), Spread.counts(shape=settings.count_dispersion))
    return SessionModel(
        skus=pd.Index([], dtype="str"),
        shares=UsualShares.straight(open_minutes=window.open_minutes, slot_minutes=settings.slot_minutes),
        usual=UsualDemand.unknown(settings),
        levels=dict.fromkeys(LEVELS, lessons),
        days=0,
    )


def _categories(sku_ids: pd.Index, skus: DataFrame[Skus]) -> Ints:
    """Return a category code per SKU; SKUs that `skus` does not know share one category."""
    known = skus.drop_duplicates("sku_id").set_index("sku_id")["category_id"]
    return np.asarray(pd.factorize(sku_ids.to_series().map(known).fillna(""), sort=True)[0], dtype=np.int64)
