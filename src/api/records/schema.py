"""The service's own SQL tables. They share the database with the data, under names that begin with ``service_``."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

from store.database.schema import UtcInstant

METADATA = MetaData()


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, UtcInstant(), nullable=nullable)


KEYS = Table(
    "service_keys",
    METADATA,
    Column("key_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(32), nullable=False),
    Column("warehouse_id", String(200)),
    Column("digest", String(64), nullable=False, unique=True, comment="SHA-256 of the key; the key is kept nowhere"),
    _moment("created_at"),
    _moment("revoked_at", nullable=True),
)

SESSIONS = Table(
    "service_sessions",
    METADATA,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the cookie"),
    Column("key_id", String(32), nullable=False),
    _moment("expires_at"),
)

JOBS = Table(
    "service_jobs",
    METADATA,
    Column("job_id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", JSON, nullable=False),
    Column("requested_by", String(32), nullable=False),
    Column("idempotency_key", String(200)),
    Column("asked", String(64), nullable=False, comment="Digest of the request as it came, before it was completed"),
    _moment("requested_at"),
    _moment("started_at", nullable=True),
    _moment("changed_at"),
    _moment("ended_at", nullable=True),
    Column("stage", String(100), nullable=False, server_default=""),
    Column("fraction", Float, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="0", comment="Rises with every change"),
    Column("outcome", JSON),
    Column("problem", JSON),
    UniqueConstraint("requested_by", "idempotency_key", name="uq_service_jobs_idempotency"),
    Index("ix_service_jobs_requested_at", "requested_at"),
)

AUDIT = Table(
    "service_audit",
    METADATA,
    Column("entry", Integer, primary_key=True, autoincrement=True),
    _moment("at"),
    Column("key_id", String(32), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("facts", JSON, nullable=False),
    Index("ix_service_audit_at", "at"),
)

PLAN_STATES = Table(
    "service_plan_states",
    METADATA,
    Column("plan_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("delivery_date", String(10), nullable=False),
    Column("changed_by", String(32), nullable=False),
    _moment("changed_at"),
    Column("superseded_by", String(64)),
)

PROGRESS = Table(
    "service_sorting_progress",
    METADATA,
    Column("plan_id", String(64), primary_key=True),
    Column("warehouse_id", String(200), primary_key=True),
    Column("temperature_zone", String(16), primary_key=True),
    Column("wave", Integer, primary_key=True),
    Column("station", Integer, primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("sku_id", String(200), primary_key=True),
    Column("units_done", Float, nullable=False),
    Column("short_units", Float, nullable=False, server_default="0"),
    Column("damaged_units", Float, nullable=False, server_default="0"),
    Column("over_units", Float, nullable=False, server_default="0"),
    Column("note", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False),
    Column("reported_by", String(32), nullable=False),
    _moment("reported_at"),
    Index("ix_service_sorting_progress_version", "plan_id", "version"),
)

WORKERS = Table(
    "service_workers",
    METADATA,
    Column("worker_id", String(100), primary_key=True),
    _moment("seen_at"),
)
