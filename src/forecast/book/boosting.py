"""Gradient boosting on the remainder: the one door of the order book to LightGBM, through scikit-learn's interface.

It learns what is left of ``actual / paced`` after the pace: a Poisson regression with the paced remainder as exposure.
Where LightGBM cannot be loaded, scikit-learn's histogram boosting does the same work, and says so in `name`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from contracts.settings import BookSettings
from forecast.book.past import Floats
from forecast.book.situation import Situation

try:
    from lightgbm import LGBMRegressor
except (ImportError, OSError):  # OSError: the OpenMP library it needs is absent
    LGBMRegressor = None

_SOFT = 3.0
_TINY = 1e-3
_LEAST, _MOST = 0.2, 5.0


@dataclass(frozen=True)
class Boosting:
    """A fitted correction factor of the paced remainder."""

    name: str
    regressor: Any

    @classmethod
    def learn(cls, features: NDArray[np.float32], actual: Floats, paced: Floats, settings: BookSettings) -> Boosting:
        """Return the factor learned from rows of many times and days.

        Parameters
        ----------
        features : shape (n, F)
        actual, paced : shape (n,)
            Remainder as it came, and as the pace has it; rows without expectation carry no weight.
        """
        name, regressor = _regressor(settings)
        exposure = np.maximum(paced, _TINY)
        regressor.fit(features, np.maximum(actual, 0.0) / exposure, sample_weight=exposure)
        return cls(name, regressor)

    def factor(self, features: NDArray[np.float32]) -> Floats:
        """Return what the paced remainder is multiplied with, within [0.2, 5], shape (n,)."""
        return np.clip(np.asarray(self.regressor.predict(features), dtype=np.float64), _LEAST, _MOST)


def features_of(now: Situation, paced: Floats) -> NDArray[np.float32]:
    """Return the features of each day and series, shape (D * S, F); nothing in them is later than the situation."""
    columns: list[NDArray[np.floating[Any]]] = [
        np.full_like(now.rest, now.left),
        np.log(now.rest + 0.02),
        np.log((paced + _TINY) / (now.rest + _TINY)),
        now.usual,
        now.confirmed,
        now.lines,
    ]
    whole = now.usual + now.rest
    total = {group: now.lay_out(now.totals(whole, group), group) for group in ("city", "place", "sku")}
    profile = total["place"] * total["sku"] / np.maximum(total["city"], 1e-9)
    columns.append(np.log((profile + 0.05) / (whole + 0.05)))
    for group in ("city", "category", "place", "sku"):
        confirmed, usual = now.pace_of(group)
        columns.append(now.lay_out(np.log((confirmed + _SOFT) / (usual + _SOFT)), group))
        if group != "city":
            columns.append(now.lay_out(confirmed, group))
    columns = [np.broadcast_to(column, now.rest.shape) for column in columns]
    return np.stack([column.ravel() for column in columns], axis=1, dtype=np.float32, casting="same_kind")


def _regressor(settings: BookSettings) -> tuple[str, Any]:
    if LGBMRegressor is None:
        return "scikit-learn histogram boosting", HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=settings.boost_trees,
            learning_rate=settings.boost_rate,
            max_leaf_nodes=settings.boost_leaves,
            min_samples_leaf=settings.boost_leaf_rows,
            l2_regularization=settings.boost_l2,
            early_stopping=False,
            random_state=settings.seed,
        )
    return "lightgbm", LGBMRegressor(
        objective="poisson",
        n_estimators=settings.boost_trees,
        learning_rate=settings.boost_rate,
        num_leaves=settings.boost_leaves,
        min_child_samples=settings.boost_leaf_rows,
        reg_lambda=settings.boost_l2,
        colsample_bytree=0.7,
        random_state=settings.seed,
        n_jobs=settings.threads,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )
