"""Training both models of the night on the store's history, with the evidence that goes into the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from contracts.clock import clock_instant
from contracts.errors import EmptyInputError, ModelError
from contracts.settings import ForecastSettings, Settings
from forecast import BacktestScores, DemandModel, DriftReport, Registry, backtest, drift_report, train
from forecast.book import BookModel, fit_curve
from forecast.registry import RunRecord
from forecast.registry.registry import CHAMPION, SERVED_WITH, TRAINED_WITH
from pipeline.past import Past
from pipeline.progress import Progress, silent
from store import Store


@dataclass(frozen=True)
class Registries:
    """The two registries of the night's models."""

    demand: Registry
    book: Registry


@dataclass(frozen=True)
class Fitted:
    """Both models of a training, not registered yet."""

    demand: DemandModel
    book: BookModel
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Training:
    """What a training left behind.

    Attributes
    ----------
    demand_version, book_version : str
        Registered versions.
    scores : DataFrame
        ``member, wape, bias, rmse, windows``: means over the rolling origins, best first.
    """

    demand_version: str
    book_version: str
    trained_until: pd.Timestamp
    scores: pd.DataFrame
    serves: bool
    said: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Return what happened in one sentence."""
        role = "serves as champion" if self.serves else "waits as challenger: promote it with `tuancai promote`"
        done = (
            f"Demand model {self.demand_version} and book model {self.book_version}, "
            f"learned until {self.trained_until.date()}; it {role}."
        )
        return " ".join((done, *self.said))


def train_models(
    store: Store,
    registries: Registries,
    settings: Settings,
    *,
    until: pd.Timestamp | None = None,
    progress: Progress = silent,
) -> Training:
    """Train the demand and the book model on delivery dates up to `until` and register both; see `fit_models`."""
    return register_models(registries, fit_models(store, settings, until=until, progress=progress), settings, progress)


def fit_models(
    store: Store, settings: Settings, *, until: pd.Timestamp | None = None, progress: Progress = silent
) -> Fitted:
    """Return the demand and the book model learned from delivery dates up to `until`.

    By default every date whose cutoff lies before the last order in the store: the others may still be ordered for.

    Raises
    ------
    EmptyInputError
        There is no past delivery date to learn from.
    """
    days = store.delivery_days()
    known = [day for day in days if day <= until.date()] if until is not None else closed_days(store, settings)
    if not known:
        raise EmptyInputError(f"No delivery date to learn from: the store holds {len(days)}, wanted until {until}.")
    progress("orders to daily demand", 0.05)
    past = Past.of(store, known, city=settings.city)
    reference, lines = past.reference, past.lines
    progress("demand model", 0.2)
    demand = train(
        past.history,
        skus=reference.skus,
        communities=reference.communities,
        listings=reference.listings,
        calendar=reference.calendar,
        area_events=reference.area_events,
        open_share=past.context.open_share,
        outside=past.context.outside if len(past.context.outside) else None,
        settings=settings.forecast,
        city=settings.city,
    )
    progress("order book", 0.75)
    book = fit_curve(
        lines,
        skus=reference.skus,
        settings=settings.book,
        city=settings.city,
        communities=reference.communities,
        listings=reference.listings,
        calendar=reference.calendar,
    )
    return Fitted(demand, book, past.said)


def register_models(
    registries: Registries, fitted: Fitted, settings: Settings, progress: Progress = silent
) -> Training:
    """Register both models of a training; the first ever serve, later ones wait as challengers."""
    demand, book = fitted.demand, fitted.book
    progress("registry", 0.9)
    demand_version = registries.demand.log(demand)
    book_version = registries.book.log(book, record=_book_record(book, demand.fingerprint, settings))
    registries.demand.tag(demand_version, TRAINED_WITH, book_version)
    note_pair(registries)
    for registry, version in ((registries.demand, demand_version), (registries.book, book_version)):
        replace_unfit(registry, version)  # after an update the old champion may not open: a night needs one that does
    note_pair(registries)
    means = demand.scores.groupby("member").agg(
        wape=("wape", "mean"), bias=("bias", "mean"), rmse=("rmse", "mean"), windows=("wape", "size")
    )
    progress("done", 1.0)
    return Training(
        demand_version=demand_version,
        book_version=book_version,
        trained_until=demand.trained_until,
        scores=means.sort_values("rmse").reset_index(),
        serves=registries.demand.version_of(CHAMPION) == demand_version,
        said=fitted.said,
    )


def closed_days(store: Store, settings: Settings) -> list[date]:
    """Return the delivery dates whose cutoff lies before the last order placed: nobody orders for them any more.

    The last order may be for any date: one placed weeks ahead is the only one of the last delivery date.
    """
    days, city = store.delivery_days(), settings.city
    last = store.last_placed_at()
    if last is None:
        return []
    return [day for day in days if clock_instant(city.cutoff, delivery_date=day, timezone=city.timezone) <= last]


def backtest_models(
    store: Store,
    models: Sequence[str] | Mapping[str, ForecastSettings],
    *,
    origins: int,
    horizon: int,
    settings: Settings,
    progress: Progress = silent,
) -> BacktestScores:
    """Score forecasting members, or settings against each other, on rolling origins of the store's history.

    Raises
    ------
    EmptyInputError
        There is no past delivery date.
    InputError
        The history is too short for so many origins.
    """
    days = closed_days(store, settings)
    if not days:
        raise EmptyInputError("No past delivery date to backtest on: import orders first.")
    past = Past.of(store, days, city=settings.city)
    return backtest(
        past.history,
        models=models,
        origins=origins,
        horizon=horizon,
        context=past.context,
        settings=settings.forecast,
        city=settings.city,
        progress=progress,
    )


def drift_of(store: Store, model: DemandModel, settings: Settings, *, days: int) -> DriftReport:
    """Hold a model's day-ahead forecasts of the last closed delivery dates against its rolling origins.

    Raises
    ------
    EmptyInputError
        There is no closed delivery date, or none after the model's training.
    """
    known = closed_days(store, settings)
    if not known:
        raise EmptyInputError("No past delivery date to look at: import orders first.")
    past = Past.of(store, known, city=settings.city)
    return drift_report(model, past.history, context=past.context, days=days)


def note_pair(registries: Registries) -> None:
    """Write down which order book model serves with the demand model that serves: what a way back leads to."""
    pair = {one.name: one.version_of(CHAMPION) for one in (registries.demand, registries.book)}
    registries.demand.tag(pair[registries.demand.name], SERVED_WITH, pair[registries.book.name])


def replace_unfit(registry: Registry, version: str) -> bool:
    """Let a version serve if the champion's file is broken or does not fit the program; return whether it did."""
    try:
        registry.champion()
    except ModelError as unfit:
        registry.appoint(version, reason=f"the champion cannot serve any more: {unfit}")
        return True
    return False


def _book_record(book: BookModel, fingerprint: str, settings: Settings) -> RunRecord:
    flat = {f"settings.{name}": str(value) for name, value in settings.book.model_dump().items()}
    return RunRecord({"data_fingerprint": fingerprint, "learned_days": "0" if book.is_cold else "past days", **flat})
