"""Who brought an import in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of imports that are there nobody knows who brought them in."""
    op.add_column("imports", sa.Column("imported_by", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("imports", "imported_by")
