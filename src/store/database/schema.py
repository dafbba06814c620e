"""The SQL schema as it is now; reference tables follow their contracts. Migrations lead to exactly this (tested)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from contracts.table import Table
from contracts.world import REFERENCE_TABLES

WIDE_TABLES = ("listings", "travel_matrix", "outside_estimates", "prepaid_orders", "master_routes")
"""Reference tables of up to millions of rows: kept in Parquet files that ``reference_sets`` names."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


class UtcInstant(sa.types.TypeDecorator[datetime]):
    """An instant, kept as UTC without a zone with microseconds, given back with the zone."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times: nobody knows which instant they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


imports = sa.Table(
    "imports",
    metadata,
    sa.Column("import_id", sa.String, primary_key=True),
    sa.Column("imported_at", UtcInstant, nullable=False, index=True),
    sa.Column("table_name", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False, index=True),
    sa.Column("mapping", sa.String, nullable=False),
    sa.Column("rows_read", sa.BigInteger, nullable=False),
    sa.Column("rows_accepted", sa.BigInteger, nullable=False),
    sa.Column("rows_rejected", sa.BigInteger, nullable=False),
    sa.Column("books", sa.Text, nullable=False),
    sa.Column("imported_by", sa.String, nullable=False, server_default=""),
)

history_files = sa.Table(
    "history_files",
    metadata,
    sa.Column("file", sa.String, primary_key=True),
    sa.Column("delivery_date", sa.Date, nullable=False, index=True),
    sa.Column("import_id", sa.String, sa.ForeignKey("imports.import_id"), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("retired_by", sa.String, nullable=True),
)

order_keys = sa.Table(
    "order_keys",
    metadata,
    sa.Column("order_id", sa.String, primary_key=True),
    sa.Column("line_no", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("delivery_date", sa.Date, nullable=False),
    sqlite_with_rowid=False,
)

order_owners = sa.Table(
    "order_owners",
    metadata,
    sa.Column("owner", sa.String, primary_key=True),
    sa.Column("order_id", sa.String, primary_key=True),
    sa.Column("line_no", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("delivery_date", sa.Date, nullable=False),
    sqlite_with_rowid=False,
)

cancellations = sa.Table(
    "cancellations",
    metadata,
    sa.Column("cancellation", sa.String, primary_key=True),
    sa.Column("order_id", sa.String, nullable=False),
    sa.Column("line_no", sa.BigInteger, nullable=False),
    sa.Column("import_id", sa.String, sa.ForeignKey("imports.import_id"), nullable=False),
)

reference_sets = sa.Table(
    "reference_sets",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("file", sa.String, nullable=True),
    sa.Column("changed_at", UtcInstant, nullable=False),
    sa.Column("changes", sa.BigInteger, nullable=False, server_default="0"),
)

dated_rows = sa.Table(
    "dated_rows",
    metadata,
    sa.Column("table_name", sa.String, primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("valid_from", sa.Date, nullable=True),
    sa.Column("valid_until", sa.Date, nullable=True),
    sa.Column("content", sa.Text, nullable=False),
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("plan_id", sa.String, primary_key=True),
    sa.Column("delivery_date", sa.Date, nullable=False, index=True),
    sa.Column("as_of", UtcInstant, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("saved_at", UtcInstant, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
)

plan_tables = sa.Table(
    "plan_tables",
    metadata,
    sa.Column("plan_id", sa.String, sa.ForeignKey("plans.plan_id"), primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False, index=True),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("progress", sa.Double, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("plan_id", sa.String, nullable=True),
    sa.Column("error", sa.Text, nullable=True),
    sa.Column("created_at", UtcInstant, nullable=False, index=True),
    sa.Column("updated_at", UtcInstant, nullable=False),
)


def _column_type(dtype: str) -> Any:
    if "UTC" in dtype:
        return UtcInstant()
    if "datetime" in dtype:
        return sa.Date()
    for word, kind in (("int", sa.BigInteger()), ("float", sa.Double()), ("bool", sa.Boolean())):
        if word in dtype:
            return kind
    return sa.String()


def _reference_table(name: str, contract: type[Table]) -> sa.Table:
    """Return the SQL table of a contract: its columns, ``row`` (the order they came in) and its key, once."""
    columns = [
        sa.Column(column, _column_type(str(rule.dtype)), nullable=rule.nullable)
        for column, rule in contract.to_schema().columns.items()
    ]
    return sa.Table(
        name,
        metadata,
        sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
        *columns,
        sa.UniqueConstraint(*contract.key()),
    )


reference_tables: dict[str, sa.Table] = {
    name: _reference_table(name, contract) for name, contract in REFERENCE_TABLES.items() if name not in WIDE_TABLES
}
