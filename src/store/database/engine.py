"""Opening a database by URL, with its schema brought up to date, and its failures in the words of the error tree."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from contracts.errors import StorageFullError, StoreError
from store.database.revisions import MIGRATING, newest_revision, stands_at

_log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_BUSY_MILLISECONDS = 30_000  # an import of half a million lines holds the write lock for a few seconds
_LOG_TRIES, _LOG_PAUSE_SECONDS = 100, 0.05  # the switch to a write-ahead log does not heed busy_timeout
_UPGRADE_LOCK = 7_205_759_403  # any fixed number: processes that open PostgreSQL at once upgrade one after the other


class Database:
    """A SQL database: SQLite with a write-ahead log, PostgreSQL or what else SQLAlchemy speaks.

    Reads see a consistent snapshot; a write is all there or not at all.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> Database:
        """Open the database and migrate its schema to the newest revision.

        Raises
        ------
        StoreError
            The URL is wrong, the database cannot be reached, is no database, or is of a later version.
        """
        database = cls.connect(url)
        database.migrate("head")
        return database

    @classmethod
    def connect(cls, url: str) -> Database:
        """Open the database as it is, whatever its schema.

        Raises
        ------
        StoreError
            The URL is wrong.
        """
        try:
            parsed = sa.make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            remote = parsed.get_backend_name() != "sqlite"  # a server may have dropped a connection that lay idle
            engine = sa.create_engine(parsed, pool_pre_ping=remote)
        except (sa.exc.ArgumentError, ModuleNotFoundError, OSError) as wrong:
            raise StoreError(
                f"Storage URL cannot be used: {wrong}. Write e.g. sqlite:///data/tuancai.sqlite."
            ) from wrong
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        return cls(engine)

    def migrate(self, revision: str) -> None:
        """Bring the schema up or down to a revision: ``head`` is the newest, ``base`` none."""
        if revision == "head":
            with self.reading() as connection:
                if stands_at(connection, "alembic_version") == newest_revision(MIGRATIONS):
                    return
        import alembic.command
        import alembic.config
        import alembic.util

        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        try:
            with MIGRATING, self.writing() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
                config.attributes["connection"] = connection
                stands = stands_at(connection, "alembic_version") or ""
                down = revision == "base" or (revision != "head" and revision < stands)  # revisions are 0001, 0002, ...
                step = alembic.command.downgrade if down else alembic.command.upgrade
                step(config, revision)
        except alembic.util.CommandError as unknown:
            raise StoreError(
                f"The database {self.engine.url!r} is of a version this program does not know ({unknown}); "
                "update the program."
            ) from unknown

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection to read with."""
        with _sql_errors(self.engine), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Give a connection to read with, all of whose reads see one moment, however long they take."""
        level = "REPEATABLE READ" if self.engine.dialect.name == "postgresql" else None
        engine = self.engine if level is None else self.engine.execution_options(isolation_level=level)
        with _sql_errors(self.engine), engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection whose writes are committed together at the end, or taken back together on an error."""
        with (
            _sql_errors(self.engine),
            self.engine.connect().execution_options(tuancai_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Set the pragmas, and take transactions into our own hand so that schema changes roll back too."""

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={_BUSY_MILLISECONDS}", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        _log_ahead(cursor)
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("tuancai_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _log_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch to a write-ahead log; while another opener of a fresh database is at it, SQLite says "locked" at once."""
    for left in reversed(range(_LOG_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as busy:
            if not left or "locked" not in str(busy):
                raise
            time.sleep(_LOG_PAUSE_SECONDS)


@contextmanager
def _sql_errors(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except sa.exc.TimeoutError as busy:  # of the pool; the database itself was not asked
        raise StoreError(
            f"No connection to the database {engine.url!r} was free in time; nothing was done. Repeat it."
        ) from busy
    except sa.exc.DBAPIError as failed:
        reason = str(failed.orig).splitlines()[0] if str(failed.orig) else type(failed.orig).__name__
        if "disk is full" in reason or "No space left" in reason:
            raise StorageFullError(
                f"The disk of {engine.url!r} is full; the write was taken back. Free some space and repeat."
            ) from failed
        raise StoreError(
            f"The database {engine.url!r} failed: {reason}. What was there before is unchanged."
        ) from failed


RacedError = sa.exc.IntegrityError
"""Raised when another process wrote the same key first."""
