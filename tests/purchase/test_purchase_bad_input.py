"""Bad input and broken plans: what cannot be met is named, what is sent stays, what was tampered with is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from contracts.solve import SolveLimits, SolveStatus
from optimize.purchase import PurchaseData, PurchasePlan, allocate, check

LIMITS = SolveLimits(seconds=20.0, gap=0.0)
PAST_DEADLINE = pd.Timestamp("2026-03-09 13:00", tz="UTC")  # 21:00 in the city; orders closed at 20:00


def _shop(new_market: Callable[..., Any], **more: Any) -> Any:
    """One SKU, one supplier at 4 yuan, ten units ordered for sure and up to 40 in all."""
    market = new_market(**more)
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 10.0, 40.0)
    return market


def _sent(cases: int, *, sku_id: str = "A", price: float = 4.0) -> dict[str, Any]:
    key = {"supplier_id": "S1", "sku_id": sku_id, "warehouse_id": "W1"}
    return {**key, "cases": cases, "units": float(cases), "unit_price_yuan": price, "amount_yuan": cases * price}


def _lot(units: float, expires_on: str | None, *, due_in: float = 0.0) -> dict[str, Any]:
    day = pd.NaT if expires_on is None else pd.Timestamp(expires_on)
    return {"warehouse_id": "W1", "sku_id": "A", "on_hand": units, "due_in": due_in, "expires_on": day}


def _named(warnings: tuple[str, ...], *words: str) -> bool:
    """Whether one sentence holds all the words."""
    return any(all(word in sentence for word in words) for sentence in warnings)


def test_a_sku_without_any_offer_stays_in_the_coverage_as_short(new_market: Callable[..., Any]) -> None:
    """Nobody sells B: a warning names it, its whole demand counts as missing, and A is bought all the same."""
    market = _shop(new_market)
    market.sku("B", penalty=7.0)
    market.demand("B", 20.0, 20.0)
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    cover = plan.coverage.set_index("sku_id")
    assert plan.report.status is SolveStatus.PROVED
    assert _named(plan.warnings, "no supplier can deliver", "B at W1", "20 units")
    assert cover.index.tolist() == ["A", "B"]
    assert plan.lines["sku_id"].tolist() == ["A"]
    assert cover.loc["B", "expected_short"] == pytest.approx(20.0)
    assert cover.loc["B", "short_yuan"] == pytest.approx(20.0 * 7.0)
    assert plan.costs["expected_shortage"] >= 140.0
    assert check(data, plan) == []


def test_a_zone_below_the_confirmed_orders_still_gets_a_plan(new_market: Callable[..., Any]) -> None:
    """The zone takes 30 of 50 confirmed units: it is filled, and a warning names warehouse, zone and 20 units."""
    market = _shop(new_market, capacity=30.0)
    market.book.clear()
    market.demand("A", 50.0, 50.0)
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert plan.report.status.has_plan
    assert check(data, plan) == []
    assert plan.lines["units"].tolist() == [30.0]
    assert plan.coverage["expected_short"].tolist() == pytest.approx([20.0])
    assert _named(plan.warnings, "ambient", "'W1'", "can receive 30 units", "need 50", "at least 20 units")


def test_locked_lines_beyond_the_zone_are_infeasible_and_kept(new_market: Callable[..., Any]) -> None:
    """25 sent units do not fit a zone of 15: INFEASIBLE, named with the 10 units too many, and the line is as sent."""
    market = _shop(new_market, capacity=15.0)
    market.locked.append(_sent(25))
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert plan.report.status is SolveStatus.INFEASIBLE
    assert _named(plan.report.explanation, "ambient", "'W1'", "25 units", "unlock 10 units")
    assert plan.lines[["cases", "units", "amount_yuan", "locked"]].to_numpy().tolist() == [[25, 25.0, 100.0, True]]


def test_locked_cases_beyond_the_most_an_offer_allows_are_kept_without_more(new_market: Callable[..., Any]) -> None:
    """12 cases were sent on an offer of at most 5: the line stays as sent, nothing is added, the plan is checked."""
    market = new_market()
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0, max_cases=5)
    market.demand("A", 30.0, 30.0)
    market.locked.append(_sent(12))
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert plan.lines[["cases", "amount_yuan", "locked"]].to_numpy().tolist() == [[12, 48.0, True]]
    assert plan.report.status.has_plan
    assert check(data, plan) == []
    assert _named(plan.warnings, "no supplier can deliver", "A at W1", "18 units")


def test_a_minimum_order_out_of_reach_leaves_the_supplier_out(new_market: Callable[..., Any]) -> None:
    """All S1 sells is worth 40 yuan and it asks for 1000: nothing is ordered from it, the dearer S2 delivers."""
    market = new_market()
    market.sku("A", penalty=20.0)
    market.supplier("S1", min_order_yuan=1000.0)
    market.supplier("S2")
    market.offer("S1", "A", 2.0, max_cases=20)
    market.offer("S2", "A", 5.0)
    market.demand("A", 15.0, 15.0)
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert plan.report.status is SolveStatus.PROVED
    assert check(data, plan) == []
    assert plan.lines[["supplier_id", "units"]].to_numpy().tolist() == [["S2", 15.0]]


def test_locked_lines_below_a_minimum_order_out_of_reach_are_infeasible(new_market: Callable[..., Any]) -> None:
    """40 yuan are sent, 1000 asked for and offers add at most 60: INFEASIBLE names supplier and all three figures."""
    market = new_market()
    market.sku("A", penalty=20.0)
    market.supplier("S1", min_order_yuan=1000.0)
    market.offer("S1", "A", 4.0, max_cases=25)
    market.demand("A", 15.0, 15.0)
    market.locked.append(_sent(10))
    plan = allocate(market.data(), limits=LIMITS)
    assert plan.report.status is SolveStatus.INFEASIBLE
    assert _named(plan.report.explanation, "'S1'", "1000.00", "40.00 are locked", "at most 60.00")
    assert plan.lines["cases"].iloc[0] >= 10


def test_an_offer_without_a_lane_is_left_out_and_named(new_market: Callable[..., Any]) -> None:
    """The cheapest supplier has no way to the warehouse: its offer is named and the dearer one is used."""
    market = _shop(new_market)
    market.supplier("S0", lane=False)
    market.offer("S0", "A", 1.0)
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert _named(plan.warnings, "no lane", "S0 / A / W1")
    assert set(plan.lines["supplier_id"]) == {"S1"}
    assert check(data, plan) == []


def test_a_late_offer_is_used_at_its_late_price_up_to_its_late_cases(new_market: Callable[..., Any]) -> None:
    """After the deadline the offer costs 6 yuan instead of 4 and sells 8 cases, whatever is needed."""
    market = new_market(as_of=PAST_DEADLINE)
    market.sku("A", penalty=20.0)
    market.supplier("S1")
    market.offer("S1", "A", 4.0, late_price_yuan=6.0, late_max_cases=8)
    market.demand("A", 30.0, 30.0)
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    line = plan.lines.iloc[0]
    assert (line["cases"], line["unit_price_yuan"], line["amount_yuan"]) == (8, 6.0, 48.0)
    assert plan.coverage["expected_short"].tolist() == pytest.approx([22.0])
    assert check(data, plan) == []


def test_a_late_offer_without_a_late_price_is_closed(new_market: Callable[..., Any]) -> None:
    """After the deadline an offer without a late price is not bought, and two sentences say so."""
    data = _shop(new_market, as_of=PAST_DEADLINE).data()
    plan = allocate(data, limits=LIMITS)
    assert plan.lines.empty
    assert check(data, plan) == []
    assert _named(plan.warnings, "past their supplier's deadline", "no late price")
    assert _named(plan.warnings, "no supplier can deliver", "A at W1")


def test_stock_that_expires_before_the_delivery_date_is_not_counted(new_market: Callable[..., Any]) -> None:
    """Of three lots the one that expires the day before is left out: 40 ordered less 5 and 3 usable are bought."""
    market = _shop(new_market)
    market.book.clear()
    market.demand("A", 40.0, 40.0)
    market.stock += [_lot(30.0, "2026-03-09", due_in=1.0), _lot(5.0, "2026-03-10"), _lot(3.0, None)]
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert plan.coverage["available"].tolist() == [8.0]
    assert plan.lines["units"].tolist() == [32.0]
    assert _named(plan.warnings, "31 units in stock expire before the delivery date")
    assert check(data, plan) == []


@pytest.fixture(scope="module")
def sound(new_market: Callable[..., Any]) -> tuple[PurchaseData, PurchasePlan]:
    """A plan of two lines that keeps everything; each test breaks a copy in one place."""
    market = _shop(new_market)
    market.sku("B", penalty=20.0)
    market.offer("S1", "B", 3.0, max_cases=50)
    market.demand("B", 20.0, 60.0)
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert len(plan.lines) == 2
    assert check(data, plan) == []
    return data, plan


def test_the_check_sees_a_changed_amount(sound: tuple[PurchaseData, PurchasePlan]) -> None:
    """One cent more on a line is named with the line, and the cost parts no longer add up."""
    data, plan = sound
    lines = plan.lines.copy()
    lines.loc[0, "amount_yuan"] += 0.01
    found = check(data, replace(plan, lines=lines))
    assert any("'S1' / 'A' / 'W1'" in f and "its terms give" in f for f in found)
    assert any("'goods'" in f for f in found)


def test_the_check_sees_a_removed_line(sound: tuple[PurchaseData, PurchasePlan]) -> None:
    """Without B's line its coverage shows units nobody delivers."""
    data, plan = sound
    found = check(data, replace(plan, lines=plan.lines[plan.lines["sku_id"] != "B"]))
    assert any("Coverage of 'B' at 'W1': bought" in f for f in found)
    assert any("Coverage of 'B' at 'W1': expected_short" in f for f in found)


