from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contracts.errors import EmptyInputError, InputError
from contracts.flow import DailyDemand
from contracts.reference import Communities, Listings, Skus
from forecast import Context, predict, train
from forecast.assortment import unlisted_areas
from forecast.recent_bias import RecentBias


def ahead(history: pd.DataFrame, days: int = 1) -> list[pd.Timestamp]:
    last = history["delivery_date"].max()
    return [last + pd.Timedelta(days=step) for step in range(1, days + 1)]


def midnight(day: pd.Timestamp) -> pd.Timestamp:
    """Start of a day in the city: the orders delivered that day are closed, later ones are not."""
    return day.tz_localize("Asia/Shanghai").tz_convert("UTC")


def tonight(history: pd.DataFrame, days: int = 1) -> dict[str, object]:
    """The question of an evening: the next days, from all that is known."""
    return {"delivery_dates": ahead(history, days), "issued_at": midnight(history["delivery_date"].max())}


@pytest.fixture(scope="module")
def forecast(trained, history):
    return predict(trained, history, **tonight(history, 3))


def test_levels_add_up(forecast, context):
    """Communities sum to their warehouse and area rows to 1e-6."""
    base = forecast[forecast["level"] == "community"].merge(
        context.communities, left_on="place_id", right_on="community_id"
    )
    for level in ("warehouse", "area"):
        summed = base.groupby(["delivery_date", f"{level}_id", "sku_id"])["mean"].sum()
        told = forecast[forecast["level"] == level].set_index(["delivery_date", "place_id", "sku_id"])["mean"]
        assert np.abs(summed.to_numpy() - told.sort_index().to_numpy()).max() < 1e-6


def test_forecasts_are_close_to_what_the_history_teaches(forecast, history):
    """On stationary Poisson sales the total forecast lies within 10 % of the recent weekday means."""
    dates = forecast["delivery_date"].unique()
    units = history.groupby("delivery_date")["quantity"].sum()
    expected = sum(units[[day - pd.Timedelta(days=7 * week) for week in range(1, 9)]].mean() for day in dates)
    assert forecast.loc[forecast["level"] == "warehouse", "mean"].sum() == pytest.approx(expected, rel=0.1)


def test_aggregate_quantiles_are_narrower_than_sums_of_quantiles(forecast):
    """Summing every community's q95 over-buys; the warehouse has errors of its own."""
    upper = forecast.groupby("level")["q95"].sum()
    assert upper["warehouse"] < upper["community"]


def test_changing_the_future_changes_no_forecast(trained, history, context):
    """Rows after what was known at issued_at are not read, however absurd."""
    moment = midnight(history["delivery_date"].max() - pd.Timedelta(days=10))
    date = [history["delivery_date"].max() - pd.Timedelta(days=9)]
    late = history["delivery_date"] > history["delivery_date"].max() - pd.Timedelta(days=10)
    other = DailyDemand.check(history.assign(quantity=history["quantity"].where(~late, 9_999.0)))
    one = predict(trained, history, delivery_dates=date, issued_at=moment)
    two = predict(trained, other, delivery_dates=date, issued_at=moment)
    pd.testing.assert_frame_equal(one, two)


def test_training_is_reproducible_and_the_model_survives_pickling(trained, history, context, settings, forecast):
    """Same data in another row order, same seed: the same forecasts; so after a round through pickle."""
    again = train(
        DailyDemand.check(history.sample(frac=1, random_state=3)),
        skus=context.skus,
        communities=context.communities,
        settings=settings,
    )
    assert again.fingerprint == trained.fingerprint
    for model in (again, pickle.loads(pickle.dumps(trained))):
        same = predict(model, history, **tonight(history, 3))
        pd.testing.assert_frame_equal(same, forecast)


