"""Which member answers for which volume band, and with what weight: chosen on rolling origins, visible per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from forecast.members.protocol import Forecasts

_LEAST_GAIN = 0.005
"""A combination must cut the squared error of the leading member by this share, else the leading member answers."""
_LEAST_ROWS = 200
_LEAST_ANSWERS = 0.5
"""A member that answers less than this share of a band cannot be weighed there."""
_LEAST_WEIGHT = 0.05


def volume_band(level: NDArray[np.floating], borders: Sequence[float]) -> NDArray[np.int64]:
    """Return the band of each level: 0 below the first border.

    Examples
    --------
    >>> volume_band(np.array([0.1, 0.25, 100.0]), (0.25, 1.0)).tolist()
    [0, 1, 2]
    """
    return np.searchsorted(np.asarray(borders, np.float64), level, side="right")


@dataclass(frozen=True)
class Combination:
    """Weights of the members per volume band.

    Attributes
    ----------
    members : tuple of str
    weights : float64, bands x members
        Not negative, each row sums to one.
    """

    members: tuple[str, ...]
    weights: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        forecasts: Mapping[str, Forecasts],
        actual: NDArray[np.float32],
        band: NDArray[np.int64],
        *,
        bands: int,
        leading: str,
    ) -> Combination:
        """Choose weights by non-negative least squares per band.

        The `leading` member keeps a band alone unless, on every origin, weights learned from the other origins beat it
        by `_LEAST_GAIN` in squared error. Origins overlap and a few are a small sample: an average over them hides the
        one on which the mixture lost, and a needless mixture is harder to explain.

        Parameters
        ----------
        forecasts : mapping of name to array
            Out-of-sample forecasts, all of one shape, the first axis being origins.
        actual, band
            Of the same shape; NaN actuals are left out.
        """
        names = (leading, *(name for name in forecasts if name != leading))
        weights = np.zeros((bands, len(names)))
        weights[:, 0] = 1.0
        for code in range(bands):
            seen = (band == code) & np.isfinite(actual) & np.isfinite(forecasts[leading])
            answering = [n for n in names if (np.isfinite(forecasts[n]) & seen).sum() >= _LEAST_ANSWERS * seen.sum()]
            inside = seen & np.logical_and.reduce([np.isfinite(forecasts[name]) for name in answering])
            if inside.sum() < _LEAST_ROWS:
                continue
            columns = np.zeros((int(inside.sum()), len(names)))
            for position, name in enumerate(names):
                if name in answering:
                    columns[:, position] = forecasts[name][inside]
            target = actual[inside].astype(np.float64)
            origin = np.nonzero(inside)[0]
            found = _best_weights(columns, target)
            if found is not None and _least_gain(columns, target, origin) >= _LEAST_GAIN:
                weights[code] = found
        return cls(names, weights)

    def mixed(self, forecasts: Mapping[str, Forecasts], band: NDArray[np.int64]) -> Forecasts:
        """Return the weighted forecasts; a member without an answer leaves its weight to the others."""
        total = np.zeros(band.shape)
        held = np.zeros(band.shape)
        for position, name in enumerate(self.members):
            weight = self.weights[band, position]
            if not weight.any():
                continue
            given = forecasts[name]
            answered = np.isfinite(given) & (weight > 0)
            total += np.where(answered, weight * np.where(answered, given, 0.0), 0.0)
            held += np.where(answered, weight, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(held > 0, total / held, np.nan).astype(np.float32)

    def used(self) -> tuple[str, ...]:
        """Return the leading member, whose forecast decides the band, and those with weight in any band."""
        weighted = {name for name, column in zip(self.members, self.weights.T, strict=True) if column.any()}
        return tuple(name for name in self.members if name in weighted or name == self.members[0])

    def label(self, band: int) -> str:
        """Return what stands in `source` for a band: the member, or the mixture with its weights."""
        parts = [(name, weight) for name, weight in zip(self.members, self.weights[band], strict=True) if weight > 0]
        if len(parts) == 1:
            return parts[0][0]
        return " + ".join(f"{weight:.2f} {name}" for name, weight in sorted(parts, key=lambda part: -part[1]))


def _best_weights(columns: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the non-negative least squares weights scaled to one, small ones left out; None where all are zero."""
    found, _ = scipy.optimize.nnls(*_squared(columns, target))
    if found.sum() <= 0:
        return None
    found = np.where(found / found.sum() < _LEAST_WEIGHT, 0.0, found)
    return np.asarray(found / found.sum(), np.float64)


def _squared(
    columns: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the triangle of the columns' QR decomposition and the target seen through it: few rows, same answer."""
    side, triangle = np.linalg.qr(columns)
    return triangle, side.T @ target


def _least_gain(columns: NDArray[np.float64], target: NDArray[np.float64], origin: NDArray[np.int64]) -> float:
    """Return the smallest share of squared error saved on an origin by the weights of the other origins.

    Minus infinity with one origin only: there is nothing to learn from.
    """
    gains: list[float] = []
    for left_out in np.unique(origin):
        here = origin == left_out
        found = _best_weights(columns[~here], target[~here]) if not here.all() else None
        if found is None:
            return -np.inf
        mixed = columns[here] @ found
        alone = float(((columns[here, 0] - target[here]) ** 2).sum())
        gains.append(1.0 - float(((mixed - target[here]) ** 2).sum()) / alone if alone > 0 else 0.0)
    return min(gains)
