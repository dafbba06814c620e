"""After the plan is out: the rest of the sorting from the floor's progress, the routes with late changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Allotments, Releases
from contracts.settings import Settings
from contracts.solve import SolveLimits, StageReport
from contracts.world import Reference
from optimize.routing import RoutePlan, RoutingData, route, trip_deadlines
from optimize.sorting import Remaining, SortingPlan, TaskProgress, book_ahead, remaining, sort
from optimize.sorting.booking import Booking
from optimize.sorting.share import Rule
from pipeline.joint import Asked, Goods, route_input, routing_limits, sorting_limits, wave_input
from pipeline.plan import NightPlan


@dataclass(frozen=True)
class CityNight:
    """A city's delivery date."""

    reference: Reference
    delivery_date: pd.Timestamp


@dataclass(frozen=True)
class Resorted:
    """The rest of a night's sorting.

    Attributes
    ----------
    left : Remaining
        What is under way and what is missing for good.
    plan : SortingPlan or None
        New waves for the rest; None when nothing is left.
    """

    left: Remaining
    plan: SortingPlan | None


def people_to_book(plan: NightPlan, reference: Reference, settings: Settings) -> Booking:
    """Return people, stations and vans to book for a median and a busy outcome of the plan's order book."""
    return book_ahead(
        reference,
        plan.order_book,
        delivery_date=day_of(plan),
        city=settings.city,
        settings=settings.sorting,
        limits=sorting_limits(settings),
    )


def sort_the_rest(
    plan: NightPlan,
    reference: Reference,
    progress: DataFrame[TaskProgress],
    *,
    as_of: pd.Timestamp,
    settings: Settings,
) -> Resorted:
    """Return new waves for what is not sorted as of a moment, due when the plan's trips must load.

    Raises
    ------
    UnknownReferenceError, InputError
        Progress of tasks the plan does not have, or of more units than a task has.
    """
    place, goods = CityNight(reference, day_of(plan)), Goods(plan.allotments, plan.arrivals)
    before = waves_of(plan)
    data = route_input(place, plan.allotments, plan.releases, settings)
    asked = Asked(trip_deadlines(data, routes_of(plan)), before, whole_trips=False)
    left = remaining(
        wave_input(place, goods, settings, asked=asked),
        before,
        progress,
        as_of=as_of,
        rule=replaced_by(settings),
    )
    return Resorted(left, None if left.data is None else sort(left.data, limits=sorting_limits(settings)))


def replaced_by(settings: Settings) -> Rule:
    """Return the rule by which lost units are replaced: nobody knows whether a lost unit was of a paid order."""
    rule = settings.sorting.shortage_rule
    return "proportional" if rule == "prepaid_first" else rule


def drive_again(
    plan: NightPlan,
    reference: Reference,
    allotments: DataFrame[Allotments],
    *,
    settings: Settings,
    as_of: pd.Timestamp | None = None,
    frozen: Collection[str] = (),
) -> RoutePlan:
    """Return the plan's routes with late changes: new stops inserted, cancelled ones gone, drivers kept where it pays.

    Parameters
    ----------
    allotments : DataFrame[Allotments]
        What is delivered now; goods of communities the plan did not have are ready with their warehouse's last wave.
    as_of : Timestamp, optional
        Routes that have left by then stay as they are, like those named in `frozen`.
    """
    data = replace(_changed(plan, reference, allotments, settings), master=None)  # drivers have tonight's sheets
    gone = set() if as_of is None else set(plan.trips.loc[plan.trips["departs_at"] <= as_of, "route_id"])
    limits: SolveLimits = routing_limits(settings)
    return route(data, limits=limits, previous=routes_of(plan), frozen={*frozen, *gone})


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


def _changed(
    plan: NightPlan, reference: Reference, allotments: DataFrame[Allotments], settings: Settings
) -> RoutingData:
    """Return the routing input of other allotments; a community without a release gets its warehouse's last one."""
    last = plan.releases.groupby("warehouse_id")["released_at"].max()
    key = ["warehouse_id", "destination_id"]
    asked = allotments.loc[allotments["allotted_units"] > 0, ["warehouse_id", "community_id"]].drop_duplicates()
    asked = asked.rename(columns={"community_id": "destination_id"})
    new = asked[~pd.MultiIndex.from_frame(asked).isin(pd.MultiIndex.from_frame(plan.releases[key]))]
    late = new.assign(released_at=new["warehouse_id"].map(last).fillna(last.max()))
    tables: list[pd.DataFrame] = [plan.releases, late]
    released = pd.concat(tables, ignore_index=True)
    return route_input(CityNight(reference, day_of(plan)), allotments, Releases.check(released), settings)


def day_of(plan: NightPlan) -> pd.Timestamp:
    """Return the plan's delivery date."""
    return pd.Timestamp(plan.summary.delivery_date).as_unit("us")
