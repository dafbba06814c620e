"""Bias of the newest forecasts, per category of an area: taken off only where that would have helped every time.

What the rolling forecasts missed by lately says something of tomorrow where it lasts (a model that lags behind growth),
and nothing where it was the mood of some weeks. Which of the two it is, is asked of the past: as of each rolling origin
the correction that was known by then is tried on the days after it. One origin on which it did not help, and the
forecasts stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.levels import Level
from forecast.members.protocol import Forecasts
from forecast.panel import Panel
from forecast.rolling import RollingForecasts

GROUP = ("area_id", "category_id")
CAUTION_DAYS = 14.0
"""Average days forecast without any bias that are mixed in: a day's mood moves sales three times as far as a bias."""
LEAST_DAYS = 7
"""Days of forecasts whose outcome must be known as of an origin that tries a correction."""
LEAST_TRIALS = 2
LEAST_GAIN = 0.02
"""Share of the groups' squared error that must be saved on every origin tried: a bias of 3 % among errors of 20 %."""
RANGE = (0.8, 1.25)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class RecentBias:
    """What forecasts are multiplied by, per category of an area.

    Attributes
    ----------
    factor : Series
        By ``area_id, category_id``; empty where nothing is corrected.
    gain : float
        Share of squared error saved on the origin that saved least; NaN where none could be tried.
    """

    factor: pd.Series = field(default_factory=lambda: pd.Series([], dtype=np.float64))
    gain: float = np.nan

    def of(self, series: pd.DataFrame) -> Values:
        """Return each series' factor; 1 for categories of areas that were not there."""
        if not len(self.factor):
            return np.ones(len(series))
        found = self.factor.reindex(pd.MultiIndex.from_frame(series[list(GROUP)]))
        return np.asarray(found.fillna(1.0), np.float64)


def recent_bias(panel: Panel, rolled: RollingForecasts, mixed: Forecasts) -> tuple[RecentBias, Forecasts]:
    """Return the bias correction the rolling origins earned, and the forecasts as it would have made them.

    Parameters
    ----------
    mixed : origins x horizons x n
        The forecasts of `rolled` as they would be given; each origin is corrected by what was known as of it.
    """
    level = Level.by(panel.series, GROUP)
    seen = np.isfinite(mixed) & np.isfinite(rolled.actual)
    told, actual = (level.total(np.where(seen, each, np.nan)) for each in (mixed, rolled.actual))
    day = np.asarray(rolled.origins)[:, None] + np.asarray(rolled.horizons)[None, :]
    known_by = [(day <= origin) & (np.arange(len(day)) < i)[:, None] for i, origin in enumerate(rolled.origins)]
    factors = np.stack([_factor(told[known], actual[known], day[known]) for known in known_by])
    gains = [
        _gain(told[i], actual[i], factors[i])
        for i, known in enumerate(known_by)
        if len(np.unique(day[known])) >= LEAST_DAYS and np.nansum(told[i]) > 0
    ]
    if len(gains) < LEAST_TRIALS:
        return RecentBias(), mixed
    if min(gains) < LEAST_GAIN:
        return RecentBias(gain=min(gains)), mixed
    first = panel.series.iloc[np.unique(level.group, return_index=True)[1]]
    everything = np.ones(day.shape, np.bool_)
    final = _factor(told[everything], actual[everything], day[everything])
    factor = pd.Series(final, pd.MultiIndex.from_frame(first[list(GROUP)]))
    corrected = mixed * factors[:, None, level.group].astype(np.float32)
    return RecentBias(factor, min(gains)), corrected


def _factor(told: Values, actual: Values, day: NDArray[np.int64]) -> Values:
    """Return actual over forecast units of each group, drawn towards 1, from cells x groups (NaN: nothing seen).

    A day that several origins forecast is several cells and one day: its mood is the same in all of them.
    """
    dates, which = np.unique(day, return_inverse=True)
    seen = np.zeros((len(dates), told.shape[1]), np.bool_)
    np.logical_or.at(seen, which, np.isfinite(told))
    units = np.nansum(told, axis=0)
    calm = CAUTION_DAYS * units / np.maximum(seen.sum(axis=0), 1)
    ratio = (np.nansum(actual, axis=0) + calm) / np.where(units > 0, units + calm, 1.0)
    return np.asarray(np.clip(np.where(units > 0, ratio, 1.0), *RANGE), np.float64)


def _gain(told: Values, actual: Values, factor: Values) -> float:
    """Return the share of squared error of days x groups that the factors save."""
    before, after = (float(np.nansum((told * each - actual) ** 2)) for each in (1.0, factor))
    return 1.0 - after / before if before > 0 else 0.0
