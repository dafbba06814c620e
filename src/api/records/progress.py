"""Sorting progress as stations report it: units done, short, damaged, over per task; each report raises a version."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import sqlalchemy as sa

from api.records.schema import PROGRESS
from api.records.turns import one_at_a_time
from store.database import Database

FIGURES = ("units_done", "short_units", "damaged_units", "over_units")
TASK_KEY = ("warehouse_id", "temperature_zone", "wave", "station", "slot", "sku_id")


class SortingProgress:
    """What is done of a plan's sorting tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def report(self, plan_id: str, rows: pd.DataFrame, *, by: str) -> int:
        """Write units done for tasks (the latest report of a task stands) and return the new version."""
        with self._database.writing() as connection:
            one_at_a_time(connection, f"progress of {plan_id}")
            version = self._version(connection, plan_id) + 1
            marks = {"plan_id": plan_id, "version": version, "reported_by": by, "reported_at": datetime.now(UTC)}
            values = [{**row, **marks} for row in rows[[*TASK_KEY, *FIGURES, "note"]].to_dict("records")]
            same = [PROGRESS.c[column] == sa.bindparam(f"k_{column}") for column in ("plan_id", *TASK_KEY)]
            keys = [{f"k_{column}": value[column] for column in ("plan_id", *TASK_KEY)} for value in values]
            connection.execute(PROGRESS.delete().where(*same), keys)
            connection.execute(PROGRESS.insert(), values)
        return version

    def version(self, plan_id: str) -> int:
        """Return the version of the latest report of a plan; 0 without one."""
        with self._database.reading() as connection:
            return self._version(connection, plan_id)

    def since(self, plan_id: str, version: int) -> pd.DataFrame:
        """Return what was reported after a version: task key, figures, note, version, who and when."""
        columns = [PROGRESS.c[name] for name in (*TASK_KEY, *FIGURES, "note", "version", "reported_by", "reported_at")]
        query = sa.select(*columns).where(PROGRESS.c.plan_id == plan_id, PROGRESS.c.version > version)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(*[PROGRESS.c[name] for name in TASK_KEY])).mappings().all()
        frame = pd.DataFrame([dict(row) for row in rows], columns=[column.name for column in columns])
        frame["reported_at"] = pd.to_datetime(frame["reported_at"], utc=True)
        return frame

    def _version(self, connection: sa.Connection, plan_id: str) -> int:
        query = sa.select(sa.func.max(PROGRESS.c.version)).where(PROGRESS.c.plan_id == plan_id)
        return connection.execute(query).scalar_one() or 0
