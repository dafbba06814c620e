"""Prediction: what is known at a moment becomes a forecast of days ahead, at every level, with its spread."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.columns import LEVELS, QUANTILE_COLUMNS, QUANTILES
from contracts.errors import EmptyInputError, InputError
from contracts.flow import DailyDemand, Forecast
from contracts.reference import Listings
from forecast.assortment import ASSUMED, on_sale_ahead
from forecast.censoring import recovered
from forecast.context import Context
from forecast.expected import expected_units
from forecast.levels import Level
from forecast.members import MovingAverage
from forecast.model import DemandModel
from forecast.panel import Panel
from forecast.recent_bias import RecentBias
from forecast.unsure import Unsure, mixed_quantiles, unsure_of_sums

log = logging.getLogger(__name__)
BOTTOM_UP = "sum of communities"


@dataclass(frozen=True)
class _Day:
    """Forecast of one delivery date for the series on sale: positions in the panel, mean, label, doubts, lead time."""

    date: pd.Timestamp
    columns: NDArray[np.int64]
    mean: NDArray[np.float64]
    source: NDArray[np.object_]
    unsure: tuple[NDArray[np.float64], NDArray[np.float64]]
    lead: int


def predict(
    model: DemandModel,
    history: DataFrame[DailyDemand],
    *,
    delivery_dates: Sequence[pd.Timestamp],
    issued_at: pd.Timestamp,
    levels: Sequence[str] = ("community", "warehouse", "area"),
    context: Context | None = None,
) -> DataFrame[Forecast]:
    """Forecast delivery dates from what was known at `issued_at`.

    Known are the delivery dates whose cutoff lies at or before `issued_at`; later rows of the history are not read.
    Communities sum to the warehouse and area rows exactly; each level has quantiles of its own. Days beyond the trained
    horizon, goods and communities without history, and a missing history are answered by a simpler way that `source`
    names, beginning with ``fallback``; so do rows of an area that has no listings for the day, see `on_sale_ahead`.

    Parameters
    ----------
    context : Context, optional
        Goods, places, listings and calendar as they are now; default is what the model was trained with.

    Raises
    ------
    InputError
        A delivery date is already known at `issued_at`, `issued_at` has no zone, or a level is unknown.
    EmptyInputError
        Nothing is on sale on a delivery date, or neither history nor model knows any series.
    """
    started = time.perf_counter()
    planned = context is not None
    context = context or model.context
    if not len(context.open_share):  # how long past sold-out listings were open is known since the training
        context = replace(context, open_share=model.context.open_share)
    dates = sorted({pd.Timestamp(date).normalize().as_unit("us") for date in delivery_dates})
    _refuse_bad_question(dates, issued_at, levels)
    known = known_history(history, model, issued_at)
    if not len(known):
        known, model = _history_from_training(model, issued_at)
    last = known["delivery_date"].max()
    if dates[0] <= last:
        raise InputError(
            f"{dates[0].date()} is already known at {issued_at}: its orders closed by then. Forecast later dates, or "
            "give an earlier issued_at."
        )
    offers = context if planned else _plans_only(model)
    offered = {
        day: on_sale_ahead(known, offers, day=day, within_days=model.settings.listed_within_days) for day in dates
    }
    panel = recovered(
        Panel.from_history(
            known,
            context,
            max_days=model.settings.look_back_days + model.settings.base_days,
            days_ahead=(dates[-1] - last).days,
            also=pd.concat(list(offered.values())),
        ),
        context,
    )
    days = _expected(model, panel, context, offered)
    frames = [_level_rows(model, panel, day, level) for level in levels for day in days]
    result = Forecast.check(pd.concat(frames, ignore_index=True).assign(issued_at=issued_at.tz_convert("UTC")))
    log.info(
        "predict: %d history rows in, %d forecast rows out, %.1f s",
        len(known),
        len(result),
        time.perf_counter() - started,
    )
    return result


def _plans_only(model: DemandModel) -> Context:
    """Return a model's context with the listings that were planned when it was trained: of the past it keeps promotions
    only, and they are no assortment."""
    listings = model.context.listings
    ahead = listings["delivery_date"] > model.trained_until
    return replace(model.context, listings=Listings.check(listings[ahead].reset_index(drop=True)))


def known_history(history: pd.DataFrame, model: DemandModel, issued_at: pd.Timestamp) -> DataFrame[DailyDemand]:
    """Return the rows whose delivery date's cutoff lies at or before `issued_at`."""
    dates = history["delivery_date"].drop_duplicates()
    closed = [
        date
        for date in dates
        if clock_instant(model.city.cutoff, delivery_date=date, timezone=model.city.timezone) <= issued_at
    ]
    inside = history["delivery_date"].isin(closed)
    return history if inside.all() else history[inside]  # type: ignore[return-value]


def _refuse_bad_question(dates: Sequence[pd.Timestamp], issued_at: pd.Timestamp, levels: Sequence[str]) -> None:
    if not dates:
        raise InputError("No delivery date was asked for.")
    if issued_at.tzinfo is None:
        raise InputError(f"issued_at {issued_at} has no time zone: give an instant, e.g. with tz='UTC'.")
    unknown = sorted(set(levels) - set(LEVELS))
    if unknown or not levels:
        raise InputError(f"Levels are {', '.join(LEVELS)}; asked was {list(levels)}.")


