"""The roll call of workers: each says that it lives; whoever falls silent is taken off by exactly one other.

Silence is measured by the listener's own steady clock: a worker is silent when its entry has not changed for so long
*while somebody watched*. A wall clock that jumps makes nobody dead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from api.records.schema import WORKERS
from api.records.turns import one_at_a_time
from store.database import Database


class RollCall:
    """Which workers were heard of when."""

    def __init__(self, database: Database, *, steady: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._steady = steady
        self._watched: dict[str, tuple[datetime, float]] = {}

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

    def forget(self) -> None:
        """Give every worker the whole time again: who could not look for a while knows nothing of silence."""
        self._watched = {}

    def take_off_silent(self, *, silence: timedelta, but: str) -> list[str]:
        """Take workers whose entry has not changed for so long, as this object saw it, off the roll and return them.

        Each is returned to one caller only. Whoever is seen for the first time is given the whole time.
        """
        now = self._steady()
        heard = self.heard()
        self._watched = {
            name: self._watched[name] if self._watched.get(name, (None,))[0] == at else (at, now)
            for name, at in heard.items()
        }
        late = [n for n, (_, since) in self._watched.items() if n != but and now - since > silence.total_seconds()]
        if not late:
            return []
        silent = []
        with self._database.writing() as connection:
            one_at_a_time(connection, "roll call")
            for name in late:
                entry = sa.and_(WORKERS.c.worker_id == name, WORKERS.c.seen_at == self._watched[name][0])
                if connection.execute(WORKERS.delete().where(entry)).rowcount:
                    silent.append(name)
        return silent