def test_a_date_beyond_the_horizon_is_a_labelled_fallback(trained, history):
    """Five days ahead of a model trained for three answers with the moving average and says so."""
    question = tonight(history, 5) | {"delivery_dates": ahead(history, 5)[4:]}
    rows = predict(trained, history, **question)
    assert rows["source"].str.startswith("fallback: moving_average, 5 days").all()


def test_new_sku_and_new_community_are_labelled_and_not_zero(trained, history, context):
    """A SKU and a community without a single day of history get their peers' level, with a label."""
    sku = context.skus.iloc[[0]].assign(sku_id="S99", name="new")
    place = context.communities.iloc[[0]].assign(community_id="C99", name="new")
    date = ahead(history)[0]
    plan = pd.DataFrame({"delivery_date": date, "area_id": ["A0", "A0", "A1"], "sku_id": ["S99", "S00", "S00"]})
    now = Context(
        Skus.check(pd.concat([context.skus, sku])),
        Communities.check(pd.concat([context.communities, place])),
        Listings.check(plan.assign(price_yuan=5.0, list_price_yuan=5.0)),
    )
    rows = predict(trained, history, **tonight(history), context=now, levels=["community"])
    new_sku = rows[rows["sku_id"] == "S99"]
    assert len(new_sku) == 4
    assert new_sku["source"].str.startswith("fallback: new SKU").all()
    assert (new_sku["mean"] > 0.1).all()
    newcomer = rows[(rows["place_id"] == "C99") & (rows["sku_id"] == "S00")].iloc[0]
    assert newcomer["source"].startswith("fallback: new community")
    assert newcomer["mean"] > 0.1
    assert set(rows["sku_id"]) == {"S99", "S00"}


def test_a_closed_community_has_no_row(trained, history, context):
    """A community that closed before the delivery date is not forecast."""
    closed = context.communities.assign(closed_on=history["delivery_date"].max())
    closed.loc[closed["community_id"] != "C03", "closed_on"] = pd.NaT
    now = Context(context.skus, Communities.check(closed))
    rows = predict(trained, history, **tonight(history), context=now)
    assert "C03" not in set(rows["place_id"])


def test_without_history_the_level_at_training_answers_labelled(trained, history):
    """An empty history is answered by the level the model remembers, and every row says so."""
    rows = predict(trained, DailyDemand.empty(), **tonight(history))
    assert rows["source"].str.startswith("fallback: level at training").all()
    total = rows.loc[rows["level"] == "community", "mean"].sum()
    assert total == pytest.approx(trained.last_level["mean"].sum(), rel=1e-5)
    factor = pd.Series(1.2, pd.MultiIndex.from_product([["A0", "A1"], ["K0", "K1"]]))
    corrected = replace(trained, recent_bias=RecentBias(factor, 0.1))
    pd.testing.assert_frame_equal(predict(corrected, DailyDemand.empty(), **tonight(history)), rows)


def test_one_day_of_history_is_a_labelled_fallback(history, context):
    """One day is too short for a rolling origin: recent mean, Poisson spread, labelled."""
    day = history[history["delivery_date"] == history["delivery_date"].min()].reset_index(drop=True)
    model = train(DailyDemand.check(day), skus=context.skus, communities=context.communities)
    rows = predict(model, DailyDemand.check(day), **tonight(day))
    assert rows["source"].str.contains("history of 1 days").all()
    assert rows.loc[rows["level"] == "community", "mean"].sum() == day["quantity"].sum()


