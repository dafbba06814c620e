"""Reading plans: each table only when it is asked for, and kept for the next request, because plans never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, cast

import pandas as pd

from pipeline.plan import PLAN_TABLES, NightPlan
from store import Store

if TYPE_CHECKING:
    from contracts.plan import PlanSummary

KEPT_MB = 256
"""Memory for tables of plans that were read lately."""


class LazyPlan:
    """Looks like a `NightPlan`, reads each table on first use; for views that need one or two of its twelve tables."""

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
        self._most = kept_mb * 1_000_000
        self._kept: OrderedDict[tuple[str, str], tuple[pd.DataFrame, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

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
        key = (plan_id, name)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        frame = self.store.plan_table(plan_id, name)
        size = int(frame.memory_usage(deep=True).sum())
        with self._lock:
            if key not in self._kept and size <= self._most:
                self._kept[key] = (frame, size)
                self._bytes += size
                while self._bytes > self._most:
                    self._bytes -= self._kept.popitem(last=False)[1][1]
        return frame
