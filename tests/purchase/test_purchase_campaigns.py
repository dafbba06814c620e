"""Campaigns with a group threshold (成团): go, no go, held, or weighed before it is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contracts.settings import PurchaseSettings
from contracts.solve import SolveLimits
from optimize.purchase import PurchaseData, PurchasePlan, allocate, check

EXACT = SolveLimits(seconds=60.0, gap=0.0)


def shop(market: Any, *, low: float, high: float, confirmed: float | None = None, deadline: str = "20:00-1") -> Any:
    """Add a campaign SKU that one supplier sells until a deadline, as of 18:00 with the cutoff at 23:00."""
    market.sku("A", penalty=20.0, salvage=1.0)
    market.supplier("S1", order_deadline=deadline)
    market.offer("S1", "A", 4.0)
    market.demand("A", low, high, confirmed=confirmed)
    return market


def planned(market: Any) -> tuple[PurchaseData, PurchasePlan]:
    """Return the problem and its checked plan."""
    data = market.data()
    plan = allocate(data, limits=EXACT)
    assert check(data, plan) == []
    assert sum(v for k, v in plan.costs.items() if k != "total") == pytest.approx(plan.costs["total"])
    return data, plan


def test_a_campaign_with_enough_orders_goes(market: Any) -> None:
    """50 ordered of 40 needed: bought as any other SKU, chance one, no refunds."""
    shop(market, low=50.0, high=50.0).campaign("A", 40.0, deadline="18:00-1")
    _, plan = planned(market)
    assert plan.lines["units"].tolist() == [50.0]
    assert plan.groups[["decision", "chance", "refund_yuan"]].to_numpy().tolist() == [["go", 1.0, 0.0]]


def test_a_campaign_that_did_not_form_is_refunded(market: Any) -> None:
    """30 ordered of 40 needed at the deadline: nothing is bought, 30 refunds cost 2 yuan each, nothing is missing."""
    shop(market, low=30.0, high=60.0).campaign("A", 40.0, deadline="18:00-1")
    _, plan = planned(market)
    assert plan.lines.empty
    assert plan.groups["decision"].tolist() == ["no_go"]
    assert plan.costs["refunds"] == pytest.approx(60.0)
    assert plan.costs["total"] == pytest.approx(60.0)
    assert plan.coverage["expected_short"].tolist() == [0.0]
    assert (
        "lacking 10 units without a buyer would cost about 30.00 yuan, which is less" in plan.groups["reason"].iloc[0]
    )


def test_an_open_campaign_is_held_while_its_supplier_can_still_be_asked(market: Any) -> None:
    """The supplier takes orders until 22:00, the campaign closes at 21:00: wait; the chance is that of the book."""
    shop(market, low=0.0, high=100.0, deadline="22:00-1").campaign("A", 30.0, deadline="21:00-1")
    _, plan = planned(market)
    assert plan.lines.empty
    group = plan.groups.iloc[0]
    assert (group["decision"], group["chance"]) == ("open", pytest.approx(0.5))  # 3 of 5 hours: 60 at most, evenly
    assert "nothing is bought until it is decided" in group["reason"]
    assert plan.costs["refunds"] == 0.0


def test_an_open_campaign_that_must_be_bought_now_weighs_both_outcomes(market: Any) -> None:
    """Evenly 0 to 100 with 50 needed at the cutoff: half the time nothing is asked, so less than without it is bought.

    Underage is 20, overage 3: the critical ratio 20/23 lies above one half, so the quantile itself is unchanged; with
    an underage of 2 the ratio is 0.4 and nothing is bought, because half the time nothing is asked.
    """
    shop(market, low=0.0, high=100.0).campaign("A", 50.0, deadline="23:00-1")
    data, plan = planned(market)
    assert plan.groups["chance"].iloc[0] == pytest.approx(0.5)
    assert plan.costs["refunds"] == pytest.approx(2.0 * 12.5)  # E[D; D < 50] = 12.5
    assert plan.lines["units"].iloc[0] == pytest.approx(100.0 * 20.0 / 23.0, abs=1.0)
    rng = np.random.default_rng(0)
    drawn = rng.uniform(0.0, 100.0, 400_000)
    drawn = np.where(drawn < 50.0, 0.0, drawn)
    assert plan.coverage["expected_short"].iloc[0] == pytest.approx(
        np.maximum(drawn - plan.lines["units"].iloc[0], 0.0).mean(), abs=0.02
    )
    market.skus[0]["shortage_penalty_yuan"] = 2.0
    _, cautious = planned(market)
    assert cautious.lines.empty
    wrong = plan.groups.assign(chance=0.9)
    assert any("chance 0.9" in finding for finding in check(data, replace(plan, groups=wrong)))


def test_warehouses_count_together(market: Any) -> None:
    """20 and 25 units ordered at two warehouses reach 40 together."""
    market.warehouses = ("W1", "W2")
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    for place, units in (("W1", 20.0), ("W2", 25.0)):
        market.offer("S1", "A", 4.0, place=place)
        market.demand("A", units, units, place=place)
    market.campaign("A", 40.0, deadline="18:00-1")
    _, plan = planned(market)
    assert plan.lines["units"].sum() == 45.0


def test_the_check_sees_a_line_of_a_campaign_that_did_not_form(market: Any) -> None:
    """Lines of the same night without the threshold are named."""
    shop(market, low=30.0, high=30.0)
    _, bought = planned(market)
    market.campaign("A", 40.0, deadline="18:00-1")
    data, plan = planned(market)
    found = check(data, replace(plan, lines=bought.lines))
    assert any("although its campaign is not formed" in finding for finding in found)


def test_a_budget_is_kept_and_a_sent_order_above_it_explained(market: Any) -> None:
    """40 units at 4 yuan against a budget of 100: 25 are bought; 120 yuan already sent contradict it."""
    shop(market, low=40.0, high=40.0)
    market.settings = PurchaseSettings(budget_yuan=100.0)
    _, plan = planned(market)
    assert plan.lines["units"].tolist() == [25.0]
    key = {"supplier_id": "S1", "sku_id": "A", "warehouse_id": "W1", "cases": 30, "units": 30.0}
    market.locked.append({**key, "unit_price_yuan": 4.0, "amount_yuan": 120.0})
    over = allocate(market.data(), limits=EXACT)
    assert "unlock lines for 20.00 yuan or raise the budget" in over.report.explanation[0]
    assert over.lines["cases"].tolist() == [30]


@pytest.mark.parametrize("spread", [0.3, 0.9])
def test_random_fill_costs_what_draws_cost(market: Any, spread: float) -> None:
    """The plan's shortage equals the mean over drawn deliveries, with the fill rate's mean and standard deviation."""
    shop(market, low=20.0, high=100.0)
    market.suppliers[0]["fill_rate"] = 0.8
    market.settings = PurchaseSettings(fill_spread=spread)
    _, plan = planned(market)
    rng = np.random.default_rng(1)
    lost = 0.2 + spread**2 * 0.8
    share = np.where(rng.random(400_000) < 0.2 / lost, 1.0 - lost, 1.0)
    assert share.mean() == pytest.approx(0.8, abs=0.002)
    assert share.std() == pytest.approx(spread * 0.4, abs=0.002)
    missing = np.maximum(rng.uniform(20.0, 100.0, 400_000) - share * plan.lines["units"].iloc[0], 0.0)
    assert plan.coverage["expected_short"].iloc[0] == pytest.approx(missing.mean(), rel=0.02, abs=0.02)


def test_asking_again_orders_less_now_and_costs_less(market: Any) -> None:
    """The supplier takes orders until 22:00, four of five hours away: most of the forecast can wait for that."""
    shop(market, low=20.0, high=100.0, deadline="22:00-1")
    data, now = planned(market)
    market.settings = PurchaseSettings(ask_again=True)
    _, later = planned(market)
    assert 20.0 <= later.lines["units"].iloc[0] < now.lines["units"].iloc[0]
    assert later.costs["total"] < now.costs["total"]
    units = data.received(np.array([int(now.lines["cases"].iloc[0])]))
    assert data.asking_again.short_yuan(units)[0] < data.recourse.short_yuan(units)[0]


@pytest.mark.parametrize("whole", [1000, 0])
def test_a_search_begins_from_an_earlier_plan(market: Any, whole: int) -> None:
    """Without time for anything else the earlier plan stands, as far as it can still be bought."""
    shop(market, low=40.0, high=40.0)
    market.supplier("S2")
    market.offer("S2", "A", 4.5)
    market.settings = PurchaseSettings(whole_model_offers=whole)
    key = {"supplier_id": "S2", "sku_id": "A", "warehouse_id": "W1", "reason": "earlier", "locked": False}
    before = pd.DataFrame([{**key, "cases": 40, "units": 40.0, "unit_price_yuan": 4.5, "amount_yuan": 180.0}])
    data = market.data()
    begun = allocate(data, limits=SolveLimits(seconds=1e-6), start=before)
    assert begun.costs["total"] <= 180.0
    market.suppliers[1]["min_order_yuan"] = 500.0
    other = market.data()
    assert check(other, allocate(other, limits=EXACT, start=before)) == []
