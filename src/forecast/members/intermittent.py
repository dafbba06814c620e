"""Croston's method and its two corrections, for goods that sell now and then.

All three smooth the size of a sale and how often one happens; the forecast is flat over the horizon.

References
----------
Croston (1972), Operational Research Quarterly 23; Syntetos and Boylan (2005), International Journal of Forecasting 21
(SBA); Teunter, Syntetos and Babai (2011), European Journal of Operational Research 214 (TSB).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecast.context import Context
from forecast.members.protocol import Forecasts
from forecast.panel import Matrix, Panel

_MEMORY_DAYS = 182
_FIRST_DAYS = 28


@dataclass(frozen=True)
class IntermittentDemand:
    """Croston, SBA or TSB with fixed smoothing.

    Attributes
    ----------
    kind : {"croston", "sba", "tsb"}
        ``croston`` is size / interval; ``sba`` takes off its bias by ``1 - alpha / 2``; ``tsb`` smooths the chance of
        a sale every day, so that goods that stopped selling fade out.
    alpha : float
        Smoothing of intervals (croston, sba) or of the chance (tsb).
    beta : float
        Smoothing of sizes.
    """

    kind: Literal["croston", "sba", "tsb"] = "tsb"
    alpha: float = 0.05
    beta: float = 0.1

    @property
    def name(self) -> str:
        """Return the kind."""
        return self.kind

    def fit(self, panel: Panel, context: Context) -> IntermittentDemand:
        """Return self: smoothing starts anew from each origin's history."""
        return self

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return the smoothed rate of each series, the same for every horizon."""
        out = np.empty((len(origins), len(horizons), panel.width), np.float32)
        for i, origin in enumerate(origins):
            out[i] = self.rate(panel.quantity[max(0, origin + 1 - _MEMORY_DAYS) : origin + 1])
        return out

    def rate(self, quantity: Matrix) -> NDArray[np.float64]:
        """Return units per listed day after running through `quantity` (days x series); NaN if never listed.

        Examples
        --------
        Teunter et al.'s recursion by hand: chance 0.5, size 2, then a day without and a day with a sale of 4.

        >>> days = np.array([[0.0], [2.0]] * 14 + [[0.0], [4.0]])
        >>> round(float(IntermittentDemand("tsb", alpha=0.5, beta=0.5).rate(days)[0]), 4)
        1.875
        """
        width = quantity.shape[1]
        listed, sold = ~np.isnan(quantity), quantity > 0
        head = slice(0, _FIRST_DAYS)
        days = listed[head].sum(axis=0).astype(np.float64)
        sales = sold[head].sum(axis=0).astype(np.float64)
        units = np.nansum(quantity[head], axis=0, dtype=np.float64)
        size = np.where(sales > 0, units / np.maximum(sales, 1), np.nan)
        chance = np.where(days > 0, sales / np.maximum(days, 1), np.nan)
        interval = np.where(sales > 0, days / np.maximum(sales, 1), np.nan)
        waited = np.ones(width)
        for day in range(min(_FIRST_DAYS, len(quantity)), len(quantity)):
            here, bought, value = listed[day], sold[day], quantity[day]
            first = bought & np.isnan(size)
            size = np.where(bought, np.where(first, value, size + self.beta * (value - size)), size)
            interval = np.where(bought, np.where(first, waited, interval + self.alpha * (waited - interval)), interval)
            seen = np.where(np.isnan(chance), bought, chance)
            chance = np.where(here, seen + self.alpha * (bought - seen), chance)
            waited = np.where(bought, 1.0, waited + here)
        if self.kind == "tsb":
            rate = chance * np.where(np.isnan(size), 0.0, size)
        else:
            rate = size / interval * (1.0 if self.kind == "croston" else 1.0 - self.alpha / 2)
        return np.where(listed.any(axis=0), np.nan_to_num(rate), np.nan)
