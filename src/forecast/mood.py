"""A day's mood: weather, a viral post, a rival's offer move every series of a day at once.

Fifty days with a thousand series each are fifty draws of the mood, not fifty thousand. Read off as plain empirical
quantiles they would make every band too wide or too narrow together. So the mood is told apart: its distribution comes
from all days, its two sides averaged (log errors are as often up as down by the same factor) and its mean held at
one: the model of the rolling origins is weeks older than the one that serves, and its bias is not the other's. What is
left is learned per series size.
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
    def fit(cls, forecast: Values, actual: Values, lead: NDArray[np.int64]) -> Mood:
        """Learn from the sums of each day: forecast, what happened, and the lead time, one entry per cell.

        With fewer than ten days nothing is told apart: the mood is zero and stays in the rest.
        """
        good = (forecast > 0) & (actual > 0)
        seen = np.zeros(len(forecast))
        nodes = np.zeros((LEAD_GROUPS, NODES))
        if good.sum() < _LEAST_CELLS:
            return cls(seen, nodes)
        seen[good] = np.log(actual[good] / forecast[good])
        group, off = lead_group(lead), _off_the_middle(seen, good)
        width = np.full(LEAD_GROUPS, _width(off[good]))
        for code in np.unique(group[good]):
            own = off[good & (group == code)]
            width[code] = np.sqrt(
                (len(own) * _width(own) ** 2 + _OWN_CELLS * width[code] ** 2) / (len(own) + _OWN_CELLS)
            )
        standard = off[good] / np.maximum(width[group[good]], 1e-12)
        points = (np.arange(NODES) + 0.5) / NODES
        shape = np.quantile(np.concatenate([standard, -standard]), points)
        nodes = width[:, None] * shape[None, :] / max(_width(shape), 1e-12)
        return cls(seen, nodes - np.log(np.exp(nodes).mean(axis=1, keepdims=True)))


def _off_the_middle(seen: Values, good: NDArray[np.bool_]) -> Values:
    """Return the moods less their mean, none further out than `_FARTHEST` usual widths from their median."""
    middle = float(np.median(seen[good]))
    usual = 1.4826 * float(np.median(np.abs(seen[good] - middle)))  # of a normal law, its standard deviation
    reach = _FARTHEST * usual if usual > 0 else np.inf
    near = np.clip(seen, middle - reach, middle + reach)
    return np.asarray(near - near[good].mean(), np.float64)


def _width(values: Values) -> float:
    """Return the root mean square around zero."""
    return float(np.sqrt((values**2).mean()))
