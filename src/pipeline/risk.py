"""The risk table: per SKU and warehouse what may be short or left over at the cutoff, in yuan, and what to do now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import NotFoundError
from contracts.plan import PlanSummary
from contracts.planned import PurchaseLines
from contracts.world import Reference
from pipeline.plan import NightPlan
from pipeline.risk_outside import known_outside
from pipeline.risk_words import reasons

KEY = ["warehouse_id", "sku_id"]
CHANGED_YUAN = 5.0
"""A row counts as changed when its money at stake moved by at least this much (a planner's hour costs more)."""


def risk_table(
    plan: NightPlan,
    reference: Reference,
    *,
    sent: DataFrame[PurchaseLines] | None = None,
    previous: pd.DataFrame | None = None,
    outside: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what is at stake per SKU x warehouse as of the plan's moment, the most money first.

    Parameters
    ----------
    sent : DataFrame[PurchaseLines], optional
        Lines that were sent before this plan: they are no suggestion any more.
    previous : DataFrame, optional
        The risk table of an earlier moment: only rows whose top-up changed or whose money at stake moved by
        `CHANGED_YUAN` or more are returned, with ``change_yuan``; new and vanished rows count as changed.
    outside : DataFrame, optional
        Somebody else's estimate of the final units (预估销量), columns ``warehouse_id, sku_id, units``. By default the
        imported estimates that were known at the plan's moment.

    Returns
    -------
    DataFrame
        ``warehouse_id, sku_id, name, on_hand, due_in, sent`` (units of locked lines), ``confirmed, q10, q50, q90,
        outside_units, expected_short, expected_surplus, short_yuan, surplus_yuan, at_stake_yuan, top_up_cases,
        top_up_units, late_slot, reason, reason_zh``. ``expected_*`` and the yuan are after the suggested top-up;
        ``late_slot`` is the last moment at which some supplier can still be asked.
    """
    table = plan.coverage.merge(_stock(reference, plan), on=KEY, how="left").merge(
        _lines(plan, sent), on=KEY, how="left"
    )
    table = table.fillna(dict.fromkeys(("on_hand", "due_in", "sent", "top_up_cases", "top_up_units"), 0.0))
    table = table.merge(reference.skus[["sku_id", "name"]], on="sku_id", how="left")
    if outside is None:
        day, as_of = pd.Timestamp(plan.summary.delivery_date), pd.Timestamp(plan.summary.as_of)
        outside = known_outside(reference, delivery_date=day, as_of=as_of)
    estimate = outside[[*KEY, "units"]].rename(columns={"units": "outside_units"}).astype(dict.fromkeys(KEY, "str"))
    table = table.merge(estimate, on=KEY, how="left")
    table["at_stake_yuan"] = table["short_yuan"] + table["surplus_yuan"].clip(lower=0)
    said = reasons(table)
    table["reason"] = pd.Series([one.english for one in said], index=table.index, dtype="str")
    table["reason_zh"] = pd.Series([one.chinese for one in said], index=table.index, dtype="str")
    ranked = table[_COLUMNS].sort_values(["at_stake_yuan", *KEY], ascending=[False, True, True], ignore_index=True)
    return ranked if previous is None else changed_rows(ranked, previous)


_COLUMNS = [
    *KEY,
    "name",
    "on_hand",
    "due_in",
    "sent",
    "confirmed",
    "q10",
    "q50",
    "q90",
    "outside_units",
    "expected_short",
    "expected_surplus",
    "short_yuan",
    "surplus_yuan",
    "at_stake_yuan",
    "top_up_cases",
    "top_up_units",
    "late_slot",
    "reason",
    "reason_zh",
]
_AMOUNTS = _COLUMNS[_COLUMNS.index("on_hand") : _COLUMNS.index("late_slot")]
YUAN_COLUMNS = ("short_yuan", "surplus_yuan", "at_stake_yuan", "change_yuan")
PREVIOUS = "previous"
"""Stands for the plan of the same delivery date made last before the one asked about."""


def changed_rows(now: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a risk table that differ from an earlier one, with ``change_yuan`` of the money at stake.

    A row that is gone - nothing is ordered or expected there any more - is shown with what it had at stake taken off.
    """
    before = previous[[*KEY, "at_stake_yuan", "top_up_cases"]]
    both = now.merge(before, on=KEY, how="left", suffixes=("", "_before")).set_index(now.index)
    moved = both["at_stake_yuan"] - both["at_stake_yuan_before"].fillna(0.0)
    another = both["top_up_cases"] != both["top_up_cases_before"]
    changed = both["at_stake_yuan_before"].isna() | another | (moved.abs() >= CHANGED_YUAN)
    kept = now.assign(change_yuan=moved)[changed]
    here = pd.MultiIndex.from_frame(now[KEY])
    gone = previous[~pd.MultiIndex.from_frame(previous[KEY]).isin(here)]
    gone = gone[(gone["at_stake_yuan"] >= CHANGED_YUAN) | (gone["top_up_cases"] > 0)]
    if gone.empty:
        return kept.reset_index(drop=True)
    nothing = dict.fromkeys(_AMOUNTS, 0.0)
    gone = gone.assign(
        **nothing,
        change_yuan=-gone["at_stake_yuan"],
        late_slot=pd.Series(pd.NaT, index=gone.index, dtype=now["late_slot"].dtype),
        reason="Nothing is ordered or expected any more.",
        reason_zh="不再有订单，也不再预计有。",
    )
    return pd.concat([kept, gone[kept.columns]], ignore_index=True)


def previous_plan(summaries: Iterable[PlanSummary], plan_id: str) -> str:
    """Return the plan of the same delivery date with the latest moment before that of a plan, what-ifs left out.

    Raises
    ------
    NotFoundError
        The plan is not there, or it is the first of its date.
    """
    known = {summary.plan_id: summary for summary in summaries}
    if plan_id not in known:
        raise NotFoundError("plan", plan_id, hint="`tuancai plans` lists them.")
    mine = known[plan_id]
    earlier = last_plan(known.values(), delivery_date=mine.delivery_date, before=mine.as_of)
    if earlier is None:
        raise NotFoundError("earlier plan of the date of", plan_id, hint="Plan an earlier moment first, or name one.")
    return earlier


def last_plan(summaries: Iterable[PlanSummary], *, delivery_date: date, before: datetime) -> str | None:
    """Return the plan of a date with the latest moment before another; None if there is none.

    What-ifs and revisions of plans that are out are left out.
    """
    of_day = [s for s in summaries if s.delivery_date == delivery_date and s.what_if is None and s.revises is None]
    earlier = [s for s in of_day if s.as_of < before]
    return max(earlier, key=lambda summary: (summary.as_of, summary.plan_id)).plan_id if earlier else None


def _stock(reference: Reference, plan: NightPlan) -> pd.DataFrame:
    lots = reference.stock
    day = pd.Timestamp(plan.summary.delivery_date)
    alive = lots[lots["expires_on"].isna() | (lots["expires_on"] >= day)]
    return alive.groupby(KEY, as_index=False)[["on_hand", "due_in"]].sum()


def _lines(plan: NightPlan, sent: DataFrame[PurchaseLines] | None) -> pd.DataFrame:
    """Return units sent before, and cases and units the plan adds, per SKU x warehouse."""
    earlier = PurchaseLines.empty() if sent is None else sent
    offer = ["supplier_id", *KEY]
    both = plan.purchase_lines[[*offer, "cases", "units"]].merge(
        earlier[[*offer, "cases", "units"]], on=offer, how="left", suffixes=("", "_sent")
    )
    before = both[["cases_sent", "units_sent"]].fillna(0.0)
    added = both.assign(
        sent=before["units_sent"],
        top_up_cases=both["cases"] - before["cases_sent"],
        top_up_units=both["units"] - before["units_sent"],
    )
    return added.groupby(KEY, as_index=False)[["sent", "top_up_cases", "top_up_units"]].sum()
