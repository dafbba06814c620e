"""Reading plans and reference data: each table only when it is asked for, and kept until it changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from api.kept import Kept, frame_bytes
from contracts.world import REFERENCE_TABLES
from pipeline import views
from pipeline.plan import PLAN_TABLES, NightPlan
from store import Store

if TYPE_CHECKING:
    from contracts.plan import PlanSummary
    from contracts.world import Reference

KEPT_MB = 256
"""Memory for tables of plans that were read lately."""
KEPT_TABLES = 64
"""Reference tables in memory, a few dates of the ones that views use."""


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
        self._days: dict[str, date] = {}
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

    def day(self, plan_id: str) -> date:
        """Return the delivery date of a plan, or raise `NotFoundError`; it never changes."""
        if plan_id not in self._days:
            self._days[plan_id] = self.store.plan_summary(plan_id).delivery_date
        return self._days[plan_id]

    def table(self, plan_id: str, name: str) -> pd.DataFrame:
        """Return one table of a plan.

        Raises
        ------
        NotFoundError
            There is no such plan or table.
        """
        return self._kept.get((plan_id, name), lambda: self.store.plan_table(plan_id, name))

    def sorting(
        self, plan_id: str, reference: Reference, rows: slice = slice(None), **wanted: object
    ) -> tuple[pd.DataFrame, int]:
        """Return sorting assignments with names in the order they are worked, and how many there are in all.

        A city's night is some hundred thousand tasks: their order is worked out once, and only the rows asked for are
        taken and named.

        Parameters
        ----------
        rows : slice
            Which of those whose columns have the wanted values.
        """
        tasks = self.table(plan_id, "sorting_tasks")
        order = self._kept.get((plan_id, "working order"), lambda: pd.DataFrame({"row": views.working_order(tasks)}))[
            "row"
        ].to_numpy()
        asked = [(tasks[column] == value).to_numpy(bool) for column, value in wanted.items() if value is not None]
        if asked:
            order = order[np.logical_and.reduce(asked)[order]]
        return views.named_tasks(tasks.take(order[rows]), reference), len(order)

    def orders(self, plan_id: str, reference: Reference, **wanted: object) -> pd.DataFrame:
        """Return purchase lines with names, by supplier and warehouse, those whose columns have given values."""
        return self._cut("orders", plan_id, lambda: views.order_view(self.plan(plan_id), reference), wanted)

    def _cut(
        self, name: str, plan_id: str, view: Callable[[], pd.DataFrame], wanted: dict[str, object]
    ) -> pd.DataFrame:
        """Return the rows of a view that have given values; the view is made once for a plan and its reference data."""
        frame = self._kept.get((name, plan_id, self.store.reference_mark()), view)
        for column, value in wanted.items():
            if value is not None:
                frame = frame[frame[column] == value]
        return frame


class LazyReference:
    """Looks like a `Reference` of a delivery date, reads each table on first use; for views that need one or two."""

    def __init__(self, tables: ReferenceTables, on: date) -> None:
        self._tables = tables
        self._on = on

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return a reference table."""
        if name not in REFERENCE_TABLES:
            raise AttributeError(name)
        return self._tables.table(name, self._on)


class ReferenceTables:
    """Reference tables, each kept in memory until reference data changes in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[str, date | None], tuple[object, pd.DataFrame]] = OrderedDict()

    def reference(self, on: date) -> Reference:
        """Return the reference data of a delivery date as views take it; tables are read when they are used."""
        return cast("Reference", LazyReference(self, on))

    def table(self, name: str, on: date) -> pd.DataFrame:
        """Return the rows of a reference table that hold on a delivery date, as they are in the store now."""
        return self._fresh((name, on), lambda: self._store.reference_table(name, on))

    def rows(self, name: str) -> pd.DataFrame:
        """Return every row of a reference table with the dates it holds for, as they are in the store now."""
        return self._fresh((name, None), lambda: self._store.reference_rows(name))

    def _fresh(self, key: tuple[str, date | None], read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        mark = self._store.reference_mark()  # of all tables: a supplier that ends takes its offers along
        kept = self._kept.pop(key, None)
        if kept is None or kept[0] != mark:
            kept = (mark, read())
        self._kept[key] = kept
        while len(self._kept) > KEPT_TABLES:
            self._kept.popitem(last=False)
        return kept[1]
