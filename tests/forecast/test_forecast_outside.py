from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.flow import OutsideEstimates
from contracts.settings import ForecastSettings
from forecast import Context, Panel, backtest, train
from forecast.members import member


def estimates(history: pd.DataFrame, noise: float) -> pd.DataFrame:
    """What somebody with a good nose expected, told four days before."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "delivery_date": history["delivery_date"],
            "level": "community",
            "place_id": history["community_id"],
            "sku_id": history["sku_id"],
            "known_on": history["delivery_date"] - pd.Timedelta(days=4),
            "units": np.maximum(history["quantity"] + rng.normal(0, noise, len(history)), 0.0),
        }
    ).pipe(OutsideEstimates.check)


def test_an_outside_estimate_that_knows_more_earns_weight_and_one_that_does_not_gets_none(history, context, settings):
    """Scored like a member: nearly the truth takes the lead in the mixture, wild guesses stay out."""
    one_band = settings.model_copy(update={"volume_bands": (1_000.0,), "backtest_origins": 8, "origin_spacing_days": 3})
    kwargs = {"skus": context.skus, "communities": context.communities, "settings": one_band}
    good = train(history, outside=estimates(history, 0.3), **kwargs)
    assert "outside_estimate" in good.combination.label(0)
    assert "outside_estimate" in set(good.scores["member"])
    wild = train(history, outside=estimates(history, 30.0), **kwargs)
    assert "outside_estimate" not in wild.combination.label(0)


def figures(panel: Panel, rows: list[tuple[str, str, str, int, float]], context: Context, origin: int) -> np.ndarray:
    """The member's answers for the day after the origin, from (level, place, SKU, days known before origin, units)."""
    day = panel.days[origin + 1]
    table = pd.DataFrame(rows, columns=["level", "place_id", "sku_id", "ago", "units"])
    table["known_on"] = panel.days[origin] - pd.to_timedelta(table.pop("ago"), unit="D")
    told = OutsideEstimates.check(table.assign(delivery_date=day))
    fitted = member("outside_estimate", ForecastSettings()).fit(panel, context)
    known = Context(context.skus, context.communities, outside=told)
    return fitted.forecast(panel, known, origins=[origin], horizons=[1])[0, 0]


def test_a_warehouse_figure_is_shared_as_its_communities_sold(history, context):
    """The parts add up to the figure, in proportion to recent sales; other SKUs and warehouses have no answer."""
    panel = Panel.from_history(history, context)
    given = figures(panel, [("warehouse", "W0", "S00", 1, 120.0)], context, origin=60)
    inside = ((panel.series["warehouse_id"] == "W0") & (panel.series["sku_id"] == "S00")).to_numpy()
    assert np.isnan(given[~inside]).all()
    assert given[inside].sum() == pytest.approx(120.0, rel=1e-5)
    recent = panel.quantity[33:61, inside].mean(axis=0)
    np.testing.assert_allclose(given[inside], 120.0 * recent / recent.sum(), rtol=1e-5)


def test_the_newest_known_and_the_finest_figure_counts(history, context):
    """Later figures replace earlier ones, a community's its warehouse's; one given on the day itself came too late."""
    panel = Panel.from_history(history, context)
    rows = [
        ("warehouse", "W0", "S00", 3, 500.0),
        ("community", "C00", "S00", 3, 7.0),
        ("community", "C00", "S00", 1, 9.0),
        ("community", "C00", "S00", 0, 99.0),
    ]
    given = figures(panel, rows, context, origin=60)
    own = ((panel.series["community_id"] == "C00") & (panel.series["sku_id"] == "S00")).to_numpy()
    assert given[own].tolist() == [9.0]


def test_a_backtest_scores_the_estimate_beside_the_members(history, context, settings):
    """Nearly the truth beats the naive by far, and the baselines beside it know nothing of it."""
    known = Context(context.skus, context.communities, outside=estimates(history, 0.3))
    own = settings.model_copy(update={"backtest_origins": 1})
    asked = {"models": ["outside_estimate", "seasonal_naive"], "origins": 1, "horizon": 2, "settings": own}
    scores = backtest(history, context=known, **asked).summary().set_index(["level", "model"])["wape"]
    without = backtest(history, context=context, **(asked | {"models": ["seasonal_naive"]}))
    assert scores["community", "outside_estimate"] < 0.5 * scores["community", "seasonal_naive"]
    naive = without.summary().set_index("level")["wape"]
    assert scores["community", "seasonal_naive"] == naive["community"]
