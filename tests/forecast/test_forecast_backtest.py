from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InputError
from forecast import backtest, evidence_of


@pytest.fixture(scope="module")
def scores(history, context, settings):
    return backtest(
        history, models=["champion", "seasonal_naive"], origins=3, horizon=3, context=context, settings=settings
    )


def test_every_cut_is_scored(scores):
    """Two models, three origins, three levels, by all, category, band and lead time."""
    table = scores.scores
    assert set(table["by"]) == {"all", "category", "band", "lead"}
    whole = table[table["by"] == "all"]
    assert len(whole) == 2 * 3 * 3
    assert np.isfinite(whole[["wrmsse", "wape", "bias", "pinball"]].to_numpy()).all()


def test_the_global_model_beats_the_seasonal_naive(scores):
    """Poisson sales around a stable rhythm are the case the model must win at every level."""
    summary = scores.summary().set_index(["level", "model"])
    for level in ("community", "warehouse", "area"):
        assert summary.loc[(level, "champion"), "wrmsse"] < summary.loc[(level, "seasonal_naive"), "wrmsse"]


def test_value_added_is_the_share_of_the_baselines_error_taken_away(scores):
    """The naive adds nothing to itself, the model takes part of its error away, and a stranger is refused."""
    added = scores.value_added().set_index(["level", "model"]).drop(columns="baseline")
    assert (added.xs("seasonal_naive", level="model") == 0).all().all()
    assert (added.xs("champion", level="model")["wrmsse"] > 0).all()
    with pytest.raises(InputError, match="was not scored"):
        scores.value_added(baseline="nobody")


def test_lead_rows_add_up_to_the_whole(scores):
    """The units seen per lead time sum to the units of the window."""
    table = scores.scores
    key = ["model", "origin", "level"]
    leads = table[table["by"] == "lead"].groupby(key)["units"].sum()
    whole = table[table["by"] == "all"].set_index(key)["units"]
    pd.testing.assert_series_equal(leads.sort_index(), whole.sort_index())


def test_a_backtest_is_evidence_for_a_promotion(scores):
    """The naive champion loses to the model on the same windows."""
    proof = evidence_of(scores, champion="seasonal_naive", challenger="champion", level="community", metric="wrmsse")
    assert proof.verdict()[0]
    with pytest.raises(InputError, match="no scores"):
        evidence_of(scores, challenger="nobody")


def test_an_origin_without_history_or_future_is_refused(history, context, settings):
    """Asking for more origins than the history has raises with the span it has."""
    with pytest.raises(InputError, match="Rolling origins"):
        backtest(history, models=["seasonal_naive"], origins=40, horizon=3, context=context, settings=settings)
