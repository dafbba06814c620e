"""Reference data in SQL, one table per contract; which of them are synthetic, and the files of the wide ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from contracts.world import REFERENCE_TABLES
from store.database.engine import Database
from store.database.schema import reference_sets, reference_tables


@dataclass(frozen=True)
class ReferenceSet:
    """What is known of one reference table: rows, label, and the file of a wide one."""

    rows: int
    synthetic: bool
    file: str | None


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
    ) -> None:
        """Replace whole tables in one transaction; a wide table is replaced by the name of its new file."""
        with self._database.writing() as connection:
            for name, table in tables.items():
                connection.execute(sa.delete(reference_sets).where(reference_sets.c.name == name))
                connection.execute(
                    sa.insert(reference_sets).values(
                        name=name, synthetic=name in synthetic, rows=len(table), file=files.get(name), changed_at=at
                    )
                )
                if name in reference_tables:
                    connection.execute(sa.delete(reference_tables[name]))
                    if len(table):
                        connection.execute(sa.insert(reference_tables[name]), _records(table))

    def sets(self) -> dict[str, ReferenceSet]:
        """Return what is known of each table that was ever written."""
        columns = (reference_sets.c.name, reference_sets.c.rows, reference_sets.c.synthetic, reference_sets.c.file)
        with self._database.reading() as connection:
            return {
                name: ReferenceSet(rows, synthetic, file)
                for name, rows, synthetic, file in connection.execute(sa.select(*columns))
            }

    def mark(self) -> tuple[object, ...]:
        """Return when each table was last written, and its rows."""
        columns = (reference_sets.c.name, reference_sets.c.changed_at, reference_sets.c.rows, reference_sets.c.file)
        with self._database.reading() as connection:
            return tuple(tuple(row) for row in connection.execute(sa.select(*columns).order_by(reference_sets.c.name)))

    def read(self, name: str) -> pd.DataFrame:
        """Return the rows of a table that is kept in SQL, in the order they were written."""
        table = reference_tables[name]
        names = list(REFERENCE_TABLES[name].column_names())
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*(table.c[n] for n in names)).order_by(table.c.row)).all()
        return pd.DataFrame(rows, columns=names)

    def ids(self, name: str, column: str) -> frozenset[str]:
        """Return the ids of one column of a table."""
        with self._database.reading() as connection:
            return frozenset(key for (key,) in connection.execute(sa.select(reference_tables[name].c[column])))


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
