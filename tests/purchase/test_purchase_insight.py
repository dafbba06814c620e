"""What binds and what it is worth, rebates in reach, what chance costs, and what-ifs."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import UnknownReferenceError
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
