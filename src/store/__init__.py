"""Reading and writing: imports with mappings, reference data in SQL, order history in Parquet, plans and artefacts."""
