"""What has no past has wider quantiles, by what goods and places with a past stray; sums add what strays together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from contracts.flow import DailyDemand
from contracts.reference import Listings
from forecast import Context, Panel, predict, train
from forecast.levels import Level
from forecast.spread import PoissonSpread, Spread
from forecast.unsure import USUAL_GOODS, USUAL_PLACES, Unsure, mixed_quantiles, unsure_of_sums

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def test_what_strays_is_measured(make_history, context_of):
    """Goods drawn a log spread of 0.6 around their category and communities 0.4 around their area are told so."""
    rng = np.random.default_rng(4)
    panel = Panel.from_history(make_history(40, 60, 40), context_of(40, 60))
    goods, places = rng.normal(0, 0.6, 60), rng.normal(0, 0.4, 40)
    which = [panel.series[name].str[1:].astype(int).to_numpy() for name in ("sku_id", "community_id")]
    mean = 3.0 * np.exp(goods[which[0]] + places[which[1]])
    known = replace(panel, quantity=rng.poisson(mean, panel.quantity.shape).astype(np.float32))
    found = Unsure.measured(known, context_of(40, 60))
    assert found.goods == pytest.approx(0.6, abs=0.12)
    assert found.places == pytest.approx(0.4, abs=0.1)


def test_too_few_with_a_past_are_taken_as_usual(make_history, context_of):
    """Three SKUs in two areas and six communities tell nothing about a fourth and a seventh."""
    found = Unsure.measured(Panel.from_history(make_history(6, 3, 40), context_of(6, 3)), context_of(6, 3))
    assert (found.goods, found.places) == (USUAL_GOODS, USUAL_PLACES)


def test_only_what_has_no_past_is_unsure(make_history, context_of):
    """A SKU sold anywhere is known; a community is known better every day it was seen, and wholly after a fortnight."""
    panel = Panel.from_history(make_history(6, 4, 60), context_of(6, 4))
    quantity = panel.quantity.copy()
    named = {name: (panel.series["community_id"] == name).to_numpy() for name in ("C01", "C02", "C03")}
    quantity[:, named["C01"]] = np.nan
    quantity[:-1, named["C02"]] = np.nan
    quantity[:-20, named["C03"]] = np.nan
    quantity[:, (panel.series["sku_id"] == "S02").to_numpy()] = np.nan
    goods, places = Unsure(0.9, 0.6).of(replace(panel, quantity=quantity))
    assert set(goods[panel.series["sku_id"] == "S02"]) == {0.9}
    assert set(goods[panel.series["sku_id"] != "S02"]) == {0.0}
    assert set(places[named["C01"]]) == {0.6}
    np.testing.assert_allclose(places[named["C02"]], 0.2)
    assert set(places[named["C03"]]) == {0.0}


def test_sums_add_what_strays_together():
    """By hand: one new SKU in two communities strays as one, two new communities each on their own."""
    series = pd.DataFrame({"community_id": ["C1", "C2", "C3"], "sku_id": ["S1"] * 3, "warehouse_id": "W1"})
    level, mean = Level.by(series, ("warehouse_id",)), np.array([1.0, 2.0, 3.0])
    alone = unsure_of_sums(level, series, mean, (np.zeros(3), np.zeros(3)))
    goods = unsure_of_sums(level, series, mean, (np.full(3, 0.9), np.zeros(3)))
    places = unsure_of_sums(level, series, mean, (np.zeros(3), np.array([0.5, 0.5, 0.0])))
    assert alone.tolist() == [0.0]
    assert goods == pytest.approx([0.9])
    assert places == pytest.approx([0.5 * np.sqrt(1.0 + 4.0) / 6.0])
    both = unsure_of_sums(level, series, mean, (np.full(3, 0.9), np.array([0.5, 0.5, 0.0])))
    assert both == pytest.approx(np.hypot(goods, places))


def _spread(rng: np.random.Generator) -> Spread:
    mean = rng.uniform(0.1, 60.0, 4000)
    return Spread.fit(mean, rng.poisson(mean).astype(float), np.ones(4000, np.int64), whole=True)


@pytest.mark.parametrize(("mean", "unsure"), [(0.4, 0.9), (3.0, 0.5), (40.0, 0.9), (200.0, 0.3)])
def test_quantiles_are_those_of_the_mixture(mean, unsure):
    """A Poisson law around a lognormal level, drawn by the hundred thousand: the same quantiles within sampling."""
    rng = np.random.default_rng(0)
    drawn = rng.poisson(mean * np.exp(unsure * rng.standard_normal(200_000) - unsure**2 / 2))
    told = mixed_quantiles(PoissonSpread(), np.array([mean]), np.ones(1, np.int64), LEVELS, np.array([unsure]))[0]
    for level, quantile in zip(LEVELS, told, strict=True):
        assert (drawn < quantile).mean() <= level + 0.02
        assert (drawn <= quantile).mean() >= level - 0.02


@effort(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0.0, 300.0), st.floats(0.0, 1.2)), min_size=1, max_size=30), st.integers(0, 99))
def test_known_rows_keep_theirs_and_unsure_ones_are_wider(rows, seed):
    """Quantiles never fall along a row; rows with nothing unsure are untouched, whatever stands beside them."""
    spread = _spread(np.random.default_rng(seed % 3))
    mean, unsure = (np.array(each) for each in zip(*rows, strict=True))
    lead = np.ones(len(mean), np.int64)
    plain, mixed = spread.quantiles(mean, lead, LEVELS), mixed_quantiles(spread, mean, lead, LEVELS, unsure)
    assert (np.diff(mixed, axis=1) >= 0).all()
    np.testing.assert_array_equal(mixed[unsure == 0], plain[unsure == 0])
    wide = (unsure > 0.5) & (mean > 20)
    assert (mixed[wide, -1] > plain[wide, -1]).all()
    assert (mixed[wide, 1] < plain[wide, 1]).all()


def test_a_forecast_of_new_goods_is_wide_at_every_level(make_history, context_of, settings):
    """A SKU nobody ever sold: its interval is far wider than that of a known one of its size, also in the warehouse."""
    told = context_of(6, 12)
    history = make_history(6, 12, 70).assign(quantity=lambda table: 20.0 * table["quantity"])
    past = DailyDemand.check(history[history["sku_id"] != "S05"].reset_index(drop=True))
    last = past["delivery_date"].max()
    listings = pd.DataFrame(
        [(last + pd.Timedelta(days=1), area, f"S{i:02d}", 5.0, 5.0) for area in ("A0", "A1") for i in range(12)],
        columns=["delivery_date", "area_id", "sku_id", "price_yuan", "list_price_yuan"],
    ).assign(sold_out_at=pd.NaT)
    context = Context(told.skus, told.communities, Listings.check(listings))
    model = train(past, skus=told.skus, communities=told.communities, listings=context.listings, settings=settings)
    issued = last.tz_localize("Asia/Shanghai").tz_convert("UTC")
    rows = predict(model, past, delivery_dates=[last + pd.Timedelta(days=1)], issued_at=issued, context=context)
    rows = rows[rows["level"] == "warehouse"].assign(width=lambda t: (t["q95"] - t["q05"]) / t["mean"])
    new = rows["sku_id"] == "S05"
    assert rows.loc[new, "source"].str.startswith("fallback: new SKU").all()
    assert rows.loc[new, "width"].min() > 1.5 * rows.loc[~new, "width"].median()
