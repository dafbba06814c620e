"""What binds and what it is worth, rebates in reach, what chance costs, and what-ifs."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InputError, UnknownReferenceError
from contracts.settings import PurchaseSettings
from contracts.solve import SolveLimits
from optimize.purchase import WhatIf, allocate, change_sheet, check, explain, what_if

EXACT = SolveLimits(seconds=60.0, gap=0.0)


def shop(market: Any) -> Any:
    """Add one certain SKU that S1 sells cheaply up to 30 units and S2 dearly without limit."""
    market.sku("A", penalty=30.0, salvage=0.0)
    market.demand("A", 50.0, 50.0)
    market.supplier("S1")
    market.supplier("S2")
    market.offer("S1", "A", 4.0, max_cases=30)
    market.offer("S2", "A", 5.0)
    return market


def test_a_full_zone_is_named_with_what_one_more_unit_saves(market: Any) -> None:
    """40 of 50 units fit: one more from S2 costs 5 yuan and saves a shortage of 34."""
    shop(market).capacity = 40.0
    data = market.data()
    found = explain(data, allocate(data, limits=EXACT))
    zone = found.limits[found.limits["kind"] == "zone"].iloc[0]
    assert (zone["where"], zone["used"], zone["limit"]) == ("W1 ambient", 40.0, 40.0)
    assert zone["worth_yuan"] == pytest.approx(34.0 - 5.0)
    assert found.uncertainty_yuan == pytest.approx(10 * 34.0)


def test_rebates_tell_the_level_reached_and_how_far_the_next_is(market: Any) -> None:
    """120 yuan at S1 earn 5 %; 80 more would earn 10 % of 200."""
    shop(market)
    for floor, rate in ((100.0, 0.05), (200.0, 0.10)):
        market.rebates.append({"supplier_id": "S1", "from_yuan": floor, "rebate_rate": rate})
    data = market.data()
    row = explain(data, allocate(data, limits=EXACT)).rebates.set_index("supplier_id").loc["S1"]
    assert row["rebate_yuan"] == pytest.approx(6.0)
    assert row[["next_from_yuan", "missing_yuan", "next_saves_yuan"]].tolist() == pytest.approx([200.0, 80.0, 14.0])


def test_the_reason_tells_a_rival_that_can_only_bring_a_part(market: Any) -> None:
    """S1 is sold out at 30, so it is no alternative for S2's line; S2 could take S1's line whole."""
    shop(market)
    data = market.data()
    reasons = allocate(data, limits=EXACT).lines.set_index("supplier_id")["reason"]
    assert reasons["S1"] == "Next best is 'S2': 30.00 yuan more for the whole plan."
    assert reasons["S2"] == "No other supplier can bring more of it within the limits."


def test_an_outage_moves_the_units_and_the_sheet_shows_it(market: Any) -> None:
    """Without S1 everything comes from S2, 30 yuan dearer."""
    data = shop(market).data()
    before = allocate(data, limits=EXACT)
    other = what_if(data, WhatIf(without_suppliers=("S1",)))
    after = allocate(other, limits=EXACT)
    assert check(other, after) == []
    assert after.costs["total"] - before.costs["total"] == pytest.approx(30.0)
    sheet = change_sheet(before.lines, after.lines).set_index("supplier_id")
    assert sheet["change"].to_dict() == {"S1": "dropped", "S2": "more"}


def test_prices_and_demand_move_what_is_not_confirmed(market: Any) -> None:
    """Half as much again of what is not confirmed; S2 at half price takes it all."""
    market.sku("A", penalty=30.0, salvage=0.0)
    market.demand("A", 50.0, 90.0, confirmed=50.0)
    market.supplier("S1")
    market.supplier("S2")
    market.offer("S1", "A", 4.0)
    market.offer("S2", "A", 5.0)
    data = market.data()
    other = what_if(data, WhatIf(price_factor={"S2": 0.5}, demand_factor={"*": 1.5}))
    assert other.book["final_mean"].tolist() == pytest.approx([50.0 + 20.0 * 1.5])
    assert other.book["confirmed"].tolist() == data.book["confirmed"].tolist()
    assert allocate(other, limits=EXACT).lines["supplier_id"].tolist() == ["S2"]


def test_a_what_if_about_nobody_raises(market: Any) -> None:
    """A supplier that does not exist would look like 'no effect'."""
    with pytest.raises(UnknownReferenceError, match="'S9'"):
        what_if(shop(market).data(), WhatIf(without_suppliers=("S9",)))


def test_a_spent_budget_and_a_share_are_named_with_their_worth(market: Any) -> None:
    """A yuan buys a quarter of a unit whose absence costs 34; S1 may bring two thirds of S2's 15 at most."""
    shop(market)
    market.settings = PurchaseSettings(budget_yuan=100.0)
    data = market.data()
    found = explain(data, allocate(data, limits=EXACT)).limits.set_index("kind")
    assert found.loc["budget", "worth_yuan"] == pytest.approx(34.0 / 4.0 - 1.0)
    market.settings = PurchaseSettings()
    market.suppliers[0]["max_share"] = 0.4
    market.offers[1]["max_cases"] = 15
    data = market.data()
    found = explain(data, allocate(data, limits=EXACT)).limits.set_index("kind")
    assert found.loc["share", ["where", "used", "limit"]].tolist() == ["S1 A W1", 10.0, 10.0]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("zone", "Raise the inbound capacity of the ambient zone of 'W1' by 10 units."),
        ("budget", "Raise the budget by 80.00 yuan."),
        ("most cases", "Ask 'S1' for more cases"),
        ("minimum cases", "fewer than 60 cases"),
        ("minimum order", "Lower the minimum order of 'S1', 500.00 yuan."),
        ("no offer", "Find a supplier"),
    ],
)
def test_uncovered_orders_name_sku_warehouse_cases_and_the_limit_to_lift(market: Any, limit: str, words: str) -> None:
    """50 units are ordered for sure; each limit in turn keeps some of them away."""
    market.sku("A", penalty=2.0 if limit.startswith("minimum") else 30.0, salvage=-9.0)
    market.demand("A", 50.0, 50.0)
    market.supplier("S1", min_order_yuan=500.0 if limit == "minimum order" else 0.0)
    terms = {"most cases": {"max_cases": 30}, "minimum cases": {"min_cases": 60}, "no offer": {"max_cases": 0}}
    market.offer("S1", "A", 4.0, **terms.get(limit, {}))
    market.capacity = 40.0 if limit == "zone" else 1e6
    market.settings = PurchaseSettings(budget_yuan=120.0 if limit == "budget" else None)
    data = market.data()
    plan = allocate(data, limits=EXACT)
    row = explain(data, plan).shortfalls.iloc[0]
    assert (row["sku_id"], row["warehouse_id"], row["limit"]) == ("A", "W1", limit)
    assert words in row["cure"]
    assert any("already ordered stay uncovered" in told and words in told for told in plan.warnings)


def test_a_locked_line_stays_while_the_rest_is_planned_again(market: Any) -> None:
    """S2 gets dearer, but its line is locked and stays; a line that is not there cannot be locked."""
    data = shop(market).data()
    before = allocate(data, limits=EXACT).lines
    change = WhatIf(price_factor={"S2": 3.0}, lock=(("S2", "A", "W1"),), budget_yuan=500.0)
    after = allocate(what_if(data, change, previous=before), limits=EXACT)
    assert after.lines.set_index("supplier_id").loc["S2", ["cases", "amount_yuan", "locked"]].tolist() == [
        20,
        100.0,
        True,
    ]
    with pytest.raises(UnknownReferenceError, match="S2 / B / W1"):
        what_if(data, WhatIf(lock=(("S2", "B", "W1"),)), previous=before)


@pytest.mark.parametrize(
    "change", [{"price_factor": {"S1": 0.0}}, {"demand_factor": {"*": -1.0}}, {"budget_yuan": -1.0}]
)
def test_absurd_changes_are_refused(market: Any, change: dict[str, Any]) -> None:
    """A price of nothing, a negative demand, a negative budget."""
    with pytest.raises(InputError, match="finite factors"):
        what_if(shop(market).data(), WhatIf(**change))
