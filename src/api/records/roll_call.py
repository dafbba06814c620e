"""The roll call of workers: each says that it lives; whoever falls silent is taken off by exactly one other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from api.records.schema import WORKERS
from api.records.turns import one_at_a_time
from store.database import Database


class RollCall:
    """Which workers were heard of when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def present(self, worker_id: str) -> None:
        """Note that a worker lives now."""
        with self._database.writing() as connection:
            one_at_a_time(connection, "roll call")
            connection.execute(WORKERS.delete().where(WORKERS.c.worker_id == worker_id))
            connection.execute(WORKERS.insert().values(worker_id=worker_id, seen_at=datetime.now(UTC)))

    def heard(self) -> dict[str, datetime]:
        """Return the workers on the roll, with the moment each was last heard of."""
        with self._database.reading() as connection:
            return {row.worker_id: row.seen_at for row in connection.execute(sa.select(WORKERS))}

    def take_off_silent(self, *, silence: timedelta, but: str) -> list[str]:
        """Take workers not heard of for so long off the roll and return them; each is returned to one caller only."""
        with self._database.writing() as connection:
            one_at_a_time(connection, "roll call")
            late = sa.and_(WORKERS.c.seen_at < datetime.now(UTC) - silence, WORKERS.c.worker_id != but)
            silent = [worker_id for (worker_id,) in connection.execute(sa.select(WORKERS.c.worker_id).where(late))]
            connection.execute(WORKERS.delete().where(WORKERS.c.worker_id.in_(silent)))
        return silent
