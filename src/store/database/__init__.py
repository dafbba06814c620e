"""The one door to SQL (SQLAlchemy, Alembic): engine, schema, and one module per kind of record."""

from store.database.engine import Database

__all__ = ["Database"]
