"""What demand does around its mean on a day whose mood is known: laws learned from pairs of mean and actual.

Pairs are sorted by mean and cut into bins. Demand in whole units below `WHOLE_BELOW` keeps, per bin, the distribution
of the units themselves (a third of a parcel is never ordered); all other demand keeps quantile points of actual / mean.
Between bins the law of whole units is the mixture of its neighbours that has the mean asked for. Below the smallest bin
it is that bin's law thinned: every unit kept with the same chance, which keeps whatever mixes a Poisson law as it is
(Steutel & van Harn 1979, *Discrete analogues of self-decomposability and stability*).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

WHOLE_BELOW = 8.0
"""Forecasts below this many units use unit quantiles when demand is in whole units."""
UNITS = 128
"""Units up to which the distribution of small whole demand is kept; what is more counts as this many."""
POINTS = (np.arange(200) + 0.5) / 200
"""Levels of the quantile points that tell a law of ratios."""
_ROWS_PER_BIN = 300
_MOST_BINS = 48
_LEAST_ROWS = 100
_WIDEST, _NARROW_FROM = 1.4, 0.5
"""From half a unit on, a bin spans at most this factor while it holds `_LEAST_ROWS` pairs."""
_RUNG, _LOWEST = 1.25, 1e-3
"""Thinned laws below the smallest bin stand this factor apart, down to about so many units; below stands zero."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class KnownDay:
    """Law of demand given its mean.

    Attributes
    ----------
    rungs : float64, R
        Means of the laws of whole units, rising from 0; empty unless demand is in whole units.
    upto : float64, R x (UNITS + 1)
        Probability of so many units or fewer.
    centres : float64, C
        Means of the laws of ratios, rising; may be empty where there are rungs.
    ratios : float64, C x POINTS
        Quantile points of actual / mean.
    """

    rungs: Values
    upto: Values
    centres: Values
    ratios: Values

    @classmethod
    def fit(cls, mean: Values, actual: Values, *, whole: bool) -> KnownDay:
        """Learn from pairs, at least one; means above zero, actuals whole numbers if `whole`."""
        order = np.argsort(mean, kind="stable")
        mean, actual = mean[order], actual[order]
        cuts = _cuts(mean, whole=whole)
        pieces = [slice(start, end) for start, end in zip([0, *cuts], [*cuts, len(mean)], strict=True)]
        small = [piece for piece in pieces if whole and mean[piece.stop - 1] < WHOLE_BELOW]
        laws = [_unit_laws(mean[piece], actual[piece]) for piece in small]
        rungs = np.concatenate([law[0] for law in laws] or [np.zeros(0)])
        upto = np.concatenate([law[1] for law in laws] or [np.zeros((0, UNITS + 1))])
        large = pieces[len(small) :]
        centres = np.array([np.exp(np.log(mean[piece]).mean()) for piece in large])
        ratios = np.array([_ratios(mean, actual, piece, whole=whole) for piece in large]).reshape(
            len(large), len(POINTS)
        )
        if small:
            rungs, upto = _downward(rungs, upto)
        return cls(rungs, upto, centres, ratios)

    def units_upto(self, mean: Values) -> Values:
        """Return the probability of 0, 1, ... UNITS units or fewer at means of any shape, one axis more."""
        flat = mean.ravel()
        out = np.empty((len(flat), UNITS + 1))
        top = self._top()
        low = flat < top
        if low.any():
            rungs, upto = self._ladder()
            above = np.clip(np.searchsorted(rungs, flat[low], side="right"), 1, len(rungs) - 1)
            share = np.clip(
                (flat[low] - rungs[above - 1]) / np.maximum(rungs[above] - rungs[above - 1], 1e-12), 0.0, 1.0
            )
            out[low] = upto[above - 1] + share[:, None] * (upto[above] - upto[above - 1])
        if not low.all():
            out[~low] = _counted(self._large(flat[~low]))
        return out.reshape(*mean.shape, UNITS + 1)

    def points(self, mean: Values) -> Values:
        """Return quantile points of demand at means of any shape, one axis more."""
        flat = mean.ravel()
        out = np.empty((len(flat), len(POINTS)))
        low = flat < self._top()
        if low.any():
            upto = self.units_upto(flat[low])
            out[low] = (upto[:, None, :] < POINTS[None, :, None]).sum(axis=2)
        if not low.all():
            out[~low] = self._large(flat[~low])
        return out.reshape(*mean.shape, len(POINTS))

    def _top(self) -> float:
        """Return the mean below which the rungs tell the law."""
        if not len(self.rungs):
            return 0.0
        return float(self.centres[0] if len(self.centres) else self.rungs[-1])

    def _ladder(self) -> tuple[Values, Values]:
        """Return the rungs, and above them the smallest law of ratios in whole units."""
        if not len(self.centres):
            return self.rungs, self.upto
        first = _counted(self.ratios[:1] * self.centres[0])
        return np.append(self.rungs, self.centres[0]), np.concatenate([self.upto, first])

    def _large(self, mean: Values) -> Values:
        """Return quantile points of demand by ratios; the largest whole-unit law stretched where there are none."""
        if not len(self.centres):
            last = (self.upto[-1][None, :] < POINTS[:, None]).sum(axis=1)
            return np.asarray(last[None, :] / self.rungs[-1] * mean[:, None], np.float64)
        if len(self.centres) == 1:
            return np.asarray(self.ratios[0][None, :] * mean[:, None], np.float64)
        log_mean, places = np.log(mean), np.log(self.centres)
        above = np.clip(np.searchsorted(places, log_mean), 1, len(places) - 1)
        apart = np.maximum(places[above] - places[above - 1], 1e-12)
        share = np.clip((log_mean - places[above - 1]) / apart, 0.0, 1.0)[:, None]
        ratio = (1.0 - share) * self.ratios[above - 1] + share * self.ratios[above]
        return np.asarray(ratio * mean[:, None], np.float64)


