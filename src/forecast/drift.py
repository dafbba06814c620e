"""Drift: does the model still do what its rolling origins promised? The last weeks held against them.

A difference is named when it is large enough to matter and larger than chance: days are the sample, because all series
of a day share its mood, and two standard errors of daily figures are the measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.columns import LEVELS, QUANTILE_COLUMNS, QUANTILES
from contracts.errors import EmptyInputError
from contracts.flow import DailyDemand
from forecast.censoring import recovered
from forecast.context import Context
from forecast.drift_words import DriftFinding, report_text
from forecast.expected import expected_units
from forecast.levels import Level
from forecast.model import DemandModel
from forecast.panel import Panel
from forecast.promise import day_errors
from forecast.scores import coverage_miss
from forecast.unsure import mixed_quantiles, unsure_of_sums

WORSE_BY = 0.10
"""An error this share above the promised one is worth a word; smaller changes are the weather."""
MISSED_BY = 0.05
"""A quantile whose coverage misses its level by more buys noticeably too much or too little."""
BIASED_BY = 0.05
"""A bias larger than this share of the units is money on one side."""
CHANCE = 2.0
"""Standard errors within which a difference may be chance."""
LEAST_DAYS = 3
"""Fewer days say nothing about chance."""


@dataclass(frozen=True)
class DriftReport:
    """What the last weeks say about a model.

    Attributes
    ----------
    scores : DataFrame
        ``level, days, units, wape, bias, promised_wape, promised_bias`` of forecasts made a day ahead; the promise is
        NaN for a model without rolling origins.
    weeks : DataFrame
        ``week_until, level, days, units, wape, bias``: the same in weeks, the last one ends with the history.
    coverage : DataFrame
        ``level, quantile, below, upto, miss``.
    findings : tuple of DriftFinding
        What is wrong, in Chinese and English; empty when nothing is.
    trained_until, first_day, last_day : Timestamp
        What the model learned from, and the delivery dates looked at.
    """

    scores: pd.DataFrame
    weeks: pd.DataFrame
    coverage: pd.DataFrame
    findings: tuple[DriftFinding, ...]
    trained_until: pd.Timestamp
    first_day: pd.Timestamp
    last_day: pd.Timestamp

    @property
    def drifted(self) -> bool:
        """Return whether anything was found."""
        return bool(self.findings)

    def text(self, language: str = "en") -> str:
        """Return the report in plain words, ``en`` or ``zh``."""
        return report_text(self, language)


def drift_report(
    model: DemandModel, history: DataFrame[DailyDemand], *, context: Context | None = None, days: int = 14
) -> DriftReport:
    """Forecast each of the last `days` days a day ahead with the model as it is, and compare with its promises.

    Only days after `model.trained_until` count: on older ones the model knows the answer.

    Raises
    ------
    EmptyInputError
        The history holds no day with sales after the model's training.
    """
    context = context or model.context
    whole = Panel.from_history(history, context)
    panel = recovered(whole, context)
    trained = (model.trained_until - panel.days[0]).days
    origins = range(max(trained, panel.known - 1 - days, 0), panel.known - 1)
    dates = panel.days[[origin + 1 for origin in origins]]
    on_sale = np.isfinite(panel.quantity)
    pasts = [panel.known_until(origin + 1) for origin in origins]
    means = [expected_units(model, past, context, [1], listed=on_sale[[past.known]])[0][0] for past in pasts]
    doubts = [model.unsure.of(past) for past in pasts]
    errors, shares = [], []
    for name in LEVELS if means else ():
        level = Level.of(panel.series, name)
        actual = np.where(whole.censored, np.nan, whole.quantity)[[o + 1 for o in origins]]
        parts = np.where(np.isfinite(actual), np.stack(means), np.nan)
        forecast = level.total(parts)
        seen = level.total(actual)
        errors.append(day_errors(name, np.ones(len(dates), np.int64), dates, forecast, seen))
        unsure = [
            unsure_of_sums(level, panel.series, day, doubt)
            for day, doubt in zip(np.nan_to_num(parts), doubts, strict=True)
        ]
        shares.append(_day_coverage(model, name, forecast, seen, unsure))
    table = pd.concat(errors, ignore_index=True) if errors else pd.DataFrame()
    if not len(table):
        raise EmptyInputError(
            f"The history ends on {panel.days[panel.known - 1].date()}, the model learned up to "
            f"{model.trained_until.date()}: drift needs sales on days after that."
        )
    promise = model.promise[model.promise["lead"] == 1]
    daily = pd.concat(shares, ignore_index=True)
    scores = _scores(table, promise)
    hits = _coverage(daily)
    findings = (*_grown_errors(table, promise), *_bias(table, promise), *_coverage_breaks(daily))
    return DriftReport(scores, _weeks(table), hits, findings, model.trained_until, dates[0], dates[-1])


def _scores(table: pd.DataFrame, promise: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for level in LEVELS:
        own, past = table[table["level"] == level], promise[promise["level"] == level]
        rows.append((level, len(own), own["units"].sum(), *_rates(own), *_rates(past)))
    return pd.DataFrame(rows, columns=["level", "days", "units", "wape", "bias", "promised_wape", "promised_bias"])


def _weeks(table: pd.DataFrame) -> pd.DataFrame:
    last = table["delivery_date"].max()
    back = (last - table["delivery_date"]).dt.days // 7
    until = last - pd.to_timedelta(7 * back, unit="D")
    rows = []
    for (week, level), own in table.assign(week_until=until).groupby(["week_until", "level"]):
        rows.append((week, level, len(own), own["units"].sum(), *_rates(own)))
    return pd.DataFrame(rows, columns=["week_until", "level", "days", "units", "wape", "bias"])


def _rates(own: pd.DataFrame) -> tuple[float, float]:
    """Return WAPE and bias of day errors; NaN without sales."""
    units = own["units"].sum()
    if not units > 0:
        return float("nan"), float("nan")
    return float(own["absolute"].sum() / units), float(own["signed"].sum() / units)


def _chance(values: NDArray[np.float64]) -> float:
    """Return the standard error of the mean of daily values; without end for too few of them."""
    if len(values) < LEAST_DAYS:
        return float("inf")
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _daily(own: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return the days' errors as shares of an average day's units."""
    return np.asarray(own[column].to_numpy(np.float64) / own["units"].mean(), np.float64)


