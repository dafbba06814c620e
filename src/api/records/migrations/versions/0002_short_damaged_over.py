"""Sorting progress also tells what was short, damaged or left over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FIGURES = ("short_units", "damaged_units", "over_units")


def upgrade() -> None:
    """Add the figures; what was reported before had none."""
    with op.batch_alter_table("service_sorting_progress") as table:
        for name in FIGURES:
            table.add_column(sa.Column(name, sa.Float(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take the figures away."""
    with op.batch_alter_table("service_sorting_progress") as table:
        for name in FIGURES:
            table.drop_column(name)
