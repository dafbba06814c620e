"""Days out of the ordinary are recognised before the evening peak, and usual days are left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.flow import OrderLines
from contracts.settings import BookSettings, CitySettings
from forecast.book import fit_curve, update_book
from forecast.book.pace import Pace
from forecast.book.remainder import Remainder
from forecast.book.situation import GROUPS, Situation


@pytest.fixture(scope="module")
def lively(town, lines_of):
    """A model of 70 days whose totals differ from day to day, as a city's do."""
    rng = np.random.default_rng(3)
    days = pd.date_range(end=town.today - pd.Timedelta(days=1), periods=70)
    mood = np.exp(0.3 * rng.standard_normal(len(days)))
    past = pd.concat([lines_of(rng, day, int(200 * m)) for day, m in zip(days, mood, strict=True)], ignore_index=True)
    model = fit_curve(
        OrderLines.check(past),
        skus=town.skus,
        settings=BookSettings(boost_rows=20_000, boost_leaf_rows=100),
        city=CitySettings(),
        communities=town.communities,
    )
    usual = 200 * 2 * 0.95
    return model, town.forecast.assign(mean=town.forecast["mean"] * usual / _units(town.forecast, "mean"))


def _units(frame, column):
    return float(frame.loc[frame["level"] == "warehouse", column].sum())


def _totals(town, lively, orders, moment):
    model, forecast = lively
    book = update_book(forecast, orders, as_of=moment, model=model, communities=town.communities, city=CitySettings())
    return _units(book, "final_mean"), _units(book, "q05"), _units(book, "q95")


@pytest.mark.parametrize(("size", "low", "high"), [(2.0, 1.6, 2.4), (1.0, 0.85, 1.15), (0.5, 0.4, 0.7)])
def test_a_day_of_twice_or_half_the_usual_is_recognised_by_18(town, lively, lines_of, at, size, low, high):
    """By 18:00 the expected total is near what the day will bring, though the forecast says the usual."""
    today = OrderLines.check(lines_of(np.random.default_rng(11), town.today, int(200 * size)))
    usual = _units(lively[1], "mean")
    final, _, _ = _totals(town, lively, today, at("18:00"))
    actual = today.loc[today["cancelled_at"].isna(), "quantity"].sum()
    assert low < final / usual < high
    assert abs(final - actual) <= max(abs(usual - actual) * 0.5, 0.1 * usual)


def test_a_wave_of_cancellations_is_recognised(town, lively, lines_of, at):
    """When half of what was ordered by 17:00 is cancelled, the book loses it and expects less of the evening too."""
    today = lines_of(np.random.default_rng(12), town.today, 200)
    early = today["placed_at"] <= at("17:00")
    wave = early & today["cancelled_at"].isna() & (np.arange(len(today)) % 2 == 0)
    struck = today.assign(cancelled_at=today["cancelled_at"].mask(wave, at("17:30")))
    calm = _totals(town, lively, OrderLines.check(today), at("18:00"))[0]
    shaken = _totals(town, lively, OrderLines.check(struck), at("18:00"))[0]
    lost = today.loc[wave, "quantity"].sum()
    assert shaken < calm - 0.9 * lost
    before = _totals(town, lively, OrderLines.check(struck), at("17:00"))[0]
    assert before == pytest.approx(_totals(town, lively, OrderLines.check(today), at("17:00"))[0])


def test_pace_equals_the_textbook_posterior():
    """With one group the factor is the Gamma-Poisson posterior mean (c + a) / (u + a), to the power carried."""
    now = _situation(usual=[[10.0]], rest=[[20.0]], confirmed=[[15.0]])
    strength, carry = np.full((1, len(GROUPS)), 5.0), np.zeros((1, len(GROUPS)))
    carry[0, GROUPS.index("sku")] = 1.0
    assert Pace(np.zeros(1), strength, carry).factor(now)[0, 0] == pytest.approx(20.0 / 15.0)


def test_without_signal_additive_pickup_answers():
    """Where today's orders say nothing of the rest of the day, the weights stay with additive pickup."""
    rng = np.random.default_rng(5)
    days, series = 60, 40
    flat = np.full((days, series), 5.0)
    situations = [
        _situation(usual=flat, rest=flat, confirmed=rng.poisson(5.0, (days, series)), left=left)
        for left in (300.0, 120.0)
    ]
    actual = [rng.poisson(5.0, (days, series)).astype(float) for _ in situations]
    model, held_out, _ = Remainder.learn(situations, actual, BookSettings(), boost=False)
    assert held_out.sum() == 45
    guess = model.expect(situations[0])
    np.testing.assert_allclose(guess.mean(), 5.0, rtol=0.02)
    assert np.abs(guess - 5.0).max() < 1.0


def _situation(*, usual, rest, confirmed, left=300.0):
    usual, rest, confirmed = (np.asarray(values, float) for values in (usual, rest, confirmed))
    zeros = np.zeros(usual.shape[1], np.int64)
    codes = {"category": zeros, "place": zeros, "sku": np.arange(usual.shape[1])}
    return Situation(left, usual, rest, confirmed, confirmed, codes)
