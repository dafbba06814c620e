"""Reference data in SQL, one table per contract; which of them are synthetic, and the files of the wide ones.

Rows that hold for some dates only (`contracts.validity`) are kept beside those tables, in one table for all contracts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from contracts.validity import VALIDITY
from contracts.world import REFERENCE_TABLES
from store.database.engine import Database
from store.database.schema import dated_rows, reference_sets, reference_tables


@dataclass(frozen=True)
class ReferenceSet:
    """What is known of one reference table: rows (dated ones included), label, changes, and the file of a wide one."""

    rows: int
    synthetic: bool
    file: str | None
    changes: int = 0


class ChangedMeanwhileError(Exception):
    """Somebody else changed the table since it was read."""


class ReferenceRows:
    """Reads and replaces reference tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(
        self,
        tables: Mapping[str, pd.DataFrame],
        *,
        synthetic: frozenset[str],
        files: Mapping[str, str],
        at: datetime,
        dated: Mapping[str, pd.DataFrame] | None = None,
        read_at: int | None = None,
    ) -> None:
        """Replace whole tables in one transaction; a wide table is replaced by the name of its new file.

        Parameters
        ----------
        tables : mapping
            Rows that hold always.
        dated : mapping, optional
            Rows of the same tables that hold for some dates only.
        read_at : int, optional
            `ReferenceSet.changes` of the tables when they were read.

        Raises
        ------
        ChangedMeanwhileError
            A table was changed since `read_at`; nothing is written.
        """
        with self._database.writing() as connection:
            for name, table in tables.items():
                known = connection.execute(
                    sa.select(reference_sets.c.changes).where(reference_sets.c.name == name).with_for_update()
                ).scalar()
                if read_at is not None and read_at != (known or 0):
                    raise ChangedMeanwhileError(name)
                later = (dated or {}).get(name, pd.DataFrame())
                facts = {
                    "synthetic": name in synthetic,
                    "rows": len(table) + len(later),
                    "file": files.get(name),
                    "changed_at": at,
                    "changes": (known or 0) + 1,
                }
                if known is None:
                    connection.execute(sa.insert(reference_sets).values(name=name, **facts))
                else:  # never deleted and made anew, or whoever waits for this row's lock would not see it
                    connection.execute(sa.update(reference_sets).where(reference_sets.c.name == name).values(**facts))
                if name in reference_tables:
                    connection.execute(sa.delete(reference_tables[name]))
                    if len(table):
                        connection.execute(sa.insert(reference_tables[name]), _records(table))
                connection.execute(sa.delete(dated_rows).where(dated_rows.c.table_name == name))
                if len(later):
                    connection.execute(sa.insert(dated_rows), _dated_records(name, later))

    def sets(self) -> dict[str, ReferenceSet]:
        """Return what is known of each table that was ever written."""
        known = reference_sets.c
        columns = (known.name, known.rows, known.synthetic, known.file, known.changes)
        with self._database.reading() as connection:
            return {name: ReferenceSet(*facts) for name, *facts in connection.execute(sa.select(*columns))}

    def mark(self) -> tuple[object, ...]:
        """Return how often each table was written and when last."""
        columns = (reference_sets.c.name, reference_sets.c.changes, reference_sets.c.changed_at, reference_sets.c.file)
        with self._database.reading() as connection:
            return tuple(tuple(row) for row in connection.execute(sa.select(*columns).order_by(reference_sets.c.name)))

    def read(self, name: str) -> pd.DataFrame:
        """Return the rows of a table that is kept in SQL, in the order they were written."""
        table = reference_tables[name]
        names = list(REFERENCE_TABLES[name].column_names())
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*(table.c[n] for n in names)).order_by(table.c.row)).all()
        return pd.DataFrame(rows, columns=names)

    def dated(self, name: str) -> pd.DataFrame:
        """Return the rows of a table that hold for some dates only, in the order they were written; cells as text."""
        table = dated_rows.c
        query = sa.select(table.content, table.valid_from, table.valid_until).where(table.table_name == name)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(table.row)).all()
        return pd.DataFrame(
            [json.loads(content) | {"valid_from": start, "valid_until": end} for content, start, end in rows],
            columns=[*REFERENCE_TABLES[name].column_names(), *VALIDITY],
            dtype=object,
        )

    def ids(self, name: str, column: str) -> frozenset[str]:
        """Return the ids of one column of a table, whatever dates their rows hold for."""
        with self._database.reading() as connection:
            always = [key for (key,) in connection.execute(sa.select(reference_tables[name].c[column]))]
        return frozenset([*always, *self.dated(name)[column]])


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain Python values; null as None, instants and dates as datetime."""
    plain: dict[str, list[Any]] = {"row": list(range(len(table)))}
    for name in table.columns:
        column = table[name]
        if column.dtype.kind == "M":
            aware = isinstance(column.dtype, pd.DatetimeTZDtype)
            plain[name] = [None if pd.isna(v) else v.to_pydatetime() if aware else v.date() for v in column]
        else:
            plain[name] = column.astype(object).where(column.notna(), None).tolist()
    return [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]


def _dated_records(name: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return dated rows for SQL: their dates, and the contract's cells as JSON."""
    return [
        {"table_name": name, "row": row.pop("row")}
        | {column: row.pop(column) for column in VALIDITY}
        | {"content": json.dumps(row, ensure_ascii=False, default=str)}
        for row in _records(table)
    ]