def test_the_check_sees_a_removed_locked_line(new_market: Callable[..., Any]) -> None:
    """A line that was sent cannot vanish."""
    market = _shop(new_market)
    market.locked.append(_sent(3))
    data = market.data()
    plan = allocate(data, limits=LIMITS)
    assert "Locked line 'S1' / 'A' / 'W1' is missing." in check(data, replace(plan, lines=plan.lines.iloc[:0]))


def test_the_check_sees_cases_beyond_the_most(sound: tuple[PurchaseData, PurchasePlan]) -> None:
    """51 cases at the right price are still one more than the offer allows."""
    data, plan = sound
    lines = plan.lines.copy()
    lines.loc[lines["sku_id"] == "B", ["cases", "units", "amount_yuan"]] = [51, 51.0, 153.0]
    found = check(data, replace(plan, lines=lines))
    assert any("'S1' / 'B' / 'W1': 51 cases, allowed 0 to 50" in f for f in found)


def test_the_check_sees_a_removed_coverage_row(sound: tuple[PurchaseData, PurchasePlan]) -> None:
    """Demand that no coverage row shows is named."""
    data, plan = sound
    found = check(data, replace(plan, coverage=plan.coverage[plan.coverage["sku_id"] != "A"]))
    assert "Coverage lacks 'A' at 'W1'." in found


