"""The buyers' rule of thumb, `daily sales x 8` (日销×8): what planning without a forecast looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecast.context import Context
from forecast.members.protocol import Forecasts
from forecast.panel import Panel

_REMEMBERED_DAYS = 28
"""How far back a buyer looks for the last day the goods were on sale."""


@dataclass(frozen=True)
class DailySales:
    """The last day's sales, expected again on each day ahead.

    The rule stages eight times the daily sales. The multiple buys days of cover, it is no statement about a single day:
    spread over the eight days it covers, the rule expects yesterday's sales on each of them - no weekday, no price, no
    holiday. That is what it is scored as; the cost of the cover itself shows as surplus in a purchase plan.
    """

    @property
    def name(self) -> str:
        """Return ``daily_sales_x8``."""
        return "daily_sales_x8"

    def fit(self, panel: Panel, context: Context) -> DailySales:
        """Return self: there is nothing to learn."""
        return self

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return the sales of the last day on sale, the same for every horizon; NaN without one in four weeks."""
        out = np.empty((len(origins), len(horizons), panel.width), np.float32)
        for position, origin in enumerate(origins):
            past = panel.quantity[max(0, origin + 1 - _REMEMBERED_DAYS) : origin + 1][::-1]
            newest = (~np.isnan(past)).argmax(axis=0)
            out[position] = past[newest, np.arange(panel.width)]
        return out
