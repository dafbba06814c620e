"""What demand does around its mean on a day whose mood is known: laws learned from pairs of mean and actual.

Pairs are sorted by mean and cut into bins. Demand in whole units below `WHOLE_BELOW` keeps, per bin, the distribution
of the units themselves (a third of a parcel is never ordered); all other demand keeps quantile points of actual / mean.
Between bins the law of whole units is the mixture of its neighbours that has the mean asked for. Below the smallest bin
it is that bin's law thinned: every unit kept with the same chance, which keeps whatever mixes a Poisson law as it is
(Steutel & van Harn 1979, *Discrete analogues of self-decomposability and stability*).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
_NO_EXTRA = 1e-9
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
        Means of the laws of ratios, rising; the first is `WHOLE_BELOW` where there are rungs.
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
        large = pieces[len(small) :]
        centres = np.array([np.exp(np.log(mean[piece]).mean()) for piece in large])
        ratios = [_ratios(mean, actual, piece, size, whole=whole) for piece, size in zip(large, centres, strict=True)]
        if not whole:
            return cls(np.zeros(0), np.zeros((0, UNITS + 1)), centres, np.array(ratios))
        rungs, upto = _whole_laws(mean, actual, small, up_to_the_top=not large)
        if large:  # whole units end where ratios begin: nothing between the two is mixed from one and the other
            at_top = _ratios(mean, actual, large[0], WHOLE_BELOW, whole=True)
        else:
            at_top = (upto[-1][None, :] < POINTS[:, None]).sum(axis=1) / rungs[-1]
        return cls(*_downward(rungs, upto), np.append(WHOLE_BELOW, centres), np.array([at_top, *ratios]))

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
        return float(self.centres[0]) if len(self.rungs) else 0.0

    def _ladder(self) -> tuple[Values, Values]:
        """Return the rungs, and above them the smallest law of ratios in whole units."""
        first = _counted(self.ratios[:1] * self.centres[0])
        return np.append(self.rungs, self.centres[0]), np.concatenate([self.upto, first])

    def _large(self, mean: Values) -> Values:
        """Return quantile points of demand by ratios."""
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


def _whole_laws(mean: Values, actual: Values, small: list[slice], *, up_to_the_top: bool) -> tuple[Values, Values]:
    """Return rungs and laws of whole units below `WHOLE_BELOW`; a handful of small pairs borrows larger ones."""
    if sum(piece.stop - piece.start for piece in small) < _LEAST_ROWS:
        near = slice(0, _ROWS_PER_BIN)
        return _by_moments(mean[near], actual[near], _rungs(_NARROW_FROM, WHOLE_BELOW))
    laws = [_unit_laws(mean[piece], actual[piece]) for piece in small]
    if up_to_the_top:  # nothing larger was ever forecast: counts of the last bin's bias and dispersion go on
        beyond = _rungs(laws[-1][0][-1] * _RUNG, WHOLE_BELOW)
        laws.append(_by_moments(mean[small[-1]], actual[small[-1]], beyond))
    return np.concatenate([rungs for rungs, _ in laws]), np.concatenate([upto for _, upto in laws])


def _unit_laws(mean: Values, actual: Values) -> tuple[Values, Values]:
    """Return the rungs of a bin and their laws of whole units.

    One, of the units as they were; but where few pairs make a bin wide, their sizes would pass for chance: there
    counts with the bin's own bias and dispersion stand in, a factor `_RUNG` apart.
    """
    least = max(float(mean[0]), _NARROW_FROM)
    if mean[-1] <= _WIDEST**2 * least:
        units = np.clip(actual, 0, UNITS).astype(np.int64)
        return np.array([mean.mean()]), (np.bincount(units, minlength=UNITS + 1).cumsum() / len(units))[None, :]
    return _by_moments(mean, actual, _rungs(least, float(mean[-1])))


def _rungs(least: float, most: float) -> Values:
    """Return means a factor `_RUNG` apart, from the least on, none beyond the most."""
    steps = np.floor(np.log(most / least) / np.log(_RUNG))
    return np.asarray(least * _RUNG ** np.arange(steps + 1.0), np.float64)


def _by_moments(mean: Values, actual: Values, rungs: Values) -> tuple[Values, Values]:
    """Return the rungs with negative binomial laws that have the pairs' bias and dispersion; Poisson without one."""
    bias = max(float(actual.sum() / mean.sum()), 1e-6)
    extra, units = _extra(bias * mean, actual), np.arange(UNITS + 1)[None, :]
    wanted = bias * rungs[:, None]
    if extra <= _NO_EXTRA:
        upto = scipy.stats.poisson.cdf(units, wanted)
    else:
        upto = scipy.stats.nbinom.cdf(units, 1.0 / extra, 1.0 / (1.0 + extra * wanted))
    upto[:, -1] = 1.0
    return rungs, np.asarray(upto, np.float64)


def _extra(mean: Values, actual: Values) -> float:
    """Return ``p`` of counts with variance ``m + p m^2`` by moments, not below zero."""
    return max(float(((actual - mean) ** 2 - mean).sum() / (mean**2).sum()), 0.0)


def _ratios(mean: Values, actual: Values, piece: slice, size: float, *, whole: bool) -> Values:
    """Return quantile points of actual / mean at a size; a handful of large forecasts borrows the next smaller ones'.

    Whole units stray by chance, the less the more there are of them: ratios of other sizes are drawn together, or
    apart, as the standard deviation of counts with variance ``m + p m^2`` has it, ``p`` from their own moments.
    """
    wide = slice(max(0, min(piece.start, piece.stop - _ROWS_PER_BIN)), piece.stop)
    sizes, ratio = mean[wide], actual[wide] / mean[wide]
    if whole:
        extra = _extra(sizes, actual[wide])
        ratio = np.maximum(1.0 + (ratio - 1.0) * np.sqrt((1.0 / size + extra) / (1.0 / sizes + extra)), 0.0)
    return np.asarray(np.quantile(ratio, POINTS), np.float64)


def _downward(rungs: Values, upto: Values) -> tuple[Values, Values]:
    """Return the rungs with thinned copies of the lowest below it, and zero at the bottom."""
    steps = max(int(np.ceil(np.log(rungs[0] / _LOWEST) / np.log(_RUNG))), 0)
    kept = _RUNG ** -np.arange(steps, 0, -1.0)
    chances = np.diff(upto[0], prepend=0.0)
    thinned = [chances @ _thinning(keep) for keep in kept.tolist()]
    below = np.array([np.ones(UNITS + 1), *thinned])
    return np.concatenate([[0.0], kept * rungs[0], rungs]), np.concatenate([below, upto])


@lru_cache(maxsize=64)
def _thinning(keep: float) -> Values:
    """Return the probability of so many units or fewer (columns) when of each of some units (rows) this share is kept.

    Every law goes down by the same shares, and working them out took half of learning a spread.
    """
    units = np.arange(UNITS + 1)
    upto: Values = scipy.stats.binom.cdf(units[None, :], units[:, None], keep)
    upto.flags.writeable = False
    return upto


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
