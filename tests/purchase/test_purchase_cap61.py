"""A capacitated facility location problem with a published optimum, written as a night of purchases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.settings import PurchaseSettings
from contracts.solve import SolveLimits, SolveStatus
from optimize.purchase import allocate, check

OPTIMUM = 932_615.750
CAPACITY = 15_000.0
OPENING = 7_500.0
FREE_SITE = 10
CHEAPER_THAN_NOTHING = 1.0
"""Yuan added to every price, because one customer is served for nothing from the free site and prices are positive."""


@pytest.mark.parametrize("whole", [1_000, 0])
def test_cap61_has_its_published_optimum(market: Any, whole: int) -> None:
    """Sites are suppliers with an order cost, customers SKUs of one certain unit that weighs their demand.

    A supplier has no capacity over all SKUs in our data, so the relaxed problem is solved; its answer keeps every
    site's capacity, which proves it optimal for the capacitated problem too. Both ways to search find and prove it.
    """
    table = np.loadtxt(Path(__file__).parent / "cap61.txt")
    demand, costs = table[:, 0], table[:, 1:]
    for site in range(costs.shape[1]):
        market.supplier(f"S{site:02d}", order_cost_yuan=0.0 if site == FREE_SITE else OPENING)
    for customer, prices in enumerate(costs):
        name = f"K{customer:02d}"
        market.sku(name, penalty=1e6, salvage=0.0, weight_kg=demand[customer])
        market.demand(name, 1.0, 1.0)
        for site, price in enumerate(prices):
            market.offer(f"S{site:02d}", name, price + CHEAPER_THAN_NOTHING, max_cases=1)
    market.settings = PurchaseSettings(whole_model_offers=whole)
    data = market.data()
    plan = allocate(data, limits=SolveLimits(seconds=120.0, gap=1e-5))
    assert check(data, plan) == []
    assert plan.report.status is SolveStatus.PROVED
    rounding = 0.005 * len(costs)
    assert plan.costs["total"] == pytest.approx(OPTIMUM + CHEAPER_THAN_NOTHING * len(costs), abs=rounding)
    load = plan.lines["sku_id"].str[1:].astype(int).map(lambda k: demand[k]).groupby(plan.lines["supplier_id"]).sum()
    assert load.max() <= CAPACITY
