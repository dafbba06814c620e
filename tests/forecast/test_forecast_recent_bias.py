"""A bias that lasts is taken off, one that was chance is not, and nothing is read that was not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast import Panel
from forecast.recent_bias import RANGE, RecentBias, recent_bias
from forecast.rolling import RollingForecasts

ORIGINS, HORIZONS = (100, 107, 114, 121), tuple(range(1, 8))


@pytest.fixture(scope="module")
def panel(history, context) -> Panel:
    return Panel.from_history(history, context)


def _rolled(panel: Panel, bias, seed: int, mood: float = 0.1) -> tuple[RollingForecasts, np.ndarray]:
    """Return forecasts of 10 a day and sales of 10 times a bias per origin (or origin x series) times a day's mood."""
    rng = np.random.default_rng(seed)
    shape = (len(ORIGINS), len(HORIZONS), panel.width)
    bias = np.broadcast_to(np.asarray(bias, float).reshape(len(ORIGINS), 1, -1), shape)
    told = np.full(shape, 10.0, np.float32)
    actual = (10.0 * bias * np.exp(mood * rng.standard_normal((*shape[:2], 1)))).astype(np.float32)
    return RollingForecasts(ORIGINS, HORIZONS, {"ours": told}, actual), told


def test_a_lasting_bias_is_taken_off(panel):
    """Sales of 15 % more than told on all origins: told nearly that much more, and earlier origins as known then."""
    rolled, told = _rolled(panel, np.full(4, 1.15), seed=0, mood=0.03)
    found, corrected = recent_bias(panel, rolled, told)
    factor = found.of(panel.series)
    assert ((factor > 1.08) & (factor < 1.15)).all()  # four weeks against two of caution
    assert found.gain > 0.1
    assert (corrected[0] == told[0]).all()  # nothing was known before the first origin
    assert (corrected[3] > corrected[1]).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_bias_that_turned_is_left(panel, seed):
    """Too low on two origins, too high on the next two: the correction would have hurt, so there is none."""
    rolled, told = _rolled(panel, [1.15, 1.15, 0.85, 0.85], seed=seed)
    found, corrected = recent_bias(panel, rolled, told)
    assert (found.of(panel.series) == 1.0).all()
    assert corrected is told


def test_the_mood_of_days_is_rarely_taken_for_a_bias(panel):
    """Forecasts without bias under strong moods: corrected in few of sixty worlds, and then by little."""
    factors = [recent_bias(panel, *_rolled(panel, np.ones(4), seed=seed, mood=0.17))[0] for seed in range(60)]
    corrected = [each.of(panel.series) for each in factors if len(each.factor)]
    assert len(corrected) < 12
    assert all(np.abs(each - 1.0).max() < 0.1 for each in corrected)


def test_groups_have_biases_of_their_own(panel):
    """One category of one area sells 20 % more than told and the others what was told."""
    mine = ((panel.series["area_id"] == "A0") & (panel.series["category_id"] == "K0")).to_numpy()
    rolled, told = _rolled(panel, np.tile(np.where(mine, 1.2, 1.0), (4, 1)), seed=2, mood=0.01)
    factor = recent_bias(panel, rolled, told)[0].of(panel.series)
    assert (factor[mine] > 1.1).all()
    np.testing.assert_allclose(factor[~mine], 1.0, atol=0.02)


def test_days_not_known_as_of_an_origin_are_not_read(panel):
    """Sales after an origin change nothing it is corrected by, though an earlier origin forecast them too."""
    rolled, told = _rolled(panel, np.full(4, 1.15), seed=0, mood=0.03)
    close = RollingForecasts((100, 103, 106, 109), HORIZONS, rolled.forecasts, rolled.actual.copy())
    before = recent_bias(panel, close, told)[1]
    later = np.asarray(close.origins)[:, None] + np.asarray(HORIZONS) > 109  # all that origin 109 cannot know
    actual = close.actual.copy()
    actual[:3][later[:3]] *= 3.0
    after = recent_bias(panel, RollingForecasts(close.origins, HORIZONS, close.forecasts, actual), told)[1]
    np.testing.assert_array_equal(before[:4], after[:4])


@pytest.mark.parametrize("origins", [1, 2])
def test_few_origins_try_nothing(panel, origins):
    """One or two origins cannot say whether a bias lasts: no correction."""
    rolled, told = _rolled(panel, np.full(4, 1.2), seed=0)
    few = RollingForecasts(ORIGINS[:origins], HORIZONS, rolled.forecasts, rolled.actual[:origins])
    found, corrected = recent_bias(panel, few, told[:origins])
    assert len(found.factor) == 0
    assert corrected.shape[0] == origins


def test_what_was_not_there_is_not_corrected(panel):
    """A category that came later, all zeros, or nothing on sale: factor 1, always finite, within the range."""
    rolled, told = _rolled(panel, np.full(4, 1.2), seed=0, mood=0.01)
    told = told.copy()
    told[:, :, 0] = np.nan
    rolled.actual[:, :, 1] = 0.0
    found = recent_bias(panel, rolled, told)[0]
    factor = found.of(panel.series)
    assert np.isfinite(factor).all()
    assert (factor >= RANGE[0]).all()
    assert (factor <= RANGE[1]).all()
    new = pd.DataFrame({"area_id": ["A9"], "category_id": ["K0"]})
    assert found.of(new).tolist() == [1.0]
    assert RecentBias().of(new).tolist() == [1.0]
