"""When a destination's goods are all there: arrivals given out whole, in order of time and of deadline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EPSILON_UNITS = 1e-6


def ready_moments(
    units: NDArray[np.float64],
    destination: NDArray[np.int64],
    sku: NDArray[np.int64],
    *,
    came: NDArray[np.float64],
    order: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the first moment at which each destination's goods are all at hand; ``len(came)`` means never.

    At each moment of arrival, destinations are asked in `order`; one whose every SKU is covered by what has come and
    is not yet given to another takes all its goods and is ready; one that would be covered only in part takes nothing
    and waits. So what is given out never exceeds what has come, and nobody holds goods he cannot use yet.

    Parameters
    ----------
    units, destination, sku : ndarray, shape (n,)
        What each destination gets of each SKU; numbers 0..D-1 and 0..K-1; sorted by destination.
    came : ndarray, shape (M, K)
        Units of each SKU that have come by each moment, moments ascending.
    order : ndarray, shape (D,)
        Destinations in the order in which they are asked.
    """
    moments = len(came)
    ready = np.full(len(order), moments, dtype=np.int64)
    starts = np.searchsorted(destination, np.arange(len(order) + 1))
    given = np.zeros(came.shape[1])
    for moment in range(moments):
        pool = came[moment] - given
        waiting = ready == moments
        lacking = units > pool[sku] + EPSILON_UNITS
        lacks = np.bincount(destination, weights=lacking, minlength=len(order)) > 0
        fits = waiting & ~lacks
        asked = np.bincount(sku, weights=np.where(fits[destination], units, 0.0), minlength=len(given))
        if (asked <= pool + EPSILON_UNITS).all():  # enough for everyone who could be ready: no need to ask in turn
            ready[fits] = moment
            given += asked
            continue
        for one in order[fits[order]]:
            rows = slice(starts[one], starts[one + 1])
            if (units[rows] <= pool[sku[rows]] + EPSILON_UNITS).all():
                pool[sku[rows]] -= units[rows]
                given[sku[rows]] += units[rows]
                ready[one] = moment
    return ready
