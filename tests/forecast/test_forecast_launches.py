from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.flow import DailyDemand
from contracts.reference import Skus
from forecast import Context, Panel
from forecast.calm import Calm
from forecast.launches import launches

START = pd.Timestamp("2026-03-02")
DAYS, PLACES, GOODS = 120, 6, 30
NEW = {good: 20 + 5 * (good % 15) for good in range(0, GOODS, 2)}
"""Every second SKU was launched on some day of the history."""


def town(plain: Context, launched: dict[int, int], *, lift: float, seed: int = 0) -> tuple[Panel, Context]:
    """A town in which new SKUs sell `lift` times as much on the first day, fading within a week or two."""
    rng = np.random.default_rng(seed)
    like = plain.skus.iloc[[good % 2 for good in range(GOODS)]]
    goods = Skus.check(like.assign(sku_id=[f"S{good:02d}" for good in range(GOODS)]))
    context = Context(goods, plain.communities)
    age = np.arange(DAYS)[:, None, None] - np.array([launched.get(good, -400) for good in range(GOODS)])
    mood = rng.lognormal(0.0, 0.2, (DAYS, 1, 1))
    size = rng.lognormal(0.0, 0.5, (1, 1, GOODS))
    mean = 6.0 * mood * size * np.exp(np.log(lift) * np.exp(-np.clip(age, 0, None) / 7.0)) * np.ones((1, PLACES, 1))
    day, place, good = np.nonzero(np.broadcast_to(age >= 0, mean.shape))
    rows = pd.DataFrame(
        {
            "delivery_date": START + pd.to_timedelta(day, unit="D"),
            "community_id": [f"C{i:02d}" for i in place],
            "sku_id": [f"S{i:02d}" for i in good],
            "quantity": rng.poisson(mean)[day, place, good].astype(float),
            "price_yuan": 5.0,
            "censored": False,
        }
    )
    return Panel.from_history(DailyDemand.check(rows), context, days_ahead=7), context


@pytest.mark.parametrize("lift", [1.5, 0.6])
def test_curiosity_is_learned_from_the_launches_of_the_history(context, lift):
    """Fifteen launches tell what the first weeks sell within a tenth, whether goods start high or slowly."""
    panel, _ = town(context, NEW, lift=lift)
    age = np.array([3, 10, 17])
    np.testing.assert_allclose(launches(panel).reached[age], np.exp(np.log(lift) * np.exp(-age / 7)), rtol=0.1)


def test_a_calmed_new_sku_stands_at_its_later_level_from_the_start(context):
    """The first two weeks' mean is the later weeks' within a tenth; goods that were always there are not touched."""
    panel, _ = town(context, NEW, lift=1.6)
    calm = launches(panel).calm(panel)
    old = panel.series["sku_id"].isin([f"S{good:02d}" for good in range(1, GOODS, 2)]).to_numpy()
    np.testing.assert_array_equal(calm.quantity[:, old], panel.quantity[:, old])
    mood = np.nanmean(panel.quantity[:, old], axis=1)
    early = []
    for good, first in NEW.items():
        if first + 42 < DAYS:
            own = calm.quantity[first:, panel.series["sku_id"] == f"S{good:02d}"].mean(axis=1) / mood[first:]
            early.append(own[:14].mean() / own[28:].mean())
    assert np.mean(early) == pytest.approx(1.0, abs=0.1)


def test_goods_that_start_at_their_level_are_not_touched_much(context):
    """Without curiosity no age is off by more than a tenth."""
    panel, _ = town(context, NEW, lift=1.0)
    np.testing.assert_allclose(launches(panel).reached, 1.0, atol=0.1)


@pytest.mark.parametrize("launched", [{}, {0: 110}])
def test_without_a_launch_that_is_a_fortnight_old_nothing_is_touched(context, launched):
    """Nothing to learn from: every factor is one and the history stays as it is."""
    panel, _ = town(context, launched, lift=1.5)
    found = launches(panel)
    np.testing.assert_array_equal(found.reached, 1.0)
    assert found.calm(panel) is panel


def test_an_area_that_opens_late_launches_nothing(context):
    """Goods sold elsewhere for long, in an area whose history begins later, are not new there."""
    panel, _ = town(context, {}, lift=1.0)
    quantity = panel.quantity.copy()
    late = (panel.series["area_id"] == "A1").to_numpy()
    quantity[:60, late] = np.nan
    found = launches(Panel(panel.days, panel.series, quantity, panel.censored, panel.price, panel.list_price))
    assert (found.first_row < 0).all()


def test_an_sku_first_sold_tomorrow_is_new_tomorrow(context):
    """A planned price tells the first day; a week later it is a week old."""
    panel, _ = town(context, {**NEW, 1: DAYS - 1}, lift=1.5)
    quantity, price = panel.quantity.copy(), panel.price.copy()
    fresh = (panel.series["sku_id"] == "S01").to_numpy()
    quantity[:, fresh], price[: DAYS + 2, fresh], price[DAYS + 2 :, fresh] = np.nan, np.nan, 5.0
    panel = Panel(panel.days, panel.series, quantity, panel.censored, price, panel.list_price)
    found = launches(panel)
    assert found.reached[0] > 1.2
    np.testing.assert_allclose(found.at(DAYS + 2)[fresh], found.reached[0])
    np.testing.assert_allclose(found.at(DAYS + 6)[fresh], found.reached[4])


def test_all_that_passes_comes_out_and_goes_back_in(context):
    """Calm quantities times the factors of their day are the history again, to float32."""
    panel, wide = town(context, NEW, lift=1.5)
    calm = Calm.of(panel, wide)
    back = np.stack([calm.panel.quantity[row] * calm.at(row) for row in range(panel.known)])
    assert not np.array_equal(calm.panel.quantity, panel.quantity, equal_nan=True)
    np.testing.assert_allclose(back, panel.quantity, rtol=1e-5)
