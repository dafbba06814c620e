from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from contracts.errors import SettingsError
from contracts.settings import BoostingSettings, ForecastSettings
from forecast import Panel
from forecast.members import GlobalModel, IntermittentDemand, member
from forecast.members.estimator import FALLBACK


def series(values: list[float]) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def panel_of(matrix: np.ndarray, context) -> Panel:
    pairs = pd.DataFrame(
        {"community_id": ["C00"] * matrix.shape[1], "sku_id": [f"S{i:02d}" for i in range(matrix.shape[1])]}
    )
    days = pd.date_range("2026-03-02", periods=len(matrix) + 14, unit="us")
    empty = np.full((len(days), matrix.shape[1]), np.nan, np.float32)
    places = context.places(pairs["community_id"], pairs["sku_id"])
    return Panel(days, places, matrix.astype(np.float32), np.zeros(matrix.shape, bool), empty, empty)


def answers(name: str, matrix: np.ndarray, context, horizons=(1, 7, 8)) -> np.ndarray:
    panel = panel_of(matrix, context)
    fitted = member(name, ForecastSettings()).fit(panel, context)
    return fitted.forecast(panel, context, origins=[panel.known - 1], horizons=horizons)[0]


def test_seasonal_naive_repeats_last_week(context):
    """Horizon 8 repeats horizon 1: the same weekday of the last known week."""
    matrix = series([float(day) for day in range(28)])
    assert answers("seasonal_naive", matrix, context)[:, 0].tolist() == [21.0, 27.0, 21.0]


def test_moving_average_is_the_mean_of_four_weeks(context):
    """Older days do not count."""
    assert answers("moving_average", series([100.0] * 10 + [1.0, 3.0] * 14), context)[:, 0].tolist() == [2.0] * 3


def test_the_rule_of_thumb_expects_the_last_day_on_sale_again(context):
    """Daily sales x 8 knows neither weekday nor level; goods that paused are taken as they sold last."""
    matrix = np.column_stack([series([1.0] * 27 + [9.0]), series([2.0] * 20 + [5.0] + [np.nan] * 7)])
    given = answers("daily_sales_x8", matrix, context)
    assert given.tolist() == [[9.0, 5.0]] * 3
    assert np.isnan(answers("daily_sales_x8", series([3.0] + [np.nan] * 40), context)).all()


def test_croston_equals_the_textbook_on_a_regular_pattern(context):
    """A sale of 6 every third day has size 6 and interval 3: two a day; SBA takes off half of alpha."""
    regular = series([0.0, 0.0, 6.0] * 30)
    assert IntermittentDemand("croston", alpha=0.1).rate(regular)[0] == pytest.approx(2.0, rel=0.02)
    assert IntermittentDemand("sba", alpha=0.1).rate(regular)[0] == pytest.approx(1.9, rel=0.02)


def test_tsb_fades_out_and_croston_does_not():
    """After sixty days without a sale TSB is near zero; Croston still remembers the last interval."""
    stopped = series([2.0] * 40 + [0.0] * 60)
    assert IntermittentDemand("tsb").rate(stopped)[0] < 0.1
    assert IntermittentDemand("croston").rate(stopped)[0] > 1.5


@pytest.mark.parametrize("name", ["ets", "theta"])
def test_smoothing_follows_a_weekly_rhythm(context, name):
    """On a clean rhythm the forecast repeats it to 5 %."""
    rhythm = series([10.0 + 3.0 * np.sin(2 * np.pi * day / 7) for day in range(84)])
    given = answers(name, rhythm, context, horizons=tuple(range(1, 8)))[:, 0]
    np.testing.assert_allclose(given, rhythm[:7, 0], rtol=0.05)


@pytest.mark.parametrize("name", ["ets", "theta"])
@pytest.mark.parametrize("values", [[1.0] * 5, [np.nan] * 60])
def test_smoothing_gives_no_answer_to_short_or_absent_series(context, name, values):
    """Too little to fit is NaN, never a silent zero."""
    assert np.isnan(answers(name, series(values), context)).all()


def test_smoothing_does_not_diverge_on_awkward_series(context):
    """All zero, a single spike and an explosive end stay within twice what was ever seen, or have no answer."""
    spike = [0.0] * 60 + [1000.0] + [0.0] * 20
    matrix = np.column_stack([series([0.0] * 81), series(spike), series(list(1.2 ** np.arange(81)))])
    for name in ("ets", "theta"):
        given = answers(name, matrix, context)
        top = np.nanmax(matrix, axis=0)
        assert (np.isnan(given) | ((given >= 0) & (given <= 2 * np.maximum(top, 1e-9)))).all()


@pytest.mark.parametrize(
    "name", ["seasonal_naive", "daily_sales_x8", "moving_average", "tsb", "sba", "croston", "lightgbm"]
)
def test_every_member_ignores_what_comes_after_its_origin(history, context, name):
    """Absurd later days change no answer from an earlier origin."""
    panel = Panel.from_history(history, context)
    small = ForecastSettings(boosting=BoostingSettings(trees=5, min_leaf_rows=20))
    fitted = member(name, small).fit(panel.known_until(50), context)
    other = panel.quantity.copy()
    other[50:] = 777.0
    changed = Panel(panel.days, panel.series, other, panel.censored, panel.price, panel.list_price)
    one = fitted.forecast(panel, context, origins=[40, 49], horizons=[1, 7])
    two = fitted.forecast(changed, context, origins=[40, 49], horizons=[1, 7])
    np.testing.assert_array_equal(one, two)


def test_without_lightgbm_histogram_boosting_answers_under_its_own_name(history, context, settings, monkeypatch):
    """A machine without LightGBM's library still forecasts, labelled."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    panel = Panel.from_history(history, context)
    fitted = GlobalModel(settings).fit(panel.known_until(65), context)
    assert fitted.name == FALLBACK
    given = fitted.forecast(panel, context, origins=[64], horizons=[1])
    assert np.isfinite(given).all()
    assert given.mean() == pytest.approx(np.nanmean(panel.quantity[2:65:7]), rel=0.25)


def test_an_unknown_member_is_named_with_those_there_are():
    """A typo in the settings is answered with the list."""
    with pytest.raises(SettingsError, match=r"prophet.*seasonal_naive"):
        member("prophet", ForecastSettings())
