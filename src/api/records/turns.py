"""Taking turns: writers that read before they write wait for one another."""

from __future__ import annotations

import zlib

import sqlalchemy as sa


def one_at_a_time(connection: sa.Connection, matter: str) -> None:
    """Let no other transaction work on the same matter until this one ends.

    SQLite transactions that write take turns anyway (``BEGIN IMMEDIATE``); PostgreSQL gets an advisory lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(matter.encode()))))
