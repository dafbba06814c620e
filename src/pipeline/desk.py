"""The planning desk: one place where store, registry and settings meet; what the API and the terminal both call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.errors import ConflictError, EmptyInputError, InputError
from contracts.flow import CategoryForecast, Forecast
from contracts.planned import PurchaseLines
from contracts.reference import Listings
from contracts.settings import Settings
from contracts.what_if import WhatIf
from contracts.world import REFERENCE_TABLES, Reference, World
from forecast import BacktestScores, DriftReport, Registry, by_category, predict, relocated
from forecast.backtest_scores import BASELINES
from forecast.registry import log_backtest, read_backtest
from pipeline.artefacts import write_artefacts
from pipeline.begin import Begin, earlier_plan
from pipeline.late import Late
from pipeline.leaders import leader_orders
from pipeline.models import NightModels
from pipeline.night import NightInput, plan_night
from pipeline.papers import PLAIN, PaperWishes
from pipeline.past import Past
from pipeline.plan import PLAN_TABLES, NightPlan
from pipeline.progress import Progress, silent
from pipeline.promotion import promote_challenger, roll_back, with_book
from pipeline.revise import Revision, revise
from pipeline.risk import PREVIOUS, previous_plan, risk_table
from pipeline.training import (
    Registries,
    Training,
    backtest_models,
    drift_of,
    train_models,
)
from pipeline.warehouse_papers import write_warehouse_papers
from simulate import supply_for_history
from store import ImportReport, Mapping, Store


@dataclass(frozen=True)
class PlanningDesk:
    """A city's store and model registry with the settings they are used under."""

    settings: Settings
    store: Store
    registries: Registries

    @classmethod
    def open(cls, settings: Settings, *, store: Store | None = None) -> PlanningDesk:
        """Open the store (creating or migrating its schema), unless it is open, and the registry of the settings."""
        registries = Registries(
            Registry(settings.storage, name="demand"), Registry(settings.storage, name="order-book")
        )
        return cls(settings, store or Store.open(settings.storage, city=settings.city), registries)

    def import_world(self, world: World) -> ImportReport:
        """Take in a city's reference data and orders; taking the same in twice changes nothing."""
        self.store.write_reference(world.reference)
        return self.store.add_order_lines(world.order_lines, source="world")

    def import_orders(self, path: Path, mapping: Mapping) -> ImportReport:
        """Take in orders from a file; see `store.Store.import_orders`."""
        return self.store.import_orders(path, mapping)

    def generate_supply(self, *, seed: int = 0, until: pd.Timestamp | None = None, again: bool = False) -> Reference:
        """Generate a synthetic reference for the orders in the store: places, goods, suppliers, vans, listings.

        Parameters
        ----------
        until : Timestamp, optional
            Last delivery date with listings. A date planned in hindsight should not read what was sold on it.
        again : bool
            Replace what was generated before; plans made on it keep their own tables.

        Raises
        ------
        EmptyInputError
            There are no orders to generate it for.
        ConflictError
            Reference data was given: generated ids would not fit it, and nothing given is ever replaced. Or it was
            generated before, and nobody said to replace it.
        """
        lines = self.store.order_lines()
        if lines.empty:
            raise EmptyInputError("There are no orders in the store: import some before generating a supply side.")
        known = {name: table for name, table in self.store.reference_sets().items() if table.rows}
        given = [name for name in REFERENCE_TABLES if name in known and not known[name].synthetic]
        if given:
            raise ConflictError(
                f"Reference data was given already ({', '.join(given)}). A generated supply side has its own ids and "
                "replaces nothing: import the missing tables, or use a store of its own."
            )
        if known and not again:
            raise ConflictError(
                "A supply side was generated before. To replace it by a new one, say so: --replace, or replace = true."
            )
        made = supply_for_history(lines, seed=seed)
        if until is not None:
            listed = made.listings[made.listings["delivery_date"] <= until]
            made = replace(made, listings=Listings.check(listed))
        self.store.write_reference(made)
        return self.store.reference()

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

    def promote(self, *, by: str = "", progress: Progress = silent) -> str:
        """Let the challenger serve if it earned it; see `pipeline.promotion.promote_challenger`."""
        return promote_challenger(self.store, self.registries, self.settings, by=by, progress=progress)

    def complete_promotion(self, *, by: str = "") -> str:
        """Let the order book model that belongs to the serving demand model serve too, if it does not yet."""
        return with_book(self.registries, by=by)

    def rollback(self, *, by: str = "") -> str:
        """Let the pair of models before this one serve again; see `pipeline.promotion.roll_back`."""
        return roll_back(self.registries, by=by)

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

    def plan(
        self,
        delivery_date: pd.Timestamp,
        as_of: pd.Timestamp,
        *,
        after: str | None = None,
        begin: Begin | None = None,
        change: WhatIf | None = None,
        progress: Progress = silent,
    ) -> NightPlan:
        """Plan a delivery date as of a moment and keep the plan.

        Parameters
        ----------
        after : str, optional
            A plan of the same date whose purchase lines are sent: they are locked, this plan only adds.
        begin : Begin, optional
            An earlier plan of the date to begin from, and whether to stay near it.
        change : WhatIf, optional
            Other circumstances; such a plan is labelled and can never be approved.

        Raises
        ------
        NotFoundError
            The plan to build on, or to begin from, does not exist.
        InputError
            The plan to begin from is of another date.
        """
        night = self.night_input(delivery_date, as_of, after=after, begin=begin, change=change)
        plan = plan_night(night, settings=self.settings, progress=progress)
        self.store.save_plan(plan.summary.plan_id, plan.summary, dict(plan.tables()))
        return plan

    def revise(self, plan_id: str, late: Late, *, as_of: pd.Timestamp) -> Revision:
        """Revise a kept plan with late changes and keep the revision as a plan of its own; see `pipeline.revise`."""
        made = self.revised(plan_id, late, as_of=as_of)
        self.store.save_plan(made.plan.summary.plan_id, made.plan.summary, dict(made.plan.tables()))
        return made

    def revised(self, plan_id: str, late: Late, *, as_of: pd.Timestamp) -> Revision:
        """Return the revision of a kept plan with late changes, without keeping it."""
        kept = self.saved_plan(plan_id)
        reference = self.store.reference(kept.summary.delivery_date)
        return revise(kept, reference, late, as_of=as_of, settings=self.settings)

    def night_input(
        self,
        delivery_date: pd.Timestamp,
        as_of: pd.Timestamp,
        *,
        after: str | None = None,
        begin: Begin | None = None,
        change: WhatIf | None = None,
    ) -> NightInput:
        """Return what the store knows for planning a date as of a moment; see `plan`."""
        past = Past.before(self.store, delivery_date, city=self.settings.city)
        return NightInput(
            reference=past.reference,
            history=past.history,
            open_share=past.context.open_share,
            said=past.said,
            order_lines=self.store.order_lines(delivery_from=delivery_date, delivery_to=delivery_date),
            models=self.models(),
            delivery_date=delivery_date,
            as_of=as_of,
            locked=None if after is None else self.sent_lines(after),
            after=after,
            before=None if begin is None else earlier_plan(self.store, begin, delivery_date=delivery_date, as_of=as_of),
            change=change,
        )

    def risk_table(
        self, plan_id: str, *, changed_since: str | None = None, outside: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Return the risk table of a kept plan; only what changed since another plan of the night, if given.

        Parameters
        ----------
        changed_since : str, optional
            A plan, or ``previous``: the one of the same date made last before it.
        outside : DataFrame, optional
            Somebody else's estimate, ``warehouse_id, sku_id, units``.
        """
        if changed_since == PREVIOUS:
            changed_since = previous_plan(self.store.plan_summaries(), plan_id)
        earlier = None if changed_since is None else self.risk_table(changed_since)
        plan = self.saved_plan(plan_id)
        sent = None if plan.summary.after is None else self.sent_lines(plan.summary.after)
        reference = self.store.reference(plan.summary.delivery_date)
        return risk_table(plan, reference, sent=sent, previous=earlier, outside=outside)

    def export(self, plan: NightPlan, folder: Path, *, wishes: PaperWishes = PLAIN) -> list[Path]:
        """Write a plan's artefacts to a folder; from the cutoff on with the leaders' hand-out sheets."""
        summary = plan.summary
        reference = self.store.reference(summary.delivery_date)
        return write_artefacts(
            plan,
            reference,
            folder,
            settings=self.settings,
            orders=leader_orders(self.store, summary, reference, self.settings.city),
            sent=None if summary.after is None else self.sent_lines(summary.after),
            before=None if summary.begun_from is None else self._lines(summary.begun_from),
            wishes=wishes,
        )

    def export_warehouse(
        self, plan: NightPlan, folder: Path, warehouse_id: str, *, wishes: PaperWishes = PLAIN
    ) -> list[Path]:
        """Write the sorting and route papers of one warehouse to a folder; see `pipeline.warehouse_papers`."""
        reference = self.store.reference(plan.summary.delivery_date)
        return write_warehouse_papers(
            plan,
            reference,
            folder,
            warehouse_id=warehouse_id,
            settings=self.settings,
            orders=leader_orders(self.store, plan.summary, reference, self.settings.city),
            wishes=wishes,
        )

    def sent_lines(self, plan_id: str) -> DataFrame[PurchaseLines]:
        """Return the purchase lines of a kept plan as they were sent: locked.

        Raises
        ------
        InputError
            The plan is a what-if: its orders were never sent.
        """
        change = self.store.plan_summary(plan_id).what_if
        if change is not None:
            raise InputError(f"Plan {plan_id} was planned under other circumstances ({change.sentence}): never sent.")
        return PurchaseLines.check(self._lines(plan_id).assign(locked=True))

    def _lines(self, plan_id: str) -> DataFrame[PurchaseLines]:
        return PurchaseLines.check(self.store.plan_table(plan_id, "purchase_lines"))

    def saved_plan(self, plan_id: str) -> NightPlan:
        """Return a kept plan.

        Raises
        ------
        NotFoundError
            There is no such plan.
        """
        summary = self.store.plan_summary(plan_id)
        kept = set(self.store.plan_table_names(plan_id))  # a plan of an older version lacks the tables that came since
        tables = {
            name: table.check(self.store.plan_table(plan_id, name)) if name in kept else table.empty()
            for name, table in PLAN_TABLES.items()
        }
        return NightPlan(summary=summary, **tables)  # type: ignore[arg-type]
