"""Scores of a backtest: tables by level, category, volume band and lead time, and the value added over baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.columns import QUANTILE_COLUMNS, QUANTILES
from contracts.errors import InputError
from contracts.settings import ForecastSettings
from forecast.scores import coverage, coverage_miss, pinball, rmsse, wape, weighted

BASELINES = ("seasonal_naive", "daily_sales_x8")
"""What a forecast must beat to be worth its trouble: last week's same day, and the buyers' rule."""
METRICS = ("wrmsse", "wape", "bias", "pinball")
Values = NDArray[np.float64]


@dataclass(frozen=True)
class BacktestScores:
    """Scores of a backtest.

    Attributes
    ----------
    scores : DataFrame
        ``model, origin, level, by, group, series, units, wrmsse, wape, bias, pinball``; ``by`` is all, category, band
        or lead. ``wrmsse`` weighs each series by its sales in yuan (units where no price is known) of the last weeks
        before the origin. ``pinball`` is the mean over the quantiles, in units.
    coverage : DataFrame
        ``model, level, by, group, quantile, rows, below, upto, miss`` over all origins; ``by`` is band or lead.
    horizon : int
        Days ahead that were scored.
    fingerprint : str
        SHA-256 of the data.
    settings : mapping of model to ForecastSettings
        What each model was trained with.
    """

    scores: pd.DataFrame
    coverage: pd.DataFrame
    horizon: int = 0
    fingerprint: str = ""
    settings: Mapping[str, ForecastSettings] = field(default_factory=dict)

    def summary(self) -> pd.DataFrame:
        """Return the mean over origins per model and level, all series together."""
        whole = self.scores[self.scores["by"] == "all"]
        return whole.groupby(["level", "model"], as_index=False)[list(METRICS)].mean()

    def value_added(self, *, baseline: str = BASELINES[0]) -> pd.DataFrame:
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
        added = pd.DataFrame(share, index=table.index, columns=table.columns).reset_index()
        added.insert(2, "baseline", baseline)
        return added

    def value_over_baselines(self) -> pd.DataFrame:
        """Return the value added over each of `BASELINES` that was scored, without the baselines' own zeros."""
        scored = set(self.scores["model"])
        parts = [self.value_added(baseline=name) for name in BASELINES if name in scored]
        if not parts:
            return pd.DataFrame(columns=["level", "model", "baseline", "wrmsse", "wape", "pinball"])
        table = pd.concat(parts, ignore_index=True)
        return table[table["model"] != table["baseline"]].reset_index(drop=True)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by its file name."""
        return {
            "summary": self.summary(),
            "value_added": self.value_over_baselines(),
            "scores": self.scores,
            "coverage": self.coverage,
        }


@dataclass(frozen=True)
class Outcome:
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


def score_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return the scores of each model, origin and level: of all, and by category, volume band and lead time."""
    rows = []
    for one in outcomes:
        everything = np.ones(one.mean.shape[1], np.bool_)
        rows.append(_score_row(one, "all", "all", everything, slice(None)))
        rows += [_score_row(one, "category", key, one.category == key, slice(None)) for key in np.unique(one.category)]
        rows += [_score_row(one, "band", str(key), one.band == key, slice(None)) for key in np.unique(one.band)]
        rows += [_score_row(one, "lead", str(h + 1), everything, slice(h, h + 1)) for h in range(len(one.mean))]
    return pd.DataFrame(rows)


def _score_row(one: Outcome, by: str, group: str, series: NDArray[np.bool_], days: slice) -> dict[str, object]:
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


def coverage_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return the one-sided coverage per model and level, by volume band and by lead time, all origins together."""
    rows: list[tuple[object, ...]] = []
    for model, level in sorted({(one.model, one.level) for one in outcomes}):
        group = [one for one in outcomes if (one.model, one.level) == (model, level)]
        for by, key, cells in _coverage_cells(group):
            actual = np.concatenate([one.actual[cell].ravel() for one, cell in zip(group, cells, strict=True)])
            count = int(np.isfinite(actual).sum())
            if not count:
                continue
            for position, (column, nominal) in enumerate(zip(QUANTILE_COLUMNS, QUANTILES, strict=True)):
                bounds = [one.quantiles[..., position][cell].ravel() for one, cell in zip(group, cells, strict=True)]
                below, upto = coverage(np.concatenate(bounds), actual)
                miss = coverage_miss(below, upto, nominal)
                rows.append((model, level, by, key, column, count, below, upto, miss))
    return pd.DataFrame(rows, columns=["model", "level", "by", "group", "quantile", "rows", "below", "upto", "miss"])


def _coverage_cells(group: Sequence[Outcome]) -> Iterator[tuple[str, str, list[NDArray[np.bool_]]]]:
    """Yield each band and lead time with the cells of each outcome that belong to it."""
    for band in sorted({int(code) for one in group for code in np.unique(one.band)}):
        yield "band", str(band), [np.broadcast_to(one.band == band, one.actual.shape) for one in group]
    for lead in range(max(len(one.actual) for one in group)):
        inside = [np.arange(len(one.actual)) == lead for one in group]
        rows = [np.broadcast_to(row[:, None], one.actual.shape) for row, one in zip(inside, group, strict=True)]
        yield "lead", str(lead + 1), rows
