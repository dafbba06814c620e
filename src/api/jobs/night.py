"""The night as durable steps: the calls of `pipeline.night.plan_night`, each kept as soon as it is finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from contracts.settings import Settings
from optimize.sorting import share_out
from pipeline.goods import arrivals, asked_units, supply
from pipeline.night import NightInput, buy, drive, forecast_demand, open_book, sort_goods
from pipeline.plan import NightPlan
from pipeline.progress import Progress
from pipeline.summary import Decisions, summarise

T = TypeVar("T")
NIGHT_STAGES = ("input", "forecast", "book", "purchase", "sorting", "routing", "save")


class Steps(Protocol):
    """Runs a named piece of work once; a job that comes back gets what it gave the first time."""

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        """Return the work's result, from the shelf if it was done before."""


def plan_in_steps(
    gather: Callable[[], NightInput], *, settings: Settings, progress: Progress, step: Steps
) -> NightPlan:
    """Plan a night stage by stage; the input is kept too, so that a job that comes back plans what it began with.

    Parameters
    ----------
    gather
        Reads the night's input from the store.
    step
        Runs and keeps a stage.
    """
    night = step("input", gather)
    expected = step("forecast", lambda: forecast_demand(night, settings, progress))
    book = step("book", lambda: open_book(night, expected, settings, progress))
    bought = step("purchase", lambda: buy(night, book, settings, progress))
    arrived = arrivals(night.reference, bought.lines, delivery_date=night.delivery_date, city=settings.city)
    allotments = share_out(asked_units(book, night.reference.communities), supply(arrived))
    waves = routes = None
    if bought.report.status.has_plan:
        waves = step("sorting", lambda: sort_goods(night, allotments, arrived, settings, progress))
    if waves is not None and waves.report.status.has_plan:
        released = waves.releases
        routes = step("routing", lambda: drive(night, allotments, released, settings, progress))
    return summarise(night, settings, Decisions(expected, book, bought, arrived, allotments, waves, routes))
