"""The service's tables: migrations lead up to the schema in code and down to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from api.records import Records
from api.records.migrate import migrate
from api.records.schema import METADATA
from contracts.errors import StoreError


@pytest.fixture
def records(tmp_path: Path, settings_in: Any) -> Any:
    """Return fresh records."""
    found = Records.open(settings_in(tmp_path).storage)
    yield found
    found.close()


def test_migrations_lead_to_the_schema(records: Records) -> None:
    """What the migrations make is what the code has."""

    def ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
        return kind != "table" or (str(name).startswith("service_") and name != "service_version")

    with records.database.reading() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"include_object": ours}), METADATA)
    assert not [change for change in found if "comment" not in str(change[0])]


def test_migrations_lead_down_and_up_again(records: Records) -> None:
    """Down leaves none of the service's tables and all of the store's; up makes them again."""
    migrate(records.database, "base")
    left = set(sa.inspect(records.database.engine).get_table_names())
    assert not {name for name in left if name.startswith("service_")} - {"service_version"}
    assert "plans" in left
    migrate(records.database)
    assert set(METADATA.tables) <= set(sa.inspect(records.database.engine).get_table_names())


def test_tables_of_a_later_version_are_left_alone(records: Records) -> None:
    """A program older than its database says so instead of working on it."""
    with records.database.writing() as connection:
        connection.execute(sa.text("UPDATE service_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="does not know"):
        migrate(records.database)
