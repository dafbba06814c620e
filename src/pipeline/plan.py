"""A night's plan as one value: its summary and its tables, and what the tables are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import Forecast, OrderBook
from contracts.plan import PlanSummary
from contracts.planned import (
    Allotments,
    Arrivals,
    Coverage,
    GroupDecisions,
    PurchaseLines,
    Releases,
    RouteStops,
    SortingTasks,
    Trips,
    Unserved,
    WaveLoads,
)
from contracts.table import Table

PLAN_TABLES: dict[str, type[Table]] = {
    "forecast": Forecast,
    "order_book": OrderBook,
    "purchase_lines": PurchaseLines,
    "coverage": Coverage,
    "group_decisions": GroupDecisions,
    "allotments": Allotments,
    "arrivals": Arrivals,
    "sorting_tasks": SortingTasks,
    "wave_loads": WaveLoads,
    "releases": Releases,
    "route_stops": RouteStops,
    "trips": Trips,
    "unserved": Unserved,
}
"""File or SQL name of each table of a plan, and its contract."""


@dataclass(frozen=True)
class NightPlan:
    """Everything one night decides. A stage that gave no answer leaves its tables empty; the summary says why."""

    summary: PlanSummary
    forecast: DataFrame[Forecast]
    order_book: DataFrame[OrderBook]
    purchase_lines: DataFrame[PurchaseLines]
    coverage: DataFrame[Coverage]
    group_decisions: DataFrame[GroupDecisions]
    allotments: DataFrame[Allotments]
    arrivals: DataFrame[Arrivals]
    sorting_tasks: DataFrame[SortingTasks]
    wave_loads: DataFrame[WaveLoads]
    releases: DataFrame[Releases]
    route_stops: DataFrame[RouteStops]
    trips: DataFrame[Trips]
    unserved: DataFrame[Unserved]

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each table with its name."""
        for item in fields(self):
            if item.name in PLAN_TABLES:
                yield item.name, getattr(self, item.name)
