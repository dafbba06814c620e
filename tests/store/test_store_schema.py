"""The SQL schema: migrations lead to exactly the declared tables, up and down, also when processes race."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from contracts.errors import StoreError
from store.database import Database
from store.database.schema import metadata


def test_migrations_lead_to_the_declared_schema(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """Nothing is in the models that no migration makes, and the other way round."""
    database = Database.open(database_url(tmp_path))
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()


def test_down_and_up_again(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """Down to nothing leaves no table of ours, up again makes all of them."""
    database = Database.open(database_url(tmp_path))
    tables = set(sa.inspect(database.engine).get_table_names())
    database.migrate("base")
    assert set(sa.inspect(database.engine).get_table_names()) == {"alembic_version"}
    database.migrate("head")
    assert set(sa.inspect(database.engine).get_table_names()) == tables
    database.close()


def test_imports_from_before_are_nobodys(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """Who brought an import in is kept since 0005: earlier rows stay as they are, down again the others lose it."""
    database = Database.open(database_url(tmp_path))
    database.migrate("0004")
    columns = (
        "import_id, imported_at, table_name, source, sha256, mapping, rows_read, rows_accepted, rows_rejected, books"
    )
    row = "'a', '2026-03-01 00:00:00', 'order_lines', 'orders.csv', '', '', 1, 1, 0, '{}'"
    with database.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO imports ({columns}) VALUES ({row})")
    for revision in ("head", "0004", "head"):
        database.migrate(revision)
    with database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT import_id, imported_by, rows_read FROM imports").all()
    assert [tuple(one) for one in kept] == [("a", "", 1)]
    database.close()


def test_opening_at_once(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """Four openers of one fresh database migrate it once."""
    url = database_url(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Database.open(url), range(4)))
    assert "plans" in sa.inspect(opened[0].engine).get_table_names()
    for database in opened:
        database.close()


@pytest.mark.skipif("TUANCAI_TEST_POSTGRES" not in os.environ, reason="SQLite has no server that drops connections")
def test_a_connection_the_server_dropped_is_replaced(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """After a restart of the server the next read opens a new connection instead of failing on the old one."""
    database, other = Database.open(database_url(tmp_path)), Database.open(database_url(tmp_path))
    with database.reading() as connection:
        backend = connection.scalar(sa.select(sa.func.pg_backend_pid()))
    with other.reading() as connection:
        assert connection.scalar(sa.select(sa.func.pg_terminate_backend(backend)))
    with database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.pg_backend_pid())) != backend
    database.close()
    other.close()


def test_a_database_of_the_future(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """A schema that this program does not know is left alone."""
    database = Database.open(database_url(tmp_path))
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(StoreError, match="update the program"):
        Database.open(database_url(tmp_path))


def test_a_failed_write_is_taken_back(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """An error within a write leaves neither rows nor tables."""
    database = Database.open(database_url(tmp_path))

    def half() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE half (x INTEGER)")
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StoreError, match="nowhere"):
        half()
    assert "half" not in sa.inspect(database.engine).get_table_names()
    database.close()
