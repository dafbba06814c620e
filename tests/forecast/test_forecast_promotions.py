from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contracts.flow import DailyDemand
from contracts.reference import Listings
from forecast import Context, Panel, predict, train
from forecast.calm import Calm
from forecast.promotions import Lift, Promotions

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
    found = Lift.learned(panel)
    depth = np.linspace(0.08, 0.2, 4)
    np.testing.assert_allclose(np.exp(found.step + found.slope * depth), np.exp(STEP + SLOPE * depth), rtol=0.05)
    np.testing.assert_allclose(list(found.own.values()), 1.0, atol=0.05)


def test_categories_have_lifts_of_their_own(market):
    """One category lifted half as much again as the other: factors a quarter up and down, within 5 %."""
    panel, _ = market
    second = (panel.series["category_id"] == "K1").to_numpy()
    promoted = (panel.price < panel.list_price)[: panel.known]
    quantity = np.where(promoted & second, panel.quantity * 1.5, panel.quantity).astype(np.float32)
    own = Lift.learned(replace(panel, quantity=quantity)).own
    assert own["K1"] / own["K0"] == pytest.approx(1.5, rel=0.05)


def test_a_day_on_which_all_is_promoted_teaches_no_lift(market):
    """A member day with everything at a tenth off and twice the usual mood moves the curve by less than 2 %."""
    panel, _ = market
    price, quantity = panel.price.copy(), panel.quantity.copy()
    price[60], quantity[60] = 9.0, quantity[60] * 2
    one, two = Lift.learned(panel), Lift.learned(replace(panel, price=price, quantity=quantity))
    depth = np.array([0.1, 0.2])
    np.testing.assert_allclose(np.exp(two.step + two.slope * depth), np.exp(one.step + one.slope * depth), rtol=0.02)


def test_a_calmed_history_stands_at_the_same_level_on_promoted_days(market):
    """Divided by the lift, promoted days sell what ordinary ones do within 3 %; ordinary days are not touched."""
    panel, _ = market
    calm = Promotions.of(panel, Lift.learned(panel)).calm(panel)
    promoted = (panel.price < panel.list_price)[: panel.known]
    assert panel.quantity[promoted].mean() > 1.3 * panel.quantity[~promoted].mean()
    assert calm.quantity[promoted].mean() == pytest.approx(calm.quantity[~promoted].mean(), rel=0.03)
    np.testing.assert_array_equal(calm.quantity[~promoted], panel.quantity[~promoted])


def test_planned_promotions_are_lifted_and_no_deeper_than_seen(market):
    """Days ahead take the lift of their planned price; half price, never seen, lifts as the deepest seen."""
    panel, _ = market
    price = panel.price.copy()
    price[panel.known], price[panel.known + 1] = 10.0, 5.0
    found = Promotions.of(replace(panel, price=price), Lift.learned(panel))
    np.testing.assert_array_equal(found.at(panel.known), 1.0)
    deepest = np.exp(found.lift.step + found.lift.slope * found.lift.deepest) * found.own
    np.testing.assert_allclose(found.at(panel.known + 1), deepest)


def test_days_ahead_teach_nothing(market):
    """Prices planned after the last known day are lifted by, not learned from."""
    panel, wide = market
    before = panel.known_until(100)
    price = panel.price.copy()
    price[100:] = 1.0
    one, two = (Calm.of(each, wide) for each in (before, replace(before, price=price)))
    assert one.passing.lift == two.passing.lift
    np.testing.assert_array_equal(one.panel.quantity, two.panel.quantity)


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
    found = Promotions.of(panel, Lift.learned(panel))
    assert found.calm(panel) is panel
    np.testing.assert_array_equal(found.at(0), 1.0)


def test_bad_prices_are_no_promotions(market):
    """A price of zero or less, or a missing one, lifts nothing and breaks nothing."""
    panel, _ = market
    price = panel.price.copy()
    price[panel.known, :3] = [0.0, -1.0, np.nan]
    found = Promotions.of(replace(panel, price=price), Lift.learned(panel))
    np.testing.assert_array_equal(found.at(panel.known)[:3], 1.0)


def test_what_a_model_kept_of_past_promotions_is_no_assortment(context, settings):
    """A day of the past asked for again without listings offers what was on sale, not only what was promoted."""
    listings = Listings.check(offers(rate=0.05))
    history = DailyDemand.check(sales(context, listings))
    model = train(history, skus=context.skus, communities=context.communities, listings=listings, settings=settings)
    day = START + pd.Timedelta(days=DAYS - 5)
    evening = (day - pd.Timedelta(hours=6)).tz_localize("Asia/Shanghai").tz_convert("UTC")
    asked = predict(model, history, delivery_dates=[day], issued_at=evening)
    assert asked.loc[asked["level"] == "area", "sku_id"].nunique() == GOODS


@pytest.mark.parametrize("given", ["listings of now", "what the model kept", "only what is planned"])
def test_a_forecast_follows_the_planned_price(context, settings, given):
    """All goods at a fifth off tomorrow: lifted by the law within a tenth, with or without past listings."""
    listings = offers()
    tomorrow = listings["delivery_date"] == START + pd.Timedelta(days=DAYS)
    history = DailyDemand.check(sales(context, listings))
    told = []
    for price in (10.0, 8.0):
        planned = Listings.check(listings.assign(price_yuan=listings["price_yuan"].where(~tomorrow, price)))
        model = train(history, skus=context.skus, communities=context.communities, listings=planned, settings=settings)
        ahead = Listings.check(planned[planned["delivery_date"] >= START + pd.Timedelta(days=DAYS)])
        kept = {"listings of now": planned, "only what is planned": ahead}
        now = replace(context, listings=kept[given]) if given in kept else None
        asked = {"delivery_dates": [START + pd.Timedelta(days=DAYS)], "issued_at": pd.Timestamp("2026-07-20 00:00Z")}
        told.append(predict(model, history, context=now, levels=["area"], **asked)["mean"].sum())
    law = np.exp(STEP + SLOPE * np.log(1 / 0.8))
    assert told[1] / told[0] == pytest.approx(law, rel=0.1)
    assert told[0] == pytest.approx(6.0 * PLACES * GOODS, rel=0.12)
