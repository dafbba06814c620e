"""The risk table: per SKU and warehouse what may be short or left over at the cutoff, in yuan, and what to do now."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import PurchaseLines
from contracts.world import Reference
from pipeline.plan import NightPlan

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
        Somebody else's estimate of the final units (预估销量), columns ``warehouse_id, sku_id, units``.

    Returns
    -------
    DataFrame
        ``warehouse_id, sku_id, name, on_hand, due_in, sent`` (units of locked lines), ``confirmed, q10, q50, q90,
        outside_units, expected_short, expected_surplus, short_yuan, surplus_yuan, at_stake_yuan, top_up_cases,
        top_up_units, late_slot, reason``. ``expected_*`` and the yuan are after the suggested top-up.
    """
    table = plan.coverage.merge(_stock(reference, plan), on=KEY, how="left").merge(
        _lines(plan, sent), on=KEY, how="left"
    )
    table = table.fillna(dict.fromkeys(("on_hand", "due_in", "sent", "top_up_cases", "top_up_units"), 0.0))
    table = table.merge(reference.skus[["sku_id", "name"]], on="sku_id", how="left")
    given = pd.DataFrame({**{key: [] for key in KEY}, "units": []}) if outside is None else outside
    estimate = given[[*KEY, "units"]].rename(columns={"units": "outside_units"}).astype(dict.fromkeys(KEY, "str"))
    table = table.merge(estimate, on=KEY, how="left")
    table["at_stake_yuan"] = table["short_yuan"] + table["surplus_yuan"].clip(lower=0)
    table["reason"] = _reasons(table)
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
]


def changed_rows(now: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a risk table that differ from an earlier one, with the change of money at stake."""
    before = previous[[*KEY, "at_stake_yuan", "top_up_cases"]]
    both = now.merge(before, on=KEY, how="left", suffixes=("", "_before"))
    moved = both["at_stake_yuan"] - both["at_stake_yuan_before"].fillna(0.0)
    another = both["top_up_cases"] != both["top_up_cases_before"]
    changed = both["at_stake_yuan_before"].isna() | another | (moved.abs() >= CHANGED_YUAN)
    return now.assign(change_yuan=moved)[changed].reset_index(drop=True)


def chat_text(table: pd.DataFrame, warehouse_id: str, *, as_of: str, most: int = 15) -> str:
    """Return the top-ups and the largest risks of a warehouse as text for a chat group, Chinese first."""
    own = table[table["warehouse_id"] == warehouse_id]
    buy = own[own["top_up_cases"] > 0]
    lines = [f"【{warehouse_id}】截至 {as_of}：建议补货 {len(buy)} 个商品，共 {buy['top_up_cases'].sum():.0f} 箱"]
    lines += [
        f"{rank}. {row.name} {row.sku_id}：补 {row.top_up_cases:.0f} 箱（{row.top_up_units:.0f} 件），"
        f"已下单 {row.confirmed:.0f}，预计 {row.q50:.0f}（{row.q10:.0f}–{row.q90:.0f}）"
        for rank, row in enumerate(buy.head(most).itertuples(index=False), start=1)
    ]
    if len(buy) > most:
        lines.append(f"……另有 {len(buy) - most} 个")
    short = own[own["expected_short"] >= 0.5].head(5)
    if len(short):
        lines.append("可能缺货：" + "，".join(f"{row.name} {row.expected_short:.0f} 件" for row in short.itertuples()))
    return "\n".join(lines)


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


def _reasons(table: pd.DataFrame) -> np.ndarray:
    """Return one sentence per row: what the top-up covers, or why none is worth its money."""
    supply = table["available"] + table["bought"]
    need = table["q50"]
    cases = [
        (table["top_up_cases"] > 0) & (supply - table["top_up_units"] < table["confirmed"]),
        table["top_up_cases"] > 0,
        supply < table["confirmed"],
        table["short_yuan"] > table["surplus_yuan"].clip(lower=0),
        supply > table["q90"],
    ]
    sentences = [
        "Ordered units are not covered without the top-up.",
        "The top-up costs less than the shortage it is expected to prevent.",
        "Ordered units stay uncovered: no open offer is worth its price or has room.",
        "May run short, but more cases would cost more in leftovers than they save.",
        "More than nine days in ten need: leftovers are likely.",
    ]
    quiet = np.where(need > 0, "Covered.", "Nothing expected.")
    return np.select(cases, sentences, quiet)
