"""What every search hands back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints


@dataclass(frozen=True)
class Found:
    """What a search hands back: additional cases per offer (None: no answer), and a proven bound on the cost."""

    cases: Ints | None
    bound: float | None
    stopped_by: str
    solver: str


def lowered(data: PurchaseData, bound: float) -> float | None:
    """Return a bound on rounded costs: a line amount may be rounded half a cent below what a search counts."""
    if not np.isfinite(bound):
        return None
    cents = np.concatenate([data.column("bands", "yuan_per_case"), data.column("bands", "fixed_yuan")]) * 100.0
    odd = np.abs(cents - np.rint(cents)) > 1e-6
    return float(bound - 0.005 * len(data.offers)) if odd.any() else float(bound)
