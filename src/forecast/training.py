"""Training: rolling origins choose the weights and the spread, then the chosen members learn from everything."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.columns import LEVELS
from contracts.flow import DailyDemand
from contracts.reference import Calendar, Communities, Listings, Skus
from contracts.settings import CitySettings, ForecastSettings
from forecast.calm import Calm
from forecast.censoring import in_whole_units, recovered
from forecast.combination import Combination, volume_band
from forecast.context import Context
from forecast.level_spreads import level_spreads
from forecast.levels import Level
from forecast.members import Fitted, Forecasts, member
from forecast.members.outside import OutsideEstimate
from forecast.model import DemandModel, fingerprint
from forecast.own_right import (
    OWN_LEVELS,
    OwnLevel,
    drawn_to_sums,
    fit_own_levels,
    summed_panel,
    unremembered,
    whole_sums,
    worth,
)
from forecast.panel import Panel
from forecast.partition import method_of
from forecast.promise import promise_of
from forecast.promotions import SHALLOWEST
from forecast.recent_bias import recent_bias
from forecast.rolling import RollingForecasts, member_scores, roll, rolling_origins, without_days
from forecast.spread import PoissonSpread, Spread
from forecast.unsure import Unsure
from forecast.windows import Windows

log = logging.getLogger(__name__)
SHORT_HISTORY_MEMBER = "moving_average"
_PROMOTION_DAYS = 182
"""The longest of the recent levels: promotions before it no longer bend any."""


def train(
    history: DataFrame[DailyDemand] | Panel,
    *,
    skus: DataFrame[Skus],
    communities: DataFrame[Communities],
    listings: DataFrame[Listings] | None = None,
    calendar: DataFrame[Calendar] | None = None,
    area_events: pd.DataFrame | None = None,
    settings: ForecastSettings | None = None,
    city: CitySettings | None = None,
    groupings: Mapping[str, tuple[str, ...]] | None = None,
    open_share: pd.DataFrame | None = None,
    outside: pd.DataFrame | None = None,
) -> DemandModel:
    """Train a demand model on a history.

    Every member is scored on rolling origins; per volume band the global model answers, alone or mixed with the members
    that cut its error; the errors of those forecasts give each level's quantiles. The chosen members are then fitted to
    the whole history. Same data, settings and seed give the same model.

    Parameters
    ----------
    history : DataFrame[DailyDemand] or Panel
        A panel is the same facts as matrices, for histories whose long form would not fit in memory.
    listings : DataFrame[Listings], optional
        Past and planned; gives list prices, and for days ahead what is on sale at what price.
    area_events : DataFrame, optional
        ``day, area_id, event``: local events, see `Context`.
    city : CitySettings, optional
        Time zone and cutoff decide which delivery dates are known at a moment.
    groupings : mapping of name to columns, optional
        Further sums that get a spread of their own, by the series columns they keep.
    open_share : DataFrame, optional
        From `open_share`: what sold-out listings could take; without it their usual level stands in.
    outside : DataFrame, optional
        Estimates of others, scored beside the members and weighed like them, see `OutsideEstimate`.

    Raises
    ------
    EmptyInputError
        The history has no row.
    UnknownReferenceError
        A community or SKU that the reference data do not know.
    """
    started = time.perf_counter()
    settings, city = settings or ForecastSettings(), city or CitySettings()
    context = Context(skus, communities, **_given(listings, calendar, area_events, open_share, outside))
    if outside is not None and OutsideEstimate().name not in settings.members:
        settings = settings.model_copy(update={"members": (*settings.members, OutsideEstimate().name)})
    panel = _panel(history, context, settings)
    ground = _ground(panel, context, settings, city)
    origins = rolling_origins(panel, settings, ground.calm.exceptional)
    model = _trained(ground, origins, groupings or {}) if origins else _from_short_history(ground)
    log.info(
        "train: %d series, %d days, %d rolling origins, %s, %.1f s",
        panel.width,
        panel.known,
        len(origins),
        model.fallback or "no fallback",
        time.perf_counter() - started,
    )
    return model


def stand_in(
    history: DataFrame[DailyDemand],
    *,
    skus: DataFrame[Skus],
    communities: DataFrame[Communities],
    settings: ForecastSettings | None = None,
    city: CitySettings | None = None,
) -> DemandModel:
    """Return the labelled fallback for when no trained model is at hand: recent means with a Poisson spread.

    Raises
    ------
    EmptyInputError, UnknownReferenceError
        As `train`.
    """
    settings, city = settings or ForecastSettings(), city or CitySettings()
    context = Context(skus, communities)
    panel = _panel(history, context, settings)
    ground = _ground(panel, context, settings, city)
    return replace(
        _from_short_history(ground), fallback="fallback: moving_average with Poisson spread, no trained model"
    )


@dataclass(frozen=True)
class _Ground:
    """What a model is trained on: the history with sold-out days recovered, without what passes."""

    calm: Calm
    context: Context
    settings: ForecastSettings
    city: CitySettings
    whole: bool
    fingerprint: str

    @property
    def panel(self) -> Panel:
        """Return the calm history."""
        return self.calm.panel


def _ground(panel: Panel, context: Context, settings: ForecastSettings, city: CitySettings) -> _Ground:
    whole = recovered(panel, context)
    return _Ground(Calm.of(whole, context), context, settings, city, in_whole_units(panel), fingerprint(panel))


def _given(
    listings: DataFrame[Listings] | None,
    calendar: DataFrame[Calendar] | None,
    area_events: pd.DataFrame | None,
    open_share: pd.DataFrame | None,
    outside: pd.DataFrame | None,
) -> dict[str, Any]:
    """Return the optional parts of the context that were given; the others keep its defaults."""
    parts = {
        "listings": listings,
        "calendar": calendar,
        "area_events": area_events,
        "open_share": open_share,
        "outside": outside,
    }
    return {name: table for name, table in parts.items() if table is not None}


def _panel(history: DataFrame[DailyDemand] | Panel, context: Context, settings: ForecastSettings) -> Panel:
    days = settings.train_days + settings.look_back_days
    if isinstance(history, Panel):
        return history.last_days(days)
    return Panel.from_history(history, context, max_days=days)


def _trained(ground: _Ground, origins: tuple[int, ...], groupings: Mapping[str, tuple[str, ...]]) -> DemandModel:
    panel, context, settings = ground.panel, ground.context, ground.settings
    candidates = [member(name, settings) for name in settings.members]
    horizons = tuple(range(1, settings.horizon_days + 1))
    rolled = roll(panel, context, members=candidates, origins=origins, horizons=horizons)
    rolled = replace(rolled, forecasts=ground.calm.answers(rolled.forecasts, origins, horizons))
    rolled = without_days(rolled, ground.calm.exceptional)
    leading = next(iter(rolled.forecasts))
    band = volume_band(rolled.forecasts[leading], settings.volume_bands)
    combination = Combination.fit(
        rolled.forecasts, rolled.actual, band, bands=len(settings.volume_bands) + 1, leading=leading
    )
    mixed, own = _with_own_levels(ground, rolled, combination.mixed(rolled.forecasts, band))
    bias, mixed = recent_bias(panel, rolled, mixed)
    used = combination.used()
    fitted = {
        name: one.fit(panel, context) for name, one in zip(rolled.forecasts, candidates, strict=True) if name in used
    }
    scored = RollingForecasts(origins, horizons, {**rolled.forecasts, "champion": mixed}, rolled.actual)
    model = _model(
        ground,
        members=fitted,
        combination=combination,
        spreads=level_spreads(panel, rolled, mixed, groupings, whole=ground.whole),
        scores=member_scores(scored),
        own_levels=own,
    )
    return replace(model, recent_bias=bias, promise=promise_of(panel, rolled, mixed))


def _with_own_levels(
    ground: _Ground, rolled: RollingForecasts, mixed: Forecasts
) -> tuple[Forecasts, tuple[OwnLevel, ...]]:
    """Return the rolled forecasts reconciled to the sums forecast in their own right, and those sums' models."""
    panel, context, settings = ground.panel, ground.context, ground.settings
    if not settings.own_levels:
        return mixed, ()
    past = fit_own_levels(panel.known_until(min(rolled.origins) + 1), context, settings)
    listed = np.isfinite(rolled.actual)
    unknown = unremembered(panel, rolled.origins)[:, None, :]
    given: dict[str, tuple[Level, NDArray[np.float64], float]] = {}
    for name, (_, fitted) in past.items():
        level = Level.by(panel.series, OWN_LEVELS[name], name=name)
        told = fitted.forecast(summed_panel(panel, level), context, origins=rolled.origins, horizons=rolled.horizons)
        forecast = whole_sums(told, level, mixed, unknown, listed)
        parts, actual = level.total(np.where(listed, mixed, np.nan)), level.total(rolled.actual)
        given[name] = (level, forecast, worth(forecast, parts, actual))
    flat = {name: (level, forecast.reshape(-1, level.size), share) for name, (level, forecast, share) in given.items()}
    drawn = drawn_to_sums(mixed.reshape(-1, panel.width), flat, listed.reshape(-1, panel.width)).reshape(mixed.shape)
    helpful = tuple(name for name in given if given[name][2] > 0)
    final = fit_own_levels(panel, context, settings.model_copy(update={"own_levels": helpful}))
    return drawn, tuple(OwnLevel(name, final[name][1], given[name][2]) for name in helpful)


