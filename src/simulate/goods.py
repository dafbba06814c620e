"""What is sold: SKUs with their weights, prices, costs and popularity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import Skus
from simulate.catalogue import Category
from simulate.demand_settings import RangeSettings
from simulate.places import numbered


@dataclass(frozen=True)
class Goods:
    """SKUs and the arrays the demand and supply models read; all of shape (K,).

    Attributes
    ----------
    popularity : share of the city's order lines on a day it is listed, before the day's factors.
    first_day, last_day : position of the first and last listed delivery date in the history.
    """

    skus: DataFrame[Skus]
    category_index: np.ndarray
    list_price_yuan: np.ndarray
    cost_yuan: np.ndarray
    popularity: np.ndarray
    units_per_line: np.ndarray
    first_day: np.ndarray
    last_day: np.ndarray
    rotating: np.ndarray


def split_by_share(total: int, shares: np.ndarray) -> np.ndarray:
    """Return whole numbers that sum to `total` in proportion to the shares (largest remainder).

    Examples
    --------
    >>> split_by_share(10, np.array([0.5, 0.33, 0.17])).tolist()
    [5, 3, 2]
    """
    exact = total * shares / shares.sum()
    whole = np.floor(exact).astype(int)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return np.asarray(whole)


def build_goods(
    count: int,
    categories: tuple[Category, ...],
    *,
    range_settings: RangeSettings,
    zipf: float,
    goodwill: float,
    days: int,
    rng: np.random.Generator,
) -> Goods:
    """Return generated SKUs: Zipf popularity within each category, log-uniform prices and weights."""
    counts = split_by_share(count, np.array([c.sku_share for c in categories]))
    index = np.repeat(np.arange(len(categories)), counts)
    rank = np.concatenate([rng.permutation(n) for n in counts]) + 1.0
    pull = rank**-zipf
    pull *= np.array([c.line_share for c in categories])[index] / np.bincount(index, pull, len(categories))[index]
    price = _log_uniform(rng, np.array([c.price_yuan for c in categories])[index])
    price = np.maximum(np.round(price - 0.1) + 0.9 * (price > 3), 0.9).round(1)
    weight = _log_uniform(rng, np.array([c.weight_kg for c in categories])[index]).round(2)
    litres = weight * np.array([c.litres_per_kg for c in categories])[index] * rng.uniform(0.85, 1.15, count)
    cost_share = np.array([c.cost_share for c in categories])[index] * rng.uniform(0.96, 1.04, count)
    cost = (price * cost_share).round(2)
    life = np.array([c.shelf_life_days for c in categories])[index]
    shelf = np.floor(life[:, 0] + rng.random(count) * (life[:, 1] - life[:, 0] + 1))
    salvage = (cost * np.array([c.salvage_share for c in categories])[index]).round(2)
    penalty = (price - cost + goodwill * price).round(2)
    stems = [categories[c].stems for c in index]
    nth = np.concatenate([np.arange(n) for n in counts]).astype(int)
    skus = pd.DataFrame(
        {
            "sku_id": numbered("S", count),
            "name": [
                s[i % len(s)] + (f" {i // len(s) + 1}" if i >= len(s) else "") for s, i in zip(stems, nth, strict=True)
            ],
            "category_id": [categories[c].category_id for c in index],
            "temperature_zone": [categories[c].temperature_zone for c in index],
            "unit": [f"{w * 1000:.0f} g" if w < 1 else f"{w:g} kg" for w in weight],
            "weight_kg": weight,
            "volume_l": np.maximum(litres.round(2), 0.05),
            "shelf_life_days": shelf,
            "salvage_yuan": salvage,
            "shortage_penalty_yuan": penalty,
        }
    )
    fresh = rng.random(count)
    new = fresh < range_settings.new_share
    gone = ~new & (fresh < range_settings.new_share + range_settings.delisted_share)
    when = rng.random(count)
    first = np.where(new, np.minimum((when * 0.97 * days).astype(int) + 1, days - 1), -10_000)
    last = np.where(gone, ((0.1 + 0.85 * when) * days).astype(int), days)
    return Goods(
        skus=Skus.check(skus),
        category_index=index,
        list_price_yuan=price,
        cost_yuan=cost,
        popularity=pull / pull.sum(),
        units_per_line=np.array([c.units_per_line for c in categories])[index],
        first_day=first,
        last_day=last,
        rotating=rng.random(count) < range_settings.rotating_share,
    )


def _log_uniform(rng: np.random.Generator, bounds: np.ndarray) -> np.ndarray:
    low, high = np.log(bounds[:, 0]), np.log(bounds[:, 1])
    drawn: np.ndarray = np.exp(low + rng.random(len(bounds)) * (high - low))
    return drawn
