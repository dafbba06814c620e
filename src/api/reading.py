"""Reading plans and reference data: each table only when it is asked for, and kept until it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pandas as pd
import sqlalchemy as sa

from api.kept import Kept, frame_bytes
from contracts.world import REFERENCE_TABLES
from pipeline import views
from pipeline.plan import PLAN_TABLES, NightPlan
from store import Store
from store.database.schema import reference_sets

if TYPE_CHECKING:
    from contracts.plan import PlanSummary
    from contracts.world import Reference
    from store.database import Database

KEPT_MB = 256
"""Memory for tables of plans that were read lately."""


class LazyPlan:
    """Looks like a `NightPlan`, reads each table on first use; for views that need one or two of its tables."""

    def __init__(self, plan_id: str, shelf: PlanTables) -> None:
        self._plan_id = plan_id
        self._shelf = shelf

    @property
    def summary(self) -> PlanSummary:
        """Return the plan's summary."""
        return self._shelf.store.plan_summary(self._plan_id)

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return a table of the plan."""
        if name not in PLAN_TABLES:
            raise AttributeError(name)
        return self._shelf.table(self._plan_id, name)


class PlanTables:
    """Tables of plans, with the ones read lately in memory."""

    def __init__(self, store: Store, *, kept_mb: int = KEPT_MB) -> None:
        self.store = store
        self._kept: Kept[pd.DataFrame] = Kept(most_bytes=kept_mb * 1_000_000, weigh=frame_bytes)

    def plan(self, plan_id: str) -> NightPlan:
        """Return a plan whose tables are read when they are used.

        Raises
        ------
        NotFoundError
            There is no such plan.
        """
        self.store.plan_summary(plan_id)
        return cast("NightPlan", LazyPlan(plan_id, self))

    def table(self, plan_id: str, name: str) -> pd.DataFrame:
        """Return one table of a plan.

        Raises
        ------
        NotFoundError
            There is no such plan or table.
        """
        return self._kept.get((plan_id, name), lambda: self.store.plan_table(plan_id, name))

    def sorting(self, plan_id: str, reference: Reference, **wanted: object) -> pd.DataFrame:
        """Return sorting assignments with names in the order they are worked, those whose columns have given values.

        A city's night is some hundred thousand tasks: named and ordered once, then only cut.
        """
        key = ("sorting", plan_id, self.store.reference_mark())
        frame = self._kept.get(key, lambda: views.sorting_view(self.plan(plan_id), reference))
        for column, value in wanted.items():
            if value is not None:
                frame = frame[frame[column] == value]
        return frame


class LazyReference:
    """Looks like a `Reference`, reads each table on first use; for views that need names of one or two tables."""

    def __init__(self, tables: ReferenceTables) -> None:
        self._tables = tables

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return a reference table."""
        if name not in REFERENCE_TABLES:
            raise AttributeError(name)
        return self._tables.table(name)


class ReferenceTables:
    """Reference tables, each kept in memory until it is changed in the store."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._kept: dict[str, tuple[object, pd.DataFrame]] = {}

    def reference(self) -> Reference:
        """Return the reference data as views take it; tables are read when they are used."""
        return cast("Reference", LazyReference(self))

    def synthetic(self) -> frozenset[str]:
        """Return the names of the tables that were generated, not given."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(reference_sets.c.name).where(reference_sets.c.synthetic)).all()
        return frozenset(name for (name,) in rows)

    def table(self, name: str) -> pd.DataFrame:
        """Return a reference table as it is in the store now."""
        query = sa.select(reference_sets.c.changed_at, reference_sets.c.rows).where(reference_sets.c.name == name)
        with self._database.reading() as connection:
            found = connection.execute(query).first()
        mark = None if found is None else tuple(found)
        kept = self._kept.get(name)
        if kept is None or kept[0] != mark:
            kept = (mark, self._store.reference_table(name))
            self._kept[name] = kept
        return kept[1]
