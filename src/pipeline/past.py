"""What a model may learn from: the closed delivery dates of the store, as demand, with what is known beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pandera.typing import DataFrame

from contracts.flow import DailyDemand, OrderLines
from contracts.settings import CitySettings
from contracts.world import Reference
from forecast import Context, build_history, open_share
from store import Store


@dataclass(frozen=True)
class Past:
    """Closed delivery dates.

    Attributes
    ----------
    lines : DataFrame[OrderLines]
    history : DataFrame[DailyDemand]
    context : Context
        Goods, places, listings, calendar, local events, what sold-out listings could still take, and the outside
        estimates, if any were imported.
    """

    reference: Reference
    lines: DataFrame[OrderLines]
    history: DataFrame[DailyDemand]
    context: Context

    @classmethod
    def of(cls, store: Store, days: Sequence[date], *, city: CitySettings) -> Past:
        """Return the past that ends with the last of the days."""
        return cls._of(store.reference(days[-1]), store.order_lines(delivery_to=days[-1]), city)

    @classmethod
    def before(cls, store: Store, day: date, *, city: CitySettings) -> Past:
        """Return the past of a delivery date to come, with the reference data that hold on it."""
        return cls._of(store.reference(day), store.order_lines(delivery_to=day - timedelta(days=1)), city)

    @classmethod
    def _of(cls, reference: Reference, lines: DataFrame[OrderLines], city: CitySettings) -> Past:
        history = build_history(lines, reference.listings, reference.communities, city=city)
        share = open_share(lines, reference.listings, reference.communities, city=city)
        return cls(reference, lines, history, replace(context_of(reference), open_share=share))


def context_of(reference: Reference) -> Context:
    """Return what a forecast may lean on as it is now: today's listings and prices, not those of the training day."""
    return Context(
        reference.skus,
        reference.communities,
        reference.listings,
        reference.calendar,
        reference.area_events,
        outside=reference.outside_estimates,
    )
