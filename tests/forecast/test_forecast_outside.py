from __future__ import annotations

import numpy as np
import pandas as pd

from forecast import train


def estimates(history: pd.DataFrame, noise: float) -> pd.DataFrame:
    """What somebody with a good nose expected, told three days before."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "delivery_date": history["delivery_date"],
            "community_id": history["community_id"],
            "sku_id": history["sku_id"],
            "units": np.maximum(history["quantity"] + rng.normal(0, noise, len(history)), 0.0),
            "known_on": history["delivery_date"] - pd.Timedelta(days=3),
        }
    )


def test_an_outside_estimate_that_knows_more_earns_weight_and_one_that_does_not_gets_none(history, context, settings):
    """Scored like a member: nearly the truth takes the lead in the mixture, wild guesses stay out."""
    one_band = settings.model_copy(update={"volume_bands": (1_000.0,), "backtest_origins": 8, "origin_spacing_days": 3})
    kwargs = {"skus": context.skus, "communities": context.communities, "settings": one_band}
    good = train(history, outside=estimates(history, 0.3), **kwargs)
    assert "outside_estimate" in good.combination.label(0)
    assert "outside_estimate" in set(good.scores["member"])
    wild = train(history, outside=estimates(history, 30.0), **kwargs)
    assert "outside_estimate" not in wild.combination.label(0)
