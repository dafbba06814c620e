"""Vehicle bans: communities a kind of van must not serve."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "vehicle_bans",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vehicle_type_id", sa.String(), nullable=False),
        sa.Column("community_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_vehicle_bans")),
        sa.UniqueConstraint("vehicle_type_id", "community_id", name=op.f("uq_vehicle_bans")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("vehicle_bans")
