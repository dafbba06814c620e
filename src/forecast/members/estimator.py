"""The boosted trees behind scikit-learn's interface: the one door to LightGBM, with scikit-learn's own as fallback."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from contracts.settings import BoostingSettings
from forecast.panel import Matrix

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
        return HistogramBoosting(settings, seed=seed), FALLBACK
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


class HistogramBoosting:
    """Scikit-learn's histogram boosting with the Poisson loss; category codes are read as ordered numbers."""

    def __init__(self, settings: BoostingSettings, *, seed: int) -> None:
        from sklearn.ensemble import HistGradientBoostingRegressor

        self._threads = settings.threads
        self._trees = HistGradientBoostingRegressor(
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

    def fit(self, table: Matrix, target: Matrix, sample_weight: Matrix) -> HistogramBoosting:
        """Fit the trees; a missing value becomes -1, because a column without any value breaks the binning."""
        with threadpool_limits(self._threads):
            self._trees.fit(np.nan_to_num(table, nan=-1.0), target, sample_weight=sample_weight)
        return self

    def predict(self, table: Matrix) -> NDArray[np.float64]:
        """Return the expected targets."""
        return np.asarray(self._trees.predict(np.nan_to_num(table, nan=-1.0)), np.float64)
