"""The whole night in one file: orders, forecast, order book, purchase, sharing out, sorting waves, routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.errors import EmptyInputError
from contracts.flow import DailyDemand, Forecast, OrderBook, OrderLines
from contracts.planned import Allotments, Arrivals, PurchaseLines
from contracts.settings import Settings
from contracts.solve import SolveLimits
from contracts.what_if import WhatIf
from contracts.world import Reference
from forecast import predict
from forecast.book import DayFacts, update_book
from optimize.purchase import PurchasePlan, allocate, check_change, purchase_data, what_if, with_demand
from optimize.routing import route
from optimize.sorting import SortingPlan, share_out, sort
from pipeline.goods import arrivals, asked_units, supply, with_prepaid
from pipeline.joint import Goods, Together, agree, route_input, routing_limits, sorting_limits, wave_input
from pipeline.models import NightModels
from pipeline.past import context_of
from pipeline.plan import NightPlan
from pipeline.premises import check_premises, check_ways
from pipeline.progress import Progress, silent
from pipeline.summary import Decisions, summarise

T = TypeVar("T")


@dataclass(frozen=True)
class EarlierPlan:
    """A plan of the same date to begin from; `stay_near` prices every line that differs from it."""

    plan_id: str
    lines: DataFrame[PurchaseLines]
    stay_near: bool


@dataclass(frozen=True)
class NightInput:
    """What a night is planned from.

    Attributes
    ----------
    history : DataFrame[DailyDemand]
        Demand of past delivery dates; rows of the date itself and later ones are ignored.
    order_lines : DataFrame[OrderLines]
        Lines of the delivery date; what happened after `as_of` is ignored.
    locked : DataFrame[PurchaseLines] or None
        Purchase lines already sent or fixed: input, never undone.
    after : str or None
        The plan those lines were sent with.
    before : EarlierPlan or None
        Purchase lines the search begins from.
    change : WhatIf or None
        Other circumstances than the reference data and the orders say.
    open_share : DataFrame or None
        What sold-out listings of those dates could still take (`forecast.open_share`); None: as known at the training.
    said : tuple of str
        Sentences about what of the past was left out, for the plan's warnings.
    """

    reference: Reference
    history: DataFrame[DailyDemand]
    order_lines: DataFrame[OrderLines]
    models: NightModels
    delivery_date: pd.Timestamp
    as_of: pd.Timestamp
    locked: DataFrame[PurchaseLines] | None = None
    after: str | None = None
    before: EarlierPlan | None = None
    change: WhatIf | None = None
    open_share: pd.DataFrame | None = None
    said: tuple[str, ...] = ()


class Steps(Protocol):
    """Runs a named stage; a durable one hands back what the stage gave the first time instead of running it again."""

    def __call__(self, stage: str, work: Callable[[], T], /) -> T:
        """Return the stage's result."""


def at_once(stage: str, work: Callable[[], T]) -> T:
    """Run the stage here and now."""
    return work()


def plan_night(
    night: NightInput, *, settings: Settings, progress: Progress = silent, step: Steps = at_once
) -> NightPlan:
    """Plan one delivery date as of a moment.

    A stage that ends without a plan leaves its and the later stages' tables empty; the summary says why.

    Raises
    ------
    EmptyInputError
        Nothing is ordered or expected for the date.
    InputError
        The input is broken (a contract, an unknown id, a moment before orders open).
    """
    check_ways(night, settings)
    expected = step("forecast", lambda: forecast_demand(night, settings, progress))
    book = step("book", lambda: open_book(night, expected, settings, progress))
    bought = step("purchase", lambda: buy(night, book, settings, progress))
    arrived = arrivals(night.reference, bought.lines, delivery_date=night.delivery_date, city=settings.city)
    allotments = share(night, book, arrived, settings)
    waves = routes = None
    if bought.report.status.has_plan:
        waves = step("sorting", lambda: sort_goods(night, Goods(allotments, arrived), settings, progress))
    if waves is not None and waves.report.status.has_plan:
        first = waves
        together = step("routing", lambda: drive(night, Goods(allotments, arrived), first, settings, progress))
        waves, routes = together.waves, together.routes
    progress("done", 1.0)
    return summarise(night, settings, Decisions(expected, book, bought, arrived, allotments, waves, routes))


