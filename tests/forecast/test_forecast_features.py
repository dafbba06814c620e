from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from forecast import Panel
from forecast.features import Features, FeatureSpec
from forecast.windows import Windows, last_same_weekday

SKUS = ("S00", "S01", "S02", "S03")


@pytest.fixture(scope="module")
def panel(history, context) -> Panel:
    return Panel.from_history(history, context, days_ahead=5)


def test_no_feature_reads_the_future(panel, context, settings):
    """Absurd sales after the origin change no feature of any horizon."""
    spec = FeatureSpec.fit(panel, context, settings)
    origin = 50
    other = panel.quantity.copy()
    other[origin + 1 :] = 1e6
    changed = Panel(panel.days, panel.series, other, panel.censored, panel.price, panel.list_price)
    for horizon in (1, 3, 8):
        one = Features(panel, context, spec).block(origin, horizon)
        two = Features(changed, context, spec).block(origin, horizon)
        np.testing.assert_array_equal(one, two)


def test_columns_have_the_names_the_spec_tells(panel, context, settings):
    """One column per name, float32, and the lead time and weekday columns say what they should."""
    spec = FeatureSpec.fit(panel, context, settings)
    block = Features(panel, context, spec).block(60, 3)
    assert block.dtype == np.float32
    assert block.shape == (24, len(spec.names()))
    assert set(block[:, spec.names().index("horizon")]) == {3.0}
    assert set(block[:, spec.names().index("weekday")]) == {float(panel.days[63].day_of_week)}


def test_values_match_a_plain_loop(panel, context, settings):
    """Base-relative means and weekday means equal what a loop over the history computes."""
    spec = FeatureSpec.fit(panel, context, settings)
    features = Features(panel, context, spec)
    origin, horizon, series = 55, 2, 7
    row = dict(zip(spec.names(), features.block(origin, horizon)[series], strict=True))
    own = panel.quantity[:, series].astype(float)
    base = features.base(origin)[series]
    assert row["mean_7"] * base == pytest.approx(own[origin - 6 : origin + 1].mean(), rel=1e-5)
    same = [own[day] for day in range(origin, -1, -1) if (day - origin - horizon) % 7 == 0][:4]
    assert row["weekday_mean_4"] * base == pytest.approx(np.mean(same), rel=1e-5)
    assert row["median_28"] * base == pytest.approx(np.median(own[origin - 27 : origin + 1]), rel=1e-5)
    same = [own[day] for day in range(origin, -1, -1) if (day - origin - horizon) % 7 == 0][:8]
    assert row["weekday_median"] * base == pytest.approx(np.median(same), rel=1e-5)
    assert row["silence_days"] == origin - np.flatnonzero(own[: origin + 1] > 0)[-1]


@pytest.mark.parametrize("change", [0.4, 2.5])
def test_a_level_follows_what_the_sku_sells_now(make_history, context, settings, change):
    """An SKU that came into or out of fashion four weeks ago is not drawn back to its half year: within 2 %."""
    panel = Panel.from_history(make_history(6, 4, 200), context)
    quantity = panel.quantity.copy()
    moved = (panel.series["sku_id"] == "S01").to_numpy()
    quantity[172:, moved] *= change
    later = Panel(panel.days, panel.series, quantity, panel.censored, panel.price, panel.list_price)
    base = Features(later, context, FeatureSpec.fit(later, context, settings)).base(199)
    assert base[moved].sum() == pytest.approx(quantity[172:, moved].mean(axis=0).sum(), rel=0.02)
    assert base[~moved].sum() == pytest.approx(quantity[172:, ~moved].mean(axis=0).sum(), rel=0.02)


