"""The desk's models: train, forecast, score, watch, promote, roll back. What serves, and how it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.flow import CategoryForecast, Forecast
from contracts.settings import Settings
from forecast import BacktestScores, DriftReport, by_category, predict, relocated
from forecast.backtest_scores import BASELINES
from forecast.registry import log_backtest, read_backtest
from pipeline.models import NightModels
from pipeline.past import Past
from pipeline.progress import Progress, silent
from pipeline.promotion import Asked, complete_roll_back, promote_challenger, roll_back, with_book
from pipeline.training import Registries, Training, backtest_models, drift_of, train_models
from store import Store


@dataclass(frozen=True)
class ModelDesk:
    """A city's store and model registry with the settings they are used under."""

    settings: Settings
    store: Store
    registries: Registries

    def train(self, *, until: pd.Timestamp | None = None, progress: Progress = silent) -> Training:
        """Train both models on delivery dates up to `until` (default: all but the last) and register them."""
        return train_models(self.store, self.registries, self.settings, until=until, progress=progress)

    def backtest(
        self, models: Sequence[str], *, origins: int, horizon: int, progress: Progress = silent
    ) -> BacktestScores:
        """Score forecasting members on rolling origins of the store's history; ``champion`` is the full model."""
        return backtest_models(
            self.store, models, origins=origins, horizon=horizon, settings=self.settings, progress=progress
        )

    def usual_contestants(self) -> list[str]:
        """Return who is backtested unless asked otherwise: the full model, the baselines, an outside estimate."""
        told = len(self.store.reference_table("outside_estimates")) > 0
        return ["champion", *BASELINES, "moving_average", *(["outside_estimate"] if told else [])]

    def record_backtest(self, scores: BacktestScores) -> str:
        """Keep a backtest as an MLflow run with its tables and figures; return the run's id."""
        return log_backtest(self.settings.storage, scores)

    def backtest_table(self, run_id: str, name: str) -> pd.DataFrame:
        """Return a table of a backtest that was kept, e.g. ``summary``; see `BacktestScores.tables`."""
        return read_backtest(self.settings.storage, run_id, name)

    def drift(self, *, days: int = 14) -> DriftReport:
        """Hold the serving demand model's forecasts of the last closed days against its rolling origins."""
        return drift_of(self.store, self.models().demand, self.settings, days=days)

    def promote(self, *, by: str = "", asked: Asked | None = None, progress: Progress = silent) -> str:
        """Let the challenger serve if it earned it; see `pipeline.promotion.promote_challenger`."""
        return promote_challenger(self.store, self.registries, self.settings, by=by, asked=asked, progress=progress)

    def complete_promotion(self, *, by: str = "", asked: Asked | None = None) -> str:
        """Let the order book model that belongs to the serving demand model serve too, if it does not yet."""
        return with_book(self.registries, by=by, asked=asked)

    def rollback(self, *, by: str = "", asked: Asked | None = None) -> str:
        """Let the pair of models before this one serve again; see `pipeline.promotion.roll_back`."""
        return roll_back(self.registries, by=by, asked=asked)

    def complete_rollback(self, *, by: str = "", asked: Asked | None = None) -> str:
        """Let the order book model that served with the demand model brought back serve too, if it does not yet."""
        return complete_roll_back(self.registries, by=by, asked=asked)

    def models(self) -> NightModels:
        """Return the models that serve: the registry's champion, or the labelled last good ones."""
        demand, book = self.registries.demand.champion(), self.registries.book.champion()
        labels = [f" ({one.label})" if one.label else "" for one in (demand, book)]
        version = f"demand {demand.version}{labels[0]}, book {book.version}{labels[1]}"
        placed = relocated(demand.model, self.settings.forecast.by_area)
        return NightModels(placed, book.model, version)

    def forecast(self, delivery_date: pd.Timestamp, *, days: int = 1) -> DataFrame[Forecast]:
        """Forecast delivery dates from what was known when the first one's orders opened."""
        opening = clock_instant(
            self.settings.city.orders_open, delivery_date=delivery_date, timezone=self.settings.city.timezone
        )
        dates = list(pd.date_range(delivery_date, periods=days, unit="us"))
        past = Past.before(self.store, delivery_date, city=self.settings.city)
        demand = self.models().demand
        return predict(demand, past.history, delivery_dates=dates, issued_at=opening, context=past.context)

    def by_category(self, forecast: DataFrame[Forecast]) -> DataFrame[CategoryForecast]:
        """Return a forecast summed to place x category, with quantiles of the sums' own errors.

        Raises
        ------
        InputError
            The model that serves has no rolling origins to take those errors from, or a SKU is not known any more.
        """
        skus = self.store.reference_table("skus", forecast["delivery_date"].min())
        return by_category(self.models().demand, forecast, skus)