def _model(
    ground: _Ground,
    *,
    members: Mapping[str, Fitted],
    combination: Combination,
    spreads: Mapping[str, Spread | PoissonSpread],
    scores: pd.DataFrame,
    own_levels: tuple[OwnLevel, ...] = (),
    fallback: str = "",
) -> DemandModel:
    last = ground.panel.days[ground.panel.known - 1]
    return DemandModel(
        members=members,
        combination=combination,
        spreads=spreads,
        context=_ahead(ground.context, last),
        settings=method_of(ground.settings),
        city=ground.city,
        trained_until=last,
        last_level=_last_level(ground.panel),
        scores=scores,
        fingerprint=ground.fingerprint,
        whole=ground.whole,
        passing=ground.calm.passing,
        unsure=Unsure.measured(ground.panel, ground.context),
        own_levels=own_levels,
        fallback=fallback,
    )


def _from_short_history(ground: _Ground) -> DemandModel:
    """Return the labelled stand-in for a history too short for one rolling origin: recent mean, Poisson spread."""
    one = member(SHORT_HISTORY_MEMBER, ground.settings)
    return _model(
        ground,
        members={one.name: one.fit(ground.panel, ground.context)},
        combination=Combination((one.name,), np.ones((len(ground.settings.volume_bands) + 1, 1))),
        spreads={name: PoissonSpread() for name in LEVELS},
        scores=pd.DataFrame(columns=["member", "origin", "wape", "bias", "rmse"]),
        fallback=f"fallback: {one.name} with Poisson spread, history of {ground.panel.known} days",
    )


def _ahead(context: Context, last: pd.Timestamp) -> Context:
    """Return the context with the planned listings, and of the past the promotions: all else the history tells."""
    listings = context.listings
    recent = listings["delivery_date"] > last - pd.Timedelta(days=_PROMOTION_DAYS)
    promoted = np.log(listings["list_price_yuan"] / listings["price_yuan"]) >= SHALLOWEST
    kept = (listings["delivery_date"] > last) | (recent & promoted)
    return replace(context, listings=Listings.check(listings[kept].reset_index(drop=True)))


def _last_level(panel: Panel) -> pd.DataFrame:
    windows = Windows(panel.quantity)
    recent, older = windows.mean(panel.known - 1, 28), windows.mean(panel.known - 1, panel.known)
    level = np.where(np.isnan(recent), older, recent)
    return panel.series[["community_id", "sku_id"]].assign(mean=level).dropna(ignore_index=True)
