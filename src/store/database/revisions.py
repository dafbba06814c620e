"""At which revision a database stands, found out without the migration library: it takes half a second to import."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa

MIGRATING = threading.RLock()
"""Held while anything in this process may run the migration library, whose context belongs to the whole process."""


def newest_revision(migrations: Path) -> str:
    """Return the newest revision of a folder of migrations, whose files are named ``<revision>_<what>.py``.

    Revisions are numbers of equal width in one line, so the largest name is the newest (tested against alembic).
    """
    return max(path.name.partition("_")[0] for path in (migrations / "versions").glob("[0-9]*.py"))


def stands_at(connection: sa.Connection, version_table: str) -> str | None:
    """Return the revision a database stands at, None for one without tables."""
    if not sa.inspect(connection).has_table(version_table):
        return None
    found = connection.execute(
        sa.select(sa.column("version_num", sa.String)).select_from(sa.table(version_table))
    ).first()
    return None if found is None else str(found[0])
