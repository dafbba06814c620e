from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from forecast.reconcile import Target, reconciled


def dense_answer(parts: np.ndarray, summing: np.ndarray, total: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The same least squares written as one dense system over the parts."""
    left = np.diag(1 / parts) + summing.T @ np.diag(1 / variance) @ summing
    return parts + np.linalg.solve(left, summing.T @ ((total - summing @ parts) / variance))


def test_two_levels_equal_the_dense_least_squares():
    """The sparse dual gives what the textbook's dense normal equations give."""
    rng = np.random.default_rng(0)
    parts = rng.uniform(1, 10, 12)
    groups = [np.arange(12) % 3, np.arange(12) // 6]
    totals = [np.bincount(g, parts) * rng.uniform(0.9, 1.1, g.max() + 1) for g in groups]
    variances = [np.full(3, 5.0), np.full(2, 2.0)]
    summing = np.vstack([(g == code).astype(float) for g in groups for code in range(g.max() + 1)])
    expected = dense_answer(parts, summing, np.concatenate(totals), np.concatenate(variances))
    found = reconciled(parts, [Target(*each) for each in zip(groups, totals, variances, strict=True)])
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@effort(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0, 50), min_size=4, max_size=12),
    st.lists(st.floats(0, 200), min_size=2, max_size=2),
)
def test_exact_targets_are_met_and_nothing_is_negative(parts, totals):
    """Any non-negative targets of disjoint sums with something in them are met; parts stay non-negative."""
    own = np.array(parts)
    group = np.arange(len(own)) % 2
    found = reconciled(own, [Target(group, np.array(totals), np.zeros(2))])
    assert (found >= 0).all()
    for code in range(2):
        held = own[group == code].sum()
        if held > 1e-6:
            assert found[group == code].sum() == pytest.approx(totals[code], rel=1e-5, abs=1e-6)


def test_unknown_totals_and_parts_outside_any_sum_stay():
    """A sum without a forecast moves nothing; neither does a part that belongs to no sum."""
    parts = np.array([1.0, 2.0, 3.0])
    target = Target(np.array([0, 1, -1]), np.array([np.nan, 4.0]), np.array([1.0, 0.0]))
    np.testing.assert_allclose(reconciled(parts, [target]), [1.0, 4.0, 3.0], rtol=1e-9)


@pytest.mark.slow
def test_a_hundred_thousand_parts_take_seconds():
    """100,000 series under two overlapping levels of 4,500 and 300 sums are reconciled in under ten seconds."""
    rng = np.random.default_rng(1)
    parts = rng.gamma(0.5, 2.0, 100_000)
    groups = [rng.integers(0, 4_500, len(parts)), rng.integers(0, 300, len(parts))]
    targets = [
        Target(g, np.bincount(g, parts) * rng.uniform(0.8, 1.2, g.max() + 1), np.bincount(g, parts) * 0.5)
        for g in groups
    ]
    started = time.perf_counter()
    found = reconciled(parts, targets)
    assert time.perf_counter() - started < 10.0
    before = sum(((np.bincount(t.group, parts) - t.total) ** 2).sum() for t in targets)
    after = sum(((np.bincount(t.group, found) - t.total) ** 2).sum() for t in targets)
    assert after < before
