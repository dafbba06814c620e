"""Reading and writing: imports with mappings, reference data in SQL, order history in Parquet, plans and artefacts."""

from store.world_files import read_reference, read_world

__all__ = ["read_reference", "read_world"]
