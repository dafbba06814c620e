"""Reference rows with validity dates beside the tables of their contracts, a counter of changes, cancellation rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the counter; every row that is there holds always, as it did."""
    op.create_table(
        "dated_rows",
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "row", name=op.f("pk_dated_rows")),
    )
    op.create_table(
        "order_owners",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "order_id", "line_no", name=op.f("pk_order_owners")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cancellations",
        sa.Column("cancellation", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.import_id"], name=op.f("fk_cancellations_import_id")),
        sa.PrimaryKeyConstraint("cancellation", name=op.f("pk_cancellations")),
    )
    op.add_column("reference_sets", sa.Column("changes", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop them: rows that hold always stay, dated rows and what is known of cancellation rows go."""
    op.drop_column("reference_sets", "changes")
    op.drop_table("cancellations")
    op.drop_table("order_owners")
    op.drop_table("dated_rows")
