"""What a model may learn from: the closed delivery dates of the store, as demand, with what is known beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import MOST_UNITS, DailyDemand, OrderLines
from contracts.settings import CitySettings
from contracts.world import Reference
from forecast import Context, build_history, open_share
from store import Store

log = logging.getLogger(__name__)


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
    said : tuple of str
        One sentence where days were left out because nobody can have ordered so much.
    """

    reference: Reference
    lines: DataFrame[OrderLines]
    history: DataFrame[DailyDemand]
    context: Context
    said: tuple[str, ...] = ()

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
        whole = build_history(lines, reference.listings, reference.communities, city=city)
        history, lines, said = believable(whole, lines)
        for sentence in said:
            log.warning("past: %s", sentence)
        share = open_share(lines, reference.listings, reference.communities, city=city)
        return cls(reference, lines, history, replace(context_of(reference), open_share=share), said)


def believable(
    history: DataFrame[DailyDemand], lines: DataFrame[OrderLines]
) -> tuple[DataFrame[DailyDemand], DataFrame[OrderLines], tuple[str, ...]]:
    """Return history and lines without days of a SKU in a community above `MOST_UNITS`, and the sentence that says so.

    Each order line passes its own rule, so only their sum shows that one of them is a typing error; which one nobody
    knows. The day is taken as unknown there, not as zero; its lines tell nothing of when orders come either.
    """
    beyond = history["quantity"] > MOST_UNITS
    if not beyond.any():
        return history, lines, ()
    key = ["delivery_date", "community_id", "sku_id"]
    wrong = pd.MultiIndex.from_frame(lines[key]).isin(pd.MultiIndex.from_frame(history.loc[beyond, key]))
    one = history[beyond].iloc[0]
    sentence = (
        f"{int(beyond.sum())} days of a SKU in a community are left out of the demand history as unknown: "
        f"their order lines add up to more than {MOST_UNITS:,.0f} units, e.g. {one['quantity']:,.0f} of SKU "
        f"{one['sku_id']!r} in {one['community_id']!r} on {one['delivery_date'].date()}. Take back the wrong lines."
    )
    kept = DailyDemand.check(history[~beyond].reset_index(drop=True))
    return kept, OrderLines.check(lines[~wrong].reset_index(drop=True)), (sentence,)


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
