"""What can be ordered when, what is locked, what limits do, and what bad input is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from contracts.errors import ContractError, EmptyInputError, UnknownReferenceError
from contracts.settings import CitySettings
from contracts.solve import SolveLimits, SolveStatus
from optimize.purchase import PurchasePlan, allocate, check, purchase_data

EXACT = SolveLimits(seconds=60.0, gap=0.0)
LATE = pd.Timestamp("2026-03-09 14:30", tz="UTC")  # 22:30 in the city: after the 20:00 deadline, before the cutoff
CUTOFF = pd.Timestamp("2026-03-09 15:00", tz="UTC")


def plan_of(market: Any) -> PurchasePlan:
    """Return the checked plan of a market."""
    data = market.data()
    plan = allocate(data, limits=EXACT)
    if plan.report.status.has_plan:
        assert check(data, plan) == []
        assert sum(v for k, v in plan.costs.items() if k != "total") == pytest.approx(plan.costs["total"])
    return plan


def test_after_the_deadline_an_offer_costs_its_late_price_up_to_its_late_limit(market: Any) -> None:
    """The normal price is gone, the minimum is not asked any more, and at most three late cases come."""
    market.as_of = LATE
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0, case_units=10, min_cases=5, late_price_yuan=6.0, late_max_cases=3.0)
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert plan.lines[["cases", "unit_price_yuan", "amount_yuan"]].to_numpy().tolist() == [[3, 6.0, 180.0]]
    assert plan.coverage["expected_short"].tolist() == [pytest.approx(30.0)]


def test_without_a_late_price_an_offer_is_closed_after_the_deadline(market: Any) -> None:
    """Nothing is bought, the shortage is counted, and the planner is told why."""
    market.as_of = LATE
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert len(plan.lines) == 0
    assert plan.costs["expected_shortage"] == pytest.approx(60.0 * 24.0)
    assert any("past their supplier's deadline" in told for told in plan.warnings)
    assert any("no supplier can deliver" in told and "'A at W1'" in told for told in plan.warnings)


def test_goods_that_cannot_arrive_in_time_are_no_option(market: Any) -> None:
    """A lead time longer than the hours to the lane's arrival closes the offer."""
    market.sku("A")
    market.supplier("S1", lead_time_hours=9.0)
    market.offer("S1", "A", 4.0)
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert len(plan.lines) == 0
    assert any("no longer arrive in time" in told for told in plan.warnings)


def test_an_offer_without_a_lane_is_left_out_and_told(market: Any) -> None:
    """A missing lane removes the option; it is not free freight."""
    market.sku("A")
    market.supplier("S1", lane=False)
    market.supplier("S2", freight=1.0)
    market.offer("S1", "A", 1.0)
    market.offer("S2", "A", 4.0)
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert plan.lines["supplier_id"].tolist() == ["S2"]
    assert any("no lane" in told and "S1 / A / W1" in told for told in plan.warnings)


def test_a_late_window_that_remains_caps_the_cost_of_a_missing_unit(market: Any) -> None:
    """Missing units are bought late first, then cost the penalty: 5 at 6 yuan, the rest at penalty and unit cost."""
    market.sku("A", penalty=20.0)
    market.supplier("S1", order_deadline="19:00-1")
    market.offer("S1", "A", 4.0, late_price_yuan=6.0, late_max_cases=5.0, max_cases=0)
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert plan.coverage["short_yuan"].iloc[0] == pytest.approx(5 * 6.0 + 55 * 24.0)
    assert plan.coverage["late_slot"].iloc[0] == pd.Timestamp("2026-03-09 16:00", tz="UTC")


def test_stock_counts_until_it_expires(market: Any) -> None:
    """A lot that expires on the delivery date is usable, one that expires before is told and left out."""
    market.sku("A")
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 60.0, 60.0)
    for on_hand, day in ((10.0, "2026-03-10"), (20.0, "2026-03-09"), (5.0, None)):
        lot = {"warehouse_id": "W1", "sku_id": "A", "on_hand": on_hand, "due_in": 1.0}
        market.stock.append({**lot, "expires_on": pd.Timestamp(day) if day else None})
    plan = plan_of(market)
    assert plan.coverage["available"].tolist() == [17.0]
    assert plan.lines["units"].tolist() == [43.0]
    assert any("21 units in stock expire" in told for told in plan.warnings)


def locked(cases: int, amount: float, *, supplier: str = "S1", units: float | None = None) -> dict[str, Any]:
    """Return a line already sent for SKU A."""
    line = {"supplier_id": supplier, "sku_id": "A", "warehouse_id": "W1", "cases": cases, "units": units or cases}
    return {**line, "unit_price_yuan": amount / (units or cases), "amount_yuan": amount}


def test_locked_lines_stay_and_are_topped_up_at_the_level_of_the_total(market: Any) -> None:
    """20 sent cases keep their amount; 40 more get the price of 60, as one line that says what was sent."""
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.breaks.append(
        {"supplier_id": "S1", "sku_id": "A", "warehouse_id": "W1", "from_cases": 50, "unit_price_yuan": 3.0}
    )
    market.demand("A", 60.0, 60.0)
    market.locked.append(locked(20, 77.0))
    plan = plan_of(market)
    line = plan.lines.iloc[0]
    assert (line["cases"], line["amount_yuan"], line["locked"]) == (60, 77.0 + 40 * 3.0, False)
    assert line["reason"].startswith("20 cases were sent before.")


def test_locked_lines_are_never_undone(market: Any) -> None:
    """Too much was sent: the line stays whole and locked, nothing is added."""
    market.sku("A")
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 10.0, 10.0)
    market.locked.append(locked(20, 80.0))
    plan = plan_of(market)
    assert plan.lines[["cases", "amount_yuan", "locked"]].to_numpy().tolist() == [[20, 80.0, True]]
    assert plan.costs["goods"] == 80.0


