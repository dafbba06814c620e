"""The two oldest baselines: the same weekday last week, and the mean of the last weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecast.context import Context
from forecast.members.protocol import Forecasts
from forecast.panel import Panel
from forecast.windows import Windows


@dataclass(frozen=True)
class SeasonalNaive:
    """Mean of the last `weeks` days with the target's weekday; one week is the classic seasonal naive.

    A series that was not on sale on those days takes its last four weeks' mean; without that it has no answer.
    """

    weeks: int = 1

    @property
    def name(self) -> str:
        """Return ``seasonal_naive`` or, over several weeks, ``weekday_mean_k``."""
        return "seasonal_naive" if self.weeks == 1 else f"weekday_mean_{self.weeks}"

    def fit(self, panel: Panel, context: Context) -> SeasonalNaive:
        """Return self: there is nothing to learn."""
        return self

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return the same weekday's mean."""
        windows = Windows(panel.quantity[: max(origins) + 1])
        out = np.empty((len(origins), len(horizons), panel.width), np.float32)
        for i, origin in enumerate(origins):
            month = windows.mean(origin, 28)
            for j, horizon in enumerate(horizons):
                value = windows.same_weekday(origin, horizon, self.weeks)
                out[i, j] = np.where(np.isnan(value), month, value)
        return out


@dataclass(frozen=True)
class MovingAverage:
    """Mean per listed day of the last `days` days, or of the last half year where those are empty."""

    days: int = 28

    @property
    def name(self) -> str:
        """Return ``moving_average``."""
        return "moving_average"

    def fit(self, panel: Panel, context: Context) -> MovingAverage:
        """Return self: there is nothing to learn."""
        return self

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return the same mean for every horizon."""
        windows = Windows(panel.quantity[: max(origins) + 1])
        out = np.empty((len(origins), len(horizons), panel.width), np.float32)
        for i, origin in enumerate(origins):
            recent, older = windows.mean(origin, self.days), windows.mean(origin, 182)
            out[i] = np.where(np.isnan(recent), older, recent)
        return out
