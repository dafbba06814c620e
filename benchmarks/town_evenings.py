"""Evenings of a simulated town drawn again: the same expected demand, another mood of the day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulate.orders import day_shock
from simulate.settings import preset_settings
from simulate.streams import mean_one, stream


class Evenings:
    """The law of `simulate.orders.draw_evening`, without baskets and clock times.

    Parameters
    ----------
    series : DataFrame
        ``community_id, sku_id, category_id`` of a panel's series.
    """

    def __init__(self, series: pd.DataFrame, *, seed: int) -> None:
        settings = preset_settings("town")
        self._demand, self._seed = settings.demand, seed
        per_line = {kind.category_id: kind.units_per_line for kind in settings.categories}
        self._units = series["category_id"].map(per_line).to_numpy(np.float64)
        self._codes = {
            name: series.groupby(name).ngroup().to_numpy() for name in ("community_id", "sku_id", "category_id")
        }

    def draw(self, expected: np.ndarray, *numbers: int) -> np.ndarray:
        """Return units wanted, days x series, for expected units; NaN where not on sale."""
        rng, demand = stream(self._seed, "drawn again", *numbers), self._demand
        out = np.full(expected.shape, np.nan)
        sigmas = {
            "community_id": demand.leader_sigma,
            "sku_id": demand.sku_sigma,
            "category_id": demand.category_sigma,
        }
        for day, units in enumerate(expected):
            lines = units / self._units * day_shock(demand, rng)
            for name, sigma in sigmas.items():
                code = self._codes[name]
                lines = lines * mean_one(rng, sigma, int(code.max()) + 1)[code]
            on_sale = np.isfinite(lines)
            spread = rng.standard_gamma(demand.dispersion, int(on_sale.sum())) / demand.dispersion
            ordered = rng.poisson(lines[on_sale] * spread)
            out[day, on_sale] = ordered + rng.poisson(ordered * (self._units[on_sale] - 1.0))
        return out
