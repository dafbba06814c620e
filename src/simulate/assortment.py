"""What is listed where on which day, and at what price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import Listings
from simulate.demand_settings import RangeSettings
from simulate.goods import Goods


@dataclass(frozen=True)
class Assortment:
    """Listings as arrays of shape (D, A, K): day, price area, SKU."""

    listed: np.ndarray
    price_yuan: np.ndarray
    list_price_yuan: np.ndarray


def build_assortment(
    goods: Goods,
    *,
    days: pd.DatetimeIndex,
    closed: np.ndarray,
    areas: int,
    settings: RangeSettings,
    rng: np.random.Generator,
) -> Assortment:
    """Return the listings: lifetimes, rotation in runs of days, price steps every 14 days, promotion episodes."""
    n, k = len(days), len(goods.skus)
    position = np.arange(n)[:, None]
    alive = (position >= goods.first_day) & (position <= goods.last_day) & ~closed[:, None]
    alive &= ~goods.rotating | _rotation(n, k, settings.rotating_listed, rng)
    sold_here = rng.random((areas, k)) >= settings.area_gap_share
    sold_here[0] |= ~sold_here.any(axis=0)
    listed = alive[:, None, :] & sold_here[None]
    steps = np.cumsum(settings.price_step_sigma * rng.standard_normal((n // 14 + 1, k)), axis=0)
    level = np.clip(steps, -0.08, 0.12)[(n - 1 - np.arange(n)) // 14][:, None, :]
    local = settings.area_price_sigma * rng.standard_normal((areas, k))
    tick = settings.price_step_yuan
    list_price = _ticks(goods.list_price_yuan * np.exp(level + local[None]), tick)
    depth = _promotions(n, areas, k, settings, rng)
    return Assortment(listed, np.minimum(_ticks(list_price * (1.0 - depth), tick), list_price), list_price)


def _ticks(price: np.ndarray, tick: float) -> np.ndarray:
    rounded: np.ndarray = np.maximum(np.round(np.round(price / tick) * tick, 4), tick)
    return rounded


def _rotation(n: int, k: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return listed days of rotating SKUs: a two-state Markov chain with runs of about three listed days."""
    leave, start = 1.0 / 3.0, rng.random(k) < share
    enter = min(1.0, leave * share / max(1e-9, 1.0 - share))
    draws, state, out = rng.random((n, k)), start, np.zeros((n, k), dtype=bool)
    for day in range(n):
        out[day] = state
        state = np.where(state, draws[day] >= leave, draws[day] < enter)
    return out


def _promotions(n: int, areas: int, k: int, settings: RangeSettings, rng: np.random.Generator) -> np.ndarray:
    """Return the promotion depth per day, area and SKU; half of the episodes run in every area."""
    depth = np.zeros((n, areas, k))
    starts = np.argwhere(rng.random((n, areas, k)) < settings.promotion_rate)
    low, high = settings.promotion_days
    lengths = rng.integers(low, high + 1, len(starts))
    cuts = np.round(rng.uniform(*settings.promotion_depth, len(starts)), 2)
    everywhere = rng.random(len(starts)) < 0.5 / areas
    for (day, area, sku), length, cut, city in zip(starts, lengths, cuts, everywhere, strict=True):
        where = slice(None) if city else area
        depth[day : day + length, where, sku] = cut
    return depth


def listing_table(
    assortment: Assortment,
    *,
    days: pd.DatetimeIndex,
    area_ids: list[str],
    sku_ids: list[str],
    sold_out_at: dict[tuple[int, int, int], pd.Timestamp],
) -> DataFrame[Listings]:
    """Return the listings as a contract table; `sold_out_at` is keyed by (day, area, SKU) positions."""
    day, area, sku = np.nonzero(assortment.listed)
    closed_at = pd.Series(pd.NaT, index=range(len(day)), dtype="datetime64[us, UTC]")
    if sold_out_at:
        shape = assortment.listed.shape
        flat = np.ravel_multi_index((day, area, sku), shape)
        keys = np.array(list(sold_out_at), dtype=np.int64)
        rows = np.searchsorted(flat, np.ravel_multi_index((keys[:, 0], keys[:, 1], keys[:, 2]), shape))
        closed_at.iloc[rows] = pd.DatetimeIndex(list(sold_out_at.values())).as_unit("us")
    return Listings.check(
        pd.DataFrame(
            {
                "delivery_date": days[day],
                "area_id": pd.array(area_ids, dtype="str").take(area),
                "sku_id": pd.array(sku_ids, dtype="str").take(sku),
                "price_yuan": assortment.price_yuan[day, area, sku],
                "list_price_yuan": assortment.list_price_yuan[day, area, sku],
                "sold_out_at": closed_at,
            }
        )
    )
