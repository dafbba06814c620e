"""The joint night: waves give release times, routes give wave deadlines, until both agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Allotments, Arrivals, Releases
from contracts.settings import Settings
from contracts.solve import SolveLimits
from contracts.world import Reference
from optimize.routing import RoutePlan, RoutingData, route, routing_data, trip_deadlines
from optimize.sorting import SortingData, SortingPlan, earliest_releases, sort, sorting_data
from pipeline.deadlines import wave_deadlines
from pipeline.goods import stop_loads
from pipeline.whole_trips import sorted_whole, trips_in_waves

CENT = 0.01
"""A round that saves less has nothing more to say."""


class CityDay(Protocol):
    """Where and when: reference data and the delivery date."""

    @property
    def reference(self) -> Reference:
        """Return the city's reference data."""

    @property
    def delivery_date(self) -> pd.Timestamp:
        """Return the delivery date."""


@dataclass(frozen=True)
class Goods:
    """What is sorted and driven: allotments, and when the goods come."""

    allotments: DataFrame[Allotments]
    arrivals: DataFrame[Arrivals]


@dataclass(frozen=True)
class Asked:
    """What routes ask of the waves.

    Attributes
    ----------
    wanted : DataFrame
        `trip_deadlines` of the routes.
    before : SortingPlan
        The waves as they are: kept where that costs nothing.
    whole_trips : bool
        Sort the communities of each van's trip in one wave, in load order, in parts where no wave can hold it. A
        depot's goods travel in the depot's cages and are loaded there again, so their truck needs no order.
    """

    wanted: pd.DataFrame
    before: SortingPlan
    whole_trips: bool


@dataclass(frozen=True)
class Together:
    """Waves and routes that fit each other.

    Attributes
    ----------
    yuan : tuple of float
        What people and vans cost together after the first pass and after each round; it never rises.
    """

    waves: SortingPlan
    routes: RoutePlan
    yuan: tuple[float, ...]

    @property
    def sentence(self) -> str:
        """Return what the rounds did in one sentence."""
        saved = self.yuan[0] - self.yuan[-1]
        return (
            f"Waves and routes agreed after {len(self.yuan) - 1} rounds: people and vans cost {self.yuan[0]:.2f} yuan "
            f"planned one after the other, {self.yuan[-1]:.2f} together ({saved:.2f} saved)."
        )


def yuan_of(waves: SortingPlan, routes: RoutePlan) -> float:
    """Return labour, overtime and routes; lateness of waves shows in the routes, which wait for their goods."""
    return waves.costs["labour"] + waves.costs["overtime"] + routes.costs["total"]


def wave_input(
    night: CityDay,
    goods: Goods,
    settings: Settings,
    *,
    asked: Asked | None = None,
) -> SortingData:
    """Return the sorting input with the deadlines of the routes, or of the rule of thumb where there is no route."""
    deadlines = wave_deadlines(night.reference, delivery_date=night.delivery_date, settings=settings)
    trips = None
    if asked is not None and asked.whole_trips:
        trips = trips_in_waves(asked.wanted, goods.allotments, night.reference, settings.sorting)
    if asked is not None:
        known = asked.wanted.set_index("destination_id")["latest_at"].reindex(deadlines["destination_id"])
        deadlines["latest_end"] = known.fillna(deadlines.set_index("destination_id")["latest_end"]).array
    data = sorting_data(
        night.reference,
        goods.allotments,
        goods.arrivals,
        delivery_date=night.delivery_date,
        city=settings.city,
        settings=settings.sorting,
        deadlines=deadlines,
        routes=trips,
    )
    if asked is None:
        return data
    place = ["warehouse_id", "temperature_zone", "destination_id"]
    return replace(data, before=asked.before.tasks.drop_duplicates(place).set_index(place)["wave"])


def route_input(
    night: CityDay, allotments: DataFrame[Allotments], released: DataFrame[Releases], settings: Settings
) -> RoutingData:
    """Return the routing input with the release times of the waves."""
    return routing_data(
        night.reference,
        stop_loads(allotments, night.reference.skus),
        released,
        delivery_date=night.delivery_date,
        city=settings.city,
        travel=settings.travel,
        settings=settings.routing,
    )


def routing_limits(settings: Settings, *, share: float = 1.0) -> SolveLimits:
    """Return a share of the routing effort."""
    effort = settings.solve
    return SolveLimits(
        seconds=effort.routing_seconds * share,
        work=None if effort.routing_work is None else max(round(effort.routing_work * share), 1),
        seed=effort.seed,
        workers=effort.workers,
    )


def sorting_limits(settings: Settings) -> SolveLimits:
    """Return the effort of one sorting."""
    effort = settings.solve
    return SolveLimits(
        seconds=effort.sorting_seconds, work=effort.sorting_work, seed=effort.seed, workers=effort.workers
    )


