"""Mappings that are shipped, one TOML file each; `store.load_mapping` finds them by name."""
