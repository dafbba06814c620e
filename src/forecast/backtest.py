"""Backtest: train as of past days, forecast what came next, and score it by level, category, volume and lead time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.columns import LEVELS, QUANTILE_COLUMNS, QUANTILES
from contracts.errors import InputError
from contracts.flow import DailyDemand
from contracts.settings import CitySettings, ForecastSettings
from forecast.combination import volume_band
from forecast.context import Context
from forecast.expected import expected_units
from forecast.levels import Level
from forecast.model import DemandModel
from forecast.panel import Panel
from forecast.scores import coverage, coverage_miss, naive_scale, pinball, rmsse, wape, weighted
from forecast.training import train
from forecast.windows import Windows

log = logging.getLogger(__name__)
CHAMPION = "champion"
WEIGHT_DAYS = 28
Values = NDArray[np.float64]


@dataclass(frozen=True)
class BacktestScores:
    """Scores of a backtest.

    Attributes
    ----------
    scores : DataFrame
        ``model, origin, level, by, group, series, units, wrmsse, wape, bias, pinball``; ``by`` is all, category, band
        or lead. ``wrmsse`` weighs each series by its sales in yuan (units where no price is known) of the last
        `WEIGHT_DAYS` days before the origin. ``pinball`` is the mean over the quantiles, in units.
    coverage : DataFrame
        ``model, level, band, quantile, rows, below, upto, miss`` over all origins.
    """

    scores: pd.DataFrame
    coverage: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """Return the mean over origins per model and level, all series together."""
        whole = self.scores[self.scores["by"] == "all"]
        columns = ["wrmsse", "wape", "bias", "pinball"]
        return whole.groupby(["level", "model"], as_index=False)[columns].mean()

    def value_added(self, *, baseline: str = "seasonal_naive") -> pd.DataFrame:
        """Return how much of the baseline's error each model takes away per level, as shares; the baseline's row is 0.

        Raises
        ------
        InputError
            The baseline was not scored in this backtest.
        """
        table = self.summary().set_index(["level", "model"])[["wrmsse", "wape", "pinball"]]
        if baseline not in table.index.get_level_values("model"):
            raise InputError(f"{baseline!r} was not scored; backtest it beside the other models.")
        base = table.xs(baseline, level="model").reindex(table.index.get_level_values("level")).to_numpy()
        share = 1.0 - table.to_numpy() / base
        return pd.DataFrame(share, index=table.index, columns=table.columns).reset_index()


@dataclass(frozen=True)
class _Outcome:
    """Forecasts and actuals of one model, origin and level; all matrices horizons x series."""

    model: str
    origin: pd.Timestamp
    level: str
    mean: Values
    quantiles: NDArray[np.float64]
    actual: Values
    scale: Values
    weight: Values
    band: NDArray[np.int64]
    category: NDArray[np.object_]


def backtest(
    history: DataFrame[DailyDemand] | Panel,
    *,
    models: Sequence[str] | Mapping[str, ForecastSettings],
    origins: Sequence[pd.Timestamp] | int,
    horizon: int,
    context: Context,
    settings: ForecastSettings | None = None,
    city: CitySettings | None = None,
) -> BacktestScores:
    """Score models on rolling origins.

    At each origin every model is trained from scratch on what was known then, spread included, and forecasts the next
    `horizon` days at every level.

    Parameters
    ----------
    models : sequence of str, or mapping of name to settings
        Member names, or ``champion`` for the full model with its combination; a mapping scores settings against each
        other, e.g. a champion's against a challenger's.
    origins : sequence of Timestamp, or int
        Last known days; a number takes so many, `origin_spacing_days` apart, the newest `horizon` days before the end.

    Raises
    ------
    InputError
        An origin leaves no history before it or no day after it.
    """
    settings = (settings or ForecastSettings()).model_copy(update={"horizon_days": horizon})
    panel = history if isinstance(history, Panel) else Panel.from_history(history, context)
    rows = _origin_rows(panel, origins, horizon, settings)
    outcomes: list[_Outcome] = []
    for origin in rows:
        for name, own in _settings_of(models, settings).items():
            started = time.perf_counter()
            past = panel.known_until(origin + 1)
            model = train(
                past.last_days(own.train_days + own.look_back_days),
                skus=context.skus,
                communities=context.communities,
                listings=context.listings,
                calendar=context.calendar,
                area_events=context.area_events,
                open_share=context.open_share,
                outside=context.outside if len(context.outside) else None,
                settings=own,
                city=city,
            )
            outcomes += _outcomes(name, model, panel, context, origin, horizon)
            log.info("backtest: %s as of %s, %.1f s", name, panel.days[origin].date(), time.perf_counter() - started)
    return BacktestScores(_score_table(outcomes), coverage_table(outcomes, settings))


def _settings_of(
    models: Sequence[str] | Mapping[str, ForecastSettings], settings: ForecastSettings
) -> dict[str, ForecastSettings]:
    if isinstance(models, Mapping):
        return {name: own.model_copy(update={"horizon_days": settings.horizon_days}) for name, own in models.items()}
    alone = {name: settings.model_copy(update={"members": (name,)}) for name in models}
    return {name: settings if name == CHAMPION else own for name, own in alone.items()}


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
) -> Iterator[_Outcome]:
    past = panel.known_until(origin + 1)
    ahead = range(1, min(horizon, panel.known - 1 - origin) + 1)
    listed = np.isfinite(panel.quantity[origin + 1 : origin + 1 + len(ahead)])
    means, _ = expected_units(model, past, context, ahead, listed=listed)
    actual = np.where(panel.censored, np.nan, panel.quantity)[origin + 1 : origin + 1 + len(ahead)]
    for level_name in LEVELS:
        level = Level.of(panel.series, level_name)
        forecast = level.total(np.where(np.isfinite(actual), means, np.nan))
        seen = level.total(np.where(np.isfinite(means), actual, np.nan))
        lead = np.broadcast_to(np.asarray(ahead)[:, None], forecast.shape)
        quantiles = np.full((*forecast.shape, len(QUANTILES)), np.nan)
        known = np.isfinite(forecast)
        quantiles[known] = model.spreads[level_name].quantiles(forecast[known], lead[known], QUANTILES)
        quantity = level.total(past.quantity)
        recent = Windows(quantity.astype(np.float32))
        category = panel.series.groupby(level.group)["category_id"].first().to_numpy(object)
        yield _Outcome(
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


def _score_table(outcomes: Sequence[_Outcome]) -> pd.DataFrame:
    rows = []
    for one in outcomes:
        everything = np.ones(one.mean.shape[1], np.bool_)
        rows.append(_score_row(one, "all", "all", everything, slice(None)))
        rows += [_score_row(one, "category", key, one.category == key, slice(None)) for key in np.unique(one.category)]
        rows += [_score_row(one, "band", str(key), one.band == key, slice(None)) for key in np.unique(one.band)]
        rows += [_score_row(one, "lead", str(h + 1), everything, slice(h, h + 1)) for h in range(len(one.mean))]
    return pd.DataFrame(rows)


def _score_row(one: _Outcome, by: str, group: str, series: NDArray[np.bool_], days: slice) -> dict[str, object]:
    mean, actual = one.mean[days][:, series], one.actual[days][:, series]
    share, bias = wape(mean, actual)
    losses = [pinball(one.quantiles[days][:, series, k], actual, level) for k, level in enumerate(QUANTILES)]
    return {
        "model": one.model,
        "origin": one.origin,
        "level": one.level,
        "by": by,
        "group": group,
        "series": int(series.sum()),
        "units": float(np.nansum(actual)),
        "wrmsse": weighted(rmsse(mean, actual, one.scale[series]), one.weight[series]),
        "wape": share,
        "bias": bias,
        "pinball": float(np.mean(losses)),
    }


def coverage_table(outcomes: Sequence[_Outcome], settings: ForecastSettings) -> pd.DataFrame:
    """Return the one-sided coverage per model, level, volume band and quantile, all origins together."""
    rows = []
    for model, level in sorted({(one.model, one.level) for one in outcomes}):
        group = [one for one in outcomes if (one.model, one.level) == (model, level)]
        for band in range(len(settings.volume_bands) + 1):
            actual = np.concatenate([one.actual[:, one.band == band].ravel() for one in group])
            for position, (column, nominal) in enumerate(zip(QUANTILE_COLUMNS, QUANTILES, strict=True)):
                bound = np.concatenate([one.quantiles[:, one.band == band, position].ravel() for one in group])
                below, upto = coverage(bound, actual)
                count = int(np.isfinite(actual).sum())
                if count:
                    rows.append((model, level, band, column, count, below, upto, coverage_miss(below, upto, nominal)))
    return pd.DataFrame(rows, columns=["model", "level", "band", "quantile", "rows", "below", "upto", "miss"])
