"""Seeded worlds - tiny, town, city - with reference data, order streams and the demand that was true."""

from simulate.settings import PRESETS, SupplySettings, WorldSettings
from simulate.supply import supply_for_history
from simulate.world import build_world, planning_date
from simulate.write import write_world

__all__ = [
    "PRESETS",
    "SupplySettings",
    "WorldSettings",
    "build_world",
    "planning_date",
    "supply_for_history",
    "write_world",
]
