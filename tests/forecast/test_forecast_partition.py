"""Areas worked on apart: the same figures in this process and on two real worker processes."""

from __future__ import annotations

import logging
import os
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from contracts.errors import EmptyInputError, SettingsError
from contracts.flow import DailyDemand
from contracts.settings import ForecastSettings
from forecast import Panel, predict, train
from forecast.members import member
from forecast.partition import FittedByArea, areas, method_of, relocated
from forecast.partition_cluster import close_clusters, run_parts


@pytest.fixture(scope="module")
def two_workers():
    """Two worker processes for the module; ended afterwards."""
    yield "local:2"
    close_clusters()


@pytest.fixture(scope="module")
def apart(history, context, settings):
    """A model per area, trained in this process; ETS takes part."""
    own = settings.model_copy(update={"by_area": "here", "members": ("lightgbm", "moving_average", "ets")})
    return train(history, skus=context.skus, communities=context.communities, settings=own)


def question(history: pd.DataFrame) -> dict[str, object]:
    last = history["delivery_date"].max()
    dates = [last + pd.Timedelta(days=step) for step in (1, 2, 3)]
    return {"delivery_dates": dates, "issued_at": last.tz_localize("Asia/Shanghai").tz_convert("UTC")}


@pytest.mark.slow
def test_two_dask_workers_give_the_same_model_and_the_same_forecast(apart, history, context, two_workers):
    """One setting moves training and prediction to a LocalCluster of two processes; every figure is the same bit."""
    elsewhere = apart.settings.model_copy(update={"by_area": two_workers})
    moved = train(history, skus=context.skus, communities=context.communities, settings=elsewhere)
    # a lambda travels whole: the workers know the package, not this test
    processes = set(run_parts(two_workers, lambda part: os.getpid(), [(part,) for part in range(8)]))
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert moved.fingerprint == apart.fingerprint
    assert moved.settings == apart.settings
    np.testing.assert_array_equal(moved.combination.weights, apart.combination.weights)
    pd.testing.assert_frame_equal(moved.scores, apart.scores, check_exact=True)
    here = predict(apart, history, **question(history))
    for model in (moved, relocated(apart, two_workers), pickle.loads(pickle.dumps(moved))):
        there = predict(model, history, **question(history))
        pd.testing.assert_frame_equal(there, here, check_exact=True)


def test_an_area_learns_from_its_own_series_only(apart, history, context, settings):
    """Other sales in one area change no forecast of the boosted model in the other."""
    panel = Panel.from_history(history, context)
    columns = areas(panel)
    other = panel.quantity.copy()
    other[:, columns["A1"]] = 50.0
    changed = Panel(panel.days, panel.series, other, panel.censored, panel.price, panel.list_price)
    boosted = member("lightgbm", apart.settings)
    asked = {"origins": [panel.known - 3], "horizons": [1, 2]}
    one = boosted.fit(panel, context).forecast(panel, context, **asked)
    two = boosted.fit(changed, context).forecast(changed, context, **asked)
    np.testing.assert_array_equal(one[..., columns["A0"]], two[..., columns["A0"]])
    assert (one[..., columns["A1"]] != two[..., columns["A1"]]).any()


def test_levels_still_add_up_and_own_their_spread(apart, history, context):
    """A warehouse that serves two areas is the sum of both, with quantiles of its own."""
    rows = predict(apart, history, **question(history))
    base = rows[rows["level"] == "community"].merge(context.communities, left_on="place_id", right_on="community_id")
    summed = base.groupby(["delivery_date", "warehouse_id", "sku_id"])["mean"].sum()
    told = rows[rows["level"] == "warehouse"].set_index(["delivery_date", "place_id", "sku_id"])["mean"].sort_index()
    assert np.abs(summed.to_numpy() - told.to_numpy()).max() < 1e-6
    assert rows.groupby("level")["q95"].sum()["warehouse"] < rows.groupby("level")["q95"].sum()["community"]


def test_an_area_too_young_to_learn_from_is_answered_by_others_and_labelled(history, context, settings):
    """An area that opened a week ago has no boosted model; its rows say who stands in, the other area's do not."""
    area = history["community_id"].map(context.communities.set_index("community_id")["area_id"])
    young = history[(area == "A0") | (history["delivery_date"] > history["delivery_date"].max() - pd.Timedelta(days=7))]
    own = settings.model_copy(update={"by_area": "here", "own_levels": ()})
    model = train(DailyDemand.check(young), skus=context.skus, communities=context.communities, settings=own)
    leading = next(one for one in model.members.values() if isinstance(one, FittedByArea))
    assert set(leading.parts) == {"A0", "A1"}  # the last origins suffice to fit, as every origin has two weeks behind
    gone = FittedByArea({"A0": leading.parts["A0"]})
    only = {name: gone if one is leading else one for name, one in model.members.items()}
    from dataclasses import replace

    rows = predict(replace(model, members=only), DailyDemand.check(young), **question(history), levels=["community"])
    place = rows["place_id"].map(context.communities.set_index("community_id")["area_id"])
    assert rows.loc[place == "A1", "source"].str.startswith("fallback").all()
    assert not rows.loc[place == "A0", "source"].str.startswith("fallback").any()
    assert (rows.loc[place == "A1", "mean"] > 0).all()


def test_no_area_with_history_is_an_empty_input(history, context, settings):
    """Five days of history let no area learn."""
    panel = Panel.from_history(history, context).known_until(5)
    with pytest.raises(EmptyInputError, match="No area has enough history"):
        member("lightgbm", settings.model_copy(update={"by_area": "here"})).fit(panel, context)


def test_a_scheduler_that_is_gone_is_told_and_the_work_done_here(caplog):
    """A figure does not depend on the place, so an absent cluster costs time, not the night."""
    with caplog.at_level(logging.WARNING, "forecast.partition_cluster"):
        assert run_parts("tcp://127.0.0.1:9", abs, [(-1,), (-2,)]) == [1, 2]
    assert "does not answer" in caplog.text


def test_without_dask_the_setting_is_refused_with_what_to_install(monkeypatch):
    """Dask is an extra: without it the error names the extra and the way around it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r"tuancai\[dask\]"):
        run_parts("local:2", abs, [(1,)])


@pytest.mark.parametrize("place", ["local", "local:0", "two", "tcp://nowhere"])
def test_a_place_that_is_none_is_refused(place):
    """A typo in the setting is refused when it is read."""
    with pytest.raises(ValueError, match="is no place"):
        ForecastSettings(by_area=place)


def test_the_place_is_no_part_of_the_method():
    """Two settings that differ only in where the areas are worked on are one method."""
    assert method_of(ForecastSettings(by_area="local:2")) == ForecastSettings(by_area="here")
    assert method_of(ForecastSettings()) == ForecastSettings()
