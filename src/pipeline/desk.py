"""The planning desk: one place where store, registry and settings meet; what the API and the terminal both call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import ConflictError, EmptyInputError, InputError
from contracts.planned import PurchaseLines
from contracts.reference import Listings
from contracts.settings import Settings
from contracts.what_if import WhatIf
from contracts.world import REFERENCE_TABLES, Reference, World
from forecast import Registry
from pipeline.artefacts import write_artefacts
from pipeline.begin import Begin, earlier_plan
from pipeline.late import Late
from pipeline.leaders import leader_orders
from pipeline.model_desk import ModelDesk
from pipeline.night import NightInput, plan_night
from pipeline.papers import PLAIN, PaperWishes
from pipeline.past import Past
from pipeline.plan import PLAN_TABLES, NightPlan
from pipeline.progress import Progress, silent
from pipeline.revise import Revision, revise
from pipeline.risk import PREVIOUS, previous_plan, risk_table
from pipeline.training import Registries
from pipeline.warehouse_papers import write_warehouse_papers
from simulate import supply_for_history
from store import ImportReport, Mapping, Store


@dataclass(frozen=True)
class PlanningDesk(ModelDesk):
    """A city's store and model registry with the settings they are used under."""

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