def test_all_zero_history_forecasts_nearly_nothing(history, context, settings):
    """Goods that never sold are forecast near zero without failing."""
    zero = DailyDemand.check(history.assign(quantity=0.0))
    model = train(zero, skus=context.skus, communities=context.communities, settings=settings)
    rows = predict(model, zero, **tonight(zero))
    assert rows["mean"].max() < 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delivery_dates": []}, "No delivery date"),
        ({"delivery_dates": [pd.Timestamp("2026-03-05")]}, "already known"),
        ({"issued_at": pd.Timestamp("2026-05-10")}, "no time zone"),
        ({"levels": ["city"]}, "Levels are"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(trained, history, change, message):
    """Each broken question raises with the fact that is wrong."""
    with pytest.raises(InputError, match=message):
        predict(trained, history, **(tonight(history) | change))


def test_nothing_on_sale_is_an_empty_input(trained, history, context):
    """Listings that name only SKUs of an area without communities leave nothing to forecast."""
    date = ahead(history)[0]
    plan = pd.DataFrame({"delivery_date": [date], "area_id": ["A9"], "sku_id": ["S00"]})
    listings = Listings.check(plan.assign(price_yuan=5.0, list_price_yuan=5.0))
    now = Context(context.skus, context.communities, listings)
    with pytest.raises(EmptyInputError, match="Nothing is on sale"):
        predict(trained, history, **tonight(history), context=now)


def listed(date: pd.Timestamp, areas: tuple[str, ...], skus: tuple[str, ...] = ("S00", "S01")) -> pd.DataFrame:
    """Return listings of SKUs in areas on a day."""
    rows = [(date, area, sku, 5.0, 5.0) for area in areas for sku in skus]
    return Listings.check(
        pd.DataFrame(rows, columns=["delivery_date", "area_id", "sku_id", "price_yuan", "list_price_yuan"])
    )


def test_an_area_without_listings_is_assumed_and_labelled(trained, history, context):
    """Only A0 listed two SKUs: A1 is expected to sell its recent four, each row says so, sums of both are plain."""
    date = ahead(history)[0]
    now = Context(context.skus, context.communities, listed(date, ("A0",)))
    rows = predict(trained, history, **tonight(history), context=now)
    area = context.communities.set_index("community_id")["area_id"]
    places = rows[rows["level"] == "community"].assign(area=lambda table: table["place_id"].map(area))
    places = places[places["delivery_date"] == date]
    here, there = places[places["area"] == "A0"], places[places["area"] == "A1"]
    assert set(here["sku_id"]) == {"S00", "S01"}
    assert not here["source"].str.startswith("fallback").any()
    assert set(there["sku_id"]) == {"S00", "S01", "S02", "S03"}
    assert there["source"].str.startswith("fallback: no listings, goods on sale of late taken; ").all()
    answered = {name.rpartition("; ")[2] for name in there["source"]}
    assert answered & set(here["source"])
    sums = rows[(rows["level"] == "area") & (rows["delivery_date"] == date)].set_index(["place_id", "sku_id"])["source"]
    assert not sums["A0"].str.startswith("fallback").any()
    assert sums["A1"].str.startswith("fallback: no listings").all()


def test_a_day_without_listings_is_labelled_where_listings_are_kept(trained, history, context):
    """Listings of yesterday only: every row of tomorrow is assumed; without any listing ever none is missed."""
    date = ahead(history)[0]
    kept = Context(context.skus, context.communities, listed(date - pd.Timedelta(days=1), ("A0", "A1")))
    rows = predict(trained, history, **tonight(history), context=kept)
    assert rows["source"].str.startswith("fallback: no listings").all()
    plain = predict(trained, history, **tonight(history), context=context)
    assert not plain["source"].str.contains("no listings").any()
    pd.testing.assert_frame_equal(rows.drop(columns="source"), plain.drop(columns="source"))


def test_an_area_without_open_communities_misses_nothing(context):
    """A closed area is not asked for listings; an unknown area's listings are nobody's."""
    day = pd.Timestamp("2026-05-20")
    shut = context.communities.assign(closed_on=pd.NaT)
    shut.loc[shut["area_id"] == "A1", "closed_on"] = day - pd.Timedelta(days=1)
    for areas, missing in ((("A0",), []), (("A9",), []), (("A1",), [])):
        assert unlisted_areas(Communities.check(shut), listed(day, areas), day) == missing
    assert unlisted_areas(context.communities, listed(day, ("A1",)), day) == ["A0"]
