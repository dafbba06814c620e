"""A night's plan as its stages take it: waves as sorting's plan, routes as routing's, the date as a city's day."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from contracts.solve import StageReport
from contracts.world import Reference
from optimize.routing import RoutePlan
from optimize.sorting import SortingPlan
from pipeline.plan import NightPlan


@dataclass(frozen=True)
class CityNight:
    """A city's delivery date."""

    reference: Reference
    delivery_date: pd.Timestamp


def night_of(plan: NightPlan, reference: Reference) -> CityNight:
    """Return the city's day of a plan."""
    return CityNight(reference, pd.Timestamp(plan.summary.delivery_date).as_unit("us"))


def routes_of(plan: NightPlan) -> RoutePlan:
    """Return the routes of a night's plan, as routing takes them."""
    report = next(stage for stage in plan.summary.stages if stage.stage == "routing")
    return RoutePlan(
        stops=plan.route_stops,
        trips=plan.trips,
        unserved=plan.unserved,
        costs={"total": report.cost_yuan or 0.0},
        report=report,
        warnings=(),
    )


def waves_of(plan: NightPlan) -> SortingPlan:
    """Return the waves of a night's plan, as sorting takes them."""
    report: StageReport = next(stage for stage in plan.summary.stages if stage.stage == "sorting")
    return SortingPlan(report, plan.sorting_tasks, plan.wave_loads, plan.releases)
