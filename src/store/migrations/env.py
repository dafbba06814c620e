"""Run migrations on the connection that `store.database.engine` hands over."""

from __future__ import annotations

from alembic import context

from store.database.schema import metadata

if hasattr(context, "config"):  # not when a tool only imports this file
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,  # the engine begins transactions itself, so SQLite takes back schema changes too
    )
    with context.begin_transaction():
        context.run_migrations()
