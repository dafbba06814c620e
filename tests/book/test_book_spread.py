"""The spread covers what it says, per hour and volume."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from contracts.columns import QUANTILES
from contracts.settings import BookSettings
from forecast.book.spread import Spread


def test_learned_spread_covers_new_days():
    """Quantiles learned from Poisson remainders of many volumes cover fresh draws as they should, per volume band."""
    rng = np.random.default_rng(1)
    mean = rng.gamma(2.0, 20.0, 40_000)
    spread = Spread.learn(np.array([60.0]), [mean], [rng.poisson(mean).astype(float)], settings=BookSettings())
    fresh = rng.gamma(2.0, 20.0, 40_000) + 20.0
    actual = rng.poisson(fresh)
    for band in np.array_split(np.argsort(fresh), 3):
        quantiles = spread.quantiles(fresh[band], 60.0)
        covered = [float((actual[band] <= units).mean()) for units in quantiles]
        np.testing.assert_allclose(covered, QUANTILES, atol=0.06)


@given(st.lists(st.floats(0.0, 1e4), min_size=1, max_size=20), st.floats(0.0, 1380.0))
@settings(deadline=None, max_examples=50)
def test_quantiles_rise_and_are_never_negative(expected, minutes):
    """At any volume and time the quantiles rise and none is below zero."""
    rng = np.random.default_rng(2)
    mean = rng.gamma(0.5, 4.0, 2_000)
    rests = [rng.poisson(mean).astype(float), rng.poisson(mean).astype(float) ** 1.1]
    spread = Spread.learn(np.array([300.0, 60.0]), [mean, mean], rests, settings=BookSettings())
    table = np.column_stack(spread.quantiles(np.array(expected), minutes))
    assert (table >= 0).all()
    assert (np.diff(table, axis=1) >= -1e-9 * (1 + table[:, 1:])).all()


@pytest.mark.parametrize("mean", [0.01, 1.0, 1000.0])
def test_cold_spread_is_the_negative_binomial(mean):
    """Before anything is learned, quantiles are those of counts with variance r + r^2 / shape."""
    found = [float(units[0]) for units in Spread.counts(shape=2.0).quantiles(np.array([mean]), 100.0)]
    assert found == pytest.approx(nbinom.ppf(QUANTILES, 2.0, 2.0 / (2.0 + mean)).tolist(), rel=0.02, abs=1e-9)
    assert found[-1] >= poisson.ppf(0.99, mean)
