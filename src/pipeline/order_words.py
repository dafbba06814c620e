"""A supplier's purchase order as text for a chat: by warehouse and arrival what to bring, and what was sent before."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from contracts.errors import NotFoundError
from contracts.money import round_yuan
from contracts.world import Reference
from pipeline import views
from pipeline.plan import NightPlan

Language = Literal["zh", "en"]
KEY = ["supplier_id", "sku_id", "warehouse_id"]
_WORDS = {
    "zh": {
        "head": "【{name}】采购单，{day} 送达",
        "more": "（补充：只列新增）",
        "place": "{name}（{place}），{arrives} 前到仓",
        "line": "{rank}. {name}（{sku}）{cases} 箱 × {case_units} {unit} = {units} {unit}，{yuan} 元{sent}",
        "sent": "，之前已下 {cases} 箱",
        "total": "合计 {lines} 行 {cases} 箱，{yuan} 元",
        "nothing": "没有新增。",
    },
    "en": {
        "head": "[{name}] purchase order for {day}",
        "more": " (more: only what is new)",
        "place": "{name} ({place}), at the dock by {arrives}",
        "line": "{rank}. {name} ({sku}) {cases} cases x {case_units} {unit} = {units} {unit}, {yuan} yuan{sent}",
        "sent": ", {cases} cases ordered before",
        "total": "{lines} lines, {cases} cases, {yuan} yuan in all",
        "nothing": "Nothing new.",
    },
}


def order_text(
    plan: NightPlan,
    reference: Reference,
    supplier_id: str,
    *,
    sent: pd.DataFrame | None = None,
    language: Language = "zh",
) -> str:
    """Return a supplier's order ready to paste: amounts to the fen, whose sum is the total.

    Parameters
    ----------
    sent : DataFrame[PurchaseLines], optional
        Lines sent before the plan: only what comes on top of them is told.

    Raises
    ------
    NotFoundError
        The plan orders nothing from the supplier, and never did.
    """
    words = _WORDS[language]
    lines = added_lines(plan, reference, supplier_id, sent=sent)
    if lines.empty:
        raise NotFoundError("order of supplier", supplier_id, hint="`tuancai orders PLAN` lists the suppliers.")
    names = reference.suppliers.set_index("supplier_id")["name"]
    places = reference.warehouses.set_index("warehouse_id")["name"]
    head = words["head"].format(name=names.get(supplier_id, supplier_id), day=plan.summary.delivery_date)
    told = [head + (words["more"] if sent is not None else "")]
    fresh = lines[lines["cases"] > 0]
    for (place, arrives), rows in fresh.groupby(["warehouse_id", "arrives_at"], sort=True):
        told.append(words["place"].format(name=places.get(place, place), place=place, arrives=arrives))
        told += [_line(words, rank, row) for rank, row in enumerate(rows.itertuples(index=False), start=1)]
    if fresh.empty:
        return "\n".join([*told, words["nothing"]])
    yuan = round_yuan(float(fresh["amount_yuan"].sum()))
    total = {"lines": len(fresh), "cases": int(fresh["cases"].sum()), "yuan": f"{yuan:.2f}"}
    return "\n".join([*told, words["total"].format(**total)])


def added_lines(
    plan: NightPlan, reference: Reference, supplier_id: str, *, sent: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return a supplier's lines less what was sent before, with ``sent_cases``; cases may be zero, never below."""
    lines = views.order_view(plan, reference, supplier_id)
    if sent is None:
        return lines.assign(sent_cases=0)
    both = lines.merge(sent[[*KEY, "cases", "units", "amount_yuan"]], on=KEY, how="left", suffixes=("", "_sent"))
    figures = {name: both[f"{name}_sent"].fillna(0) for name in ("cases", "units", "amount_yuan")}
    return lines.assign(
        cases=lines["cases"] - figures["cases"].astype("int64"),
        units=lines["units"] - figures["units"],
        amount_yuan=(lines["amount_yuan"] - figures["amount_yuan"]).round(2),
        sent_cases=figures["cases"].astype("int64"),
    )


def _line(words: dict[str, str], rank: int, row: Any) -> str:
    return words["line"].format(
        rank=rank,
        name=row.name,
        sku=row.sku_id,
        cases=row.cases,
        case_units=row.case_units,
        unit=row.unit,
        units=f"{row.units:g}",
        yuan=f"{row.amount_yuan:.2f}",
        sent=words["sent"].format(cases=row.sent_cases) if row.sent_cases else "",
    )
