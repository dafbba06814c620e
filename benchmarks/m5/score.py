"""The competition's own scores: WRMSSE over 12 levels and WSPL over nine quantiles.

References
----------
Makridakis, Spiliotis, Assimakopoulos (2022): "M5 accuracy competition" and "The M5 uncertainty competition",
International Journal of Forecasting 38(4).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.levels import Level
from forecast.scores import naive_scale

QUANTILES = (0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995)
LEVELS: dict[str, tuple[str, ...]] = {
    "total": (),
    "state": ("warehouse_id",),
    "store": ("community_id",),
    "category": ("division_id",),
    "department": ("category_id",),
    "state_category": ("warehouse_id", "division_id"),
    "state_department": ("warehouse_id", "category_id"),
    "store_category": ("community_id", "division_id"),
    "store_department": ("community_id", "category_id"),
    "item": ("sku_id",),
    "item_state": ("sku_id", "warehouse_id"),
    "item_store": ("sku_id", "community_id"),
}
"""The twelve levels, by the columns that stay."""


class Scorer:
    """Scores forecasts made as of a day.

    Parameters
    ----------
    units : days x series
        Everything known, zeros before an item is on sale counted as the competition does: from the first sale on.
    sales : series
        Weight of each series: dollars of the last 28 days before the origin.
    """

    def __init__(self, units: np.ndarray, sales: np.ndarray, series: pd.DataFrame) -> None:
        self.levels = {name: Level.by(series, keys) for name, keys in LEVELS.items()}
        filled = np.nan_to_num(units)
        self._scale, self._step, self._weight = {}, {}, {}
        for name, level in self.levels.items():
            total = level.total(filled)
            self._scale[name] = naive_scale(total)
            self._step[name] = mean_step(total)
            weight = level.total(sales[None, :])[0]
            self._weight[name] = weight / weight.sum()

    def weights(self, name: str) -> np.ndarray:
        """Return the share of dollar sales of each of a level's sums."""
        return np.asarray(self._weight[name])

    def wrmsse(self, forecast: np.ndarray, actual: np.ndarray) -> dict[str, float]:
        """Return each level's WRMSSE for forecasts days x series."""
        out = {}
        for name, level in self.levels.items():
            error = level.total(forecast) - level.total(actual)
            value = np.sqrt((error**2).mean(axis=0) / self._scale[name])
            out[name] = float(np.nansum(value * self._weight[name]))
        return out

    def level_spl(self, name: str, quantiles: np.ndarray, actual: np.ndarray) -> float:
        """Return one level's weighted scaled pinball loss; quantiles are days x groups x nine, in units."""
        truth = self.levels[name].total(actual)[:, :, None]
        u = np.asarray(QUANTILES)
        loss = np.maximum(u * (truth - quantiles), (u - 1) * (truth - quantiles)).mean(axis=(0, 2))
        return float(np.nansum(loss / self._step[name] * self._weight[name]))


def mean_step(quantity: np.ndarray) -> np.ndarray:
    """Return each series' mean absolute day-to-day change since its first sale."""
    started = np.maximum.accumulate(quantity > 0, axis=0)[:-1]
    change = np.where(started, np.abs(np.diff(quantity, axis=0)), 0.0).sum(axis=0)
    count = started.sum(axis=0)
    return np.where((count > 0) & (change > 0), change / np.maximum(count, 1), np.nan)
