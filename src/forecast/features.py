"""Leakage-safe features of the global model: float32, everything as of the last known day.

Levels are told relative to a series' *base*, its recent mean shrunk towards its peers. So one model serves a
community that buys two a week and a warehouse that moves a thousand a day, and a new SKU starts from its peers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.settings import ForecastSettings
from forecast.context import Context
from forecast.day_features import DAY_FEATURES, DayFeatures
from forecast.event_lift import EventLifts
from forecast.likeness import Traits
from forecast.panel import Matrix, Panel
from forecast.recent_level import RecentLevel
from forecast.windows import Windows, last_same_weekday

POOLS: dict[str, tuple[str, ...]] = {
    "sku_area": ("sku_id", "area_id"),
    "sku_warehouse": ("sku_id", "warehouse_id"),
    "sku": ("sku_id",),
    "category_community": ("category_id", "community_id"),
    "category_area": ("category_id", "area_id"),
    "category_warehouse": ("category_id", "warehouse_id"),
    "community": ("community_id",),
}
"""Groups of peers whose recent course informs a series."""

RECENT_DAYS = (1, 3, 7, 14, 56, 112, 182)
MEDIAN_DAYS = (7, 28, 56)
YEAR_DAYS = 364
WEEKDAY_WEEKS = 8
FACTOR_RANGE = (0.2, 5.0)
LONGEST_SILENCE = 90
CATEGORICAL = ("category_id", "area_id", "warehouse_id")


@dataclass(frozen=True)
class FeatureSpec:
    """What training fixed about the features, so that prediction builds the same columns."""

    pools: tuple[str, ...]
    local_events: tuple[str, ...]
    codes: dict[str, tuple[str, ...]]
    day_features: tuple[str, ...]
    base_days: int
    prior_days: float

    @classmethod
    def fit(cls, panel: Panel, context: Context, settings: ForecastSettings) -> FeatureSpec:
        """Return the spec for a panel.

        A pool that is the series itself is left out, and so is the day of the year while no day of it came twice.
        """
        sizes = {name: len(panel.series[list(keys)].drop_duplicates()) for name, keys in POOLS.items()}
        return cls(
            pools=tuple(name for name, size in sizes.items() if size < panel.width),
            local_events=tuple(sorted(context.area_events["event"].unique())),
            codes={name: tuple(sorted(panel.series[name].unique())) for name in CATEGORICAL},
            day_features=tuple(name for name in DAY_FEATURES if name != "year_day" or panel.known > YEAR_DAYS),
            base_days=settings.base_days,
            prior_days=settings.prior_days,
        )

    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        pooled = [f"{pool}_{part}" for pool in self.pools for part in ("level", "trend", "weekday", "year")]
        return (
            *("horizon", "log_base", "listed_days", "spread", "zero_share", "silence_days", "age_days"),
            *(f"mean_{days}" for days in RECENT_DAYS),
            *(f"median_{days}" for days in MEDIAN_DAYS),
            *("before_1", "before_2", "weekday_1", "weekday_2", "weekday_3", "weekday_mean_4", "weekday_mean_13"),
            "weekday_median",
            *("usual", "event_lift", "year_ago", *pooled),
            *("log_price", "price_to_usual", "price_to_last", "discount"),
            *self.day_features,
            *(f"event_{name}" for name in self.local_events),
            *CATEGORICAL,
        )

    def categorical(self) -> list[int]:
        """Return the positions of the categorical columns."""
        names = self.names()
        return [names.index(name) for name in CATEGORICAL]


class Features:
    """Features of a panel for any origin and horizon.

    Origins are rows of the panel; a feature of origin `o` reads demand up to and including `o`, prices and calendar
    of the target day `o + horizon` (they are plans, known beforehand), and nothing else.
    """

    def __init__(self, panel: Panel, context: Context, spec: FeatureSpec) -> None:
        self.spec = spec
        self.panel = panel
        self._own = Windows(panel.quantity)
        self._sold = Windows(np.where(np.isnan(panel.quantity), np.nan, panel.quantity > 0).astype(np.float32))
        self.whole = Windows.of_groups(self._own, np.zeros(panel.width, np.int64), 1)
        self._squares = Windows(panel.quantity**2)
        self._prices = Windows(panel.price[: panel.known])
        self._first = self._own.first_listed()
        self._group: dict[str, NDArray[np.int64]] = {}
        self._pool: dict[str, Windows] = {}
        for name, keys in POOLS.items():
            code = panel.series.groupby(list(keys), sort=True).ngroup().to_numpy().astype(np.int64)
            self._group[name] = code
            self._pool[name] = Windows.of_groups(self._own, code, int(code.max()) + 1)
        self._level = RecentLevel(
            panel,
            Traits.of(panel.series, context),
            own=self._own,
            pools=self._pool,
            groups=self._group,
            whole=self.whole,
            days=spec.base_days,
            prior_days=spec.prior_days,
        )
        areas = pd.Index(panel.series["area_id"].unique())
        self._area = areas.get_indexer(panel.series["area_id"])
        self.days = DayFeatures.build(panel.days, context, areas=areas, local_events=spec.local_events)
        self._lifts = EventLifts(self._pool["category_community"], self.days.named)
        self._kept = [DAY_FEATURES.index(name) for name in spec.day_features]
        self._codes = {
            name: pd.Index(spec.codes[name]).get_indexer(pd.Index(panel.series[name])) for name in CATEGORICAL
        }
        self._as_of: tuple[int, dict[str, NDArray[np.float64]]] | None = None

    def base(self, origin: int) -> NDArray[np.float64]:
        """Return each series' recent level, shrunk towards its peers (`RecentLevel`); positive, n values."""
        return self._as_of_origin(origin)["base"]

    def usual(self, origin: int, horizon: int) -> NDArray[np.float64]:
        """Return the model's offset, n values: base times the weekday factor and event lift of the category there.

        The weekday factor is the target weekday's mean over the last `WEEKDAY_WEEKS` weeks to the mean of those weeks,
        shrunk towards one by `prior_days` of average days.
        """
        pool = self._pool["category_community"]
        units, listed = pool.same_weekday_total(origin, horizon, WEEKDAY_WEEKS)
        mean = pool.mean(origin, 7 * WEEKDAY_WEEKS)
        per_day = listed / WEEKDAY_WEEKS  # listed series on a day of that weekday
        weight = self.spec.prior_days * np.maximum(per_day, 1.0) / 7.0
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = (units + weight * mean) / ((listed + weight) * mean)
        factor = np.clip(np.where(np.isfinite(factor), factor, 1.0), *FACTOR_RANGE)
        lift = self._lifts.lift(origin, origin + horizon)
        return np.asarray(self.base(origin) * (factor * lift)[self._group["category_community"]])

    def block(self, origin: int, horizon: int, rows: NDArray[np.int64] | None = None) -> Matrix:
        """Return the features of `rows` (default all) for one origin and horizon: m x len(spec.names()).

        Raises
        ------
        ValueError
            The target day lies outside the panel, or the origin is not known yet.
        """
        if not 0 <= origin < self.panel.known or not 1 <= horizon < len(self.panel.days) - origin:
            raise ValueError(f"origin {origin} and horizon {horizon} leave the panel of {len(self.panel.days)} days")
        picked = np.arange(self.panel.width) if rows is None else rows
        fixed = self._as_of_origin(origin)
        base = fixed["base"]
        columns: list[NDArray[np.generic] | float] = [float(horizon)]
        columns += [values[picked] for name, values in fixed.items() if name not in ("base", "price_28", "price_1")]
        columns += [values[picked] for values in self._of_target(origin, horizon, base)]
        columns += [values[picked] for values in self._price(origin + horizon, fixed)]
        day = self.days.table[origin + horizon, self._kept]
        columns += [float(value) for value in day]
        columns += [flag[picked] for flag in self.days.flags[origin + horizon][self._area].T]
        columns += [self._codes[name][picked] for name in CATEGORICAL]
        out = np.empty((len(picked), len(columns)), np.float32)
        for position, values in enumerate(columns):
            out[:, position] = values
        return out

    def _as_of_origin(self, origin: int) -> dict[str, NDArray[np.float64]]:
        """Return what does not depend on the horizon, kept for the next call with the same origin."""
        if self._as_of is not None and self._as_of[0] == origin:
            return self._as_of[1]
        base, days = self._level.at(origin), self.spec.base_days
        _, listed = self._own.total(origin, days)
        mean = self._own.mean(origin, days)
        variance = np.maximum(self._squares.mean(origin, days) - mean**2, 0.0)
        found = {
            "base": base,
            "log_base": np.log(base),
            "listed_days": listed,
            "spread": np.sqrt(variance) / base,
            "zero_share": 1.0 - self._sold.mean(origin, days),
            "silence_days": self._silence(origin),
            "age_days": np.clip(origin - self._first, -1, 2 * YEAR_DAYS).astype(np.float64),
        }
        found |= {f"mean_{window}": self._own.mean(origin, window) / base for window in RECENT_DAYS}
        found |= {f"median_{window}": self._own.median(origin, window) / base for window in MEDIAN_DAYS}
        found |= {"price_28": self._prices.mean(origin, days), "price_1": self._prices.mean(origin, 7)}
        self._as_of = (origin, found)
        return found

    def _silence(self, origin: int) -> NDArray[np.float64]:
        """Return days since the last sale, at most `LONGEST_SILENCE`."""
        recent = self.panel.quantity[max(0, origin + 1 - LONGEST_SILENCE) : origin + 1] > 0
        since = recent[::-1].argmax(axis=0)
        return np.where(recent.any(axis=0), since, LONGEST_SILENCE).astype(np.float64)

    def _of_target(self, origin: int, horizon: int, base: NDArray[np.float64]) -> Sequence[NDArray[np.float64]]:
        day = last_same_weekday(origin, horizon)
        parts = [self._own.value(origin - back) / base for back in range(1, 3)]
        parts += [self._own.value(day - 7 * back) / base for back in range(3)]
        parts += [self._own.same_weekday(origin, horizon, weeks) / base for weeks in (4, 13)]
        parts += [
            self._own.same_weekday_median(origin, horizon, WEEKDAY_WEEKS) / base,
            self.usual(origin, horizon) / base,
            self._lifts.lift(origin, origin + horizon)[self._group["category_community"]],
        ]
        parts.append(_year_ago(self._own, origin, horizon))
        for name in self.spec.pools:
            pool, group = self._pool[name], self._group[name]
            month = pool.mean(origin, self.spec.base_days)
            with np.errstate(invalid="ignore", divide="ignore"):
                trend = pool.mean(origin, 7) / month
                weekday = pool.same_weekday(origin, horizon, 4) / month
            parts += [month[group] / base, trend[group], weekday[group], _year_ago(pool, origin, horizon)[group]]
        return [np.where(np.isfinite(part), part, np.nan) for part in parts]

    def _price(self, day: int, fixed: dict[str, NDArray[np.float64]]) -> Sequence[NDArray[np.float64]]:
        price = self.panel.price[day].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = [np.log(price), price / fixed["price_28"], price / fixed["price_1"]]
            parts.append(price / self.panel.list_price[day])
        return [np.where(np.isfinite(part), part, np.nan) for part in parts]


def _year_ago(windows: Windows, origin: int, horizon: int) -> NDArray[np.float64]:
    """Return last year's week around the target day over last year's four weeks up to the origin."""
    centre = origin + horizon - YEAR_DAYS + 3
    if centre - 6 < 0 or centre > origin:
        return np.full(len(windows.total(origin, 1)[0]), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(windows.mean(centre, 7) / windows.mean(origin - YEAR_DAYS, 28))
