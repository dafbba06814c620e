"""Campaigns with a group threshold (成团): whether they go, and what may be bought for them before that is known.

Whether a campaign forms is decided by the orders of the whole city at its deadline. Before, the chance is that of the
order book's distribution of the total:

* the warehouses of a campaign rise and fall together (one campaign, one chat, one day), so the total's quantile is the
  sum of theirs;
* orders still to come arrive evenly until the cutoff, so by the deadline a share of them is there.

What is bought before the deadline: nothing where an offer can still be ordered after it (the campaign is *held*); where
none can, the demand is zero in the outcomes in which the campaign does not form, and the purchase weighs both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.planned import GroupDecisions
from contracts.settings import CitySettings
from contracts.world import Reference
from optimize.purchase.demand import Demand, Floats
from optimize.purchase.rows import rows_of

NEVER = 1.0
"""`Groups.level` of a cell for which nothing is bought now."""


@dataclass(frozen=True)
class Groups:
    """What the thresholds mean for a night's purchase.

    Attributes
    ----------
    decisions : DataFrame[GroupDecisions]
    level : array, shape (cells,)
        Share of outcomes, the lowest, in which the cell asks for nothing; 1 where nothing may be bought now.
    refund_yuan : float
        Expected refunds of campaigns that did not form, or may not although goods must be bought now.
    """

    decisions: DataFrame[GroupDecisions]
    level: Floats
    refund_yuan: float


def revealed_share(moment: pd.Timestamp, *, as_of: pd.Timestamp, cutoff: pd.Timestamp) -> float:
    """Return the share of the orders still to come that is there at a moment: they arrive evenly until the cutoff.

    Examples
    --------
    >>> at = [pd.Timestamp(f"2026-03-09 {hour}:00", tz="UTC") for hour in (10, 12, 14)]
    >>> revealed_share(at[1], as_of=at[0], cutoff=at[2])
    0.5
    """
    if cutoff <= as_of or moment >= cutoff:
        return 1.0
    return max((moment - as_of) / (cutoff - as_of), 0.0)


def group_decisions(
    reference: Reference,
    cells: pd.DataFrame,
    timed: pd.DataFrame,
    *,
    delivery_date: pd.Timestamp,
    as_of: pd.Timestamp,
    city: CitySettings,
) -> Groups:
    """Return how every campaign of the delivery date stands, and what that means for its cells."""
    own = reference.group_thresholds
    own = own[(own["delivery_date"] == delivery_date) & own["sku_id"].isin(cells["sku_id"])]
    level, refunds, rows = np.zeros(len(cells)), 0.0, []
    cutoff = clock_instant(city.cutoff, delivery_date=delivery_date, timezone=city.timezone)
    demand = Demand.from_book(cells)
    latest = _last_order(timed, cells)
    for row in rows_of(own.sort_values("sku_id")):
        here = (cells["sku_id"] == row.sku_id).to_numpy()
        deadline = clock_instant(row.deadline, delivery_date=delivery_date, timezone=city.timezone)
        ordered = float(cells.loc[here, "confirmed"].sum())
        seen = revealed_share(deadline, as_of=as_of, cutoff=cutoff)
        miss = _level_missed(demand.knots[here].sum(axis=0), demand.levels[0], ordered, row.min_units, seen)
        decided = as_of >= deadline or ordered >= row.min_units
        lost = _refunded_units(demand, here, miss)
        if decided:
            miss = 0.0 if ordered >= row.min_units else NEVER
            lost = 0.0 if ordered >= row.min_units else ordered
            level[here] = miss
        else:
            level[here] = np.where(latest[here] >= deadline.value, NEVER, miss)
        held = not decided and bool((level[here] == NEVER).all())
        refunds += 0.0 if held else row.refund_yuan * lost
        loss = _top_up_yuan(row, cells[here], ordered)
        rows.append(
            {
                "sku_id": row.sku_id,
                "decision": "open" if not decided else "go" if miss == 0.0 else "no_go",
                "min_units": row.min_units,
                "deadline": deadline,
                "ordered_units": ordered,
                "expected_units": float(cells.loc[here, "final_mean"].sum()),
                "chance": 1.0 - miss,
                "refund_yuan": row.refund_yuan * lost,
                "reason": _reason(row, ordered, decided=decided, held=held, loss=loss),
            }
        )
    decisions = GroupDecisions.check(pd.DataFrame(rows)) if rows else _no_decisions()
    return Groups(decisions, level, refunds)


@cache
def _no_decisions() -> DataFrame[GroupDecisions]:
    """Return the empty table, made once: most nights have no campaign."""
    return GroupDecisions.empty()


def _last_order(timed: pd.DataFrame, cells: pd.DataFrame) -> Floats:
    """Return per cell the last moment anything of it can be ordered, in the clock's own count; least where never."""
    last = timed["latest"].where(timed["late_price_yuan"].notna(), timed[["latest", "deadline"]].min(axis=1))
    best = last.groupby([timed["warehouse_id"], timed["sku_id"]]).max()
    found = best.reindex(pd.MultiIndex.from_frame(cells[["warehouse_id", "sku_id"]]))
    return np.array([-np.inf if pd.isna(moment) else float(moment.value) for moment in found])


def _level_missed(total: Floats, levels: Floats, ordered: float, least: float, seen: float) -> float:
    """Return the probability that a share `seen` of the total's growth leaves it below the least."""
    reached = ordered + seen * (total - ordered)
    if reached[0] >= least:
        return 0.0
    if reached[-1] < least:
        return NEVER
    first = int(np.argmax(reached >= least))
    low, high = reached[first - 1], reached[first]
    return float(levels[first - 1] + (least - low) / (high - low) * (levels[first] - levels[first - 1]))


def _refunded_units(demand: Demand, here: np.ndarray, miss: float) -> float:
    """Return the expected units ordered in the outcomes in which the campaign does not form."""
    own = Demand(demand.knots[here], demand.levels[here])
    return float((own.mean - own.nothing_below(np.full(int(here.sum()), miss)).mean).sum())


def _top_up_yuan(row: Any, cells: pd.DataFrame, ordered: float) -> float:
    """Return about what buying the lacking units for nobody would cost: usual cost less what they still bring."""
    lost = (cells["usual_yuan"] - cells["salvage_yuan"]).clip(lower=0.0).min()
    return float(max(row.min_units - ordered, 0.0) * lost)


def _reason(row: Any, ordered: float, *, decided: bool, held: bool, loss: float) -> str:
    least = float(row.min_units)
    refund = float(row.refund_yuan) * ordered
    if decided and ordered >= least:
        return f"{ordered:.0f} units are ordered, {least:.0f} were needed: it is bought."
    if decided:
        cheaper = " which is less: talk to the planner" if loss < refund else " which is more"
        return (
            f"{ordered:.0f} of {least:.0f} units were ordered: orders are refunded for {refund:.2f} yuan. Taking the "
            f"lacking {least - ordered:.0f} units without a buyer would cost about {loss:.2f} yuan,{cheaper}."
        )
    if held:
        return f"{ordered:.0f} of {least:.0f} units are ordered; nothing is bought until it is decided."
    return (
        f"{ordered:.0f} of {least:.0f} units are ordered; not every supplier can be asked after the campaign's "
        f"deadline, so the purchase weighs both outcomes now."
    )
