from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast import Context, Panel
from forecast.feast import SEASON, Feast
from forecast.members import MovingAverage

START = pd.Timestamp("2025-11-17")  # thirteen weeks before Lunar New Year's Day 2026-02-17
NEW_YEAR = 92


def with_feast(history: pd.DataFrame, context: Context, *, factor: float) -> tuple[Panel, np.ndarray]:
    """The history moved so that the feast falls into it, and sold by `factor` from eve to tenth day."""
    panel = Panel.from_history(history, context)
    course = np.ones(len(panel.days))
    course[NEW_YEAR - 1 : NEW_YEAR + 10] = factor
    days = pd.date_range(START, periods=len(panel.days), freq="D", unit="us")
    return replace(panel, days=days, quantity=(panel.quantity * course[: panel.known, None]).astype(np.float32)), course


@pytest.fixture(scope="module")
def long_history(make_history) -> pd.DataFrame:
    return make_history(6, 4, 140)


def test_the_factor_of_the_quiet_days_is_found_and_taken_out(long_history, context):
    """A third of the usual is told as about a third; the calm history sells as much as ever."""
    panel, _ = with_feast(long_history, context, factor=1 / 3)
    feast = Feast.measured(panel)
    quiet = slice(NEW_YEAR - 1, NEW_YEAR + 10)
    assert feast.factor[quiet].mean() == pytest.approx(1 / 3, abs=0.08)
    calm = feast.calm(panel).quantity
    assert calm[quiet].mean() == pytest.approx(panel.quantity[: NEW_YEAR - 15].mean(), rel=0.1)
    outside = ~feast.exceptional
    assert (feast.factor[outside] == 1).all()
    np.testing.assert_array_equal(calm[outside[: panel.known]], panel.quantity[outside[: panel.known]])


def test_levels_after_the_feast_do_not_remember_it(long_history, context):
    """Three weeks after the feast the moving average of the calm history is right, that of the sales far too low."""
    panel, _ = with_feast(long_history, context, factor=1 / 3)
    origin = NEW_YEAR + 20
    average = MovingAverage()
    plain, calm = (
        average.forecast(one, context, origins=[origin], horizons=[7]).sum()
        for one in (panel, Feast.measured(panel).calm(panel))
    )
    usual = panel.quantity[:70].sum(axis=1).mean()
    assert plain < 0.85 * usual
    assert calm == pytest.approx(usual, rel=0.1)


def test_a_city_that_does_not_keep_the_feast_keeps_its_history(long_history, context):
    """Where the heart of the season is an ordinary week nothing is taken out."""
    panel, _ = with_feast(long_history, context, factor=1.0)
    feast = Feast.measured(panel)
    assert not feast.exceptional.any()
    assert feast.calm(panel) is panel


def test_a_known_days_factor_reads_no_later_day(long_history, context):
    """Tripling all sales after the tenth day changes no factor up to it."""
    panel, _ = with_feast(long_history, context, factor=1 / 3)
    known = NEW_YEAR + 10
    later = panel.quantity.copy()
    later[known:] *= 3
    one, two = (Feast.measured(each) for each in (panel, replace(panel, quantity=later)))
    np.testing.assert_array_equal(one.factor[:known], two.factor[:known])


def test_days_ahead_fade_to_the_usual_the_first_time(long_history, context):
    """Known to the fifth quiet day, the rest of the season rises evenly from the last factor to one."""
    panel, _ = with_feast(long_history, context, factor=1 / 3)
    feast = Feast.measured(panel.known_until(NEW_YEAR + 5))
    ahead = feast.factor[NEW_YEAR + 5 : NEW_YEAR + SEASON[1] + 1]
    assert (np.diff(ahead, axis=0) > 0).all()
    assert ahead[0].mean() < 0.5
    assert ahead[-1].mean() > 0.9
    assert (feast.factor[NEW_YEAR + SEASON[1] + 1 :] == 1).all()


def test_the_second_feast_is_told_by_the_first(make_history, context):
    """With last year's feast known, this year's quiet days are expected before they come."""
    panel = Panel.from_history(make_history(6, 4, 480), context)
    days = pd.date_range(START, periods=len(panel.days), freq="D", unit="us")
    second = int((pd.Timestamp("2027-02-06") - START).days)
    course = np.ones(len(days))
    for first in (NEW_YEAR, second):
        course[first - 1 : first + 10] = 1 / 3
    both = replace(panel, days=days, quantity=(panel.quantity * course[: panel.known, None]).astype(np.float32))
    feast = Feast.measured(both.known_until(second - 10))
    assert feast.factor[second + 2 : second + 8].mean() == pytest.approx(1 / 3, abs=0.08)
