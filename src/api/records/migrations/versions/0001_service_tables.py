"""First tables of the service: keys, sessions, jobs, audit log, plan states, sorting progress, workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.database.schema import UtcInstant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "service_audit",
        sa.Column("entry", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_index("ix_service_audit_at", "service_audit", ["at"], unique=False)
    op.create_table(
        "service_jobs",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column(
            "asked",
            sa.String(length=64),
            nullable=False,
            comment="Digest of the request as it came, before it was completed",
        ),
        sa.Column("requested_at", UtcInstant(), nullable=False),
        sa.Column("started_at", UtcInstant(), nullable=True),
        sa.Column("changed_at", UtcInstant(), nullable=False),
        sa.Column("ended_at", UtcInstant(), nullable=True),
        sa.Column("stage", sa.String(length=100), server_default="", nullable=False),
        sa.Column("fraction", sa.Float(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False, comment="Rises with every change"),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("job_id"),
        sa.UniqueConstraint("requested_by", "idempotency_key", name="uq_service_jobs_idempotency"),
    )
    op.create_index("ix_service_jobs_requested_at", "service_jobs", ["requested_at"], unique=False)
    op.create_table(
        "service_keys",
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("warehouse_id", sa.String(length=200), nullable=True),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="SHA-256 of the key; the key is kept nowhere"
        ),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("revoked_at", UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("key_id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "service_plan_states",
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("delivery_date", sa.String(length=10), nullable=False),
        sa.Column("changed_by", sa.String(length=32), nullable=False),
        sa.Column("changed_at", UtcInstant(), nullable=False),
        sa.Column("superseded_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("plan_id"),
    )
    op.create_table(
        "service_sessions",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the cookie"),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("expires_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "service_sorting_progress",
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("warehouse_id", sa.String(length=200), nullable=False),
        sa.Column("temperature_zone", sa.String(length=16), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("station", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("sku_id", sa.String(length=200), nullable=False),
        sa.Column("units_done", sa.Float(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reported_by", sa.String(length=32), nullable=False),
        sa.Column("reported_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "warehouse_id", "temperature_zone", "wave", "station", "slot", "sku_id"),
    )
    op.create_index(
        "ix_service_sorting_progress_version", "service_sorting_progress", ["plan_id", "version"], unique=False
    )
    op.create_table(
        "service_workers",
        sa.Column("worker_id", sa.String(length=100), nullable=False),
        sa.Column("seen_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("worker_id"),
    )


def downgrade() -> None:
    """Take the tables away."""
    op.drop_table("service_workers")
    op.drop_index("ix_service_sorting_progress_version", table_name="service_sorting_progress")
    op.drop_table("service_sorting_progress")
    op.drop_table("service_sessions")
    op.drop_table("service_plan_states")
    op.drop_table("service_keys")
    op.drop_index("ix_service_jobs_requested_at", table_name="service_jobs")
    op.drop_table("service_jobs")
    op.drop_index("ix_service_audit_at", table_name="service_audit")
    op.drop_table("service_audit")
