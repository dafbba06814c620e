"""Group thresholds: campaigns that only form if enough is ordered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "group_thresholds",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("sku_id", sa.String(), nullable=False),
        sa.Column("min_units", sa.Double(), nullable=False),
        sa.Column("deadline", sa.String(), nullable=False),
        sa.Column("refund_yuan", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_group_thresholds")),
        sa.UniqueConstraint("delivery_date", "sku_id", name=op.f("uq_group_thresholds")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("group_thresholds")
