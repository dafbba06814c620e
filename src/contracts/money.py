"""Money: the one place where yuan are rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray


def round_yuan(amount: float) -> float:
    """Round an amount half-up to 0.01 yuan, on the decimal number a person reads.

    Floats are taken at the four decimals money carries inside the models, so 1.005 (stored as
    1.00499999999999989...) rounds to 1.01 as on paper; negative amounts round away from zero.

    Examples
    --------
    >>> round_yuan(1.005), round_yuan(2.675), round_yuan(-0.125)
    (1.01, 2.68, -0.13)
    """
    exact = Decimal(repr(round(amount, 4)))
    return float(exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def line_amounts(units: ArrayLike, unit_price_yuan: ArrayLike) -> NDArray[np.float64]:
    """Return the rounded amount of each order line, ``round_yuan(units * price)``; totals are sums of these.

    Parameters
    ----------
    units, unit_price_yuan : array_like, shape (n,)
        Units bought and yuan per unit.

    Examples
    --------
    >>> [float(amount) for amount in line_amounts([3, 10], [0.335, 1.25])]
    [1.01, 12.5]
    """
    pairs = zip(np.asarray(units).tolist(), np.asarray(unit_price_yuan).tolist(), strict=True)
    exact = (Decimal(repr(u)) * Decimal(repr(round(p, 4))) for u, p in pairs)
    return np.array([float(a.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)) for a in exact], dtype=np.float64)
