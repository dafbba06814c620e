"""After the plan is out: the rest of the sorting from the floor's progress, the routes with late changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Allotments, RouteStops, Trips, Unserved
from contracts.settings import Settings
from contracts.solve import SolveStatus, StageReport
from contracts.world import Reference
from optimize.routing import RoutePlan, RoutingData, route, trip_deadlines
from optimize.routing.under_way import Road, with_road
from optimize.sorting import Remaining, SortingPlan, TaskProgress, book_ahead, remaining, sort
from optimize.sorting.booking import Booking
from optimize.sorting.share import Rule
from pipeline.joint import Asked, Goods, route_input, routing_limits, sorting_limits, wave_input
from pipeline.on_the_road import open_routes
from pipeline.plan import NightPlan
from pipeline.stages import night_of, routes_of, waves_of


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
        delivery_date=night_of(plan, reference).delivery_date,
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
    place, goods = night_of(plan, reference), Goods(plan.allotments, plan.arrivals)
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
    road: Road | None = None,
    frozen: Collection[str] = (),
) -> RoutePlan:
    """Return the plan's routes with late changes: new stops inserted, cancelled ones gone, drivers kept where it pays.

    Parameters
    ----------
    allotments : DataFrame[Allotments]
        What is delivered now; goods of communities the plan did not have are ready with their warehouse's last wave.
    road : Road, optional
        What has left: its rows stay to the letter, and no other trip loads before its moment.
    frozen : collection of str
        Routes that stay as they are; a warning names those that cannot.
    """
    still = open_routes(plan, reference, allotments, settings, road)
    rest = _nothing() if still is None else _driven(*still, settings, frozen)
    if road is not None:
        loading_s = round(settings.routing.loading_minutes * 60.0)
        rest = with_road(rest, road, vehicles=reference.vehicle_types, loading_s=loading_s)
    said, there = " ".join(rest.warnings), set(rest.trips["route_id"])
    lost = [name for name in frozen if name not in there and f"Route {name} " not in said]
    gone = [f"Route {name} was to stay as it is, but none of its stops is left." for name in lost]
    return replace(rest, warnings=(*gone, *rest.warnings))


def _driven(data: RoutingData, before: RoutePlan, settings: Settings, frozen: Collection[str]) -> RoutePlan:
    return route(data, limits=routing_limits(settings), previous=before, frozen=frozen)


def _nothing() -> RoutePlan:
    """Return the routes of a night when everything has left."""
    costs = dict.fromkeys(("fixed", "distance", "duty", "unserved", "moved", "total"), 0.0)
    report = StageReport(stage="routing", status=SolveStatus.PROVED, cost_yuan=0.0, bound_yuan=0.0, gap=0.0)
    return RoutePlan(RouteStops.empty(), Trips.empty(), Unserved.empty(), costs, report, ())