def test_locked_lines_beyond_a_zone_are_infeasible_in_business_words(market: Any) -> None:
    """The explanation names zone, warehouse and how many units to unlock."""
    market.capacity = 15.0
    market.sku("A")
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 30.0, 30.0)
    market.locked.append(locked(20, 80.0))
    plan = plan_of(market)
    assert plan.report.status is SolveStatus.INFEASIBLE
    assert "ambient zone of 'W1'" in plan.report.explanation[0]
    assert "unlock 5 units" in plan.report.explanation[0]


def test_a_minimum_order_that_locked_lines_can_never_reach_is_infeasible(market: Any) -> None:
    """The supplier, what is locked and what its offers can add are named."""
    market.sku("A")
    market.supplier("S1", min_order_yuan=500.0)
    market.offer("S1", "A", 4.0, max_cases=30)
    market.demand("A", 30.0, 30.0)
    market.locked.append(locked(20, 80.0))
    plan = plan_of(market)
    assert plan.report.status is SolveStatus.INFEASIBLE
    assert "'S1' asks for 500.00 yuan, 80.00 are locked" in plan.report.explanation[0]


def test_capacity_below_confirmed_orders_is_a_warning_with_the_units(market: Any) -> None:
    """The plan buys what fits and says how many ordered units will be missing."""
    market.capacity = 40.0
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert plan.lines["units"].tolist() == [40.0]
    assert any("'W1' can receive 40 units" in t and "at least 20 units" in t for t in plan.warnings)


def test_fill_rate_buys_more_and_coverage_says_what_is_expected(market: Any) -> None:
    """At 80 % fill, 75 units are bought to have 60."""
    market.sku("A", penalty=20.0)
    market.supplier("S1", fill_rate=0.8)
    market.offer("S1", "A", 4.0)
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert plan.lines["units"].tolist() == [75.0]
    assert plan.coverage["expected_short"].iloc[0] == pytest.approx(0.0)


def test_a_largest_share_splits_a_sku(market: Any) -> None:
    """No supplier may bring more than 60 % of a SKU, so the dearer one brings the rest."""
    market.sku("A", penalty=30.0)
    market.supplier("S1", max_share=0.6)
    market.supplier("S2", max_share=0.6)
    market.offer("S1", "A", 4.0)
    market.offer("S2", "A", 5.0)
    market.demand("A", 100.0, 100.0)
    plan = plan_of(market)
    assert plan.lines.set_index("supplier_id")["units"].to_dict() == {"S1": 60.0, "S2": 40.0}


def test_the_reason_names_the_next_best_supplier_and_its_extra_cost(market: Any) -> None:
    """Moving ten units to S2 would cost 10 yuan of goods more."""
    market.sku("A", penalty=30.0)
    market.supplier("S1")
    market.supplier("S2")
    market.offer("S1", "A", 4.0)
    market.offer("S2", "A", 5.0)
    market.demand("A", 10.0, 10.0)
    assert plan_of(market).lines["reason"].tolist() == ["Next best is 'S2': 10.00 yuan more for the whole plan."]


def test_an_empty_day_raises(market: Any) -> None:
    """No warehouse row for the delivery date: nothing to buy for, said so."""
    market.sku("A")
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 10.0, 10.0)
    book = pd.DataFrame(market.book)
    with pytest.raises(EmptyInputError, match="no warehouse row for 2026-04-01"):
        purchase_data(
            market.reference(), book, delivery_date=pd.Timestamp("2026-04-01"), as_of=LATE, city=CitySettings()
        )


def test_an_unknown_sku_raises_with_its_name(market: Any) -> None:
    """A book row for a SKU nobody knows is not dropped."""
    market.sku("A")
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("B", 10.0, 10.0)
    with pytest.raises(UnknownReferenceError, match="'B'"):
        market.data()


@pytest.mark.parametrize(
    "broken", [{"price": 0.0}, {"price": -1.0}, {"case_units": 0}, {"min_cases": 5, "max_cases": 2}]
)
def test_broken_offers_are_refused_by_their_contract(new_market: Callable[..., Any], broken: dict[str, Any]) -> None:
    """A price of zero, a negative price, a case of nothing, a minimum above the maximum."""
    market = new_market()
    market.sku("A")
    market.supplier("S1")
    market.offer("S1", "A", broken.pop("price", 4.0), **broken)
    with pytest.raises(ContractError, match="Offers"):
        market.reference()


def test_breaks_out_of_order_are_sorted_and_rising_ones_told(market: Any) -> None:
    """Rows in any order mean the same; a price that rises with quantity is taken as given and mentioned."""
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0, discount_kind="incremental")
    for start, price in ((40, 5.0), (20, 3.0)):
        key = {"supplier_id": "S1", "sku_id": "A", "warehouse_id": "W1"}
        market.breaks.append({**key, "from_cases": start, "unit_price_yuan": price})
    market.demand("A", 60.0, 60.0)
    plan = plan_of(market)
    assert plan.costs["goods"] == pytest.approx(19 * 4.0 + 20 * 3.0 + 21 * 5.0)
    assert any("dearer with quantity" in told for told in plan.warnings)


def test_absurd_quantities_do_not_break_the_plan(market: Any) -> None:
    """A million units of demand against an offer of ten cases: bought in full, the rest counted as shortage."""
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0, max_cases=10, case_units=24)
    market.demand("A", 1e6, 2e6)
    plan = plan_of(market)
    assert plan.lines["units"].tolist() == [240.0]
    assert plan.coverage["expected_short"].iloc[0] == pytest.approx(1.5e6 - 240.0)
