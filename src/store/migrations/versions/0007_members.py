"""The people a leader's group is for: what a community without a past is held against."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nobody has told it yet."""
    op.add_column("communities", sa.Column("members", sa.Double(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("communities", "members")
