"""How far finals spread around the book: quantiles of the remainder as multiples of its mean, by hour and volume.

Conformal: past snapshots are put in bands of the expected remainder; the quantiles of ``actual / expected`` within a
band, per time of day, are what such a row's remainder does. Between bands and times the multiples are interpolated.
Source: split conformal prediction with Mondrian categories (Vovk, Gammerman and Shafer, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from contracts.columns import QUANTILES
from contracts.settings import BookSettings
from forecast.book.past import Floats

_MOST_BANDS = 12
_BLOCK = 1 << 16
"""Rows at once, so that what is worked on stays in the processor's cache."""
_COLD_NODES = np.geomspace(0.01, 1000.0, 26)


@dataclass(frozen=True)
class Spread:
    """Multiples of the expected remainder per time, band and quantile.

    Attributes
    ----------
    left : shape (K,)
        Wall minutes left, falling.
    nodes : per time, shape (B_k,)
        Expected remainder that stands for each band, rising.
    ratios : per time, shape (B_k, 8)
        ``quantile / expected`` of the remainder, rising along the last axis.
    """

    left: Floats
    nodes: tuple[Floats, ...]
    ratios: tuple[Floats, ...]

    @classmethod
    def counts(cls, *, shape: float) -> Spread:
        """Return the spread of negative binomial counts with variance ``r + r^2 / shape``; at no particular hour."""
        levels = np.asarray(QUANTILES)
        units = nbinom.ppf(levels[None, :], shape, shape / (shape + _COLD_NODES[:, None]))
        return cls(np.zeros(1), (_COLD_NODES,), (units / _COLD_NODES[:, None],))

    @classmethod
    def learn(
        cls, left: Floats, expected: list[Floats], actual: Sequence[NDArray[np.floating]], *, settings: BookSettings
    ) -> Spread:
        """Return the spread of past snapshots; `expected` and `actual` remainders come per time of `left`.

        Times with fewer than `band_rows` rows take the negative binomial spread.
        """
        cold = cls.counts(shape=settings.count_dispersion)
        nodes, ratios = [], []
        for mean, units in zip(expected, actual, strict=True):
            known = np.isfinite(mean) & (mean > 1e-6)
            if known.sum() < settings.band_rows:
                node, ratio = cold.nodes[0], cold.ratios[0]
            else:
                node, ratio = _bands(mean[known], np.maximum(units[known], 0.0), settings.band_rows)
            nodes.append(node)
            ratios.append(ratio)
        return cls(left, tuple(nodes), tuple(ratios))

    def quantiles(self, expected: Floats, minutes_left: float) -> list[Floats]:
        """Return the 8 quantiles of the remainder, each of shape (n,), never negative and rising from one to the next.

        Multiples are linear in the logarithm of the expected remainder and in time.
        """
        at = float(np.interp(-minutes_left, -self.left, np.arange(len(self.left), dtype=np.float64)))
        low = int(np.floor(at))
        high, part = min(low + 1, len(self.left) - 1), at - low
        node = np.union1d(np.log(self.nodes[low]), np.log(self.nodes[high]))
        ratio = (1.0 - part) * self._ratios(low, node) + part * self._ratios(high, node)
        slope = np.vstack(
            [np.diff(ratio, axis=0) / np.maximum(np.diff(node), 1e-12)[:, None], np.zeros(len(QUANTILES))]
        )
        result = np.empty((len(QUANTILES), len(expected)))
        for start in range(0, len(expected), _BLOCK):
            block = expected[start : start + _BLOCK]
            scale = np.clip(np.log(np.maximum(block, 1e-9)), node[0], node[-1])
            band = np.searchsorted(node, scale, side="right") - 1
            scale -= node[band]
            for quantile in range(len(QUANTILES)):
                multiple = slope[:, quantile][band]
                multiple *= scale
                multiple += ratio[:, quantile][band]
                np.multiply(multiple, block, out=result[quantile, start : start + _BLOCK])
        return list(result)

    def _ratios(self, time: int, node: Floats) -> Floats:
        """Return the multiples of a time at other nodes, shape (nodes, 8)."""
        own = np.log(self.nodes[time])
        return np.stack([np.interp(node, own, column) for column in self.ratios[time].T], axis=1)


def _bands(expected: Floats, actual: Floats, band_rows: int) -> tuple[Floats, Floats]:
    """Return the bands' expected remainders and ratio quantiles; bands hold equally many rows."""
    order = np.argsort(expected, kind="stable")
    bands = int(np.clip(len(order) // band_rows, 1, _MOST_BANDS))
    nodes, ratios = np.empty(bands), np.empty((bands, len(QUANTILES)))
    for band, rows in enumerate(np.array_split(order, bands)):
        nodes[band] = np.exp(np.log(expected[rows]).mean())
        ratios[band] = np.quantile(actual[rows] / expected[rows], QUANTILES, method="higher")
    rising = np.concatenate([[True], np.diff(nodes) > 0])
    return nodes[rising], ratios[rising]
