"""Whole units from fractions: largest remainders, so that a group's whole shares add up to its whole total."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

REMAINDER_DIGITS = 9
"""Remainders closer than 1e-9 are ties: float noise must not decide who gets the last unit."""


def largest_remainder(
    quotas: NDArray[np.float64], groups: NDArray[np.int64], totals: NDArray[np.float64], *, turn: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return whole shares: each quota rounded down, then one unit more by largest remainder until the total is met.

    Hamilton's method (Balinski and Young, *Fair Representation*, 1982). Every share is the quota rounded down or up.

    Parameters
    ----------
    quotas : ndarray, shape (n,)
        Exact shares, not negative.
    groups : ndarray, shape (n,)
        Group number of each row, 0..G-1.
    totals : ndarray, shape (G,)
        Whole total of each group, within one unit per row of the sum of its rounded-down quotas.
    turn : ndarray, shape (n,)
        Order among equal remainders, smallest first.

    Examples
    --------
    >>> zeros = np.zeros(3, dtype=np.int64)
    >>> largest_remainder(np.array([1.4, 1.4, 0.2]), zeros, np.array([3.0]), turn=np.arange(3)).tolist()
    [2.0, 1.0, 0.0]
    """
    floors = np.floor(np.round(quotas, REMAINDER_DIGITS))
    remainders = np.round(quotas - floors, REMAINDER_DIGITS)
    left = totals - np.bincount(groups, weights=floors, minlength=len(totals))
    order = np.lexsort((turn, -remainders, groups))
    firsts = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=len(totals)))[:-1]])
    place = np.empty(len(quotas), dtype=np.int64)
    place[order] = np.arange(len(quotas)) - firsts[groups[order]]
    return floors + (place < np.round(left)[groups])


def rounded_half_up(totals: NDArray[Any]) -> NDArray[np.float64]:
    """Return totals rounded half-up to whole units, on the number with float noise taken off.

    Examples
    --------
    >>> rounded_half_up(np.array([2.5, 2.4999999999999996, 2.4])).tolist()
    [3.0, 3.0, 2.0]
    """
    halved: NDArray[np.float64] = np.floor(np.round(totals, REMAINDER_DIGITS) + 0.5)
    return halved
