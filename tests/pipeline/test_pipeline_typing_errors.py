"""Lines that are each plausible and together are not: told by name, left out of the past, and no night is stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from contracts.errors import InputError
from contracts.flow import DailyDemand, OrderLines
from contracts.reference import Listings
from contracts.settings import CitySettings
from contracts.world import World
from forecast import Panel, build_history
from forecast.panel import LARGEST_QUANTITY
from pipeline.desk import PlanningDesk
from pipeline.past import Past, believable, context_of
from pipeline.premises import premise_warnings


def doubled(lines: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return two order lines of 600,000 units of one SKU in one community on a day."""
    one = lines[lines["delivery_date"] == day].head(1).assign(quantity=600_000.0, cancelled_at=pd.NaT)
    two = pd.concat([one.assign(order_id="typo", line_no=row) for row in (1, 2)], ignore_index=True)
    return OrderLines.check(two)


@pytest.fixture
def spoilt(tiny: World, tomorrow: pd.Timestamp) -> Any:
    """Return the tiny world's lines with such a pair ten days ago, and that day."""
    day = tomorrow - pd.Timedelta(days=10)
    return OrderLines.check(pd.concat([tiny.order_lines, doubled(tiny.order_lines, day)], ignore_index=True)), day


def test_the_day_is_unknown_there_and_the_rest_is_as_it_was(spoilt: Any, tiny: World) -> None:
    """One row goes, with a sentence that names it; a clean history is handed back untouched."""
    lines, day = spoilt
    known = tiny.reference
    clean = build_history(tiny.order_lines, known.listings, known.communities)
    assert believable(clean, tiny.order_lines) == (clean, tiny.order_lines, ())
    whole = build_history(lines, known.listings, known.communities)
    with pytest.raises(InputError, match="above 1,000,000"):
        Panel.from_history(whole, context_of(known))
    kept, left, said = believable(whole, lines)
    gone = whole[whole["quantity"] > LARGEST_QUANTITY]
    assert len(gone) == 1
    key = ["delivery_date", "community_id", "sku_id"]
    expected = clean[~pd.MultiIndex.from_frame(clean[key]).isin(pd.MultiIndex.from_frame(gone[key]))]
    pd.testing.assert_frame_equal(kept, DailyDemand.check(expected.reset_index(drop=True)))
    typed = pd.MultiIndex.from_frame(tiny.order_lines[key]).isin(pd.MultiIndex.from_frame(gone[key]))
    rest = OrderLines.check(tiny.order_lines[~typed].reset_index(drop=True))
    pd.testing.assert_frame_equal(left, rest)
    assert "1 days of a SKU in a community are left out" in said[0]
    assert f"on {day.date()}" in said[0]
    assert Panel.from_history(kept, context_of(known)).known > 0


def test_the_plan_tells_of_the_past_and_of_tonight(
    desk: PlanningDesk, spoilt: Any, tiny: World, tomorrow: pd.Timestamp
) -> None:
    """The sentence of the past is a warning of the plan, and tonight's own pair is one too."""
    lines, _ = spoilt
    past = Past._of(tiny.reference, lines, CitySettings())
    night = desk.night_input(tomorrow, tomorrow.tz_localize("UTC") - pd.Timedelta(hours=10))
    pair = doubled(tiny.order_lines, tomorrow).assign(placed_at=night.as_of - pd.Timedelta(hours=1))
    tonight = OrderLines.check(pd.concat([night.order_lines, pair], ignore_index=True))
    told = premise_warnings(replace(night, said=past.said, order_lines=tonight), desk.settings)
    assert told[0] == past.said[0]
    assert any(one.startswith("Orders for 1,200,0") for one in told)
    assert not any("typing error" in one for one in premise_warnings(night, desk.settings))


def test_two_such_lines_do_not_move_the_open_share_nor_the_lines_that_are_learned(
    spoilt: Any, tiny: World, tomorrow: pd.Timestamp
) -> None:
    """A listing that sold out at noon elsewhere could take the same share of its orders with and without the pair."""
    lines, day = spoilt
    listings = tiny.reference.listings.copy()
    here = listings["delivery_date"] == day - pd.Timedelta(days=1)
    noon = (day - pd.Timedelta(days=1)).tz_localize("Asia/Shanghai") - pd.Timedelta(hours=12)
    listings.loc[here, "sold_out_at"] = noon.tz_convert("UTC")
    known = replace(tiny.reference, listings=Listings.check(listings))
    clean, dirty = (Past._of(known, each, CitySettings()) for each in (tiny.order_lines, lines))
    assert len(clean.context.open_share) > 0
    shares = [past.context.open_share["open_share"].to_numpy() for past in (clean, dirty)]
    assert abs(shares[0] - shares[1]).max() < 0.01
    assert dirty.lines["quantity"].max() < 1000
