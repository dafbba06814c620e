from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contracts.errors import EmptyInputError
from forecast.combination import Combination
from forecast.levels import Level
from forecast.scores import coverage, coverage_miss, naive_scale, pinball, rmsse
from forecast.spread import PoissonSpread, Spread

LEVELS = (0.1, 0.5, 0.9)


def test_naive_scale_starts_at_the_first_sale():
    """Zeros before the first sale do not count as perfect naive forecasts."""
    quantity = np.array([0.0, 0.0, 3.0, 5.0, 4.0])[:, None]
    assert naive_scale(quantity)[0] == pytest.approx((4 + 1) / 2)


@effort(deadline=None, max_examples=40)
@given(hnp.arrays(np.float64, (12, 3), elements=st.integers(0, 9).map(float)))
def test_vectorised_scores_equal_a_plain_loop(quantity):
    """RMSSE by matrices equals the definition written as a loop."""
    past, actual = quantity[:9], quantity[9:]
    forecast = np.full(actual.shape, 2.0)
    found = rmsse(forecast, actual, naive_scale(past))
    for series in range(3):
        sold = np.flatnonzero(past[:, series] > 0)
        changes = [(past[t, series] - past[t - 1, series]) ** 2 for t in range(sold[0] + 1, 9)] if len(sold) else []
        if not changes or sum(changes) == 0:
            assert not np.isfinite(found[series])
        else:
            error = np.mean([(2.0 - value) ** 2 for value in actual[:, series]])
            assert found[series] == pytest.approx(np.sqrt(error / np.mean(changes)))


def test_pinball_is_least_at_the_quantile():
    """Over many actuals the empirical quantile beats its neighbours."""
    actual = np.random.default_rng(0).gamma(2.0, 3.0, 5_000)
    best = np.quantile(actual, 0.9)
    losses = [pinball(np.full(5_000, value), actual, 0.9) for value in (best - 1, best, best + 1)]
    assert losses[1] < min(losses[0], losses[2])


def test_coverage_of_ties_is_an_interval():
    """Seven zeros of ten make zero a right answer for every level up to 0.7."""
    actual = np.array([0.0] * 7 + [1.0] * 3)
    assert coverage(np.zeros(10), actual) == (0.0, 0.7)
    assert coverage_miss(0.0, 0.7, 0.5) == 0.0
    assert coverage_miss(0.0, 0.7, 0.75) == pytest.approx(0.05)


def test_spread_is_calibrated_on_new_data_of_every_size():
    """Negative-binomial demand of means 0.1 to 100: each quantile covers within 2 points in every band."""
    rng = np.random.default_rng(1)

    def sample(rows: int) -> tuple[np.ndarray, np.ndarray]:
        mean = np.exp(rng.uniform(np.log(0.1), np.log(100.0), rows))
        return mean, rng.negative_binomial(3, 3 / (3 + mean)).astype(float)

    mean, actual = sample(60_000)
    lead = np.ones(len(mean), np.int64)
    spread = Spread.fit(mean, actual, lead, whole=True)
    new_mean, new_actual = sample(60_000)
    bounds = spread.quantiles(new_mean, lead, LEVELS)
    for low, high in ((0.1, 1.0), (1.0, 10.0), (10.0, 100.0)):
        inside = (new_mean >= low) & (new_mean < high)
        for position, level in enumerate(LEVELS):
            assert coverage_miss(*coverage(bounds[inside, position], new_actual[inside]), level) < 0.02


def test_small_whole_demand_has_whole_quantiles():
    """Nobody orders a third of a parcel."""
    rng = np.random.default_rng(2)
    mean = rng.uniform(0.05, 2.0, 5_000)
    spread = Spread.fit(mean, rng.poisson(mean).astype(float), np.ones(5_000, np.int64), whole=True)
    bounds = spread.quantiles(mean, np.ones(5_000, np.int64), LEVELS)
    np.testing.assert_array_equal(bounds, np.round(bounds))


def test_quantiles_never_fall_and_longer_leads_have_their_own():
    """Errors that grow with the lead time give wider quantiles at longer leads."""
    rng = np.random.default_rng(3)
    lead = np.repeat([1, 7], 5_000)
    mean = np.full(10_000, 50.0)
    actual = mean + rng.normal(0.0, np.where(lead == 1, 2.0, 10.0))
    spread = Spread.fit(mean, actual, lead, whole=False)
    near, far = (spread.quantiles(np.array([50.0]), np.array([days]), LEVELS)[0] for days in (1, 7))
    assert (np.diff(near) >= 0).all()
    assert far[2] - far[0] > 3 * (near[2] - near[0])


def test_no_pair_is_refused_and_poisson_stands_in():
    """Without rolling origins a spread cannot be learned; the labelled stand-in is the Poisson law."""
    with pytest.raises(EmptyInputError):
        Spread.fit(np.array([]), np.array([]), np.array([], np.int64), whole=True)
    assert PoissonSpread().quantiles(np.array([1.0]), np.array([1]), (0.5, 0.95))[0].tolist() == [1.0, 3.0]


def test_combination_finds_the_better_member_and_keeps_the_leading_one_without_evidence():
    """In the band where the second member is right it gets the weight; elsewhere the leading member stays alone."""
    rng = np.random.default_rng(4)
    truth = rng.gamma(2.0, 2.0, (2, 3, 1_000)).astype(np.float32)
    band = np.broadcast_to(np.arange(1_000) % 2, truth.shape)
    noisy = (truth + rng.normal(0, 3, truth.shape)).astype(np.float32)
    members = {"one": np.where(band == 0, truth, noisy), "two": np.where(band == 0, noisy, truth)}
    found = Combination.fit(members, truth, band, bands=3, leading="one")
    assert found.weights[0].tolist() == [1.0, 0.0]
    assert found.weights[1, 1] > 0.9
    assert found.label(2) == "one"
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0)
    missing = {"one": np.full_like(truth, np.nan), "two": members["two"]}
    np.testing.assert_array_equal(found.mixed(missing, np.ones_like(band))[0, 0], members["two"][0, 0])


def test_combination_keeps_the_leading_member_when_a_mixture_lost_on_one_origin():
    """A second member far better on three origins and worse on the fourth gains on average, and still gets nothing."""
    rng = np.random.default_rng(5)
    truth = rng.gamma(2.0, 2.0, (4, 3, 1_000)).astype(np.float32)
    wide = np.array([0.3, 0.3, 0.3, 4.0])[:, None, None]
    members = {
        "one": (truth + rng.normal(0, 2, truth.shape)).astype(np.float32),
        "two": (truth + wide * rng.normal(0, 1, truth.shape)).astype(np.float32),
    }
    band = np.zeros(truth.shape, np.int64)
    found = Combination.fit(members, truth, band, bands=1, leading="one")
    assert found.weights[0].tolist() == [1.0, 0.0]
    first = {name: given[:3] for name, given in members.items()}
    assert Combination.fit(first, truth[:3], band[:3], bands=1, leading="one").weights[0, 1] > 0.9


def test_level_totals_leave_absent_series_out(context, history):
    """A group with one member off sale sums the others; a group of absent members is absent."""
    from forecast import Panel

    panel = Panel.from_history(history, context)
    level = Level.of(panel.series, "area")
    values = panel.quantity[:2].copy()
    values[0, level.group == 0] = np.nan
    total = level.total(values)
    assert np.isnan(total[0, 0])
    assert total[1, 0] == values[1, level.group == 0].sum()
