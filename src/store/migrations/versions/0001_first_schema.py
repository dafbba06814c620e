"""First schema: imports, order history, reference data, plans, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.database.schema import UtcInstant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "calendar",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_holiday", sa.Boolean(), nullable=False),
        sa.Column("event", sa.String(), nullable=True),
        sa.Column("temperature_c", sa.Double(), nullable=True),
        sa.Column("rain_mm", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_calendar")),
        sa.UniqueConstraint("day", name=op.f("uq_calendar")),
    )
    op.create_table(
        "communities",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("area_id", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("depot_id", sa.String(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("window_start", sa.String(), nullable=False),
        sa.Column("window_end", sa.String(), nullable=False),
        sa.Column("service_minutes", sa.Double(), nullable=False),
        sa.Column("leader_id", sa.String(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_communities")),
        sa.UniqueConstraint("community_id", name=op.f("uq_communities")),
    )
    op.create_table(
        "depots",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("depot_id", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("opens_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_depots")),
        sa.UniqueConstraint("depot_id", name=op.f("uq_depots")),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("imported_at", UtcInstant(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("mapping", sa.String(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("books", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_imported_at"), "imports", ["imported_at"], unique=False)
    op.create_index(op.f("ix_imports_sha256"), "imports", ["sha256"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("updated_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_created_at"), "jobs", ["created_at"], unique=False)
    op.create_index(op.f("ix_jobs_status"), "jobs", ["status"], unique=False)
    op.create_table(
        "lanes",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("yuan_per_kg", sa.Double(), nullable=False),
        sa.Column("truck_capacity_kg", sa.Double(), nullable=True),
        sa.Column("truck_yuan", sa.Double(), nullable=True),
        sa.Column("arrives_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_lanes")),
        sa.UniqueConstraint("supplier_id", "warehouse_id", name=op.f("uq_lanes")),
    )
    op.create_table(
        "offers",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("sku_id", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("case_units", sa.BigInteger(), nullable=False),
        sa.Column("min_cases", sa.BigInteger(), nullable=False),
        sa.Column("max_cases", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_yuan", sa.Double(), nullable=False),
        sa.Column("discount_kind", sa.String(), nullable=False),
        sa.Column("late_price_yuan", sa.Double(), nullable=True),
        sa.Column("late_max_cases", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_offers")),
        sa.UniqueConstraint("supplier_id", "sku_id", "warehouse_id", name=op.f("uq_offers")),
    )
    op.create_table(
        "order_keys",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "line_no", name=op.f("pk_order_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("as_of", UtcInstant(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("saved_at", UtcInstant(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plans")),
    )
    op.create_index(op.f("ix_plans_delivery_date"), "plans", ["delivery_date"], unique=False)
    op.create_table(
        "price_breaks",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("sku_id", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("from_cases", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_yuan", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_price_breaks")),
        sa.UniqueConstraint("supplier_id", "sku_id", "warehouse_id", "from_cases", name=op.f("uq_price_breaks")),
    )
    op.create_table(
        "reference_sets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(), nullable=True),
        sa.Column("changed_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reference_sets")),
    )
    op.create_table(
        "skus",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sku_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("category_id", sa.String(), nullable=False),
        sa.Column("temperature_zone", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("weight_kg", sa.Double(), nullable=False),
        sa.Column("volume_l", sa.Double(), nullable=False),
        sa.Column("shelf_life_days", sa.Double(), nullable=False),
        sa.Column("salvage_yuan", sa.Double(), nullable=False),
        sa.Column("shortage_penalty_yuan", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_skus")),
        sa.UniqueConstraint("sku_id", name=op.f("uq_skus")),
    )
    op.create_table(
        "spend_rebates",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("from_yuan", sa.Double(), nullable=False),
        sa.Column("rebate_rate", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_spend_rebates")),
        sa.UniqueConstraint("supplier_id", "from_yuan", name=op.f("uq_spend_rebates")),
    )
    op.create_table(
        "stock",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("sku_id", sa.String(), nullable=False),
        sa.Column("on_hand", sa.Double(), nullable=False),
        sa.Column("due_in", sa.Double(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_stock")),
        sa.UniqueConstraint("warehouse_id", "sku_id", "expires_on", name=op.f("uq_stock")),
    )
    op.create_table(
        "suppliers",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplier_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("order_cost_yuan", sa.Double(), nullable=False),
        sa.Column("min_order_yuan", sa.Double(), nullable=False),
        sa.Column("max_share", sa.Double(), nullable=True),
        sa.Column("fill_rate", sa.Double(), nullable=False),
        sa.Column("lead_time_hours", sa.Double(), nullable=False),
        sa.Column("order_deadline", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_suppliers")),
        sa.UniqueConstraint("supplier_id", name=op.f("uq_suppliers")),
    )
    op.create_table(
        "vehicle_types",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vehicle_type_id", sa.String(), nullable=False),
        sa.Column("base_id", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("capacity_kg", sa.Double(), nullable=False),
        sa.Column("capacity_l", sa.Double(), nullable=False),
        sa.Column("carries_chilled", sa.Boolean(), nullable=False),
        sa.Column("carries_frozen", sa.Boolean(), nullable=False),
        sa.Column("fixed_yuan", sa.Double(), nullable=False),
        sa.Column("yuan_per_km", sa.Double(), nullable=False),
        sa.Column("yuan_per_hour", sa.Double(), nullable=False),
        sa.Column("shift_start", sa.String(), nullable=False),
        sa.Column("shift_end", sa.String(), nullable=False),
        sa.Column("max_trips", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_vehicle_types")),
        sa.UniqueConstraint("vehicle_type_id", name=op.f("uq_vehicle_types")),
    )
    op.create_table(
        "warehouse_zones",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("temperature_zone", sa.String(), nullable=False),
        sa.Column("inbound_capacity_units", sa.Double(), nullable=False),
        sa.Column("stations", sa.BigInteger(), nullable=False),
        sa.Column("slots_per_station", sa.BigInteger(), nullable=False),
        sa.Column("units_per_worker_hour", sa.Double(), nullable=False),
        sa.Column("max_workers", sa.BigInteger(), nullable=False),
        sa.Column("worker_hour_yuan", sa.Double(), nullable=False),
        sa.Column("overtime_hour_yuan", sa.Double(), nullable=False),
        sa.Column("opens_at", sa.String(), nullable=False),
        sa.Column("closes_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_warehouse_zones")),
        sa.UniqueConstraint("warehouse_id", "temperature_zone", name=op.f("uq_warehouse_zones")),
    )
    op.create_table(
        "warehouses",
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("warehouse_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_warehouses")),
        sa.UniqueConstraint("warehouse_id", name=op.f("uq_warehouses")),
    )
    op.create_table(
        "history_files",
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("retired_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.import_id"], name=op.f("fk_history_files_import_id")),
        sa.PrimaryKeyConstraint("file", name=op.f("pk_history_files")),
    )
    op.create_index(op.f("ix_history_files_delivery_date"), "history_files", ["delivery_date"], unique=False)
    op.create_table(
        "plan_tables",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name=op.f("fk_plan_tables_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "name", name=op.f("pk_plan_tables")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "plan_tables",
        "history_files",
        "warehouses",
        "warehouse_zones",
        "vehicle_types",
        "suppliers",
        "stock",
        "spend_rebates",
        "skus",
        "reference_sets",
        "price_breaks",
        "plans",
        "order_keys",
        "offers",
        "lanes",
        "jobs",
        "imports",
        "depots",
        "communities",
        "calendar",
    ):
        op.drop_table(table)
