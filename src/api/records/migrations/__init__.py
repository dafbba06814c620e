"""Migrations of the service's tables, with a version table of their own beside the store's."""
