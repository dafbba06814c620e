"""The book model: what past delivery dates teach about how a day's orders come in. Pure and picklable."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import LEVELS
from contracts.flow import OrderLines
from contracts.reference import Communities, Listings, Skus
from contracts.settings import BookSettings, CitySettings
from forecast.book.learning import LevelLessons, PastBook, learn_level
from forecast.book.past import Ints, PastOrders
from forecast.book.remainder import Remainder
from forecast.book.shares import UsualShares
from forecast.book.spread import Spread
from forecast.book.usual import UsualDemand
from forecast.book.window import OrderWindow

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class BookModel:
    """Arrival curves, usual demand, remainder models and spread, learned from past delivery dates.

    Attributes
    ----------
    skus : Index
        SKU ids; tables per SKU hold one more row for unknown SKUs.
    levels : dict
        Level to its remainder model and spread.
    boost_cells : int
        Tables with more rows follow pace alone.
    days : int
        Past delivery dates learned from; 0 is a cold start, which the book's ``source`` says.
    """

    skus: pd.Index
    shares: UsualShares
    usual: UsualDemand
    levels: dict[str, LevelLessons]
    boost_cells: int
    days: int

    @property
    def is_cold(self) -> bool:
        """Whether nothing was learned, so that orders are assumed to come in evenly."""
        return self.days == 0

    def sku_codes(self, sku_ids: pd.Index) -> Ints:
        """Return the code of each SKU; unknown ones get the last row's."""
        codes = self.skus.get_indexer(sku_ids)
        return np.where(codes < 0, len(self.skus), codes).astype(np.int64)


def fit_curve(
    order_lines: DataFrame[OrderLines],
    *,
    skus: DataFrame[Skus],
    settings: BookSettings,
    city: CitySettings,
    communities: DataFrame[Communities] | None = None,
    listings: DataFrame[Listings] | None = None,
    as_of: pd.Timestamp | None = None,
) -> BookModel:
    """Learn how orders come in, from delivery dates whose cutoff has passed.

    Parameters
    ----------
    communities : DataFrame[Communities], optional
        Tells warehouses and areas; without it both are learned as the whole city.
    listings : DataFrame[Listings], optional
        Tells what was on sale, so that a SKU off sale is not learned as one nobody ordered.
    as_of : Timestamp, optional
        Delivery dates with a later cutoff are the future and are left out. By default the last order placed.

    Returns
    -------
    BookModel
        Of no past day: a cold model (orders come in evenly, negative binomial spread). Of fewer than
        ``warm_days + learn_days`` days: additive pickup without pace.
    """
    started = perf_counter()
    window = OrderWindow.of(city)
    past = PastOrders.read(order_lines, window=window, as_of=as_of, days=settings.curve_days)
    if not len(past.days):
        return cold_model(settings, city)
    category = _categories(past.skus, skus)
    age = (past.days[-1] - past.days).days.to_numpy(np.float64)
    weights = 0.5 ** (age / settings.half_life_days)
    shares = UsualShares.learn(
        past, category=category, open_minutes=window.open_minutes, weights=weights, settings=settings
    )
    sold = past.units * weights[past.day] * np.isneginf(past.cancelled_left)
    usual = UsualDemand.learn(
        np.bincount(past.sku, weights=sold, minlength=len(past.skus)).astype(np.float64),
        category,
        days=float(weights.sum()),
        communities=len(past.communities),
        settings=settings,
    )
    given = PastBook(order_lines, skus, communities, listings)
    levels = {
        level: learn_level(past, given, level=level, category=category, shares=shares, window=window, settings=settings)
        for level in LEVELS
    }
    _LOG.info("fit_curve: %d lines, %d days, %.1f s", len(past.units), len(past.days), perf_counter() - started)
    return BookModel(past.skus, shares, usual, levels, settings.boost_cells, len(past.days))


def cold_model(settings: BookSettings, city: CitySettings) -> BookModel:
    """Return the model of a city without any past: orders come in evenly, counts spread widely."""
    lessons = LevelLessons(Remainder.additive(), Spread.counts(shape=settings.count_dispersion))
    return BookModel(
        skus=pd.Index([], dtype="str"),
        shares=UsualShares.straight(open_minutes=OrderWindow.of(city).open_minutes, slot_minutes=settings.slot_minutes),
        usual=UsualDemand.unknown(settings),
        levels=dict.fromkeys(LEVELS, lessons),
        boost_cells=settings.boost_cells,
        days=0,
    )


def _categories(sku_ids: pd.Index, skus: DataFrame[Skus]) -> Ints:
    """Return a category code per SKU; SKUs that `skus` does not know share one category."""
    known = skus.drop_duplicates("sku_id").set_index("sku_id")["category_id"]
    return np.asarray(pd.factorize(sku_ids.to_series().map(known).fillna(""), sort=True)[0], dtype=np.int64)
