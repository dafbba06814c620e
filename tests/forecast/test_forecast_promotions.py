from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contracts.flow import DailyDemand
from contracts.reference import Listings
from forecast import Context, Panel, predict, train
from forecast.promotions import Promotions

START = pd.Timestamp("2026-03-02")
DAYS, PLACES, GOODS = 140, 6, 4
STEP, SLOPE = 0.15, 2.0


def offers(*, rate: float = 0.1, seed: int = 0, ahead: int = 7) -> pd.DataFrame:
    """Listings of four SKUs in two areas, some days of each at 8 to 20 % below the list price."""
    rng = np.random.default_rng(seed)
    days = pd.date_range(START, periods=DAYS + ahead, freq="D", unit="us")
    grid = pd.MultiIndex.from_product([days, ["A0", "A1"], [f"S{i:02d}" for i in range(GOODS)]])
    rows = grid.to_frame(index=False, name=["delivery_date", "area_id", "sku_id"])
    cut = np.where(rng.random(len(rows)) < rate, rng.uniform(0.08, 0.2, len(rows)), 0.0)
    return rows.assign(price_yuan=10.0 * (1.0 - cut), list_price_yuan=10.0, sold_out_at=pd.NaT)


def sales(context: Context, listings: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Poisson sales with a mood per day, more on promoted days by the law of STEP and SLOPE."""
    rng = np.random.default_rng(seed)
    places = context.communities[["community_id", "area_id"]]
    rows = listings[listings["delivery_date"] < START + pd.Timedelta(days=DAYS)].merge(places, on="area_id")
    day = (rows["delivery_date"] - START).dt.days
    depth = np.log(rows["list_price_yuan"] / rows["price_yuan"])
    lift = np.exp(np.where(depth > 0, STEP + SLOPE * depth, 0.0))
    mean = 6.0 * lift * rng.lognormal(0.0, 0.2, DAYS)[day]
    return rows[["delivery_date", "community_id", "sku_id", "price_yuan"]].assign(
        quantity=rng.poisson(mean).astype(float), censored=False
    )


@pytest.fixture(scope="module")
def market(context) -> tuple[Panel, Context]:
    listings = offers()
    wide = replace(context, listings=Listings.check(listings))
    return Panel.from_history(DailyDemand.check(sales(context, listings)), wide, days_ahead=7), wide


def test_the_lift_is_learned_whatever_the_days_moods(market):
    """The curve lies within 5 % of the truth at every depth seen, though moods differ by a fifth."""
    panel, _ = market
    found = Promotions.measured(panel)
    depth = np.linspace(0.08, 0.2, 4)
    np.testing.assert_allclose(np.exp(found.step + found.slope * depth), np.exp(STEP + SLOPE * depth), rtol=0.05)
    np.testing.assert_allclose(found.own, 1.0, atol=0.05)


def test_a_calmed_history_stands_at_the_same_level_on_promoted_days(market):
    """Divided by the lift, promoted days sell what ordinary ones do within 3 %; ordinary days are not touched."""
    panel, _ = market
    calm = Promotions.measured(panel).calm(panel)
    promoted = (panel.price < panel.list_price)[: panel.known]
    assert panel.quantity[promoted].mean() > 1.3 * panel.quantity[~promoted].mean()
    assert calm.quantity[promoted].mean() == pytest.approx(calm.quantity[~promoted].mean(), rel=0.03)
    np.testing.assert_array_equal(calm.quantity[~promoted], panel.quantity[~promoted])


def test_planned_promotions_are_lifted_and_no_deeper_than_seen(market):
    """Days ahead take the lift of their planned price; half price, never seen, lifts as the deepest seen."""
    panel, _ = market
    price = panel.price.copy()
    price[panel.known], price[panel.known + 1] = 10.0, 5.0
    found = Promotions.measured(replace(panel, price=price))
    np.testing.assert_array_equal(found.at(panel.known), 1.0)
    deepest = np.exp(found.step + found.slope * found.deepest) * found.own[found.category]
    np.testing.assert_allclose(found.at(panel.known + 1), deepest)


def test_days_ahead_teach_nothing(market):
    """What happened after the last known day is not read."""
    panel, _ = market
    before = panel.known_until(100)
    absurd = panel.quantity.copy()
    absurd[100:] = 9_999.0
    one, two = (Promotions.measured(each) for each in (before, replace(panel, quantity=absurd).known_until(100)))
    assert (one.step, one.slope) == (two.step, two.slope)


@pytest.mark.parametrize("case", ["no list price", "never below it", "always below it", "one day"])
def test_where_nothing_can_be_told_nothing_is_touched(market, case):
    """Without list prices, promotions or ordinary days to compare with, every lift is one."""
    panel, _ = market
    if case == "no list price":
        panel = replace(panel, list_price=np.full_like(panel.list_price, np.nan))
    elif case == "never below it":
        panel = replace(panel, price=panel.list_price)
    elif case == "always below it":
        panel = replace(panel, price=panel.list_price * np.float32(0.8))
    else:
        panel = panel.known_until(1)
    found = Promotions.measured(panel)
    assert found.calm(panel) is panel
    np.testing.assert_array_equal(found.at(0), 1.0)


def test_bad_prices_are_no_promotions(market):
    """A price of zero or less, or a missing one, lifts nothing and breaks nothing."""
    panel, _ = market
    price = panel.price.copy()
    price[panel.known, :3] = [0.0, -1.0, np.nan]
    np.testing.assert_array_equal(Promotions.measured(replace(panel, price=price)).at(panel.known)[:3], 1.0)


@pytest.mark.parametrize("given", ["listings of now", "what the model kept"])
def test_a_forecast_follows_the_planned_price(context, settings, given):
    """All goods at a fifth off tomorrow: lifted by the law within a tenth, with or without past listings."""
    listings = offers()
    tomorrow = listings["delivery_date"] == START + pd.Timedelta(days=DAYS)
    history = DailyDemand.check(sales(context, listings))
    told = []
    for price in (10.0, 8.0):
        planned = Listings.check(listings.assign(price_yuan=listings["price_yuan"].where(~tomorrow, price)))
        model = train(history, skus=context.skus, communities=context.communities, listings=planned, settings=settings)
        now = replace(context, listings=planned) if given == "listings of now" else None
        asked = {"delivery_dates": [START + pd.Timedelta(days=DAYS)], "issued_at": pd.Timestamp("2026-07-20 00:00Z")}
        told.append(predict(model, history, context=now, levels=["area"], **asked)["mean"].sum())
    law = np.exp(STEP + SLOPE * np.log(1 / 0.8))
    assert told[1] / told[0] == pytest.approx(law, rel=0.1)
    assert told[0] == pytest.approx(6.0 * PLACES * GOODS, rel=0.12)
