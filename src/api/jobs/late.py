"""A revision's request and the floor's reports as the late changes of a night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from api.records import Records
from api.records.progress import TASK_KEY

if TYPE_CHECKING:
    from pipeline.late import Late
    from store import Store


def late_changes(asked: dict[str, Any], store: Store, records: Records) -> Late:
    """Return the late changes asked for, with the progress posted on the plan and on those it revises.

    The latest report of a task stands. A task of an ended wave that nobody reported counts as sorted, unless the
    request says that what is not reported is open.
    """
    from optimize.sorting import TaskProgress
    from pipeline.late import Late, LateOrders

    told = _reported(asked["plan_id"], store, records)
    return Late(
        progress=None if told.empty else TaskProgress.check(told.rename(columns={"units_done": "sorted_units"})),
        orders=LateOrders.check(pd.DataFrame(asked["orders"], columns=list(LateOrders.column_names()))),
        cancelled=tuple(asked["cancelled"]),
        frozen=tuple(asked["frozen"]),
        unreported=asked.get("unreported", "sorted"),  # requests of an older version did not say
    )


def _reported(plan_id: str, store: Store, records: Records) -> pd.DataFrame:
    """Return the progress on a plan; of tasks it took over unchanged, what was reported on the plan it revises."""
    rows = records.progress.since(plan_id, 0)
    summary = store.plan_summary(plan_id)
    if summary.revises is None:
        return rows
    earlier = _reported(summary.revises, store, records)
    tasks = store.plan_table(plan_id, "sorting_tasks")
    key = list(TASK_KEY)
    still = pd.MultiIndex.from_frame(earlier[key]).isin(pd.MultiIndex.from_frame(tasks[key]))
    tables: list[pd.DataFrame] = [table for table in (rows, earlier[still]) if len(table)]
    return pd.concat(tables, ignore_index=True).drop_duplicates(key) if tables else rows
