"""Rolling origins: forecasts of the past, each made only from what came before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.settings import ForecastSettings
from forecast.context import Context
from forecast.members.protocol import Fitted, Forecasts, Member
from forecast.panel import Panel

LEAST_DAYS = 21
"""Days that must lie behind the first rolling origin: three weeks show a weekday thrice."""


@dataclass(frozen=True)
class RollingForecasts:
    """Forecasts of several members from several origins.

    Attributes
    ----------
    origins : tuple of int
        Rows of the panel whose demand was the last known, rising.
    horizons : tuple of int
    forecasts : mapping of member name to float32, origins x horizons x series
    actual : float32, origins x horizons x series
        What happened; NaN where not on sale or not yet known.
    """

    origins: tuple[int, ...]
    horizons: tuple[int, ...]
    forecasts: Mapping[str, Forecasts]
    actual: Forecasts

    @property
    def lead(self) -> NDArray[np.int64]:
        """Return the lead time of each cell, origins x horizons x 1."""
        return np.broadcast_to(
            np.asarray(self.horizons, np.int64)[None, :, None], (len(self.origins), len(self.horizons), 1)
        )


def rolling_origins(
    panel: Panel, settings: ForecastSettings, exceptional: NDArray[np.bool_] | None = None
) -> tuple[int, ...]:
    """Return the origins whose whole horizon is known, newest last; fewer when the history is short.

    Origins with more than half of their days among the `exceptional` ones are passed over: what happens over the feast
    says nothing about the errors of other days. Where that leaves less than half of the origins, they are taken after
    all.
    """
    newest = panel.known - 1 - settings.horizon_days
    fitting = range(newest, LEAST_DAYS - 2, -settings.origin_spacing_days)
    plain = tuple(sorted(fitting[: settings.backtest_origins]))
    if exceptional is None or not exceptional.any():
        return plain
    ahead = settings.horizon_days
    quiet = [origin for origin in fitting if exceptional[origin + 1 : origin + 1 + ahead].mean() <= 0.5]
    ordinary = tuple(sorted(quiet[: settings.backtest_origins]))
    return ordinary if 2 * len(ordinary) >= len(plain) else plain


def roll(
    panel: Panel,
    context: Context,
    *,
    members: Sequence[Member],
    origins: Sequence[int],
    horizons: Sequence[int],
) -> RollingForecasts:
    """Return every member's forecasts from every origin.

    A member is fitted once, to what was known at the first origin, and forecasts from each origin with the demand up to
    it: a model that is weeks old with yesterday's sales, as in service.
    """
    past = panel.known_until(min(origins) + 1)
    fitted: list[Fitted] = [one.fit(past, context) for one in members]
    forecasts = {one.name: one.forecast(panel, context, origins=origins, horizons=horizons) for one in fitted}
    return RollingForecasts(tuple(origins), tuple(horizons), forecasts, actual_of(panel, origins, horizons))


def without_days(rolled: RollingForecasts, days: NDArray[np.bool_]) -> RollingForecasts:
    """Return the rolling forecasts with those days of the panel unseen, unless that leaves no day at all."""
    rows = np.asarray(rolled.origins)[:, None] + np.asarray(rolled.horizons)[None, :]
    out = days[np.minimum(rows, len(days) - 1)]
    if out.all() or not out.any():
        return rolled
    actual = np.where(out[:, :, None], np.nan, rolled.actual).astype(np.float32)
    return replace(rolled, actual=actual)


def actual_of(panel: Panel, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
    """Return what happened, origins x horizons x series, NaN where unknown."""
    out = np.full((len(origins), len(horizons), panel.width), np.nan, np.float32)
    for i, origin in enumerate(origins):
        for j, horizon in enumerate(horizons):
            if origin + horizon < panel.known:
                out[i, j] = panel.quantity[origin + horizon]
    return out


def member_scores(rolled: RollingForecasts) -> pd.DataFrame:
    """Return WAPE, bias and RMSE of each member and origin at series level: ``member, origin, wape, bias, rmse``.

    WAPE alone rewards forecasting too little when most days are zero; bias beside it shows that.
    """
    rows = []
    for name, forecast in rolled.forecasts.items():
        for position, origin in enumerate(rolled.origins):
            error = forecast[position].astype(np.float64) - rolled.actual[position]
            seen = np.isfinite(error)
            units = float(rolled.actual[position][seen].sum())
            if not seen.any() or units <= 0:
                continue
            error = error[seen]
            rows.append((name, origin, np.abs(error).sum() / units, error.sum() / units, np.sqrt((error**2).mean())))
    return pd.DataFrame(rows, columns=["member", "origin", "wape", "bias", "rmse"])
