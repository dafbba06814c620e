"""Window sums as of a day, from running totals: any mean over any past window costs one subtraction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.panel import Matrix

Totals = NDArray[np.float64]
Counts = NDArray[np.int32]


class Windows:
    """Running totals of a quantity matrix.

    Parameters
    ----------
    quantity : float32, K x n
        NaN where the series was not on sale.

    Notes
    -----
    An origin `o` is the row of the last known day; every window ends on it, so nothing later can enter.
    """

    def __init__(self, quantity: Matrix) -> None:
        listed = ~np.isnan(quantity)
        self.quantity = quantity
        self._total: Totals = np.zeros((len(quantity) + 1, quantity.shape[1]))
        np.cumsum(np.where(listed, quantity, 0.0), axis=0, dtype=np.float64, out=self._total[1:])
        self._count: Counts = np.zeros(self._total.shape, np.int32)
        np.cumsum(listed, axis=0, dtype=np.int32, out=self._count[1:])

    @classmethod
    def of_groups(cls, windows: Windows, groups: NDArray[np.int64], size: int) -> Windows:
        """Return the windows of groups of series; totals and counts are sums over members."""
        pooled = cls.__new__(cls)
        order = np.argsort(groups, kind="stable")
        present, starts = np.unique(groups[order], return_index=True)
        pooled._total = np.zeros((len(windows._total), size))
        pooled._count = np.zeros((len(windows._count), size), np.int32)
        for day in range(len(windows._total)):  # day by day: no second copy of the whole matrix
            pooled._total[day, present] = np.add.reduceat(windows._total[day, order], starts)
            pooled._count[day, present] = np.add.reduceat(windows._count[day, order], starts)
        return pooled

    def total(self, origin: int, days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return units and listed days of the window of `days` that ends on `origin`."""
        end = min(origin + 1, len(self._total) - 1)
        start = max(0, origin + 1 - days)
        if end <= start:
            nothing = np.zeros(self._total.shape[1])
            return nothing, nothing
        return self._total[end] - self._total[start], (self._count[end] - self._count[start]).astype(np.float64)

    def mean(self, origin: int, days: int) -> NDArray[np.float64]:
        """Return the mean per listed day of the window, NaN without a listed day."""
        return _ratio(*self.total(origin, days))

    def same_weekday(self, origin: int, horizon: int, weeks: int) -> NDArray[np.float64]:
        """Return the mean of the last `weeks` days up to `origin` that share the weekday of `origin + horizon`."""
        return _ratio(*self.same_weekday_total(origin, horizon, weeks))

    def same_weekday_total(
        self, origin: int, horizon: int, weeks: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return units and listed days of the last `weeks` days that share the weekday of `origin + horizon`."""
        units = np.zeros(self._total.shape[1])
        listed = np.zeros(self._total.shape[1])
        day = last_same_weekday(origin, horizon)
        for back in range(weeks):
            one, seen = self.total(day - 7 * back, 1) if day - 7 * back >= 0 else (0.0, 0.0)
            units, listed = units + one, listed + seen
        return units, listed

    def median(self, origin: int, days: int) -> NDArray[np.float64]:
        """Return the median of the listed days of the window, NaN without one; of single series, not of groups."""
        return _median(self.quantity[max(0, origin + 1 - days) : origin + 1])

    def same_weekday_median(self, origin: int, horizon: int, weeks: int) -> NDArray[np.float64]:
        """Return the median of the last `weeks` days up to `origin` that share the weekday of `origin + horizon`."""
        day = last_same_weekday(origin, horizon)
        return _median(self.quantity[list(range(day, -1, -7))[:weeks]])

    def value(self, day: int) -> NDArray[np.float64]:
        """Return the mean of one day, NaN before the history or where not listed."""
        return self.mean(day, 1) if day >= 0 else np.full(self._total.shape[1], np.nan)

    def first_listed(self) -> NDArray[np.int64]:
        """Return the row of each series' first listed day; K when it never was."""
        seen = self._count[1:] > 0
        return np.where(seen.any(axis=0), seen.argmax(axis=0), len(seen)).astype(np.int64)


def last_same_weekday(origin: int, horizon: int) -> int:
    """Return the last row up to `origin` with the weekday of ``origin + horizon``.

    Examples
    --------
    >>> last_same_weekday(20, 1), last_same_weekday(20, 7), last_same_weekday(20, 8)
    (14, 20, 14)
    """
    return origin + horizon - 7 * -(-horizon // 7)


def _ratio(units: NDArray[np.float64], listed: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(listed > 0, units / listed, np.nan)


def _median(rows: Matrix) -> NDArray[np.float64]:
    """Return the median of each column's values that are there (`numpy.nanmedian`, twenty times as fast)."""
    if not len(rows):
        return np.full(rows.shape[1], np.nan)
    ordered = np.sort(rows, axis=0)  # NaN last
    count = (~np.isnan(rows)).sum(axis=0)
    column = np.arange(rows.shape[1])
    low, high = (ordered[middle, column] for middle in (np.maximum(count - 1, 0) // 2, count // 2))
    return np.where(count > 0, (low.astype(np.float64) + high) / 2.0, np.nan)
