"""What goods and places without a past may sell, from traits they share with those that have one.

A new SKU is held against the goods of its category in the area: how their sales go with price, weight, volume and shelf
life says where among them it belongs. A new community is held against the others of its area by the people in its
leader's group. Each leaning is learned from all who have a past (a Poisson regression of their level over their peers'
mean, drawn towards none), so a trait that tells nothing changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.context import Context

GOODS_TRAITS = ("weight_kg", "volume_l", "shelf_life_days")
"""Traits of an SKU besides its price; all enter as logarithms."""
USUAL_LEANING = 0.5
"""Spread of leanings believed in beforehand: at 0.5 twice the price makes goods sell up to 1.4 times more or less."""
LEAST_KNOWN = 8
"""Fewer than so many with a past tell nothing about those without."""
RANGE = (0.2, 5.0)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Traits:
    """Logarithms of what is told of goods and communities; NaN where nothing is.

    Attributes
    ----------
    goods : float64, n x traits
        By series: weight, volume and shelf life of its SKU.
    members : float64, n
        By series: people in the group of its community's leader.
    """

    goods: Values
    members: Values

    @classmethod
    def of(cls, series: pd.DataFrame, context: Context) -> Traits:
        """Return the traits of a panel's series; sums over several SKUs or communities have none."""
        skus, places = context.skus.set_index("sku_id"), context.communities.set_index("community_id")
        goods = skus[list(GOODS_TRAITS)].reindex(series["sku_id"]).to_numpy(np.float64)
        members = places["members"].reindex(series["community_id"]).to_numpy(np.float64)
        return cls(np.log(goods), np.log(members))


def from_traits(traits: Values, ratio: Values, weight: Values, peers: NDArray[np.int64]) -> Values:
    """Return what each of m things sells over the mean of its peers, told by its traits; 1 where they tell nothing.

    Parameters
    ----------
    traits : m x t
        Logarithms; an unknown one (NaN) counts as usual among the peers.
    ratio : m
        Level over the mean of its peers, NaN for those without a past. They teach nothing and are told all the same.
    weight : m
        How much is known of each ratio; 0 or more.
    peers : m
        Group of each; traits count against the group's mean.

    Notes
    -----
    Poisson regression with a ridge: ``alpha`` is the spread of the ratios over that of the leanings (`USUAL_LEANING`)
    and the number of lessons, so that few or noisy lessons teach little. No trait is taken beyond those seen.

    Examples
    --------
    >>> price = np.log([[1.0], [2.0], [4.0], [8.0]] * 5)
    >>> sold = np.where(np.arange(20) > 3, np.exp(-0.5 * (price[:, 0] - price.mean())), np.nan)
    >>> from_traits(price, sold, np.ones(20), np.zeros(20, int))[:4].round(1).tolist()
    [1.6, 1.2, 0.9, 0.6]
    """
    known = np.isfinite(ratio) & (weight > 0)
    if known.sum() < LEAST_KNOWN:
        return np.ones(len(ratio))
    apart = np.stack([_apart(trait, known, weight, peers) for trait in traits.T], axis=1)
    apart = apart[:, np.ptp(apart[known], axis=0) > 0]
    if not apart.shape[1]:
        return np.ones(len(ratio))
    from sklearn.linear_model import PoissonRegressor

    believed = weight[known] / weight[known].mean()
    noise = np.average((ratio[known] - 1.0) ** 2, weights=believed)
    regression = PoissonRegressor(alpha=max(noise, 1e-3) / (USUAL_LEANING**2 * known.sum()), max_iter=300)
    regression.fit(apart[known], ratio[known], sample_weight=believed)
    within = np.clip(apart, apart[known].min(axis=0), apart[known].max(axis=0))
    return np.asarray(np.clip(regression.predict(within), *RANGE), np.float64)


def _apart(trait: Values, known: NDArray[np.bool_], weight: Values, peers: NDArray[np.int64]) -> Values:
    """Return a trait less its mean among the known peers; 0 where it is not told."""
    told = np.isfinite(trait)
    taught = told & known
    size = int(peers.max()) + 1
    total = np.bincount(peers[taught], weight[taught], size)
    mean = np.bincount(peers[taught], weight[taught] * trait[taught], size) / np.where(total > 0, total, 1.0)
    return np.where(told & (total > 0)[peers], trait - mean[peers], 0.0)
