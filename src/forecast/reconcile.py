"""Reconciliation: forecasts of sums and of their parts become one set that adds up, without a negative part.

Parts ``b`` move as little as they can, each in proportion to its size, until the sums meet their targets as closely as
the targets deserve: ``min sum_i d_i**2 / b_i + sum_a (S_a (b + d) - t_a)**2 / v_a``. With few sums over many parts the
dual is small: ``(S diag(b) S' + diag(v)) y = t - S b``, ``d = diag(b) S' y``. Its size is the number of sums, and
conjugate gradients only apply it, so a hundred thousand parts take a moment. A part that would turn negative is set to
zero and the rest solved again.

References
----------
Wickramasuriya, Athanasopoulos, Hyndman (2019), Journal of the American Statistical Association 114 (weighted least
squares reconciliation); Wickramasuriya, Turlach, Hyndman (2020), Statistics and Computing 30 (non-negative).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

Values = NDArray[np.float64]
_MOST_ROUNDS = 20
_MOST_STEPS = 500
_TOLERANCE = 1e-11
_NOTHING = 1e-9
"""A part below this many units is none: it can carry nothing and would only spoil the arithmetic."""


@dataclass(frozen=True)
class Target:
    """Sums of one level that the parts should meet.

    Attributes
    ----------
    group : int64, n
        Sum each part belongs to; -1 for none.
    total : float64, m
        Forecast of each sum in its own right.
    variance : float64, m
        How loosely it is to be met, in units of the parts' own variance (which counts as their size); 0 is exactly.
    """

    group: NDArray[np.int64]
    total: Values
    variance: Values


def reconciled(parts: Values, targets: Sequence[Target]) -> Values:
    """Return the parts moved towards the targets, none negative.

    Examples
    --------
    Two shops that sold 10 and 30 by their own forecasts, 44 by the forecast of their sum, trusted exactly:

    >>> exact = Target(np.array([0, 0]), np.array([44.0]), np.array([0.0]))
    >>> reconciled(np.array([10.0, 30.0]), [exact]).round(6).tolist()
    [11.0, 33.0]

    Trusted as much as the sum of the parts, the shops meet it half-way:

    >>> loose = Target(np.array([0, 0]), np.array([44.0]), np.array([40.0]))
    >>> reconciled(np.array([10.0, 30.0]), [loose]).round(6).tolist()
    [10.5, 31.5]
    """
    summing, total, variance = _stacked(len(parts), targets)
    size = np.where(parts > _NOTHING, parts, 0.0).astype(np.float64)
    moved = size
    for _ in range(_MOST_ROUNDS):
        moved = size * (1.0 + summing.T @ _multipliers(summing, size, total, variance))
        negative = moved < 0
        if not negative.any():
            break
        size = np.where(negative, 0.0, size)
    return np.asarray(np.maximum(moved, 0.0), np.float64)


def _multipliers(summing: scipy.sparse.csr_array, size: Values, total: Values, variance: Values) -> Values:
    """Solve the dual by conjugate gradients; the matrix is only ever applied, never formed."""
    held = summing @ size
    gap = np.where(held > 0, total - held, 0.0)  # a sum of nothing cannot be filled: its parts stay zero
    diagonal = np.where(held > 0, held + variance, 1.0)
    width = len(total)
    matrix = scipy.sparse.linalg.LinearOperator(
        (width, width), matvec=lambda y: summing @ (size * (summing.T @ y)) + variance * y, dtype=np.float64
    )
    scale = scipy.sparse.diags_array(1.0 / diagonal)
    solved, _ = scipy.sparse.linalg.cg(matrix, gap, rtol=_TOLERANCE, maxiter=_MOST_STEPS, M=scale)
    return np.asarray(solved, np.float64)


def _stacked(parts: int, targets: Sequence[Target]) -> tuple[scipy.sparse.csr_array, Values, Values]:
    """Return summing matrix, totals and variances of all targets one below the other; unknown totals are left out."""
    rows, columns, totals, variances = [], [], [], []
    start = 0
    for target in targets:
        kept = np.isfinite(target.total) & np.isfinite(target.variance)
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        own = np.where(target.group >= 0, number[target.group], -1)
        inside = np.flatnonzero(own >= 0)
        rows.append(own[inside] + start)
        columns.append(inside)
        totals.append(target.total[kept])
        variances.append(target.variance[kept])
        start += int(kept.sum())
    row, column = np.concatenate(rows), np.concatenate(columns)
    matrix = scipy.sparse.csr_array((np.ones(len(row)), (row, column)), shape=(start, parts))
    return matrix, np.concatenate(totals), np.concatenate(variances)