def _history_from_training(model: DemandModel, issued_at: pd.Timestamp) -> tuple[DataFrame[DailyDemand], DemandModel]:
    """Return one day of the level at training as history, and the model that says so in every row."""
    if not len(model.last_level):
        raise EmptyInputError("Neither the history nor the model knows any series: train on a history first.")
    level = model.last_level.rename(columns={"mean": "quantity"})
    day = min(model.trained_until, issued_at.tz_convert(model.city.timezone).tz_localize(None).normalize())
    table = level.assign(delivery_date=day, price_yuan=np.nan, censored=False)
    average = MovingAverage()
    simple = replace(
        model,
        members={average.name: average},
        combination=replace(model.combination, members=(average.name,), weights=np.ones((_bands(model), 1))),
        own_levels=(),
        recent_bias=RecentBias(),
        unsure=Unsure(goods=0.0, places=0.0),  # the one day made up here says nothing of who is new
        fallback=f"fallback: level at training ({model.trained_until.date()}), no history given",
    )
    return DailyDemand.check(table), simple


def _bands(model: DemandModel) -> int:
    return len(model.settings.volume_bands) + 1


def _expected(
    model: DemandModel, panel: Panel, context: Context, offered: dict[pd.Timestamp, pd.DataFrame]
) -> list[_Day]:
    """Return the expected units of each date for the series on sale then."""
    last = panel.days[panel.known - 1]
    leads = [(date - last).days for date in offered]
    key = pd.MultiIndex.from_frame(panel.series[["community_id", "sku_id"]])
    taken = []
    for date, pairs in offered.items():
        if not len(pairs):
            raise EmptyInputError(
                f"Nothing is on sale on {date.date()}: no listing names the day, and nothing was on sale in the last "
                f"{model.settings.listed_within_days} days of the history."
            )
        taken.append(key.get_indexer(pd.MultiIndex.from_frame(pairs[["community_id", "sku_id"]])))
    listed = np.zeros((len(leads), panel.width), np.bool_)
    for position, columns in enumerate(taken):
        listed[position, columns] = True
    means, sources = expected_units(model, panel, context, leads, listed=listed)
    goods, places = model.unsure.of(panel)
    days = []
    for date, columns, lead, mean, source in zip(offered, taken, leads, means, sources, strict=True):
        mean, source = _without_history(panel, mean, source)
        told = _with_assumption(source[columns], offered[date]["assumed"].to_numpy(np.bool_))
        unsure = (goods[columns], places[columns])
        days.append(_Day(date, columns, mean[columns].astype(np.float64), told, unsure, lead))
    return days


def _with_assumption(source: NDArray[np.object_], assumed: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Label the rows of goods that nobody listed for the day; who answered is said behind it."""
    names = {name: ASSUMED + name.removeprefix("fallback: ") for name in set(source[assumed])}
    source[assumed] = [names[name] for name in source[assumed]]
    return source


def _without_history(
    panel: Panel, mean: NDArray[np.float32], source: NDArray[np.object_]
) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
    """Label series that never were on sale, and give those no member could answer the mean of their peers."""
    fresh = ~(~np.isnan(panel.quantity)).any(axis=0)
    if not fresh.any() and np.isfinite(mean).all():
        return mean, source
    source = source.copy()
    sku_seen = panel.series["sku_id"].to_numpy()[~fresh]
    new_sku = ~panel.series["sku_id"].isin(sku_seen).to_numpy()
    source[fresh & new_sku] = "fallback: new SKU, from its category and price"
    source[fresh & ~new_sku] = "fallback: new community or listing, from its peers"
    missing = ~np.isfinite(mean)
    if missing.any():
        known = pd.Series(np.where(missing, np.nan, mean))
        peers = known.groupby(panel.series["sku_id"]).transform("mean")
        peers = peers.fillna(known.groupby(panel.series["category_id"]).transform("mean")).fillna(known.mean())
        mean = np.where(missing, peers.fillna(0.0), mean).astype(np.float32)
        source[missing & ~fresh] = "fallback: mean of peers, own days are not enough"
    return mean, source


def _level_rows(model: DemandModel, panel: Panel, day: _Day, level_name: str) -> pd.DataFrame:
    """Return one level's rows of one date: sums of the communities, quantiles from the level's own errors."""
    series = panel.series.iloc[day.columns].reset_index(drop=True)
    level = Level.of(series, level_name)
    mean = level.total(day.mean[None, :])[0]
    lead = np.full(level.size, day.lead, np.int64)
    unsure = unsure_of_sums(level, series, day.mean, day.unsure)
    quantiles = mixed_quantiles(model.spreads[level_name], mean, lead, QUANTILES, unsure)
    source = day.source[np.argsort(level.group, kind="stable")] if level_name == "community" else _summed(day, level)
    return pd.DataFrame(
        {
            "delivery_date": day.date,
            "level": level_name,
            "place_id": level.place_id,
            "sku_id": level.sku_id,
            "mean": mean,
            **{name: quantiles[:, position] for position, name in enumerate(QUANTILE_COLUMNS)},
            "source": source,
        }
    )


def _summed(day: _Day, level: Level) -> NDArray[np.object_]:
    """Return the label of sums: a fallback where every part is one."""
    plain = ~np.char.startswith(day.source.astype(str), "fallback")
    honest = np.bincount(level.group[plain], minlength=level.size) > 0
    label = np.full(level.size, BOTTOM_UP, object)
    for position in np.flatnonzero(~honest):
        label[position] = day.source[np.flatnonzero(level.group == position)[0]]
    return label