def _grown_errors(table: pd.DataFrame, promise: pd.DataFrame) -> Iterator[DriftFinding]:
    for level in LEVELS:
        own, past = table[table["level"] == level], promise[promise["level"] == level]
        if not len(own) or not len(past):
            continue
        now, before = _rates(own)[0], _rates(past)[0]
        chance = float(np.hypot(_chance(_daily(own, "absolute")), _chance(_daily(past, "absolute"))))
        if now > (1 + WORSE_BY) * before and now - before > CHANCE * chance:
            yield DriftFinding("error", level, now=now, promised=before, days=len(own))


def _bias(table: pd.DataFrame, promise: pd.DataFrame) -> Iterator[DriftFinding]:
    """Yield at most one finding: sums of the levels agree, so their bias is one."""
    own, past = table[table["level"] == LEVELS[0]], promise[promise["level"] == LEVELS[0]]
    now = _rates(own)[1]
    chance = _chance(_daily(own, "signed"))
    if len(past):  # the promise's days show how far a whole level may be off
        chance = float(np.hypot(chance, _chance(_daily(past, "signed"))))
    if abs(now) > BIASED_BY and abs(now) > CHANCE * chance:
        yield DriftFinding("bias", "all", now=now, promised=0.0, days=len(own))


def _day_coverage(
    model: DemandModel,
    level: str,
    forecast: NDArray[np.float64],
    actual: NDArray[np.float64],
    unsure: Sequence[NDArray[np.float64]],
) -> pd.DataFrame:
    """Return, per day and quantile, the rows and how many of them lie below, and at or below, the quantile."""
    rows: list[tuple[Any, ...]] = []
    for day, (mean, seen) in enumerate(zip(forecast, actual, strict=True)):
        known = np.isfinite(mean) & np.isfinite(seen)
        if not known.any():
            continue
        lead = np.ones(int(known.sum()), np.int64)
        bounds = mixed_quantiles(model.spreads[level], mean[known], lead, QUANTILES, unsure[day][known])
        below = (seen[known, None] < bounds).sum(axis=0)
        upto = (seen[known, None] <= bounds).sum(axis=0)
        count = int(known.sum())
        rows += [(level, day, name, count, *pair) for name, *pair in zip(QUANTILE_COLUMNS, below, upto, strict=True)]
    return pd.DataFrame(rows, columns=["level", "day", "quantile", "rows", "below", "upto"])


def _coverage(daily: pd.DataFrame) -> pd.DataFrame:
    total = daily.groupby(["level", "quantile"], as_index=False)[["rows", "below", "upto"]].sum()
    total["below"], total["upto"] = total["below"] / total["rows"], total["upto"] / total["rows"]
    nominal = total["quantile"].map(dict(zip(QUANTILE_COLUMNS, QUANTILES, strict=True)))
    misses = [coverage_miss(*triple) for triple in zip(total["below"], total["upto"], nominal, strict=True)]
    return total.drop(columns="rows").assign(miss=misses)


def _coverage_breaks(daily: pd.DataFrame) -> Iterator[DriftFinding]:
    nominal = dict(zip(QUANTILE_COLUMNS, QUANTILES, strict=True))
    for level in LEVELS:
        for quantile, own in daily[daily["level"] == level].groupby("quantile"):
            below, upto = (float(own[side].sum() / own["rows"].sum()) for side in ("below", "upto"))
            miss = coverage_miss(below, upto, nominal[str(quantile)])
            side = "below" if below > nominal[str(quantile)] else "upto"
            chance = _chance((own[side] / own["rows"]).to_numpy(np.float64))
            if miss > MISSED_BY and miss > CHANCE * chance:
                now = below if side == "below" else upto
                yield DriftFinding(
                    "coverage", level, now=now, promised=nominal[str(quantile)], days=len(own), what=str(quantile)
                )
