"""Drift: does the model still do what its rolling origins promised? Scores of the last weeks, told in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import LEVELS, QUANTILE_COLUMNS, QUANTILES
from contracts.errors import EmptyInputError
from contracts.flow import DailyDemand
from forecast.censoring import recovered
from forecast.context import Context
from forecast.expected import expected_units
from forecast.levels import Level
from forecast.model import DemandModel
from forecast.panel import Panel
from forecast.scores import coverage, coverage_miss, wape

WORSE_BY = 0.10
"""A WAPE this share above the rolling origins' is named; smaller changes are the weather."""
MISSED_BY = 0.05
"""A quantile whose coverage misses its level by more is named."""
BIASED_BY = 0.05
"""A bias larger than this share of the units is named."""


@dataclass(frozen=True)
class DriftReport:
    """What the last weeks say about a model.

    Attributes
    ----------
    scores : DataFrame
        ``level, days, units, wape, bias`` of the forecasts made a day ahead.
    coverage : DataFrame
        ``level, quantile, below, upto, miss``.
    findings : tuple of str
        Sentences for people; empty when nothing is wrong.
    """

    scores: pd.DataFrame
    coverage: pd.DataFrame
    findings: tuple[str, ...]

    @property
    def drifted(self) -> bool:
        """Return whether anything was found."""
        return bool(self.findings)


def drift_report(
    model: DemandModel, history: DataFrame[DailyDemand], *, context: Context | None = None, days: int = 14
) -> DriftReport:
    """Forecast each of the last `days` days a day ahead with the model as it is, and compare with its promises.

    Only days after `model.trained_until` count: on older ones the model knows the answer.

    Raises
    ------
    EmptyInputError
        The history holds no day after the model's training.
    """
    context = context or model.context
    whole = Panel.from_history(history, context)
    panel = recovered(whole, context)
    trained = (model.trained_until - panel.days[0]).days
    origins = range(max(trained, panel.known - 1 - days, 0), panel.known - 1)
    if not len(origins):
        raise EmptyInputError(
            f"The history ends on {panel.days[panel.known - 1].date()}, the model learned up to "
            f"{model.trained_until.date()}: drift needs days after that."
        )
    means = np.stack([expected_units(model, panel.known_until(o + 1), context, [1])[0][0] for o in origins])
    actual = np.where(whole.censored, np.nan, whole.quantity)[[o + 1 for o in origins]]
    means = np.where(np.isfinite(actual), means, np.nan)
    scores, covered = [], []
    for name in LEVELS:
        level = Level.of(panel.series, name)
        forecast, seen = level.total(means), level.total(actual)
        share, bias = wape(forecast, seen)
        scores.append((name, len(origins), float(np.nansum(seen)), share, bias))
        known = np.isfinite(forecast)
        bounds = model.spreads[name].quantiles(forecast[known], np.ones(int(known.sum()), np.int64), QUANTILES)
        for position, (column, nominal) in enumerate(zip(QUANTILE_COLUMNS, QUANTILES, strict=True)):
            below, upto = coverage(bounds[:, position], seen[known])
            covered.append((name, column, below, upto, coverage_miss(below, upto, nominal)))
    table = pd.DataFrame(scores, columns=["level", "days", "units", "wape", "bias"])
    hits = pd.DataFrame(covered, columns=["level", "quantile", "below", "upto", "miss"])
    return DriftReport(table, hits, tuple(_findings(model, table, hits)))


def _findings(model: DemandModel, scores: pd.DataFrame, hits: pd.DataFrame) -> Iterator[str]:
    promised = model.scores.loc[model.scores["member"] == "champion", "wape"].mean()
    lowest = scores[scores["level"] == "community"].iloc[0]
    if lowest["wape"] > (1 + WORSE_BY) * promised:
        yield (
            f"Communities: the error grew to {lowest['wape']:.0%} of the units, {promised:.0%} on the rolling origins. "
            "Train again, or look for what changed."
        )
    for row in scores.to_dict("records"):
        if abs(row["bias"]) > BIASED_BY:
            side = "too much" if row["bias"] > 0 else "too little"
            yield f"{row['level']}: {abs(row['bias']):.0%} {side} was forecast over the last {row['days']} days."
    for row in hits[hits["miss"] > MISSED_BY].to_dict("records"):
        nominal = QUANTILES[QUANTILE_COLUMNS.index(row["quantile"])]
        yield f"{row['level']}: {row['quantile']} held {row['upto']:.0%} of the demand instead of {nominal:.0%}."
