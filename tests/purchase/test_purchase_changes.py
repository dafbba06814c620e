"""Replanning with few changes, service levels, carried goods, two sources."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
import pytest

from contracts.settings import PurchaseSettings
from contracts.solve import SolveLimits
from optimize.purchase import PurchasePlan, allocate, change_sheet, check

EXACT = SolveLimits(seconds=60.0, gap=0.0)


def plan_of(market: Any, previous: pd.DataFrame | None = None) -> PurchasePlan:
    """Return the checked plan of a market, as a change of a plan before if given."""
    data = market.data(previous=previous)
    plan = allocate(data, limits=EXACT)
    assert check(data, plan) == []
    return plan


def two_sellers(market: Any, *, price: float = 5.0) -> Any:
    """Add two SKUs that two suppliers sell, S1 cheaper."""
    for k in range(2):
        market.sku(f"K{k}", penalty=30.0)
        market.demand(f"K{k}", 50.0, 50.0)
    market.supplier("S1")
    market.supplier("S2")
    for k in range(2):
        market.offer("S1", f"K{k}", 4.0)
        market.offer("S2", f"K{k}", price)
    return market


@pytest.mark.parametrize("whole", [1000, 0])
def test_a_line_changes_only_if_it_saves_more_than_its_price(market: Any, whole: int) -> None:
    """S2 drops its price: moving 50 units of K0 saves 50 yuan, worth two changes at 20 yuan and not at 30."""
    two_sellers(market)
    before = plan_of(market).lines
    for change_yuan, moved in ((20.0, True), (30.0, False)):
        cheaper = copy.deepcopy(market)
        cheaper.offers[1]["unit_price_yuan"] = 3.0
        cheaper.settings = PurchaseSettings(change_yuan=change_yuan, whole_model_offers=whole)
        after = plan_of(cheaper, before)
        sheet = change_sheet(before, after.lines)
        assert (len(sheet) == 2) is moved
        assert after.costs["changed_lines"] == (2 * change_yuan if moved else 0.0)
        if moved:
            assert dict(zip(sheet["supplier_id"], sheet["change"], strict=True)) == {"S1": "dropped", "S2": "new"}
            assert sheet["extra_yuan"].sum() == pytest.approx(-50.0)


def test_without_news_a_replan_changes_nothing(market: Any) -> None:
    """The same input and the plan before give the plan before, at no price of change."""
    two_sellers(market)
    first = plan_of(market)
    again = plan_of(market, first.lines)
    assert len(change_sheet(first.lines, again.lines)) == 0
    assert again.costs["changed_lines"] == 0.0
    assert again.costs["total"] == pytest.approx(first.costs["total"])


def test_a_service_level_raises_the_quantity_of_its_category(market: Any) -> None:
    """At 95 % the plan buys the 95 % quantile of a SKU whose cost alone would ask for less."""
    market.sku("A", penalty=3.0, salvage=1.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 0.0, 1000.0)
    assert plan_of(market).lines["units"].iloc[0] == pytest.approx(500.0, abs=1.0)
    market.settings = PurchaseSettings(service_levels={"K": 0.95})
    assert plan_of(market).lines["units"].iloc[0] == pytest.approx(950.0, abs=1.0)


def test_goods_that_keep_are_carried_and_perishables_written_down(market: Any) -> None:
    """With a shelf life above the limit a left-over unit saves 80 % of its cost less holding, so more is bought."""
    market.supplier("S1")
    for name, days in (("A", 3.0), ("B", 90.0)):
        market.sku(name, penalty=4.0, salvage=0.0, shelf_life_days=days)
        market.offer("S1", name, 4.0)
        market.demand(name, 0.0, 100.0)
    market.settings = PurchaseSettings(carry_shelf_days=30.0)
    bought = plan_of(market).lines.set_index("sku_id")["units"]
    assert bought["A"] == pytest.approx(50.0, abs=1.0)
    assert bought["B"] == pytest.approx(100.0 * 4.0 / (4.0 + 4.0 * (1.0 - 0.78)), abs=1.0)


def test_big_skus_are_bought_from_two_suppliers_when_asked(market: Any) -> None:
    """From 40 expected units on nobody brings more than 80 %; the check sees to it as well."""
    two_sellers(market)
    market.settings = PurchaseSettings(dual_source_units=40.0)
    plan = plan_of(market)
    assert plan.lines.groupby("sku_id")["supplier_id"].nunique().tolist() == [2, 2]
    assert plan.lines.groupby("supplier_id")["units"].sum().to_dict() == {"S1": 80.0, "S2": 20.0}


def test_a_locked_line_is_no_change(market: Any) -> None:
    """Lines of the plan before that were sent stay, and are not counted as changed."""
    two_sellers(market)
    before = plan_of(market).lines
    market.locked = [row._asdict() for row in before.itertuples(index=False)]
    after = plan_of(market, before)
    assert after.costs["changed_lines"] == 0.0
    assert after.lines["locked"].all()