def test_the_check_sees_rows_that_occur_twice(sound: tuple[PurchaseData, PurchasePlan]) -> None:
    """A doubled line would be ordered twice; it and a doubled coverage row are named."""
    data, plan = sound
    twice = replace(plan, lines=pd.concat([plan.lines, plan.lines[:1]]), coverage=pd.concat([plan.coverage] * 2))
    found = check(data, twice)
    assert "Line 'S1' / 'A' / 'W1' occurs 2 times." in found
    assert "Coverage of 'B' at 'W1' occurs 2 times." in found


@pytest.mark.parametrize("scaled", ["confirmed", "final_mean", "q50", "q99"])
def test_the_check_sees_scaled_demand(sound: tuple[PurchaseData, PurchasePlan], scaled: str) -> None:
    """A demand figure that is 1.5 times the order book's is named with column, SKU and warehouse; B stays clean."""
    data, plan = sound
    coverage = plan.coverage.copy()
    coverage.loc[coverage["sku_id"] == "A", scaled] *= 1.5
    found = check(data, replace(plan, coverage=coverage))
    assert any(f.startswith(f"Coverage of 'A' at 'W1': {scaled} is") and "order book" in f for f in found)
    assert not any("'B'" in f for f in found)


def test_the_check_sees_a_whole_coverage_row_scaled_consistently(new_market: Callable[..., Any]) -> None:
    """A row recounted for 1.5 times the demand is right in itself; only the order book gives it away."""
    data, other = _shop(new_market).data(), _shop(new_market)
    other.book.clear()
    other.demand("A", 15.0, 60.0)
    found = check(data, allocate(other.data(), limits=LIMITS))
    assert found
    assert all("the order book says" in f and "'A' at 'W1'" in f for f in found)


@pytest.mark.parametrize("limits", [SolveLimits(seconds=1.0), SolveLimits(work=1), SolveLimits(seconds=1e-6, work=1)])
def test_tiny_limits_give_a_checked_plan_or_an_honest_no_answer(
    new_market: Callable[..., Any], limits: SolveLimits
) -> None:
    """With next to no effort the answer is a plan that passes its check, or NO_ANSWER that claims no cost."""
    market = new_market()
    for s in range(4):
        market.supplier(f"S{s}", order_cost_yuan=30.0 + s, min_order_yuan=60.0)
    for k in range(12):
        market.sku(f"K{k:02d}")
        market.demand(f"K{k:02d}", 5.0 + k, 30.0 + 2.0 * k)
        for s in range(4):
            market.offer(f"S{s}", f"K{k:02d}", 2.0 + (3 * k + 5 * s) % 7 / 2.0, case_units=1 + (k + s) % 4)
    data = market.data()
    plan = allocate(data, limits=limits)
    report = plan.report
    assert check(data, plan) == []
    assert len(plan.coverage) == 12
    if report.status is SolveStatus.NO_ANSWER:
        assert report.cost_yuan is None
        assert report.gap is None
        assert plan.lines.empty
    else:
        assert report.status.has_plan
        assert report.cost_yuan == pytest.approx(plan.costs["total"])
        assert report.bound_yuan is None or report.bound_yuan <= report.cost_yuan + 1e-6
        assert report.status is SolveStatus.FEASIBLE or (report.gap is not None and report.gap <= limits.gap + 1e-9)
