"""A day's mood: weather, a viral post, a rival's offer move every series of a day at once.

Fifty days with a thousand series each are fifty draws of the mood, not fifty thousand. Read off as plain empirical
quantiles they would make every band too wide or too narrow together. So the mood is told apart: its distribution comes
from all days, its two sides averaged (log errors are as often up as down by the same factor) and its mean held at
one: the model of the rolling origins is weeks older than the one that serves, and its bias is not the other's. What is
left is learned per series size.

In a small city a day's sum also strays by chance, each SKU on its own: that much of its variance is no mood. It is
taken off the mood's width, and of what a day's sum shows only the mood's part is taken for mood (best linear
prediction). A level that is most of the city itself is told up to a seventh too narrow where chance and mood are alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.lead import LEAD_GROUPS, lead_group

NODES = 41
"""Quantile points the mood's distribution is told by."""
_LEAST_CELLS = 10
_OWN_CELLS = 30.0
"""A lead-time group's own width counts as much as that of all leads when it has so many days."""

_FARTHEST = 4.0
"""Usual widths beyond which a day is no mood: a shop closed for Christmas sells a hundredth, and the mean of such a law
would lie far above every ordinary day."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Mood:
    """Log ratio of the sum of demand to the sum of forecasts.

    Attributes
    ----------
    seen : float64, cells
        Mood of each day forecast on the rolling origins (origin x lead, flattened); 0 where nothing was seen.
    nodes : float64, lead groups x NODES
        Quantile points of the mood of a day to come; the mean of their exponentials is 1.
    """

    seen: Values
    nodes: Values

    @classmethod
    def fit(cls, forecast: Values, actual: Values, lead: NDArray[np.int64], *, chance: Values | float = 0.0) -> Mood:
        """Learn from the sums of each day: forecast, what happened, and the lead time, one entry per cell.

        With fewer than ten days nothing is told apart: the mood is zero and stays in the rest.

        Parameters
        ----------
        chance : float64, cells, optional
            Variance of each log ratio that is chance and no mood; see `chance_of`.
        """
        good = (forecast > 0) & (actual > 0)
        seen = np.zeros(len(forecast))
        nodes = np.zeros((LEAD_GROUPS, NODES))
        if good.sum() < _LEAST_CELLS:
            return cls(seen, nodes)
        ratio = np.log(actual[good] / forecast[good])
        off = _off_the_middle(ratio)
        group, noise = lead_group(lead)[good], np.broadcast_to(np.asarray(chance, np.float64), good.shape)[good]
        both = np.full(LEAD_GROUPS, (off**2).mean())
        for code in np.unique(group):
            own = off[group == code]
            both[code] = ((own**2).sum() + _OWN_CELLS * both[code]) / (len(own) + _OWN_CELLS)
        width = np.sqrt(np.maximum(both - np.median(noise), 0.0))  # a closed day's chance is no other day's
        kept = width[group] ** 2 / np.maximum(width[group] ** 2 + noise, 1e-24)
        seen[good] = ratio.mean() + kept * (ratio - ratio.mean())
        standard = off / np.sqrt(np.maximum(both[group], 1e-24))
        points = (np.arange(NODES) + 0.5) / NODES
        shape = np.quantile(np.concatenate([standard, -standard]), points)
        nodes = width[:, None] * shape[None, :] / max(_width(shape), 1e-12)
        return cls(seen, nodes - np.log(np.exp(nodes).mean(axis=1, keepdims=True)))


def chance_of(forecast: Values, actual: Values) -> Values:
    """Return the variance of each day's log ratio of sums that comes from its parts straying each on its own.

    By the residuals of the parts after the day's ratio, cluster by cluster, as in a cluster-robust variance (Liang and
    Zeger, 1986): parts are to be sums over what strays together.

    Parameters
    ----------
    forecast, actual : float64, days x parts
        NaN where a part is not seen.
    """
    known = np.isfinite(forecast) & np.isfinite(actual)
    expected, happened = np.where(known, forecast, 0.0), np.where(known, actual, 0.0)
    total = happened.sum(axis=1)
    ratio = total / np.maximum(expected.sum(axis=1), 1e-12)
    strayed = ((happened - ratio[:, None] * expected) ** 2).sum(axis=1) / np.maximum(total, 1e-12) ** 2
    parts = (expected > 0).sum(axis=1)
    return np.where(parts > 1, strayed * parts / np.maximum(parts - 1, 1), 0.0)


def _off_the_middle(seen: Values) -> Values:
    """Return the moods less their mean, none further out than `_FARTHEST` usual widths from their median."""
    middle = float(np.median(seen))
    usual = 1.4826 * float(np.median(np.abs(seen - middle)))  # of a normal law, its standard deviation
    reach = _FARTHEST * usual if usual > 0 else np.inf
    near = np.clip(seen, middle - reach, middle + reach)
    return np.asarray(near - near.mean(), np.float64)


def _width(values: Values) -> float:
    """Return the root mean square around zero."""
    return float(np.sqrt((values**2).mean()))
