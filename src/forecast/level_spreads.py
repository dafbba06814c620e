"""The spread of each level: errors of its own sums, never sums of its parts' spreads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from contracts.columns import LEVELS
from forecast.categories import CATEGORY_LEVELS
from forecast.levels import Level
from forecast.members import Forecasts
from forecast.mood import Mood, chance_of
from forecast.panel import Panel
from forecast.rolling import RollingForecasts
from forecast.spread import PoissonSpread, Spread


def level_spreads(
    panel: Panel,
    rolled: RollingForecasts,
    mixed: Forecasts,
    groupings: Mapping[str, tuple[str, ...]],
    *,
    whole: bool,
) -> dict[str, Spread | PoissonSpread]:
    """Return each level's, place x category's and grouping's spread from its own sums' errors and all days' mood."""
    levels = [Level.of(panel.series, name) for name in LEVELS]
    sums = {**CATEGORY_LEVELS, **groupings}
    levels += [Level.by(panel.series, keys, name=name) for name, keys in sums.items()]
    forecast = np.where(np.isfinite(rolled.actual), mixed, np.nan)
    seen = np.where(np.isfinite(forecast), rolled.actual, np.nan)
    days = rolled.lead[:, :, 0]
    goods = Level.by(panel.series, ("sku_id",), name="sku")  # what strays together on a day: an SKU everywhere
    chance = chance_of(*(goods.total(each).reshape(days.size, -1) for each in (forecast, seen)))
    mood = Mood.fit(_summed(forecast).ravel(), _summed(seen).ravel(), days.ravel(), chance=chance)
    cells = np.arange(days.size).reshape(days.shape)[:, :, None]
    spreads: dict[str, Spread | PoissonSpread] = {}
    for level in levels:
        actual, expected = level.total(seen), level.total(forecast)
        lead, cell = (np.broadcast_to(each, actual.shape).ravel() for each in (rolled.lead, cells))
        spreads[level.name] = Spread.fit(expected.ravel(), actual.ravel(), lead, whole=whole, mood=mood, cell=cell)
    return spreads


def _summed(values: Forecasts) -> NDArray[np.float64]:
    return np.asarray(np.nansum(values, axis=2, dtype=np.float64), np.float64)
