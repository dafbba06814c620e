"""Expected shortage by adding up chances from the order book's rows, for the check: no shared code with the search.

The search integrates the quantile function; here the chance that demand exceeds t is integrated over t.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

Outcomes = list[tuple[float, float]]
"""Points (units, chance that demand is at most that), joined by straight lines; two chances at one point are a jump."""
_NAMED = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)


def outcomes_of(row: Any, *, nothing_below: float = 0.0) -> Outcomes:
    """Return the demand of a book row; zero with the chance `nothing_below`, its lowest outcomes."""
    units = [row.confirmed, row.q05, row.q10, row.q25, row.q50, row.q75, row.q90, row.q95, row.q99]
    units.append(row.q99 + (row.q99 - row.q95) / 4.0)
    points: Outcomes = []
    for point in zip(map(float, units), (0.0, *_NAMED, 1.0), strict=True):
        points.append((max(point[0], points[-1][0] if points else 0.0), point[1]))
    if nothing_below <= 0.0:
        return points
    if nothing_below >= 1.0:
        return [(0.0, 0.0), (0.0, 1.0)]
    above = next(i for i, (_, chance) in enumerate(points) if chance >= nothing_below)
    (left, p), (right, q) = points[above - 1], points[above]
    cut = left + (right - left) * (nothing_below - p) / (q - p)
    return [(0.0, 0.0), (0.0, nothing_below), (cut, nothing_below), *points[above:]]


def expected_short(demand: Outcomes, units: float) -> float:
    """Return E[(D - units)+], the area between one and the chance curve to the right of `units`."""
    total = max(demand[0][0] - units, 0.0)
    for (a, p), (b, q) in pairwise(demand):
        start = max(a, units)
        if b > start:
            at_start = p + (q - p) * (start - a) / (b - a)
            total += (b - start) * (1.0 - (at_start + q) / 2.0)
    return total


def mean_units(demand: Outcomes) -> float:
    """Return E[D]."""
    return expected_short(demand, 0.0)


def short_after_sources(
    demand: Outcomes, units: float, sources: Sequence[tuple[float, float]], penalty: float
) -> float:
    """Return the expected yuan of missing units: sources (yuan, units) cheapest first, then the penalty."""
    yuan, covered = 0.0, units
    for price, most in sorted(sources):
        if price < penalty and most > 0:
            yuan += price * (expected_short(demand, covered) - expected_short(demand, covered + most))
            covered += most
    return yuan + penalty * expected_short(demand, covered)
