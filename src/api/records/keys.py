"""API keys and browser sessions: only digests are kept, a key is shown once when it is made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from api.records.schema import KEYS, SESSIONS
from api.records.turns import one_at_a_time
from contracts.errors import NotFoundError
from store.database import Database

SESSION_HOURS = 12
"""A planner's evening and night; then the browser asks for the key again."""


def digest(secret: str) -> str:
    """Return the digest a key or cookie is kept under.

    A plain SHA-256 is enough because keys hold 256 random bits: there is nothing to guess.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class KeyRecord:
    """A key as it is known: who it was given to, what it may, whether it still holds."""

    key_id: str
    name: str
    role: str
    warehouse_id: str | None
    created_at: datetime
    revoked_at: datetime | None


class KeyBook:
    """Keys and the sessions opened with them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, name: str, role: str, *, warehouse_id: str | None = None) -> tuple[KeyRecord, str]:
        """Make a key and return its record and the key itself, which is not kept."""
        key_id = secrets.token_hex(6)
        secret = f"tc_{key_id}_{secrets.token_urlsafe(32)}"
        record = KeyRecord(key_id, name, role, warehouse_id, datetime.now(UTC), None)
        with self._database.writing() as connection:
            connection.execute(KEYS.insert().values(**vars(record), digest=digest(secret)))
        return record, secret

    def make_first(self, name: str, role: str, *, keep: Callable[[str], None]) -> KeyRecord | None:
        """Make the first key if there is none at all; None when there are keys, revoked ones included.

        Parameters
        ----------
        keep : callable
            Puts the key where its owner finds it; what it raises leaves no key behind.
        """
        with self._database.writing() as connection:
            one_at_a_time(connection, "first key")
            if connection.execute(sa.select(sa.func.count()).select_from(KEYS)).scalar_one():
                return None
            key_id = secrets.token_hex(6)
            secret = f"tc_{key_id}_{secrets.token_urlsafe(32)}"
            record = KeyRecord(key_id, name, role, None, datetime.now(UTC), None)
            connection.execute(KEYS.insert().values(**vars(record), digest=digest(secret)))
            keep(secret)
        return record

    def find(self, secret: str) -> KeyRecord | None:
        """Return the record of a key that holds, or None."""
        return self._one(sa.select(KEYS).where(KEYS.c.digest == digest(secret), KEYS.c.revoked_at.is_(None)))

    def all(self) -> list[KeyRecord]:
        """Return every key's record, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(KEYS).order_by(KEYS.c.created_at, KEYS.c.key_id)).mappings().all()
        return [_record(row) for row in rows]

    def revoke(self, key_id: str) -> KeyRecord:
        """Make a key and its sessions worthless from now on.

        Raises
        ------
        NotFoundError
            There is no such key.
        """
        with self._database.writing() as connection:
            connection.execute(
                KEYS.update()
                .where(KEYS.c.key_id == key_id, KEYS.c.revoked_at.is_(None))
                .values(revoked_at=datetime.now(UTC))
            )
            connection.execute(SESSIONS.delete().where(SESSIONS.c.key_id == key_id))
        found = self._one(sa.select(KEYS).where(KEYS.c.key_id == key_id))
        if found is None:
            raise NotFoundError("key", key_id)
        return found

    def open_session(self, key_id: str) -> str:
        """Return a new cookie for a key's holder."""
        cookie = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.expires_at < now))
            connection.execute(
                SESSIONS.insert().values(
                    digest=digest(cookie), key_id=key_id, expires_at=now + timedelta(hours=SESSION_HOURS)
                )
            )
        return cookie

    def close_session(self, cookie: str) -> None:
        """Forget a cookie."""
        with self._database.writing() as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.digest == digest(cookie)))

    def session(self, cookie: str) -> KeyRecord | None:
        """Return the record behind a cookie that holds, or None."""
        return self._one(
            sa.select(KEYS)
            .join(SESSIONS, SESSIONS.c.key_id == KEYS.c.key_id)
            .where(
                SESSIONS.c.digest == digest(cookie),
                SESSIONS.c.expires_at > datetime.now(UTC),
                KEYS.c.revoked_at.is_(None),
            )
        )

    def _one(self, query: sa.Select[tuple[object, ...]]) -> KeyRecord | None:
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _record(row)


def _record(row: sa.RowMapping) -> KeyRecord:
    return KeyRecord(
        row["key_id"],
        row["name"],
        row["role"],
        row["warehouse_id"],
        row["created_at"],
        row["revoked_at"],
    )