def agree(night: CityDay, goods: Goods, first: tuple[SortingPlan, RoutePlan], settings: Settings) -> Together:
    """Return waves and routes that fit each other, starting from a first pass; their cost together never rises.

    Each round asks twice. *Wish*: routes as if every community's goods were sorted as early as they can be; if that
    would be cheaper, waves are planned for the trips wished. *Agree*: waves are planned for the trips there are: whole
    trips in load order, each due when its van must load at the latest; and routes are searched on from where they are
    with the new release times. What is asked is taken if people and vans cost no more than before. The rounds end when
    one saves nothing, at the latest after `routing.joint_rounds`.
    """
    waves, routes = first
    table = _Table(night, goods, settings, spent=routes.report.seconds)
    yuan = [yuan_of(waves, routes)]
    for _ in range(settings.routing.joint_rounds if len(routes.stops) else 0):
        before = yuan[-1]
        early = table.routed(earliest_releases(table.plain), routes)
        waves, routes = table.better((waves, routes), table.answer(early, waves) if early.saves(routes) else None)
        waves, routes = table.better((waves, routes), table.answer(_Routed(table.data(waves.releases), routes), waves))
        yuan.append(yuan_of(waves, routes))
        if before - yuan[-1] < CENT:
            break
    return _told(Together(waves, routes, tuple(yuan)), seconds=table.seconds)


def _told(found: Together, *, seconds: float) -> Together:
    """Return the pair whose reports say how many trips are sorted whole, what the rounds did and how long they took."""
    if len(found.yuan) == 1:
        return found
    sorting, routing = found.waves.report, found.routes.report
    whole, trips = sorted_whole(found.waves.tasks, found.routes.stops)
    words = [f"{whole} of {trips} trips are sorted whole in load order."] if trips else []
    waves = sorting.model_copy(update={"explanation": (*sorting.explanation, *words)})
    told = {"explanation": (found.sentence, *routing.explanation), "seconds": seconds}
    return replace(
        found,
        waves=replace(found.waves, report=waves),
        routes=replace(found.routes, report=routing.model_copy(update=told)),
    )


@dataclass(frozen=True)
class _Routed:
    """Routes with the input they were planned from."""

    data: RoutingData
    routes: RoutePlan

    def saves(self, other: RoutePlan) -> bool:
        """Return whether these routes are cheaper."""
        return self.routes.costs["total"] < other.costs["total"] - CENT


class _Table:
    """Where waves and routes meet: builds what each asks of the other."""

    def __init__(self, night: CityDay, goods: Goods, settings: Settings, *, spent: float) -> None:
        self.night, self.goods, self.settings = night, goods, settings
        self.seconds = spent
        self.plain = wave_input(night, goods, settings)
        questions = 3 * max(settings.routing.joint_rounds, 1)
        self.limits = routing_limits(settings, share=settings.routing.joint_share / questions)

    def data(self, released: DataFrame[Releases]) -> RoutingData:
        """Return the routing input; nobody knows the routes yet, so only leaving the master routes has a price."""
        data = route_input(self.night, self.goods.allotments, released, self.settings)
        if data.master is not None:
            return data
        return replace(data, settings=data.settings.model_copy(update={"moved_stop_yuan": 0.0}))

    def routed(self, released: DataFrame[Releases], routes: RoutePlan) -> _Routed:
        """Return routes searched on from `routes` with these release times."""
        data = self.data(released)
        found = route(data, limits=self.limits, previous=routes)
        self.seconds += found.report.seconds
        priced = data.master is not None
        costs = {kind: yuan for kind, yuan in found.costs.items() if priced or kind != "moved"}
        return _Routed(data, replace(found, costs=costs))

    def answer(self, asked: _Routed, waves: SortingPlan) -> tuple[SortingPlan, RoutePlan] | None:
        """Return the cheapest waves for the trips, and the routes that follow from them; None where waves fail."""
        wanted = trip_deadlines(asked.data, asked.routes)
        orders = (True, False) if (~wanted["by_depot"]).any() else (False,)
        plans = [
            sort(
                wave_input(self.night, self.goods, self.settings, asked=Asked(wanted, waves, whole)),
                limits=sorting_limits(self.settings),
            )
            for whole in orders
        ]
        self.seconds += sum(plan.report.seconds for plan in plans)
        found = [plan for plan in plans if plan.report.status.has_plan]
        if not found:
            return None
        best = min(found, key=lambda plan: round(plan.costs["total"], 2))
        return best, self.routed(best.releases, asked.routes).routes

    @staticmethod
    def better(
        now: tuple[SortingPlan, RoutePlan], other: tuple[SortingPlan, RoutePlan] | None
    ) -> tuple[SortingPlan, RoutePlan]:
        """Return the other pair if it costs no more; it fits better, because its waves know the routes."""
        return now if other is None or yuan_of(*other) > yuan_of(*now) + 1e-6 else other
