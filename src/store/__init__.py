"""Reading and writing: imports with mappings, reference data in SQL, order history in Parquet, plans and artefacts."""

from store.export import export_table, export_tables, table_bytes
from store.mapping import Mapping, load_mapping, shipped_mappings
from store.report import ImportReport
from store.store import Store
from store.world_files import read_reference, read_world

__all__ = [
    "ImportReport",
    "Mapping",
    "Store",
    "export_table",
    "export_tables",
    "load_mapping",
    "read_reference",
    "read_world",
    "shipped_mappings",
    "table_bytes",
]
