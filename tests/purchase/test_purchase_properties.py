"""What must hold for every plan: order of rows, cheaper offers, more room, the same answer twice."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.settings import PurchaseSettings
from contracts.solve import SolveLimits, SolveStatus
from optimize.purchase import PurchaseData, allocate, check
from optimize.purchase.demand import Demand

EXACT = SolveLimits(seconds=60.0, gap=0.0)


def shop(new_market: Callable[..., Any], seed: int, *, skus: int = 3, suppliers: int = 3) -> Any:
    """Return a market with rebates, packs, minimum cases and uncertain demand."""
    rng = np.random.default_rng(seed)
    market = new_market()
    for s in range(suppliers):
        market.supplier(f"S{s}", freight=0.1, order_cost_yuan=float(rng.integers(5, 60)))
        fair = 40.0 * skus
        for spot, rate in ((0.6, 0.03), (1.2, 0.07)):
            market.rebates.append({"supplier_id": f"S{s}", "from_yuan": round(fair * spot, 0), "rebate_rate": rate})
    for k in range(skus):
        price = float(rng.uniform(2, 9))
        market.sku(f"K{k}", penalty=round(price, 2), salvage=round(price * 0.2, 2))
        low = float(rng.integers(0, 20))
        market.demand(f"K{k}", low, low + float(rng.integers(5, 30)))
        for s in range(suppliers):
            asked = round(price * float(rng.uniform(0.9, 1.1)), 2)
            pack = int(rng.integers(1, 9))
            market.offer(
                f"S{s}", f"K{k}", asked, case_units=pack, min_cases=int(rng.integers(0, 3)), max_cases=40 // pack
            )
    return market


@settings(deadline=None, max_examples=2)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_changes_nothing(new_market: Callable[..., Any], seed: int) -> None:
    """Every table shuffled: the same lines, the same cost."""
    market = shop(new_market, seed)
    first = allocate(market.data(), limits=EXACT)
    rng = np.random.default_rng(seed)
    for name in ("skus", "suppliers", "offers", "book", "rebates", "lanes"):
        rows = getattr(market, name)
        setattr(market, name, [rows[i] for i in rng.permutation(len(rows))])
    second = allocate(market.data(), limits=EXACT)
    pd.testing.assert_frame_equal(first.lines, second.lines)
    pd.testing.assert_frame_equal(first.coverage, second.coverage)
    assert first.costs == second.costs


@settings(deadline=None, max_examples=2)
@given(seed=st.integers(0, 10**6), share=st.floats(0.5, 0.99))
def test_a_cheaper_or_extra_offer_never_costs_more(new_market: Callable[..., Any], seed: int, share: float) -> None:
    """Proved plans: a lower price, or one more supplier, is never worse."""
    market = shop(new_market, seed)
    cost = allocate(market.data(), limits=EXACT).costs["total"]
    cheaper = copy.deepcopy(market)
    offer = cheaper.offers[seed % len(cheaper.offers)]
    offer["unit_price_yuan"] = max(round(offer["unit_price_yuan"] * share, 2), 0.01)
    assert allocate(cheaper.data(), limits=EXACT).costs["total"] <= cost + 0.02
    richer = copy.deepcopy(market)
    richer.supplier("S9", order_cost_yuan=5.0)
    for k in range(3):
        richer.offer("S9", f"K{k}", 5.0, case_units=3)
    assert allocate(richer.data(), limits=EXACT).costs["total"] <= cost + 0.02


@pytest.mark.parametrize("seed", range(2))
def test_the_structured_search_is_close_to_the_proven_optimum(new_market: Callable[..., Any], seed: int) -> None:
    """On problems both paths solve, the structured plan is within 1 % and its bound below the proven cost."""
    market = shop(new_market, seed, skus=8, suppliers=3)
    proven = allocate(market.data(), limits=SolveLimits(seconds=60.0, gap=1e-4))
    market.settings = PurchaseSettings(whole_model_offers=0, ascent_steps=300)
    found = allocate(market.data(), limits=SolveLimits(seconds=60.0, gap=1e-4))
    assert found.report.bound_yuan is not None
    assert found.report.bound_yuan <= proven.costs["total"] + 1e-6
    assert found.costs["total"] <= proven.costs["total"] * 1.01
    assert found.costs["total"] >= (proven.report.bound_yuan or 0.0) - 1e-6


def test_the_same_work_gives_the_same_plan(new_market: Callable[..., Any]) -> None:
    """Two runs with the same seed and work limit agree line by line, with one worker or two."""
    market = shop(new_market, 5, skus=25, suppliers=5)
    market.settings = PurchaseSettings(whole_model_offers=0, neighbourhoods=2)
    limits = SolveLimits(seconds=600.0, work=100, seed=3, gap=0.0)
    first = allocate(market.data(), limits=limits)
    second = allocate(market.data(), limits=limits.model_copy(update={"workers": 2}))
    pd.testing.assert_frame_equal(first.lines, second.lines)
    assert first.report.bound_yuan == second.report.bound_yuan


def test_a_tiny_time_limit_gives_a_checked_plan_or_says_so(new_market: Callable[..., Any]) -> None:
    """In a hundredth of a second there is at least the plan of the cheapest offers, and it keeps all limits."""
    for whole in (0, 10_000):
        market = shop(new_market, 1, skus=30, suppliers=4)
        market.settings = PurchaseSettings(whole_model_offers=whole)
        data = market.data()
        plan = allocate(data, limits=SolveLimits(seconds=0.01))
        assert plan.report.status in (SolveStatus.FEASIBLE, SolveStatus.NO_ANSWER)
        assert check(data, plan) == []


def test_check_finds_what_is_wrong(new_market: Callable[..., Any]) -> None:
    """A changed amount, a case too many and a wrong total are each found."""
    data: PurchaseData = shop(new_market, 2).data()
    plan = allocate(data, limits=EXACT)
    dearer = plan.lines.assign(amount_yuan=plan.lines["amount_yuan"] + 1.0)
    more = plan.lines.assign(cases=plan.lines["cases"] + 500)
    for broken, word in (
        (dearer, "its terms give"),
        (more, "allowed"),
    ):
        object.__setattr__(plan, "lines", broken)
        assert any(word in finding for finding in check(data, plan))
    object.__setattr__(plan, "lines", dearer.assign(amount_yuan=dearer["amount_yuan"] - 1.0))
    object.__setattr__(plan, "costs", {**plan.costs, "total": 1.0})
    assert any("'total'" in finding for finding in check(data, plan))


@settings(deadline=None, max_examples=30)
@given(
    steps=st.lists(st.floats(0.0, 50.0), min_size=9, max_size=9),
    units=st.floats(0.0, 400.0),
)
def test_expected_shortage_equals_numerical_integration(steps: list[float], units: float) -> None:
    """The exact formula agrees with a fine sum over the quantile function, and its slope with P(D > x)."""
    knots = np.concatenate([[1.0], 1.0 + np.cumsum(steps)])[None, :]
    demand = Demand.at_levels(knots)
    levels = (np.arange(200_000) + 0.5) / 200_000
    sample = np.interp(levels, [0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0], knots[0])
    point = np.array([units])
    assert demand.expected_short(point)[0] == pytest.approx(np.maximum(sample - units, 0).mean(), abs=0.01)
    assert demand.chance_short(point)[0] == pytest.approx((sample > units).mean(), abs=0.01)
    assert demand.mean[0] == pytest.approx(sample.mean(), abs=0.01)
