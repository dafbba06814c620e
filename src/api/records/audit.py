"""The audit log: who changed what, when. It only grows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from api.records.schema import AUDIT
from store.database import Database

MOST_ENTRIES = 100_000
"""More than anybody reads; the table itself keeps all."""


class AuditLog:
    """Entries of who did what to what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(
        self, key_id: str, action: str, subject: str, *, request_id: str = "", facts: dict[str, Any] | None = None
    ) -> None:
        """Add an entry."""
        with self._database.writing() as connection:
            connection.execute(
                AUDIT.insert().values(
                    at=datetime.now(UTC),
                    key_id=key_id,
                    action=action,
                    subject=subject[:300],
                    request_id=request_id[:64],
                    facts=facts or {},
                )
            )

    def entries(self, *, subject: str | None = None, actions: tuple[str, ...] = ()) -> pd.DataFrame:
        """Return the latest entries, the newest first, at most `MOST_ENTRIES`; of a subject and of some actions."""
        query = sa.select(AUDIT).order_by(AUDIT.c.entry.desc()).limit(MOST_ENTRIES)
        if subject is not None:
            query = query.where(AUDIT.c.subject == subject)
        if actions:
            query = query.where(AUDIT.c.action.in_(actions))
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        frame = pd.DataFrame([dict(row) for row in rows], columns=[c.name for c in AUDIT.columns])
        frame["at"] = pd.to_datetime(frame["at"], utc=True)
        return frame
