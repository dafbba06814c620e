"""Local events: what is on in one price area on a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "area_events",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_area_events")),
        sa.UniqueConstraint("day", "area_id", "event", name=op.f("uq_area_events")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("area_events")
