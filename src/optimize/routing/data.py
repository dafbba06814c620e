"""What routing works on: territories of the warehouses and of their depots, and how depots pass goods on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import MasterRoutes
from contracts.settings import RoutingSettings
from optimize.routing.territory import Territory


@dataclass(frozen=True)
class Handover:
    """Goods that one linehaul stop brings to a depot: one truckload at most.

    Attributes
    ----------
    warehouse, stop : int
        Warehouse territory and the stop in it.
    depot_id : str
    communities : tuple of str
        Communities whose goods these are; empty for goods addressed to the depot itself.
    aim_s : int
        Wished latest arrival, seconds from local midnight; the stop's own window end is the latest that still helps.
    """

    warehouse: int
    stop: int
    depot_id: str
    communities: tuple[str, ...]
    aim_s: int


@dataclass(frozen=True)
class RoutingData:
    """Everything routing needs, validated and in whole seconds and metres; made by `routing_data`.

    Attributes
    ----------
    midnight : Timestamp
        The delivery date's local midnight as a UTC instant: second zero of all times.
    warehouses : tuple of Territory
        First stage: stops are communities served directly and depots (linehaul).
    depots : tuple of Territory
        Second stage: communities of one depot each. Their release times are bounds that hold whatever linehaul does;
        `route` replaces them by linehaul arrival + unloading + handling.
    handovers : tuple of Handover
        Which linehaul stop brings which communities' goods.
    master : DataFrame[MasterRoutes] or None
        Routes the drivers know; each stop that leaves its route costs `settings.moved_stop_yuan`.
    brought : mapping of str to int
        Communities whose goods a truck that has left brings to their depot, and when its vans may load them.
    aboard : mapping of (route, trip, seq) to tuple of str
        Whose goods are at a truck's stop, where that is known from elsewhere than `handovers` (papers of a revision).
    warnings : tuple of str
        What looked odd in the input but was taken as given.
    """

    delivery_date: date
    timezone: str
    midnight: pd.Timestamp
    warehouses: tuple[Territory, ...]
    depots: tuple[Territory, ...]
    handovers: tuple[Handover, ...]
    settings: RoutingSettings
    master: DataFrame[MasterRoutes] | None = None
    warnings: tuple[str, ...] = ()
    brought: Mapping[str, int] = field(default_factory=dict)
    aboard: Mapping[tuple[str, int, int], tuple[str, ...]] = field(default_factory=dict)

    @property
    def handling_s(self) -> int:
        """Return seconds from the end of a linehaul stop until the depot's vans may load."""
        return round(self.settings.depot_handling_minutes * 60.0)

    @property
    def stops(self) -> int:
        """Return the number of stops, linehaul included."""
        return sum(len(territory.stops) for territory in (*self.warehouses, *self.depots))