@pytest.mark.parametrize("seen", [0, 5])
def test_a_young_series_follows_the_fashion_once(make_history, context, settings, seen):
    """A community that opened these days starts from what its peers sell now; their change is not counted twice."""
    panel = Panel.from_history(make_history(6, 4, 200), context)
    quantity = panel.quantity.copy()
    moved = (panel.series["sku_id"] == "S01").to_numpy()
    quantity[172:, moved] *= 2.5
    young = (panel.series["community_id"] == "C04").to_numpy()
    quantity[: 200 - seen, young] = np.nan
    later = Panel(panel.days, panel.series, quantity, panel.censored, panel.price, panel.list_price)
    base = Features(later, context, FeatureSpec.fit(later, context, settings)).base(199)
    peers = moved & panel.series["community_id"].isin(["C00", "C02"]).to_numpy()
    usual = quantity[172:, peers].mean()
    assert 0.4 * usual < base[moved & young][0] < 1.4 * usual


def test_the_first_day_tells_a_communitys_size(history, context, settings):
    """A community of three times its peers counts as one of them unseen, as over twice after a day, then thrice."""
    panel = Panel.from_history(history, context)
    spec = FeatureSpec.fit(panel, context, settings)
    mine = (panel.series["community_id"] == "C00").to_numpy()
    peers = ((panel.series["area_id"] == "A0") & ~mine).to_numpy()
    usual = np.stack([panel.quantity[:, peers & (panel.series["sku_id"] == sku)].mean(axis=1) for sku in SKUS], axis=1)

    def size(days: int) -> float:
        quantity = panel.quantity.copy()
        quantity[:, mine] = 3.0 * usual
        quantity[: 51 - days, mine] = np.nan
        known = Panel(panel.days, panel.series, quantity, panel.censored, panel.price, panel.list_price)
        base = Features(known, context, spec).base(50)
        return float(base[mine].sum() / usual[23:51].mean(axis=0).sum())

    assert size(0) == pytest.approx(1.0, rel=0.1)
    assert 1.7 < size(1) < 3.3
    assert size(20) == pytest.approx(3.0, rel=0.15)


@effort(deadline=None, max_examples=50)
@given(st.integers(0, 40), st.integers(1, 28))
def test_last_same_weekday_is_known_and_of_the_weekday(origin, horizon):
    """The day read for a target is never after the origin, at most six days before it, and of its weekday."""
    day = last_same_weekday(origin, horizon)
    assert origin - 6 <= day <= origin
    assert (origin + horizon - day) % 7 == 0


def test_window_means_leave_absent_days_out():
    """A day off sale is no zero."""
    windows = Windows(np.array([[1.0], [np.nan], [4.0]], np.float32))
    assert windows.mean(2, 3)[0] == 2.5
    assert np.isnan(windows.mean(1, 1)[0])


@effort(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(0, 11), st.floats(0.0, 1.0))
def test_medians_are_numpys(seed, days, origin, gaps):
    """Rolling medians leave absent days out as `numpy.nanmedian` does, whatever the gaps."""
    rng = np.random.default_rng(seed)
    quantity = rng.poisson(2.0, (12, 5)).astype(np.float32)
    quantity[rng.random(quantity.shape) < gaps] = np.nan
    windows = Windows(quantity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of slices without a day
        wanted = np.nanmedian(quantity[max(0, origin + 1 - days) : origin + 1], axis=0)
        rows = [row for row in range(origin, -1, -1) if (row - origin - 3) % 7 == 0][:2]
        same = np.nanmedian(quantity[rows], axis=0) if rows else np.full(5, np.nan)
    np.testing.assert_array_equal(windows.median(origin, days), wanted)
    np.testing.assert_array_equal(windows.same_weekday_median(origin, 3, 2), same)


def test_a_group_window_sums_its_members():
    """Pooled mean is units over listed days of all members."""
    windows = Windows(np.array([[1.0, 3.0, 9.0], [2.0, np.nan, 9.0]], np.float32))
    pooled = Windows.of_groups(windows, np.array([0, 0, 1]), 2)
    assert pooled.mean(1, 2).tolist() == [2.0, 9.0]


def test_target_outside_the_panel_is_refused(panel, context, settings):
    """A horizon past the last day with a calendar raises."""
    with pytest.raises(ValueError, match="leave the panel"):
        Features(panel, context, FeatureSpec.fit(panel, context, settings)).block(69, 6)
