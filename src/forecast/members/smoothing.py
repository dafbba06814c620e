"""Exponential smoothing and Theta per series: the one door to statsmodels.

Both are fitted series by series, so they are for hundreds or a few thousand series (warehouse totals, categories), not
for a hundred thousand. Fits are guarded: a short or constant series, a fit that fails, and a forecast that leaves the
range the series ever had give no answer (NaN), and the combination goes on without them.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecast.context import Context
from forecast.members.protocol import Forecasts
from forecast.panel import Panel

log = logging.getLogger(__name__)
_SEASON = 7
_LEAST_DAYS = 4 * _SEASON
_MEMORY_DAYS = 182
_ROOM = 2.0
"""A forecast may leave the range of the last half year by this factor before it counts as diverged."""


@dataclass(frozen=True)
class ExponentialSmoothing:
    """Holt-Winters with additive weekdays (``ets``), or the Theta method (``theta``), by statsmodels.

    Attributes
    ----------
    damped : bool
        Give ``ets`` a damped trend as well; off by default, a fresh-goods level has no lasting trend.
    """

    method: Literal["ets", "theta"] = "ets"
    damped: bool = False

    @property
    def name(self) -> str:
        """Return the method."""
        return self.method

    def fit(self, panel: Panel, context: Context) -> ExponentialSmoothing:
        """Return self: each series is fitted anew from each origin."""
        return self

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return the forecasts of the series that could be fitted; NaN for the others."""
        steps = max(horizons)
        taken = np.asarray(horizons) - 1
        out = np.full((len(origins), len(horizons), panel.width), np.nan, np.float32)
        for i, origin in enumerate(origins):
            known = panel.quantity[max(0, origin + 1 - _MEMORY_DAYS) : origin + 1]
            for series in range(panel.width):
                path = self.path(known[:, series].astype(np.float64), steps)
                if path is not None:
                    out[i, :, series] = path[taken]
        answered = int(np.isfinite(out[:, 0]).sum())
        log.info("%s: %d of %d series answered", self.name, answered, len(origins) * panel.width)
        return out

    def path(self, values: NDArray[np.float64], steps: int) -> NDArray[np.float64] | None:
        """Return the next `steps` values of one series, or None where there is too little to fit or the fit diverged.

        Days off sale inside the series are filled with the same weekday's mean: both methods need a full rhythm.
        """
        listed = np.flatnonzero(~np.isnan(values))
        if not len(listed) or len(values) - listed[0] < _LEAST_DAYS or len(listed) < _LEAST_DAYS // 2:
            return None
        full = _filled(values[listed[0] :])
        if np.ptp(full) == 0.0:
            return np.full(steps, full[-1])
        path = self._fitted(full, steps)
        if path is None or not np.isfinite(path).all() or path.max() > _ROOM * full.max():
            return None
        return np.maximum(path, 0.0)

    def _fitted(self, full: NDArray[np.float64], steps: int) -> NDArray[np.float64] | None:
        from statsmodels.tsa.forecasting.theta import ThetaModel
        from statsmodels.tsa.holtwinters import ExponentialSmoothing as HoltWinters

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is judged by the forecast itself
            try:
                if self.method == "theta":
                    theta = ThetaModel(full, period=_SEASON, deseasonalize=True, method="additive").fit(disp=False)
                    return np.asarray(theta.forecast(steps), np.float64)
                trend = "add" if self.damped else None
                model = HoltWinters(
                    full,
                    trend=trend,
                    damped_trend=self.damped,
                    seasonal="add",
                    seasonal_periods=_SEASON,
                    initialization_method="heuristic",
                )
                return np.asarray(model.fit(optimized=True).forecast(steps), np.float64)
            except (ValueError, np.linalg.LinAlgError, FloatingPointError) as failed:
                log.debug("%s gave up on a series of %d days: %s", self.name, len(full), failed)
                return None


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the series with missing days at their weekday's mean, or the whole mean where that is missing too."""
    full = values.copy()
    for weekday in range(_SEASON):
        days = full[weekday::_SEASON]
        gap = np.isnan(days)
        if gap.any():
            days[gap] = np.nanmean(values) if gap.all() else days[~gap].mean()
    return full
