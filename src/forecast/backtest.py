"""Backtest: train as of past days, forecast what came next, and keep what was right and wrong for the scores."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import LEVELS, QUANTILES
from contracts.errors import InputError
from contracts.flow import DailyDemand
from contracts.settings import CitySettings, ForecastSettings
from forecast.backtest_scores import BacktestScores, Outcome, Values, coverage_table, score_table
from forecast.censoring import recovered
from forecast.combination import volume_band
from forecast.context import Context
from forecast.expected import expected_units
from forecast.levels import Level
from forecast.members.outside import OutsideEstimate
from forecast.model import DemandModel, fingerprint
from forecast.panel import Panel
from forecast.scores import naive_scale
from forecast.training import train
from forecast.unsure import mixed_quantiles, unsure_of_sums
from forecast.windows import Windows

log = logging.getLogger(__name__)
CHAMPION = "champion"
WEIGHT_DAYS = 28


def backtest(
    history: DataFrame[DailyDemand] | Panel,
    *,
    models: Sequence[str] | Mapping[str, ForecastSettings],
    origins: Sequence[pd.Timestamp] | int,
    horizon: int,
    context: Context,
    settings: ForecastSettings | None = None,
    city: CitySettings | None = None,
    progress: Callable[[str, float], None] = lambda step, fraction: None,
) -> BacktestScores:
    """Score models on rolling origins.

    At each origin every model is trained from scratch on what was known then, spread included, and forecasts the next
    `horizon` days at every level.

    Parameters
    ----------
    models : sequence of str, or mapping of name to settings
        Member names - each alone, where it has no answer the moving average's - or ``champion`` for the full model with
        its combination; a mapping scores settings against each other, e.g. a champion's against a challenger's.
    origins : sequence of Timestamp, or int
        Last known days; a number takes so many, `origin_spacing_days` apart, the newest `horizon` days before the end.
    progress : callable
        Told before each training which it is, and the share of them that is done.

    Raises
    ------
    InputError
        An origin leaves no history before it or no day after it.
    """
    settings = (settings or ForecastSettings()).model_copy(update={"horizon_days": horizon})
    panel = history if isinstance(history, Panel) else Panel.from_history(history, context)
    rows = _origin_rows(panel, origins, horizon, settings)
    outcomes: list[Outcome] = []
    entrants = _settings_of(models, settings)
    for turn, origin in enumerate(rows):
        for place, (name, own) in enumerate(entrants.items()):
            started = time.perf_counter()
            done = turn * len(entrants) + place
            progress(f"{name} as of {panel.days[origin].date()}", done / (len(rows) * len(entrants)))
            past = panel.known_until(origin + 1)
            model = train(
                past.last_days(own.train_days + own.look_back_days),
                skus=context.skus,
                communities=context.communities,
                listings=context.listings,
                calendar=context.calendar,
                area_events=context.area_events,
                open_share=context.open_share,
                outside=context.outside if _asks_outside(name, own, models, context) else None,
                settings=own,
                city=city,
            )
            outcomes += _outcomes(name, model, panel, context, origin, horizon)
            log.info("backtest: %s as of %s, %.1f s", name, panel.days[origin].date(), time.perf_counter() - started)
    return BacktestScores(
        scores=score_table(outcomes),
        coverage=coverage_table(outcomes),
        horizon=horizon,
        fingerprint=fingerprint(panel),
        settings=_settings_of(models, settings),
    )


def _settings_of(
    models: Sequence[str] | Mapping[str, ForecastSettings], settings: ForecastSettings
) -> dict[str, ForecastSettings]:
    if isinstance(models, Mapping):
        return {name: own.model_copy(update={"horizon_days": settings.horizon_days}) for name, own in models.items()}
    # a member alone: sums forecast by the boosted model would make every baseline a boosted one
    alone = {name: settings.model_copy(update={"members": (name,), "own_levels": ()}) for name in models}
    return {name: settings if name == CHAMPION else own for name, own in alone.items()}


def _asks_outside(
    name: str, own: ForecastSettings, models: Sequence[str] | Mapping[str, ForecastSettings], context: Context
) -> bool:
    """Return whether a model may lean on outside estimates: it names that member, or is the full model."""
    full = name == CHAMPION and not isinstance(models, Mapping)  # settings of a mapping say it themselves
    return bool(len(context.outside)) and (full or OutsideEstimate().name in own.members)


def _origin_rows(
    panel: Panel, origins: Sequence[pd.Timestamp] | int, horizon: int, settings: ForecastSettings
) -> list[int]:
    if isinstance(origins, int):
        newest = panel.known - 1 - horizon
        rows = sorted(newest - step * settings.origin_spacing_days for step in range(origins))
    else:
        rows = sorted((pd.Timestamp(day) - panel.days[0]).days for day in origins)
    wrong = [row for row in rows if row < 0 or row >= panel.known - 1]
    if wrong or not rows:
        raise InputError(
            f"Rolling origins must leave history before and a day after them: the history runs from "
            f"{panel.days[0].date()} to {panel.days[panel.known - 1].date()}, asked was {origins}. "
            "Ask for fewer or other origins."
        )
    return rows


def _outcomes(
    name: str, model: DemandModel, panel: Panel, context: Context, origin: int, horizon: int
) -> Iterator[Outcome]:
    past = panel.known_until(origin + 1)
    shown = recovered(past, context)  # as in service: a sold-out day is no quiet day
    ahead = range(1, min(horizon, panel.known - 1 - origin) + 1)
    listed = np.isfinite(panel.quantity[origin + 1 : origin + 1 + len(ahead)])
    means, _ = expected_units(model, shown, context, ahead, listed=listed)
    actual = np.where(panel.censored, np.nan, panel.quantity)[origin + 1 : origin + 1 + len(ahead)]
    parts, doubts = np.where(np.isfinite(actual), means, np.nan), model.unsure.of(shown)
    for level_name in LEVELS:
        level = Level.of(panel.series, level_name)
        forecast = level.total(parts)
        seen = level.total(np.where(np.isfinite(means), actual, np.nan))
        lead = np.broadcast_to(np.asarray(ahead)[:, None], forecast.shape)
        quantiles = np.full((*forecast.shape, len(QUANTILES)), np.nan)
        known = np.isfinite(forecast)
        unsure = np.stack([unsure_of_sums(level, panel.series, day, doubts) for day in np.nan_to_num(parts)])
        law = model.spreads[level_name]
        quantiles[known] = mixed_quantiles(law, forecast[known], lead[known], QUANTILES, unsure[known])
        quantity = level.total(past.quantity)
        recent = Windows(quantity.astype(np.float32))
        category = panel.series.groupby(level.group)["category_id"].first().to_numpy(object)
        yield Outcome(
            model=name,
            origin=panel.days[origin],
            level=level_name,
            mean=forecast,
            quantiles=quantiles,
            actual=seen,
            scale=naive_scale(quantity),
            weight=_sales(past, level),
            band=volume_band(np.nan_to_num(recent.mean(origin, WEIGHT_DAYS)), model.settings.volume_bands),
            category=category,
        )


def _sales(past: Panel, level: Level) -> Values:
    """Return each group's yuan (units where no price is known) of the last `WEIGHT_DAYS` days."""
    units = past.quantity[-WEIGHT_DAYS:]
    price = past.price[: past.known][-WEIGHT_DAYS:]
    yuan = np.nansum(units * np.where(np.isnan(price), 1.0, price), axis=0, dtype=np.float64)
    return np.asarray(level.total(np.atleast_2d(yuan))[0], np.float64)
