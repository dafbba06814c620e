"""Drift: silent while the world goes on as learned, in plain words when it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contracts.errors import EmptyInputError, InputError
from contracts.flow import DailyDemand
from forecast import drift_report, train
from forecast.promise import no_day_errors

LEARNED = "2026-05-10"


@pytest.fixture(scope="module")
def longer(make_history) -> pd.DataFrame:
    return make_history(6, 4, 98)


@pytest.fixture(scope="module")
def model(longer, context, settings):
    past = DailyDemand.check(longer[longer["delivery_date"] <= LEARNED])
    own = settings.model_copy(update={"backtest_origins": 8})
    return train(past, skus=context.skus, communities=context.communities, settings=own)


def changed(longer: pd.DataFrame, factor: float) -> pd.DataFrame:
    late = longer["delivery_date"] > LEARNED
    quantity = np.floor(longer["quantity"].where(~late, longer["quantity"] * factor))
    return DailyDemand.check(longer.assign(quantity=quantity))


def test_the_same_process_going_on_is_no_drift(model, longer):
    """Nothing changed in four weeks: the promise holds at every level and the report says so in both languages."""
    report = drift_report(model, longer, days=28)
    assert report.findings == ()
    assert "No drift was found" in report.text()
    assert "没有发现漂移" in report.text("zh")
    both = report.scores.set_index("level")
    assert (abs(both["wape"] - both["promised_wape"]) < 0.1).all()
    assert both["days"].tolist() == [28, 28, 28]
    assert drift_report(model, longer).scores["days"].tolist() == [14, 14, 14]


def test_halved_sales_are_told_as_too_much_forecast(model, longer):
    """Sales halve: bias, error and upper coverage are named, in Chinese and English."""
    report = drift_report(model, changed(longer, 0.5))
    assert {"bias", "error"} <= {finding.kind for finding in report.findings}
    assert "too much was forecast" in report.text()
    assert "预测偏多" in report.text("zh")
    assert "tuancai train" in report.text("zh")


def test_doubled_sales_break_the_upper_quantiles(model, longer):
    """Twice the sales: q90 holds far less than 90 % and the report names it."""
    report = drift_report(model, changed(longer, 2.0))
    broken = [finding for finding in report.findings if finding.kind == "coverage" and finding.what == "q90"]
    assert broken
    assert all(finding.now < 0.85 for finding in broken)
    assert any(finding.sentence("en").startswith("Communities: q90 held") for finding in broken)


def test_weeks_add_up_to_the_whole(model, longer):
    """The weeks' units are the units of the days looked at, level by level."""
    report = drift_report(model, longer, days=10)
    weeks = report.weeks.groupby("level")["units"].sum()
    pd.testing.assert_series_equal(weeks, report.scores.set_index("level")["units"].sort_index())
    assert report.weeks.groupby("level")["days"].sum().tolist() == [10, 10, 10]


def test_two_days_prove_nothing(model, longer):
    """However bad two days were, they may be chance: no finding."""
    short = changed(longer, 0.2)
    assert drift_report(model, short, days=2).findings == ()


def test_a_model_without_rolling_origins_is_compared_with_nothing(model, longer):
    """A fallback promised nothing; the report says that instead of inventing a promise."""
    bare = replace(model, promise=no_day_errors())
    assert "no rolling origins to compare" in drift_report(bare, longer).text()
    assert "没有回测可比" in drift_report(bare, longer).text("zh")


def test_days_the_model_learned_from_are_no_test(model, longer):
    """A history that ends with the training, or without sales since, has nothing to say."""
    with pytest.raises(EmptyInputError, match="days after that"):
        drift_report(model, DailyDemand.check(longer[longer["delivery_date"] <= LEARNED]))
    with pytest.raises(EmptyInputError, match="days after that"):
        drift_report(model, changed(longer, 0.0))
    with pytest.raises(InputError, match="en and zh"):
        drift_report(model, longer).text("fr")


def test_goods_off_sale_are_no_drift(context, settings, make_history):
    """Each good is on sale every other fortnight: what is not offered is neither expected nor missed."""
    history = make_history(6, 4, 112)
    turn = (history["delivery_date"] - history["delivery_date"].min()).dt.days // 14
    kept = history[(turn + history["sku_id"].str[-1].astype(int)) % 2 == 0]
    kept = DailyDemand.check(kept.reset_index(drop=True))
    own = settings.model_copy(update={"backtest_origins": 8, "own_levels": ("area_category",)})
    past = DailyDemand.check(kept[kept["delivery_date"] <= "2026-05-25"].reset_index(drop=True))
    model = train(past, skus=context.skus, communities=context.communities, settings=own)
    report = drift_report(model, kept)
    assert not [finding for finding in report.findings if finding.kind == "bias"]
