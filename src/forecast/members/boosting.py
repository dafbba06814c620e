"""One boosted model for all series: direct forecasts of every horizon, no recursion.

The target is demand over what is usual, ``u`` (recent level times weekday factor), weighted by ``u ** (2 - p)``. With a
log link that is exactly the Tweedie likelihood of demand with offset ``log u``: trees spend themselves on departures.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.errors import EmptyInputError
from contracts.settings import ForecastSettings
from forecast.common_course import CommonCourse, chance_factors
from forecast.context import Context
from forecast.features import Features, FeatureSpec
from forecast.members.estimator import LIGHTGBM, boosted_trees
from forecast.members.protocol import Forecasts
from forecast.panel import Matrix, Panel

log = logging.getLogger(__name__)
NO_SALES = "fallback: recent level, no sale to learn from"
_LEAST_ORIGIN = 13
"""The first origin to learn from: two weeks lie behind it."""


@dataclass(frozen=True)
class GlobalModel:
    """The global boosted model, unfitted."""

    settings: ForecastSettings = field(default_factory=ForecastSettings)

    @property
    def name(self) -> str:
        """Return ``lightgbm``."""
        return LIGHTGBM

    def fit(self, panel: Panel, context: Context) -> FittedGlobalModel:
        """Return the model fitted to every known day.

        Raises
        ------
        EmptyInputError
            The history is too short for a single training row.
        """
        started = time.perf_counter()
        spec = FeatureSpec.fit(panel, context, self.settings)
        table, ratio, weight = training_rows(panel, context, spec, self.settings)
        if not ratio.any():
            return FittedGlobalModel(trees=None, spec=spec, label=NO_SALES)
        boosting = self.settings.boosting
        trees, label = boosted_trees(boosting, categorical=spec.categorical(), seed=self.settings.seed)
        extra = {"categorical_feature": spec.categorical()} if label == LIGHTGBM else {}
        trees.fit(table, ratio, sample_weight=weight, **extra)
        log.info(
            "%s: %d series, %d rows x %d features, %.1f s",
            label,
            panel.width,
            *table.shape,
            time.perf_counter() - started,
        )
        return FittedGlobalModel(trees=trees, spec=spec, label=label)


@dataclass(frozen=True)
class FittedGlobalModel:
    """The global model with its trees."""

    trees: Any
    spec: FeatureSpec
    label: str

    @property
    def name(self) -> str:
        """Return the label: ``lightgbm``, or the fallback that answers for it."""
        return self.label

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return what is usual times the predicted ratio."""
        features = Features(panel, context, self.spec)
        out = np.empty((len(origins), len(horizons), panel.width), np.float32)
        for i, origin in enumerate(origins):
            for j, horizon in enumerate(horizons):
                ratio = self._predicted(features.block(origin, horizon))
                out[i, j] = features.usual(origin, horizon) * np.maximum(ratio, 0.0)
        return out

    def _predicted(self, block: Matrix) -> NDArray[np.float64]:
        if self.label == NO_SALES:
            return np.ones(len(block))
        if self.label == LIGHTGBM:
            return np.asarray(self.trees.booster_.predict(block), np.float64)
        return np.asarray(self.trees.predict(block), np.float64)


def training_rows(
    panel: Panel, context: Context, spec: FeatureSpec, settings: ForecastSettings
) -> tuple[Matrix, Matrix, Matrix]:
    """Return features, ratio to what is usual and weight of the training rows.

    Origins run backwards from the last one whose whole horizon is known, every `origin_stride_days`, over
    `train_days`; each origin and horizon gives its listed series, thinned evenly to `max_rows` by the seed.

    Raises
    ------
    EmptyInputError
        No origin has two weeks behind it and a day ahead.
    """
    boosting = settings.boosting
    pairs = list(_origin_pairs(panel, settings))
    listed = (~np.isnan(panel.quantity)).sum(axis=1)
    total = int(sum(listed[origin + horizon] for origin, horizon in pairs))
    if not total:
        raise EmptyInputError(
            f"{panel.known} days of history hold no training row: the global model needs at least "
            f"{_LEAST_ORIGIN + 2} days with goods on sale."
        )
    share = min(1.0, boosting.max_rows / total)
    sizes = [max(1, round(share * listed[o + h])) if listed[o + h] else 0 for o, h in pairs]
    rng = np.random.default_rng(settings.seed)
    features = Features(panel, context, spec)
    table = np.empty((sum(sizes), len(spec.names())), np.float32)
    ratio = np.empty(len(table), np.float32)
    weight = np.empty(len(table), np.float32)
    course = CommonCourse(features)
    facts, usuals, actuals = [], np.zeros(len(pairs)), np.zeros(len(pairs))
    start = 0
    for position, ((origin, horizon), size) in enumerate(zip(pairs, sizes, strict=True)):
        target = panel.quantity[origin + horizon]
        here = np.flatnonzero(~np.isnan(target))
        usual = features.usual(origin, horizon)
        usuals[position], actuals[position] = usual[here].sum(), target[here].sum(dtype=np.float64)
        steepness = np.log(usuals[position] / features.base(origin)[here].sum()) if len(here) else 0.0
        facts.append(course.facts(origin, horizon, steepness=steepness))
        rows = np.sort(rng.choice(here, size, replace=False)) if size < len(here) else here
        usual = usual[rows]
        end = start + len(rows)
        table[start:end] = features.block(origin, horizon, rows)
        ratio[start:end] = target[rows] / usual
        weight[start:end] = usual ** (2.0 - boosting.tweedie_power)
        start = end
    target_day = np.array([origin + horizon for origin, horizon in pairs])
    ratio /= np.repeat(chance_factors(np.array(facts), target_day, usuals, actuals), sizes).astype(np.float32)
    return table[:start], ratio[:start], weight[:start]


def _origin_pairs(panel: Panel, settings: ForecastSettings) -> Iterator[tuple[int, int]]:
    last = panel.known - 1
    first = max(_LEAST_ORIGIN, panel.known - settings.train_days)
    for origin in range(last - 1, first - 1, -settings.boosting.origin_stride_days):
        for horizon in range(1, settings.horizon_days + 1):
            if origin + horizon <= last:
                yield origin, horizon
