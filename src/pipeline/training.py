"""Training both models of the night on the store's history, with the evidence that goes into the registry."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from contracts.errors import EmptyInputError
from contracts.settings import Settings
from forecast import Registry, build_history, train
from forecast.book import BookModel, fit_curve
from forecast.registry import RunRecord
from pipeline.progress import Progress, silent
from store import Store


@dataclass(frozen=True)
class Registries:
    """The two registries of the night's models."""

    demand: Registry
    book: Registry


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

    @property
    def sentence(self) -> str:
        """Return what happened in one sentence."""
        role = "serves as champion" if self.serves else "waits as challenger: promote it with `tuancai promote`"
        return (
            f"Demand model {self.demand_version} and book model {self.book_version}, "
            f"learned until {self.trained_until.date()}; it {role}."
        )


def train_models(
    store: Store,
    registries: Registries,
    settings: Settings,
    *,
    until: pd.Timestamp | None = None,
    progress: Progress = silent,
) -> Training:
    """Train the demand and the book model on delivery dates up to `until` and register both.

    By default the last delivery date in the store is left out: its orders may still be coming.

    Raises
    ------
    EmptyInputError
        There is no past delivery date to learn from.
    """
    days = store.delivery_days()
    known = [day for day in days if day <= until.date()] if until is not None else days[:-1]
    if not known:
        raise EmptyInputError(f"No delivery date to learn from: the store holds {len(days)}, wanted until {until}.")
    progress("orders to daily demand", 0.05)
    reference, lines = store.reference(), store.order_lines(delivery_to=known[-1])
    history = build_history(lines, reference.listings, reference.communities)
    progress("demand model", 0.2)
    demand = train(
        history,
        skus=reference.skus,
        communities=reference.communities,
        listings=reference.listings,
        calendar=reference.calendar,
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
    )
    progress("registry", 0.9)
    demand_version = registries.demand.log(demand)
    book_version = registries.book.log(book, record=_book_record(book, demand.fingerprint, settings))
    means = demand.scores.groupby("member").agg(
        wape=("wape", "mean"), bias=("bias", "mean"), rmse=("rmse", "mean"), windows=("wape", "size")
    )
    progress("done", 1.0)
    return Training(
        demand_version=demand_version,
        book_version=book_version,
        trained_until=demand.trained_until,
        scores=means.sort_values("rmse").reset_index(),
        serves=registries.demand.version_of("champion") == demand_version,
    )


def _book_record(book: BookModel, fingerprint: str, settings: Settings) -> RunRecord:
    flat = {f"settings.{name}": str(value) for name, value in settings.book.model_dump().items()}
    return RunRecord({"data_fingerprint": fingerprint, "learned_days": "0" if book.is_cold else "past days", **flat})
