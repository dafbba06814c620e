"""What people's data are like: gaps, typing errors, calendars that stop, libraries that are missing."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InputError, UnknownReferenceError
from contracts.flow import DailyDemand
from contracts.reference import Calendar
from forecast import Context, predict, train


def tonight(history: pd.DataFrame) -> dict[str, object]:
    last = history["delivery_date"].max()
    return {
        "delivery_dates": [last + pd.Timedelta(days=1)],
        "issued_at": last.tz_localize("Asia/Shanghai").tz_convert("UTC"),
    }


def total(rows: pd.DataFrame) -> float:
    return float(rows.loc[rows["level"] == "warehouse", "mean"].sum())


def test_gaps_in_the_history_are_absent_days_not_zeros(history, context, settings, trained):
    """Ten days are missing: the forecast stays near that of the whole history instead of falling by the gap."""
    first = history["delivery_date"].min()
    inside = history["delivery_date"].between(first + pd.Timedelta(days=45), first + pd.Timedelta(days=54))
    gappy = DailyDemand.check(history[~inside])
    model = train(gappy, skus=context.skus, communities=context.communities, settings=settings)
    rows = predict(model, gappy, **tonight(gappy))
    whole = predict(trained, history, **tonight(history))
    assert total(rows) == pytest.approx(total(whole), rel=0.15)
    assert not rows["source"].str.startswith("fallback").any()


@pytest.mark.parametrize("quantity", [5e9, 1_000_001.0, float("inf")])
def test_an_absurd_quantity_is_refused_with_its_row(history, context, settings, quantity):
    """A typing error would bend every mean: training and prediction name the row instead of learning it."""
    typed = history.assign(quantity=history["quantity"].where(history.index != 7, quantity))
    with pytest.raises(InputError, match=r"1 history rows have a quantity .* above 1,000,000.*S03"):
        train(typed, skus=context.skus, communities=context.communities, settings=settings)


def test_an_unknown_community_in_the_history_is_named(history, context, settings, trained):
    """A community without reference data is an error in training and in prediction, not a lost row."""
    lost = DailyDemand.check(history.assign(community_id=history["community_id"].replace("C05", "C77")))
    with pytest.raises(UnknownReferenceError, match="C77"):
        train(lost, skus=context.skus, communities=context.communities, settings=settings)
    with pytest.raises(UnknownReferenceError, match="C77"):
        predict(trained, lost, **tonight(lost))


def test_a_calendar_that_stops_early_is_unknown_days_not_days_without_a_holiday(history, context, settings):
    """Holidays are known for the past only: the forecast goes on, and equals that of a calendar never given ahead."""
    days = pd.DataFrame({"day": pd.date_range(history["delivery_date"].min(), periods=60, unit="us")})
    days["is_holiday"] = days["day"].dt.day == 1
    calendar = Calendar.check(days.assign(event=None, temperature_c=np.nan, rain_mm=np.nan))
    model = train(history, skus=context.skus, communities=context.communities, calendar=calendar, settings=settings)
    now = Context(context.skus, context.communities, calendar=calendar)
    rows = predict(model, history, **tonight(history), context=now)
    usual = history.groupby("delivery_date")["quantity"].sum().mean()
    assert total(rows) == pytest.approx(usual, rel=0.5)
    without = Context(context.skus, context.communities, calendar=Calendar.check(calendar.iloc[:30]))
    assert total(predict(model, history, **tonight(history), context=without)) > 0


def test_without_lightgbm_every_forecast_says_who_answered(history, context, settings, monkeypatch):
    """A machine without LightGBM's library trains and forecasts with histogram boosting, named in every row it made."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    alone = settings.model_copy(update={"members": ("lightgbm",), "own_levels": ()})
    model = train(history, skus=context.skus, communities=context.communities, settings=alone)
    rows = predict(model, history, **tonight(history), levels=["community"])
    assert (rows["source"] == "fallback: histogram boosting").all()
    assert "fallback: histogram boosting" in set(model.scores["member"])
