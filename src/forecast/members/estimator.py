"""The boosted trees behind scikit-learn's interface: the one door to LightGBM, with scikit-learn's own as fallback."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from contracts.settings import BoostingSettings

log = logging.getLogger(__name__)
LIGHTGBM = "lightgbm"
FALLBACK = "fallback: histogram boosting"


def boosted_trees(settings: BoostingSettings, *, categorical: Sequence[int], seed: int) -> tuple[Any, str]:
    """Return an unfitted regressor with a Tweedie-like loss, and its label.

    LightGBM needs a compiled library that a machine may lack. Then scikit-learn's histogram boosting with the Poisson
    loss answers, and says so in every forecast it makes.
    """
    try:
        from lightgbm import LGBMRegressor
    except (ImportError, OSError) as missing:
        log.warning("LightGBM cannot be loaded (%s): scikit-learn's histogram boosting stands in", missing)
        return _histogram_boosting(settings, categorical=categorical, seed=seed), FALLBACK
    model = LGBMRegressor(
        objective="tweedie",
        tweedie_variance_power=settings.tweedie_power,
        n_estimators=settings.trees,
        learning_rate=settings.learning_rate,
        num_leaves=settings.leaves,
        min_child_samples=settings.min_leaf_rows,
        min_child_weight=0.0,
        colsample_bytree=settings.feature_share,
        reg_lambda=settings.l2,
        random_state=seed,
        n_jobs=settings.threads,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )
    return model, LIGHTGBM


def _histogram_boosting(settings: BoostingSettings, *, categorical: Sequence[int], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    del categorical  # codes above 255 are beyond it; as ordered numbers they still split
    return HistGradientBoostingRegressor(
        loss="poisson",
        max_iter=settings.trees,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.min_leaf_rows,
        max_features=settings.feature_share,
        l2_regularization=settings.l2,
        early_stopping=False,
        random_state=seed,
    )
