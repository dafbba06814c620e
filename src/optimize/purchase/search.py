"""Which search answers a purchase problem."""

from __future__ import annotations

import time

import pandas as pd

from contracts.solve import SolveLimits, relative_gap
from optimize.purchase.costs import price_out
from optimize.purchase.data import PurchaseData
from optimize.purchase.feasible import broken_yuan
from optimize.purchase.found import Found
from optimize.purchase.start import cheapest_offer_plan, earlier_plan
from optimize.purchase.structured import Structured
from optimize.purchase.whole import solve_whole


def search(data: PurchaseData, limits: SolveLimits, *, begin: pd.DataFrame | None = None) -> Found:
    """Return the best plan found within the limits.

    Small problems are solved whole, to proof; where that does not succeed in half the time, and for large problems,
    the structured search answers. Of two answers the cheaper plan and the higher bound are kept. Both begin from the
    cheapest offers and from the lines of an earlier plan, if given.
    """
    started = time.perf_counter()
    starts = [cheapest_offer_plan(data)]
    if begin is not None:
        starts.append(earlier_plan(data, begin))
    if len(data.offers) > data.settings.whole_model_offers:
        return Structured(data, limits, starts).run()
    whole = solve_whole(data, starts, limits.model_copy(update={"seconds": limits.seconds / 2.0}))
    if whole.stopped_by == "proof" or _gap(data, whole) <= limits.gap:
        return whole
    left = limits.seconds - (time.perf_counter() - started)
    other = Structured(data, limits.model_copy(update={"seconds": max(left, 0.1)}), starts).run()
    better = other if _cost(data, other) < _cost(data, whole) else whole
    bounds = [found.bound for found in (whole, other) if found.bound is not None]
    return Found(better.cases, max(bounds, default=None), other.stopped_by, other.solver)


def _cost(data: PurchaseData, found: Found) -> float:
    if found.cases is None:
        return float("inf")
    return price_out(data, found.cases)["total"] + broken_yuan(data, found.cases)


def _gap(data: PurchaseData, found: Found) -> float:
    gap = relative_gap(_cost(data, found), found.bound)
    return float("inf") if gap is None else gap
