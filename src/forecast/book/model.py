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
from contracts.reference import Communities, Skus
from contracts.settings import BookSettings, CitySettings
from forecast.book.past import Floats, Ints, PastOrders, Snapshots
from forecast.book.shares import UsualShares
from forecast.book.spread import Spread
from forecast.book.usual import UsualDemand, walking_mean
from forecast.book.window import OrderWindow

_LOG = logging.getLogger(__name__)
_WARM_DAYS = 7
"""Days before the first snapshot is learned from, so that its expectation has a week behind it."""


@dataclass(frozen=True)
class BookModel:
    """Arrival curves, usual demand and spread, learned from past delivery dates.

    Attributes
    ----------
    skus : Index
        SKU ids; the tables below hold one more row for unknown SKUs.
    spread : dict
        Level to its spread.
    days : int
        Past delivery dates learned from; 0 is a cold start, which the book's ``source`` says.
    """

    skus: pd.Index
    shares: UsualShares
    usual: UsualDemand
    spread: dict[str, Spread]
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
    as_of: pd.Timestamp | None = None,
) -> BookModel:
    """Learn how orders come in, from delivery dates whose cutoff has passed.

    Parameters
    ----------
    communities : DataFrame[Communities], optional
        Tells warehouses and areas; without it the spread of both is that of the whole city.
    as_of : Timestamp, optional
        Delivery dates with a later cutoff are the future and are left out. By default the last order placed.

    Returns
    -------
    BookModel
        Of no past day: a cold model (orders come in evenly, negative binomial spread).
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
    kept = np.isneginf(past.cancelled_left)
    sold = past.units * weights[past.day] * kept
    units = np.bincount(past.sku, weights=sold, minlength=len(past.skus)).astype(np.float64)
    usual = UsualDemand.learn(
        units, category, days=float(weights.sum()), communities=len(past.communities), settings=settings
    )
    spread = {
        level: _spread(past, places, shares, window=window, settings=settings)
        for level, places in _places(past, communities).items()
    }
    _LOG.info("fit_curve: %d lines, %d days, %.1f s", len(past.units), len(past.days), perf_counter() - started)
    return BookModel(skus=past.skus, shares=shares, usual=usual, spread=spread, days=len(past.days))


def cold_model(settings: BookSettings, city: CitySettings) -> BookModel:
    """Return the model of a city without any past: orders come in evenly, counts spread widely."""
    window = OrderWindow.of(city)
    spread = Spread.counts(shape=settings.count_dispersion)
    return BookModel(
        skus=pd.Index([], dtype="str"),
        shares=UsualShares.straight(open_minutes=window.open_minutes, slot_minutes=settings.slot_minutes),
        usual=UsualDemand.unknown(settings),
        spread=dict.fromkeys(LEVELS, spread),
        days=0,
    )


def snapshot_times(window: OrderWindow, settings: BookSettings) -> Floats:
    """Return the minutes left at which past days are looked at: from one step after opening down to 0."""
    step = settings.snapshot_minutes
    return np.append(np.arange(window.open_minutes - step, 0.0, -step), 0.0)


def _categories(sku_ids: pd.Index, skus: DataFrame[Skus]) -> Ints:
    """Return a category code per SKU; SKUs that `skus` does not know share one category."""
    known = skus.drop_duplicates("sku_id").set_index("sku_id")["category_id"]
    return pd.factorize(sku_ids.to_series().map(known).fillna(""), sort=True)[0].astype(np.int64)


def _places(past: PastOrders, communities: DataFrame[Communities] | None) -> dict[str, Ints]:
    """Return per level the place code of each community."""
    count = len(past.communities)
    city = np.zeros(count, np.int64)
    if communities is None:
        return {"community": np.arange(count), "warehouse": city, "area": city}
    home = communities.set_index("community_id").reindex(past.communities)
    codes = {level: pd.factorize(home[f"{level}_id"])[0].astype(np.int64) for level in ("warehouse", "area")}
    return {"community": np.arange(count)} | {level: np.maximum(code, 0) for level, code in codes.items()}


def _spread(
    past: PastOrders, places: Ints, shares: UsualShares, *, window: OrderWindow, settings: BookSettings
) -> Spread:
    """Return the spread of one level, from additive pickup on the past days."""
    left = snapshot_times(window, settings)
    snapshots = Snapshots.of(_sample(past, places, settings), place_of_community=places, left=left)
    mean = walking_mean(snapshots.units[:, :, -1], past.weekday, half_life_days=settings.half_life_days)
    mean[:_WARM_DAYS] = np.nan
    remaining = snapshots.units[:, :, -1:] - snapshots.units
    expected = []
    for minutes in left:
        share = np.stack([shares.at(float(minutes), int(day))[snapshots.sku] for day in past.weekday])
        expected.append((mean * (1.0 - share)).ravel())
    return Spread.learn(
        left[:-1], expected[:-1], [remaining[:, :, k].ravel() for k in range(len(left) - 1)], settings=settings
    )


def _sample(past: PastOrders, places: Ints, settings: BookSettings) -> PastOrders:
    """Return the lines of so many places, drawn with the settings' seed, that at most `max_series` series remain."""
    count = int(places.max()) + 1
    series = len(np.unique(places[past.community] * max(len(past.skus), 1) + past.sku))
    if series <= settings.max_series:
        return past
    drawn = np.random.default_rng(settings.seed).permutation(count)
    kept = drawn[: max(1, int(count * settings.max_series / series))]
    return past.of_communities(np.isin(places, kept))
