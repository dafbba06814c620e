"""Bringing the service's tables to a revision, in one transaction."""

from __future__ import annotations

from pathlib import Path

from api.records.turns import one_at_a_time
from contracts.errors import StoreError
from store.database import Database
from store.database.revisions import MIGRATING, newest_revision, stands_at

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the service's tables to a revision: ``head`` is the newest, ``base`` none.

    Raises
    ------
    StoreError
        The tables are of a version this program does not know.
    """
    if revision == "head":
        with database.reading() as connection:
            if stands_at(connection, "service_version") == newest_revision(MIGRATIONS):
                return
    import alembic.command
    import alembic.config
    import alembic.util

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    step = alembic.command.downgrade if revision == "base" else alembic.command.upgrade
    try:
        with MIGRATING, database.writing() as connection:
            one_at_a_time(connection, "service migrations")
            config.attributes["connection"] = connection
            step(config, revision)
    except alembic.util.CommandError as unknown:
        raise StoreError(
            f"The service's tables are of a version this program does not know ({unknown}); update the program."
        ) from unknown