def forecast_demand(night: NightInput, settings: Settings, progress: Progress) -> DataFrame[Forecast]:
    """Forecast the date from what was known when its orders opened."""
    progress("forecast", 0.02)
    night.reference.check()
    check_premises(night, settings)
    if night.change is not None:
        check_change(night.change, night.reference)
    opening = clock_instant(
        settings.city.orders_open, delivery_date=night.delivery_date, timezone=settings.city.timezone
    )
    known = night.history[night.history["delivery_date"] < night.delivery_date]
    context = context_of(night.reference)
    if night.open_share is not None:
        context = replace(context, open_share=night.open_share)
    return predict(
        night.models.demand,
        DailyDemand.check(known),
        delivery_dates=[night.delivery_date],
        issued_at=opening,
        levels=("community", "warehouse", "area"),
        context=context,
    )


def open_book(
    night: NightInput, expected: DataFrame[Forecast], settings: Settings, progress: Progress
) -> DataFrame[OrderBook]:
    """Combine what is ordered as of the moment with what is still expected until the cutoff, changed if asked."""
    progress("book", 0.10)
    known = night.reference
    book = update_book(
        expected,
        night.order_lines,
        as_of=night.as_of,
        model=night.models.book,
        communities=known.communities,
        city=settings.city,
        facts=DayFacts(known.skus, known.listings, known.calendar),
    )
    if night.change is not None:
        book = OrderBook.check(with_demand(book, night.change.demand_factor))
    if not (book["final_mean"] > 0).any():
        raise EmptyInputError(f"Nothing is ordered or expected for {night.delivery_date.date()}: an empty day.")
    return book


def buy(night: NightInput, book: DataFrame[OrderBook], settings: Settings, progress: Progress) -> PurchasePlan:
    """Decide what to buy from whom."""
    progress("purchase", 0.15)
    before = night.before
    near = before.lines if before is not None and before.stay_near else None
    data = purchase_data(
        night.reference,
        book,
        delivery_date=night.delivery_date,
        as_of=night.as_of,
        city=settings.city,
        locked=night.locked,
        previous=near,
        settings=settings.purchase,
    )
    if night.change is not None:  # its demand is in the book already
        known = None if before is None else before.lines
        data = what_if(data, night.change.model_copy(update={"demand_factor": {}}), previous=near, lockable=known)
    effort = settings.solve
    return allocate(
        data,
        limits=SolveLimits(
            seconds=effort.purchase_seconds,
            work=effort.purchase_work,
            gap=effort.purchase_gap,
            seed=effort.seed,
            workers=effort.workers,
        ),
        start=None if before is None else before.lines,
    )


def share(
    night: NightInput, book: DataFrame[OrderBook], arrived: DataFrame[Arrivals], settings: Settings
) -> DataFrame[Allotments]:
    """Share the goods among the communities, in whole units until the cutoff and exactly as ordered from then on."""
    city = settings.city
    cutoff = clock_instant(city.cutoff, delivery_date=night.delivery_date, timezone=city.timezone)
    asked = asked_units(book, night.reference.communities)
    if settings.sorting.shortage_rule == "prepaid_first":
        asked = with_prepaid(asked, night.order_lines, night.reference.prepaid_orders, as_of=night.as_of)
    return share_out(
        asked,
        supply(arrived),
        rule=settings.sorting.shortage_rule,
        at_cutoff=night.as_of >= cutoff,
    )


def sort_goods(night: NightInput, goods: Goods, settings: Settings, progress: Progress) -> SortingPlan:
    """Decide wave, station and slot of every community's goods, before there are routes."""
    progress("sorting", 0.55)
    return sort(wave_input(night, goods, settings), limits=sorting_limits(settings))


def drive(night: NightInput, goods: Goods, waves: SortingPlan, settings: Settings, progress: Progress) -> Together:
    """Decide which van brings what where, leaving no earlier than the goods are sorted; then waves and routes agree."""
    progress("routing", 0.65)
    rounds = settings.routing.joint_rounds
    share = 1.0 - settings.routing.joint_share if rounds else 1.0
    data = route_input(night, goods.allotments, waves.releases, settings)
    routes = route(data, limits=routing_limits(settings, share=share))
    progress("joint", 0.85)
    return agree(night, goods, (waves, routes), settings)
