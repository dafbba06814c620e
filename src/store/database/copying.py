"""A whole database copied row by row into another of the same schema, SQLite or PostgreSQL on either side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from contracts.errors import StoreError

ROWS_AT_A_TIME = 5_000
"""Bounds the memory of a copy: plan tables are the largest rows, a few megabytes each."""
LARGE_ROWS_AT_A_TIME = 20
VERSION_TABLES = ("alembic_version", "service_version")


def copy_rows(source: sa.Connection, target: sa.Connection, *, but: tuple[str, ...] = VERSION_TABLES) -> dict[str, int]:
    """Copy every row of every table of `source` into the table of the same name in `target`; return rows by table.

    Raises
    ------
    StoreError
        The target lacks a table or column of the source, or has rows already.
    """
    tables, places = sa.MetaData(), sa.MetaData()
    tables.reflect(source)
    places.reflect(target)
    copied = {}
    for table in tables.sorted_tables:  # what others point to comes first
        if table.name in but:
            continue
        place = places.tables.get(table.name)
        if place is None or not {c.name for c in table.columns} <= {c.name for c in place.columns}:
            raise StoreError(f"Table {table.name} has no place of the same form in the target database.")
        if target.execute(sa.select(sa.literal(1)).select_from(place).limit(1)).first() is not None:
            raise StoreError(f"Table {table.name} of the target has rows already: restore into an empty place.")
        copied[table.name] = 0
        for rows in _portions(source, table):
            target.execute(sa.insert(place), rows)
            copied[table.name] += len(rows)
        _go_on_counting(target, place)
    return copied


def _portions(source: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    large = any(isinstance(column.type, sa.LargeBinary) for column in table.columns)
    most = LARGE_ROWS_AT_A_TIME if large else ROWS_AT_A_TIME
    result = source.execution_options(stream_results=True).execute(sa.select(table))
    for rows in result.mappings().partitions(most):
        yield [dict(row) for row in rows]


def _go_on_counting(target: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL's counters go on after the rows that were copied with their numbers."""
    key = table.autoincrement_column
    if target.dialect.name != "postgresql" or key is None or key.server_default is None:
        return
    most = sa.select(sa.func.coalesce(sa.func.max(key), 0) + 1).scalar_subquery()
    counter = sa.func.pg_get_serial_sequence(table.name, key.name)
    target.execute(sa.select(sa.func.setval(counter, most, sa.false())))
