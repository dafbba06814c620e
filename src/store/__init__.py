"""Reading and writing: imports with mappings, reference data in SQL, order history in Parquet, plans and artefacts."""

from store.database.jobs import Job, Jobs
from store.mapping import Mapping, load_mapping, shipped_mappings
from store.report import ImportReport
from store.store import Store
from store.world_files import read_reference, read_world

__all__ = [
    "ImportReport",
    "Job",
    "Jobs",
    "Mapping",
    "Store",
    "load_mapping",
    "read_reference",
    "read_world",
    "shipped_mappings",
]
