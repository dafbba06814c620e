"""New goods: neighbours are curious, and the first weeks of an SKU tell more or less than it will sell.

How much is told by the SKUs launched within the history, as `ramp` does it for new communities: their sales over what
the category's ordinary goods sold on the same day in as many communities, summed week of age by week of age over all
who lived through both weeks. A young SKU's history is divided by what was left of the curiosity, its forecasts are
multiplied by it. An SKU is new where it was first on sale well after the history of its area began.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.goods_days import GoodsDays
from forecast.panel import Panel
from forecast.ramp import GROWN_AGE, UNSEEN_DAYS, Ramp, reached_by_age

WEEKS = 3
"""Steps from week to week; after four weeks an SKU sells what it sells."""
CAUTION = 3.0
"""Average SKUs without any curiosity that are mixed into each week's step."""


def launches(panel: Panel, reached: NDArray[np.float64] | None = None) -> Ramp:
    """Return what part of its later level each SKU of an area sells at its age; 1 for those that are not new.

    Parameters
    ----------
    reached : float64, optional
        By age in days, as learned before; without it the panel's own launches tell.
    """
    sales = GoodsDays.of(panel)
    seen = sales.listed > 0
    first = np.where(seen.any(axis=0), seen.argmax(axis=0), _planned(panel, sales))
    opened = np.where(first < _area_began(panel, sales, first) + UNSEEN_DAYS, -GROWN_AGE, first)
    if reached is not None:
        return Ramp(reached, opened[sales.of_series])
    age = np.arange(panel.known)[:, None] - opened[None, :]
    peers = sales.listed * _course_per_place(sales, grown=seen & (age >= 7 * (WEEKS + 1)))
    learned = reached_by_age((sales.units, peers), opened, weeks=WEEKS, caution=CAUTION)
    return Ramp(learned, opened[sales.of_series])


def _area_began(panel: Panel, sales: GoodsDays, first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first day anything was on sale in the area of each SKU."""
    area = np.zeros(len(sales.category), np.int64)
    area[sales.of_series] = panel.series.groupby("area_id", sort=False).ngroup().to_numpy()
    began = np.full(int(area.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(began, area, first)
    return began[area]


def _planned(panel: Panel, sales: GoodsDays) -> NDArray[np.int64]:
    """Return the first day ahead with a price, per SKU of an area; the day after the last known one without any."""
    ahead = np.isfinite(panel.price[panel.known :])
    day = np.where(ahead.any(axis=0), ahead.argmax(axis=0), 0) if len(ahead) else np.zeros(panel.width, np.int64)
    first = np.full(len(sales.category), np.iinfo(np.int64).max)
    np.minimum.at(first, sales.of_series, panel.known + day)
    return first


def _course_per_place(sales: GoodsDays, *, grown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what an average ordinary SKU of each one's category sells in a community, by the course of the day."""
    kinds = int(sales.category.max()) + 1
    sold, places = (
        np.bincount(sales.category, np.where(grown, each, 0.0).sum(axis=0), kinds)
        for each in (sales.units, sales.listed)
    )
    mean = np.where(places > 0, sold / np.maximum(places, 1.0), sold.sum() / max(places.sum(), 1.0))
    return np.asarray(np.nan_to_num(sales.course(grown), nan=1.0) * mean[sales.category], np.float64)
