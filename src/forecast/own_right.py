"""Sums forecast in their own right: a category in an area has a course that its thin series do not show.

A second boosted model learns the sums. On the rolling origins its forecasts are weighed against the sums of the parts;
where they help, the parts are reconciled to the mixture, so everything still adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.settings import ForecastSettings
from forecast.context import Context
from forecast.levels import Level
from forecast.members import Fitted, Forecasts, GlobalModel
from forecast.panel import SERIES_COLUMNS, Matrix, Panel
from forecast.reconcile import Target, reconciled

OWN_LEVELS: dict[str, tuple[str, ...]] = {
    "area_category": ("area_id", "category_id"),
    "warehouse_category": ("warehouse_id", "category_id"),
    "area_sku": ("area_id", "sku_id"),
    "warehouse_sku": ("warehouse_id", "sku_id"),
    "area": ("area_id",),
}
"""Sums that can be forecast in their own right, by the columns they keep."""
_LOST = "*"
_QUARREL = 0.05
"""How loosely targets of several levels are met, as a share of the parts' variance: only settles their quarrels."""
_TAKEN_IN_DAYS = 14.0
"""Days after which a sum's past is taken to hold all of a part that joined it."""


@dataclass(frozen=True)
class OwnLevel:
    """One level forecast in its own right, and how much it is worth.

    Attributes
    ----------
    worth : float
        Weight of the own forecast against the sum of the parts, 0 to 1, from the rolling origins.
    """

    name: str
    fitted: Fitted
    worth: float


def summed_panel(panel: Panel, level: Level) -> Panel:
    """Return the panel of a level's sums; an id that differs inside a sum reads ``*``, prices are means."""
    group = pd.Series(level.group)
    kept = {}
    for column in SERIES_COLUMNS:
        ends = panel.series[column].groupby(group.to_numpy()).agg(["min", "max"])
        kept[column] = ends["min"].where(ends["min"] == ends["max"], _LOST).to_numpy()
    quantity = level.total(panel.quantity).astype(np.float32)
    return Panel(
        days=panel.days,
        series=pd.DataFrame(kept).astype("str"),
        quantity=quantity,
        censored=np.zeros(quantity.shape, np.bool_),  # the parts were recovered before they were summed
        price=_mean(panel.price, level),
        list_price=_mean(panel.list_price, level),
    )


def _mean(values: Matrix, level: Level) -> Matrix:
    count = level.total(np.where(np.isnan(values), np.nan, 1.0).astype(np.float32))
    return (level.total(values) / count).astype(np.float32)


def fit_own_levels(panel: Panel, context: Context, settings: ForecastSettings) -> dict[str, tuple[Panel, Fitted]]:
    """Return each own level's panel and the model fitted to it."""
    own = settings.model_copy(update={"boosting": settings.own_boosting, "train_days": settings.own_train_days})
    out: dict[str, tuple[Panel, Fitted]] = {}
    for name in settings.own_levels:
        summed = summed_panel(panel, Level.by(panel.series, OWN_LEVELS[name], name=name))
        out[name] = (summed, GlobalModel(own).fit(summed, context))
    return out


def unremembered(panel: Panel, origins: Sequence[int]) -> NDArray[np.float64]:
    """Return what share of each part the past of its sums does not hold yet, origins x n, 0 to 1.

    A community or SKU that was never on sale is in no past sum: forecast in its own right, the sum knows nothing of it.
    """
    known = np.isfinite(panel.quantity[: panel.known])
    first = np.where(known.any(axis=0), known.argmax(axis=0), panel.known)
    age = np.asarray(origins)[:, None] + 1 - first[None, :]
    began = int(first.min())  # what is there from the beginning joined nothing
    return np.where(first == began, 0.0, 1.0 - np.clip(age / _TAKEN_IN_DAYS, 0.0, 1.0))


def worth(own: NDArray[np.float64], parts: NDArray[np.float64], actual: NDArray[np.float64]) -> float:
    """Return the weight of the own forecast that least squares gives it, drawn half-way to an even mixture.

    Nothing when own and parts never differ or nothing was seen. A negative weight counts as none.

    Examples
    --------
    >>> parts, own = np.array([10.0, 20.0]), np.array([14.0, 24.0])
    >>> worth(own, parts, actual=own), worth(own, parts, actual=parts), worth(own, parts, actual=parts - 9)
    (0.75, 0.25, 0.0)
    """
    seen = np.isfinite(own) & np.isfinite(parts) & np.isfinite(actual)
    apart = (own - parts)[seen]
    if not (apart**2).sum() > 0:
        return 0.0
    best = float(((actual - parts)[seen] * apart).sum() / (apart**2).sum())
    return 0.0 if best < 0 else (min(best, 1.0) + 0.5) / 2


def whole_sums(
    own: NDArray[np.floating],
    level: Level,
    parts: NDArray[np.floating],
    unknown: NDArray[np.float64],
    listed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return own forecasts with what their past does not hold of the parts on sale added; all days x sums or parts."""
    return own.astype(np.float64) + level.total(np.where(listed, parts * unknown, 0.0))


def drawn_to_sums(
    parts: Forecasts,
    own: Mapping[str, tuple[Level, NDArray[np.floating], float]],
    listed: NDArray[np.bool_] | None = None,
) -> Forecasts:
    """Return the parts reconciled, day by day, to the mixtures of own forecasts and sums of parts.

    Parameters
    ----------
    parts : days x n
    own : mapping of name to (level, own forecasts days x sums, worth)
        The own forecasts are of all parts on sale, see `whole_sums`.
    listed : days x n, optional
        Parts on sale; the others keep their forecast and belong to no sum.
    """
    active: Sequence[tuple[Level, NDArray[np.floating], float]] = [each for each in own.values() if each[2] > 0]
    if not active:
        return parts
    out = parts.copy()
    loose = _QUARREL if len(active) > 1 else 0.0
    for day in range(len(parts)):
        here = np.isfinite(parts[day]) if listed is None else np.isfinite(parts[day]) & listed[day]
        targets = []
        for level, forecast, share in active:
            total = level.total(np.where(here, parts[day], np.nan)[None, :])[0]
            mixture = share * forecast[day].astype(np.float64) + (1.0 - share) * total
            targets.append(Target(np.where(here, level.group, -1), mixture, loose * np.abs(mixture)))
        moved = reconciled(np.where(here, parts[day], 0.0).astype(np.float64), targets)
        out[day] = np.where(here, moved, parts[day])
    return out
