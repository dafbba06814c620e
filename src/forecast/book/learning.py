"""Turn past delivery dates into situations: what the book would have shown at each time of each past day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.reference import Communities
from contracts.settings import BookSettings
from forecast.book.kinds import DayKinds, PastBook
from forecast.book.past import Floats, Ints, PastOrders, Snapshots
from forecast.book.remainder import Remainder
from forecast.book.shares import UsualShares
from forecast.book.situation import Situation
from forecast.book.spread import Spread
from forecast.book.usual import walking_mean

_FIRST_SHARE = 0.01
"""Snapshots begin when this share of a day is usually ordered; before it there is nothing to see."""


@dataclass(frozen=True)
class LevelLessons:
    """What is learned for one level: the remainder model and the spread around it."""

    remainder: Remainder
    spread: Spread


def learn_level(
    past: PastOrders,
    given: PastBook,
    *,
    level: str,
    category: Ints,
    shares: UsualShares,
    kinds: DayKinds,
    settings: BookSettings,
) -> LevelLessons:
    """Return the remainder model of a level and the spread of its own past errors.

    Areas go without boosting: their means are sums over communities, what is learned here is their spread. Days on
    which a listing closed early teach nothing of its SKU there: what would have come is not known.
    """
    places = places_of(past.communities, given.communities, level)
    drawn = _sample(past, places, settings)
    left = snapshot_times(shares, settings)
    panel = _panel(drawn, places, kinds, left, settings)
    if not panel.warm.any():  # a world younger than the warm-up: nothing was expected of any day yet
        return LevelLessons(Remainder.additive(), _spread(left, [], [], settings))
    everybody = panel if drawn is past else _panel(past, np.zeros_like(places), kinds, left, settings, unknown=0.5)
    series = panel.snapshots
    codes = {"category": category[series.sku], "place": series.place, "sku": series.sku}
    situations, actual = [], []
    for k, minutes in enumerate(left[:-1]):
        by_sku = np.stack(
            [
                shares.at(float(minutes), int(day), holiday=bool(off))
                for day, off in zip(past.weekday[panel.warm], kinds.holiday[panel.warm], strict=True)
            ]
        )
        share = shares.promote(by_sku[:, series.sku], panel.promoted, float(minutes))
        confirmed = panel.at(series.units, k)
        whole = {} if drawn is past else _whole(everybody, by_sku, category, k)
        usual, rest = panel.mean * share, panel.mean * (1.0 - share)
        situations.append(Situation(float(minutes), usual, rest, confirmed, panel.at(series.lines, k), codes, whole))
        actual.append(panel.at(series.units, -1) - confirmed)
    warm = panel.warm
    if warm.sum() < settings.learn_days or not situations:
        expected = [now.rest.ravel() for now in situations]
        return LevelLessons(Remainder.additive(), _spread(left, expected, actual, settings))
    remainder, held_out, evidence = Remainder.learn(situations, actual, settings, boost=level != "area")
    rests = [rest[held_out] for rest in actual]
    return LevelLessons(remainder, _spread(left, [guess.ravel() for guess in evidence], rests, settings))


@dataclass(frozen=True)
class _Panel:
    """Snapshots with what each day was expected to bring and the part promoted; the first days only warm up."""

    snapshots: Snapshots
    mean: Floats
    promoted: Floats
    warm: NDArray[np.bool_]

    def at(self, values: NDArray[np.float32], time: int) -> Floats:
        """Return the values of the warm days at one time, shape (D, S)."""
        return values[self.warm, :, time].astype(np.float64)


def _panel(
    past: PastOrders, places: Ints, kinds: DayKinds, left: Floats, settings: BookSettings, *, unknown: float = 0.0
) -> _Panel:
    """Return the panel; a day counts for nothing where more than the part `unknown` of a series closed early."""
    plain = Snapshots.of(past, place_of_community=places, left=left)
    listed, closed, promoted = (
        kinds.of_series(table, places, plain.place, plain.sku) for table in (kinds.listed, kinds.closed, kinds.promoted)
    )
    known = closed <= unknown
    on_sale = ((listed > 0) | (plain.gross[:, :, -1] > 0)) & known
    mean = walking_mean(
        plain.units[:, :, -1], past.weekday, half_life_days=settings.prior_half_life_days, listed=on_sale
    )
    warm = np.arange(len(past.days)) >= settings.warm_days
    usual = np.where(known[warm], np.nan_to_num(mean[warm], nan=0.0), 0.0)
    return _Panel(plain.only(known), usual, promoted[warm], warm)


def _whole(everybody: _Panel, by_sku: Floats, category: Ints, time: int) -> dict[str, tuple[Floats, Floats]]:
    """Return confirmed and usual units of the city, of each category and of each SKU, over all places."""
    every, skus, kinds = everybody.snapshots, len(category), int(category.max()) + 1
    confirmed, usual = everybody.at(every.units, time), everybody.mean * by_sku[:, every.sku]

    def grouped(table: Floats, code: Ints, size: int) -> Floats:
        return np.stack([np.bincount(code, weights=day, minlength=size) for day in table]).astype(np.float64)

    kind = category[every.sku]
    return {
        "city": (confirmed.sum(axis=1, keepdims=True), usual.sum(axis=1, keepdims=True)),
        "category": (grouped(confirmed, kind, kinds), grouped(usual, kind, kinds)),
        "sku": (grouped(confirmed, every.sku, skus), grouped(usual, every.sku, skus)),
    }


def snapshot_times(shares: UsualShares, settings: BookSettings) -> Floats:
    """Return the minutes left at which past days are looked at, from the first orders of a day down to 0."""
    step = settings.snapshot_minutes
    times = np.arange(shares.left[0] - step, 0.0, -step)
    city = shares.by_weekday[:, -1, :].mean(axis=0)
    usual = np.interp(-times, -shares.left, city)
    return np.append(times[usual >= _FIRST_SHARE], 0.0)


def places_of(community_ids: pd.Index, communities: DataFrame[Communities] | None, level: str) -> Ints:
    """Return the place code of each community at a level; the city, and without a table any coarser level, is one."""
    if level == "community":
        return np.arange(len(community_ids), dtype=np.int64)
    if communities is None or level == "city":
        return np.zeros(len(community_ids), np.int64)
    home = communities.set_index("community_id")[f"{level}_id"].reindex(community_ids)
    return np.maximum(pd.factorize(home)[0], 0).astype(np.int64)


def _spread(left: Floats, expected: list[Floats], actual: list[Floats], settings: BookSettings) -> Spread:
    if not expected:
        return Spread.counts(shape=settings.count_dispersion)
    return Spread.learn(left[:-1], expected, [rest.ravel() for rest in actual], settings=settings)


def _sample(past: PastOrders, places: Ints, settings: BookSettings) -> PastOrders:
    """Return the lines of so many places, drawn with the settings' seed, that about `max_series` series remain."""
    count = int(places.max()) + 1
    series = len(np.unique(places[past.community] * max(len(past.skus), 1) + past.sku))
    if series <= settings.max_series:
        return past
    drawn = np.random.default_rng(settings.seed).permutation(count)
    kept = drawn[: max(1, int(count * settings.max_series / series))]
    return past.of_communities(np.isin(places, kept))
