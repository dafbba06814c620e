"""Run migrations on the connection that `api.records.migrate` hands over."""

from __future__ import annotations

from alembic import context

from api.records.schema import METADATA

if hasattr(context, "config"):  # not when a tool only imports this file
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table="service_version",
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
