"""The orders leaders hand out by: those that count at the cutoff, and what was ordered late when a plan was revised."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.flow import OrderLines
from contracts.plan import PlanSummary
from contracts.planned import Allotments
from contracts.settings import CitySettings
from contracts.world import Reference
from forecast.book import set_aside
from store import Store

LATE = "补单 late"
"""The order that units ordered late stand under: nobody said whose they are."""


def leader_orders(
    store: Store, summary: PlanSummary, reference: Reference, city: CitySettings
) -> DataFrame[OrderLines] | None:
    """Return the lines that a plan's hand-out sheets list; none before the cutoff, when they may still change.

    Lines that never count (ordered after their SKU's own cutoff, for a community that is closed) are left out: they
    were not shared out, so nothing of theirs is short.
    """
    day = pd.Timestamp(summary.delivery_date).as_unit("us")
    if summary.as_of < clock_instant(city.cutoff, delivery_date=day, timezone=city.timezone):
        return None
    lines = store.order_lines(delivery_from=day, delivery_to=day, placed_until=summary.as_of)
    counted = counted_lines(lines, reference, city)
    first = summary
    while first.revises is not None:
        first = store.plan_summary(first.revises)
    if first is summary or summary.revised_at is None:
        return counted
    before, now = (Allotments.check(store.plan_table(one.plan_id, "allotments")) for one in (first, summary))
    return with_late(counted, late_units(before, now), at=pd.Timestamp(summary.revised_at))


def counted_lines(lines: DataFrame[OrderLines], reference: Reference, city: CitySettings) -> DataFrame[OrderLines]:
    """Return the lines without those that are set aside."""
    known = lines[lines["community_id"].isin(set(reference.communities["community_id"]))]
    aside = set_aside(OrderLines.check(known), communities=reference.communities, city=city, skus=reference.skus)
    key = ["order_id", "line_no"]
    out = pd.MultiIndex.from_frame(known[key]).isin(pd.MultiIndex.from_frame(aside[key]))
    return OrderLines.check(known[~out])


def late_units(before: DataFrame[Allotments], now: DataFrame[Allotments]) -> pd.DataFrame:
    """Return what is ordered now beyond what was: ``community_id``, ``sku_id``, ``units``."""
    key = ["community_id", "sku_id"]
    was, is_ = (table.groupby(key)["ordered_units"].sum() for table in (before, now))
    more = is_.sub(was.reindex(is_.index), fill_value=0.0).round(6)
    return more[more > 0].rename("units").reset_index()


def with_late(lines: DataFrame[OrderLines], late: pd.DataFrame, *, at: pd.Timestamp) -> DataFrame[OrderLines]:
    """Return the lines with the units ordered late as lines of the order `LATE`, placed at a moment: served last."""
    if late.empty or lines.empty:
        return lines
    rows = pd.DataFrame(
        {
            "order_id": LATE,
            "line_no": range(1, len(late) + 1),
            "placed_at": at,
            "delivery_date": lines["delivery_date"].iloc[0],
            "community_id": late["community_id"],
            "sku_id": late["sku_id"],
            "quantity": late["units"],
            "unit_price_yuan": 0.0,
            "cancelled_at": pd.NaT,
        }
    )
    tables: list[pd.DataFrame] = [lines, OrderLines.check(rows)]
    return OrderLines.check(pd.concat(tables, ignore_index=True))
