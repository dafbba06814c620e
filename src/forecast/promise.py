"""What a model promised: how wrong its forecasts were on the rolling origins it was chosen on, day by day and level.

Kept with the model, so that later weeks can be held against it without running the rolling origins again.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.columns import LEVELS
from forecast.levels import Level
from forecast.members.protocol import Forecasts
from forecast.panel import Panel
from forecast.rolling import RollingForecasts

DAY_ERRORS = ("level", "lead", "delivery_date", "units", "absolute", "signed")
"""Columns of day errors: units sold and the sums of absolute and of signed errors of a day at a level, in units."""


def promise_of(panel: Panel, rolled: RollingForecasts, mixed: Forecasts) -> pd.DataFrame:
    """Return the day errors of the rolling forecasts ``mixed`` (origins x horizons x series)."""
    parts = [no_day_errors()]
    for name in LEVELS:
        level = Level.of(panel.series, name)
        actual = level.total(rolled.actual)
        forecast = level.total(np.where(np.isfinite(rolled.actual), mixed, np.nan))
        for position, origin in enumerate(rolled.origins):
            dates = panel.days[[origin + lead for lead in rolled.horizons]]
            leads = np.asarray(rolled.horizons, np.int64)
            parts.append(day_errors(name, leads, dates, forecast[position], actual[position]))
    return pd.concat(parts, ignore_index=True)


def day_errors(
    level: str,
    lead: NDArray[np.int64],
    dates: pd.DatetimeIndex,
    forecast: NDArray[np.float64],
    actual: NDArray[np.float64],
) -> pd.DataFrame:
    """Return the day errors of one level; forecast and actual are days x groups, days without sales are left out.

    Examples
    --------
    >>> day = pd.DatetimeIndex(["2026-03-01"])
    >>> day_errors("area", np.array([1]), day, np.array([[3.0, 1.0]]), np.array([[2.0, 2.0]])).iloc[0, 3:].tolist()
    [4.0, 2.0, 0.0]
    """
    error = forecast - actual
    seen = np.isfinite(error)
    table = pd.DataFrame(
        {
            "level": level,
            "lead": lead,
            "delivery_date": dates,
            "units": np.where(seen, actual, 0.0).sum(axis=1),
            "absolute": np.where(seen, np.abs(error), 0.0).sum(axis=1),
            "signed": np.where(seen, error, 0.0).sum(axis=1),
        }
    )
    return table[table["units"] > 0].reset_index(drop=True)


def no_day_errors() -> pd.DataFrame:
    """Return the empty table."""
    empty = day_errors("", np.array([], np.int64), pd.DatetimeIndex([]), np.zeros((0, 1)), np.zeros((0, 1)))
    return empty.astype({"level": "str", "delivery_date": "datetime64[us]"})