def _counted(points: Values) -> Values:
    """Return the probability of 0 ... UNITS whole units or fewer, from quantile points of demand."""
    half = np.arange(UNITS + 1) + 0.5
    return np.asarray(np.stack([np.searchsorted(row, half, side="left") for row in points]) / points.shape[1])


def _unit_laws(mean: Values, actual: Values) -> tuple[Values, Values]:
    """Return the rungs of a bin and their laws of whole units.

    One, of the units as they were; but where few pairs make a bin wide, their sizes would pass for chance: there
    negative binomials with the bin's own bias and dispersion (by moments) stand in, a factor `_RUNG` apart.
    """
    least = max(float(mean[0]), _NARROW_FROM)
    if mean[-1] <= _WIDEST**2 * least:
        units = np.clip(actual, 0, UNITS).astype(np.int64)
        return np.array([mean.mean()]), (np.bincount(units, minlength=UNITS + 1).cumsum() / len(units))[None, :]
    rungs: Values = least * _RUNG ** np.arange(int(np.log(mean[-1] / least) / np.log(_RUNG)) + 1.0)
    bias = max(float(actual.sum() / mean.sum()), 1e-6)
    extra = _extra(bias * mean, actual)
    if extra <= 0:
        return rungs, np.asarray(scipy.stats.poisson.cdf(np.arange(UNITS + 1)[None, :], bias * rungs[:, None]))
    chance = 1.0 / (1.0 + extra * bias * rungs[:, None])
    return rungs, np.asarray(scipy.stats.nbinom.cdf(np.arange(UNITS + 1)[None, :], 1.0 / extra, chance))


def _extra(mean: Values, actual: Values) -> float:
    """Return ``p`` of counts with variance ``m + p m^2`` by moments, not below zero."""
    return max(float((((actual - mean) ** 2 - mean) / mean).sum() / mean.sum()), 0.0)


def _ratios(mean: Values, actual: Values, piece: slice, *, whole: bool) -> Values:
    """Return quantile points of actual / mean; a handful of large forecasts borrows the next smaller ones'.

    Whole units stray by chance, the less the more there are of them: ratios of other sizes are drawn together, or
    apart, as the standard deviation of counts with variance ``m + p m^2`` has it, ``p`` from their own moments.
    """
    wide = slice(max(0, min(piece.start, piece.stop - _ROWS_PER_BIN)), piece.stop)
    sizes, ratio = mean[wide], actual[wide] / mean[wide]
    if whole:
        extra, size = _extra(sizes, actual[wide]), np.exp(np.log(mean[piece]).mean())
        ratio = np.maximum(1.0 + (ratio - 1.0) * np.sqrt((1.0 / size + extra) / (1.0 / sizes + extra)), 0.0)
    return np.asarray(np.quantile(ratio, POINTS), np.float64)


def _downward(rungs: Values, upto: Values) -> tuple[Values, Values]:
    """Return the rungs with thinned copies of the lowest below it, and zero at the bottom."""
    steps = max(int(np.ceil(np.log(rungs[0] / _LOWEST) / np.log(_RUNG))), 0)
    kept = _RUNG ** -np.arange(steps, 0, -1.0)
    chances = np.diff(upto[0], prepend=0.0)
    units = np.arange(UNITS + 1)
    thinned = [(chances @ scipy.stats.binom.cdf(units[None, :], units[:, None], keep)) for keep in kept]
    below = np.array([np.ones(UNITS + 1), *thinned])
    return np.concatenate([[0.0], kept * rungs[0], rungs]), np.concatenate([below, upto])


def _cuts(mean: Values, *, whole: bool) -> list[int]:
    """Return where one bin ends and the next begins in the sorted means.

    Bins hold equally many pairs, but none is wider than a factor of `_WIDEST` while enough pairs are left, and none
    reaches over `WHOLE_BELOW`: units of demand of three are not those of thirty.
    """
    even = np.linspace(0, len(mean), int(np.clip(len(mean) // _ROWS_PER_BIN, 1, _MOST_BINS)) + 1)[1:-1]
    steps = int(np.log(max(mean[-1] / _NARROW_FROM, 1.0)) / np.log(_WIDEST)) + 1
    wide = np.searchsorted(mean, _NARROW_FROM * _WIDEST ** np.arange(steps))
    forced = int(np.searchsorted(mean, WHOLE_BELOW)) if whole else 0
    kept = [0]
    for cut in np.unique(np.concatenate([even.astype(np.int64), wide, [forced]])).tolist():
        if cut == forced:
            while len(kept) > 1 and cut - kept[-1] < _LEAST_ROWS:
                kept.pop()
        if 0 < cut < len(mean) and (cut == forced or cut - kept[-1] >= _LEAST_ROWS):
            kept.append(cut)
    if len(kept) > 1 and kept[-1] != forced and len(mean) - kept[-1] < _LEAST_ROWS:
        kept.pop()
    return kept[1:]
