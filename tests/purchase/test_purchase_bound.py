"""The bound of large problems: valid at any prices, and each SKU solved exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from contracts.settings import PurchaseSettings
from contracts.solve import SolveLimits
from optimize.purchase import allocate
from optimize.purchase.insight import decided_cases
from optimize.purchase.relaxation import Multipliers, Relaxation


def stalls(new_market: Callable[..., Any], seed: int) -> Any:
    """Return a market whose offers sell many small cases, at three rebate levels, within a zone and a budget."""
    rng = np.random.default_rng(seed)
    market = new_market(capacity=260.0)
    market.settings = PurchaseSettings(budget_yuan=900.0, fill_spread=0.4)
    for s in range(3):
        market.supplier(f"S{s}", freight=0.1, order_cost_yuan=float(rng.integers(5, 60)), fill_rate=0.95)
        for floor, rate in ((150.0, 0.03), (400.0, 0.08)):
            market.rebates.append({"supplier_id": f"S{s}", "from_yuan": floor, "rebate_rate": rate})
    for k in range(6):
        price = float(rng.uniform(2, 9))
        market.sku(f"K{k}", penalty=round(1.5 * price, 2), salvage=round(price * 0.2, 2))
        market.demand(f"K{k}", 5.0, 5.0 + float(rng.integers(30, 60)))
        for s in range(3):
            asked = round(price * float(rng.uniform(0.9, 1.1)), 2)
            market.offer(f"S{s}", f"K{k}", asked, case_units=int(rng.integers(1, 4)), max_cases=50)
    return market


@pytest.mark.parametrize("seed", range(2))
def test_no_prices_lift_the_bound_above_a_plan(new_market: Callable[..., Any], seed: int) -> None:
    """At 30 random prices of every limit the relaxation stays below the cost of a plan that keeps all limits."""
    data = stalls(new_market, seed).data()
    plan = allocate(data, limits=SolveLimits(seconds=60.0, gap=1e-3))
    relaxation = Relaxation(data)
    grid = relaxation.grid(most_steps=8192, upward=True)
    rng = np.random.default_rng(seed)
    start = relaxation.start()
    for _ in range(30):
        prices = Multipliers(
            wait=start.wait * rng.uniform(0, 3, len(start.wait)),
            reward=np.minimum(rng.uniform(0, 0.2, len(start.reward)), relaxation.most_reward),
            crowd=rng.uniform(0, 2, len(start.crowd)),
            share=rng.uniform(0, 1, len(start.share)),
            purse=rng.uniform(0, 0.3, len(start.purse)),
        )
        assert relaxation.evaluate(prices, grid).bound <= plan.costs["total"] + 1e-6


@pytest.mark.parametrize("seed", range(2))
def test_each_sku_is_solved_exactly(new_market: Callable[..., Any], seed: int) -> None:
    """Alone, a SKU's least cost at given prices is that of the best of all its cases and rebate levels."""
    market = stalls(new_market, seed)
    market.settings = PurchaseSettings()
    market.suppliers = [{**row, "fill_rate": 1.0} for row in market.suppliers]
    data = market.data()
    relaxation = Relaxation(data)
    rng = np.random.default_rng(seed)
    wait = rng.uniform(0, 30, len(relaxation.slot_offer))
    pay = 1.0 - relaxation.rate - rng.uniform(0, 0.1, len(relaxation.rate))
    value, _, _ = relaxation._cells(relaxation.grid(most_steps=8192, upward=True), wait, pay, relaxation.extra)
    tiers = len(relaxation.rate) // relaxation.suppliers
    for cell in range(len(data.cells)):
        grids = []
        for o in np.flatnonzero(relaxation.offer_cell == cell).tolist():
            slots = relaxation.offer_slots[o] + np.arange(tiers)
            n = np.arange(1, 51)
            goods = n * float(data.bands["yuan_per_case"].iloc[o])
            paid = wait[slots][:, None] + pay[relaxation.slot_tier[slots]][:, None] * goods + relaxation.extra[o] * n
            grids.append((np.append(0.0, paid.min(axis=0)), np.append(0, n) * relaxation.units[o]))
        yuan = grids[0][0][:, None, None] + grids[1][0][None, :, None] + grids[2][0][None, None, :]
        units = grids[0][1][:, None, None] + grids[1][1][None, :, None] + grids[2][1][None, None, :]
        rows = np.full(units.size, cell)
        best = (yuan.ravel() + data.recourse.regret_yuan(data.base_units[cell] + units.ravel(), rows)).min()
        assert value[cell] == pytest.approx(best, abs=1e-6)


def test_the_structured_search_keeps_a_budget_and_a_zone(new_market: Callable[..., Any]) -> None:
    """Large problems and small ones find plans within the same limits, and the bound lies below both."""
    market = stalls(new_market, 4)
    whole = allocate(market.data(), limits=SolveLimits(seconds=60.0, gap=1e-3))
    market.settings = market.settings.model_copy(update={"whole_model_offers": 0, "ascent_steps": 300})
    data = market.data()
    found = allocate(data, limits=SolveLimits(seconds=60.0, gap=1e-3))
    assert decided_cases(data, found).sum() > 0
    assert found.lines["amount_yuan"].sum() <= 900.0
    assert (found.report.bound_yuan or 0.0) <= whole.costs["total"] + 1e-6
    assert found.costs["total"] <= whole.costs["total"] * 1.03
