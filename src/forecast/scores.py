"""Scores of forecasts: scaled error, percentage error with bias, pinball, one-sided coverage.

References
----------
RMSSE and its weighted form: Makridakis, Spiliotis and Assimakopoulos (2022), "M5 accuracy competition", International
Journal of Forecasting 38(4). Pinball: Koenker and Bassett (1978).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def naive_scale(quantity: NDArray[np.floating]) -> Values:
    """Return each series' mean squared day-to-day change since its first sale, n values; NaN with fewer than 2 days.

    Days off sale are skipped. A series that never changed has scale 0 and cannot be scaled: it is NaN too.

    Parameters
    ----------
    quantity : K x n

    Examples
    --------
    >>> naive_scale(np.array([[0.0], [2.0], [3.0], [1.0]])).tolist()
    [2.5]
    """
    started = np.maximum.accumulate(np.nan_to_num(quantity) > 0, axis=0)
    change = np.diff(quantity, axis=0).astype(np.float64)
    change[~started[:-1]] = np.nan
    known = np.isfinite(change)
    count = known.sum(axis=0)
    total = np.where(known, change**2, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((count > 0) & (total > 0), total / count, np.nan)


def rmsse(forecast: Values, actual: Values, scale: Values) -> Values:
    """Return the root mean squared scaled error per series (over the first axis), NaN where nothing was seen.

    Examples
    --------
    >>> rmsse(np.array([[1.0], [2.0]]), np.array([[2.0], [4.0]]), np.array([2.5])).tolist()
    [1.0]
    """
    error = (forecast - actual) ** 2
    known = np.isfinite(error)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, error, 0.0).sum(axis=0) / known.sum(axis=0)
        return np.asarray(np.sqrt(mean / scale), np.float64)


def weighted(values: Values, weight: Values) -> float:
    """Return the weighted mean over the values that exist; NaN when none has weight."""
    known = np.isfinite(values) & (weight > 0)
    return float(np.average(values[known], weights=weight[known])) if known.any() else float("nan")


def wape(forecast: Values, actual: Values) -> tuple[float, float]:
    """Return WAPE and bias: sums of absolute and of signed errors over the units sold; NaN when none was sold.

    Examples
    --------
    >>> wape(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    (0.5, 0.0)
    """
    error = forecast - actual
    known = np.isfinite(error)
    units = float(actual[known].sum())
    if units <= 0:
        return float("nan"), float("nan")
    return float(np.abs(error[known]).sum() / units), float(error[known].sum() / units)


def pinball(quantile: Values, actual: Values, level: float) -> float:
    """Return the mean pinball loss of one quantile, NaN without a pair.

    Examples
    --------
    >>> pinball(np.array([1.0, 3.0]), np.array([2.0, 2.0]), 0.9)
    0.5
    """
    error = actual - quantile
    known = np.isfinite(error)
    if not known.any():
        return float("nan")
    return float(np.where(error[known] >= 0, level * error[known], (level - 1) * error[known]).mean())


def coverage(quantile: Values, actual: Values) -> tuple[float, float]:
    """Return the shares of actuals below, and at or below, the quantile.

    Demand in whole units has ties: a quantile at level t is right when ``below <= t <= upto``. See `coverage_miss`.
    """
    known = np.isfinite(actual) & np.isfinite(quantile)
    if not known.any():
        return float("nan"), float("nan")
    return float((actual[known] < quantile[known]).mean()), float((actual[known] <= quantile[known]).mean())


def coverage_miss(below: float, upto: float, level: float) -> float:
    """Return how far a quantile is from being right: 0 when ``below <= level <= upto``.

    Examples
    --------
    >>> coverage_miss(0.4, 0.75, 0.5), round(coverage_miss(0.4, 0.45, 0.5), 3)
    (0.0, 0.05)
    """
    return max(below - level, level - upto, 0.0)
