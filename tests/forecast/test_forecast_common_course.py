from __future__ import annotations

import numpy as np
import pytest

from forecast import Panel
from forecast.common_course import CommonCourse, chance_factors
from forecast.features import Features, FeatureSpec

DAYS = np.arange(140)


def pairs(departure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Usual and actual sums of days that depart from the usual by these logs."""
    return np.full(len(departure), 1000.0), 1000.0 * np.exp(departure)


def test_moods_nothing_explains_leave_the_targets_whole_and_their_sum_as_it_was():
    """Facts without any bearing: what is left of the days' moods is their mean."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        usual, actual = pairs(rng.normal(0.0, 0.16, len(DAYS)))
        left = actual / chance_factors(rng.normal(size=(len(DAYS), 6)), DAYS, usual, actual)
        assert left.sum() == pytest.approx(actual.sum())
        assert np.log(left / usual).std() < 0.25 * np.log(actual / usual).std()


def test_what_a_fact_explains_week_after_week_stays():
    """Rain that lifts every wet day by a quarter stays in the targets; the mood on top of it goes."""
    rng = np.random.default_rng(0)
    wet = (rng.random(len(DAYS)) < 0.35).astype(float)
    usual, actual = pairs(0.22 * wet + rng.normal(0.0, 0.1, len(DAYS)))
    left = actual / chance_factors(wet[:, None], DAYS, usual, actual)
    lift = np.log(left[wet == 1].mean() / left[wet == 0].mean())
    assert 0.15 < lift < 0.26
    assert np.log(left[wet == 1]).std() < 0.02


def test_a_closed_day_bends_nothing_and_few_days_change_nothing():
    """A day without sales keeps factor one; a month's history is left alone; one day at a hundredth moves no other."""
    rng = np.random.default_rng(3)
    usual, actual = pairs(rng.normal(0.0, 0.1, len(DAYS)))
    facts = rng.normal(size=(len(DAYS), 2))
    plain = actual / chance_factors(facts, DAYS, usual, actual)
    actual[70] = 0.0
    found = chance_factors(facts, DAYS, usual, actual)
    assert found[70] == 1.0
    actual[70] = 10.0
    closed = actual / chance_factors(facts, DAYS, usual, actual)
    np.testing.assert_allclose(np.delete(closed, 70), np.delete(plain, 70), rtol=0.05)
    assert (chance_factors(facts[:27], DAYS[:27], usual[:27], actual[:27]) == 1.0).all()


def test_from_a_year_on_trees_may_learn_the_calendar_themselves():
    """364 days of training keep their moods; a day less loses them."""
    rng = np.random.default_rng(4)
    days = np.arange(364)
    usual, actual = pairs(rng.normal(0.0, 0.1, len(days)))
    facts = np.zeros((len(days), 1))
    assert (chance_factors(facts, days, usual, actual) == 1.0).all()
    assert np.ptp(chance_factors(facts[:-1], days[:-1], usual[:-1], actual[:-1])) > 0.1


def test_facts_read_no_later_day(history, context, settings):
    """Absurd sales after the origin change no fact of a day ahead."""
    panel = Panel.from_history(history, context, days_ahead=5)
    spec = FeatureSpec.fit(panel, context, settings)
    other = panel.quantity.copy()
    other[51:] = 1e6
    changed = Panel(panel.days, panel.series, other, panel.censored, panel.price, panel.list_price)
    one, two = (CommonCourse(Features(each, context, spec)).facts(50, 3, steepness=0.1) for each in (panel, changed))
    np.testing.assert_array_equal(one, two)
    assert np.isfinite(one).all()
