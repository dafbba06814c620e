"""The risk table in words: one sentence per row in Chinese and in English, and text for a warehouse's chat group."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

_CERTAIN = 0.5
"""Units: people speak of whole ones, so a range narrower than half a unit is a figure."""


class Reason(NamedTuple):
    """One sentence in both languages."""

    chinese: str
    english: str


def reasons(table: pd.DataFrame) -> list[Reason]:
    """Return what the top-up of each row covers, or why none is worth its money.

    Parameters
    ----------
    table : DataFrame
        ``available, bought, confirmed, q10, q50, q90, short_yuan, surplus_yuan, top_up_cases, top_up_units,
        outside_units``.
    """
    return [_with_outside(row, _reason(row)) for row in table.itertuples(index=False)]


def _reason(row: Any) -> Reason:
    supply = row.available + row.bought
    there, ordered = _units(supply - row.top_up_units), _units(row.confirmed)
    span = f"{_units(row.q10)}–{_units(row.q90)}"
    buy_chinese = f"补 {row.top_up_cases:.0f} 箱（{_units(row.top_up_units)} 件）"
    buy = f"{row.top_up_cases:.0f} case{'' if row.top_up_cases == 1 else 's'} ({_units(row.top_up_units)} units)"
    if row.top_up_cases > 0 and supply - row.top_up_units < row.confirmed:
        gap = row.confirmed - supply
        if gap >= 0.5:
            return Reason(
                f"已下单 {ordered}，现有 {there}，{buy_chinese}后仍缺 {_units(gap)}",
                f"{ordered} ordered, {there} there: {buy} still leave {_units(gap)} uncovered",
            )
        if row.q90 - row.q10 < _CERTAIN:
            return Reason(
                f"已下单 {ordered}，现有 {there}，{buy_chinese}才够",
                f"{ordered} ordered, {there} there: {buy} cover them",
            )
        return Reason(
            f"已下单 {ordered}，预计 {_units(row.q50)}（{span}），现有 {there}，{buy_chinese}才够",
            f"{ordered} ordered, {_units(row.q50)} expected ({span}), {there} there: {buy} are needed",
        )
    if row.top_up_cases > 0:
        return Reason(
            f"预计 {_units(row.q50)}（{span}），现有 {there}，{buy_chinese}比缺货划算",
            f"{_units(row.q50)} expected ({span}), {there} there: {buy} cost less than the shortage they prevent",
        )
    if supply < row.confirmed:
        return Reason(
            f"已下单 {ordered}，只有 {there}，没有划算或有余量的货源",
            f"{ordered} ordered, only {there} there: no open offer is worth its price or has room",
        )
    if row.short_yuan > max(row.surplus_yuan, 0.0):
        return Reason(
            f"预计 {_units(row.q50)}（{span}），已有 {there}，可能缺，但再补的剩货损失更大",
            f"{_units(row.q50)} expected ({span}), {there} there: may run short, but leftovers would cost more",
        )
    if row.q90 < _CERTAIN and supply >= _CERTAIN:
        return Reason(f"已有 {there}，预计没有订单，会剩", f"{there} there and nothing expected: they stay")
    if supply > row.q90:
        return Reason(
            f"已有 {there}，十天有九天不超过 {_units(row.q90)}，可能剩货",
            f"{there} there, nine days in ten need at most {_units(row.q90)}: leftovers are likely",
        )
    if row.q50 > 0:
        return Reason(
            f"预计 {_units(row.q50)}（{span}），已有 {there}，够",
            f"{_units(row.q50)} expected ({span}), {there} there: covered",
        )
    return Reason("预计没有订单", "nothing expected")


def _with_outside(row: Any, reason: Reason) -> Reason:
    """Return the sentence, with an outside estimate that lies beyond our range."""
    chinese, english = reason
    if pd.notna(row.outside_units) and not row.q10 <= row.outside_units <= row.q90:
        high = row.outside_units > row.q90
        chinese += f"；外部预估 {_units(row.outside_units)} {'高' if high else '低'}于我们的区间"
        english += f"; the outside estimate of {_units(row.outside_units)} is {'above' if high else 'below'} our range"
    return Reason(f"{chinese}。", f"{english[0].upper()}{english[1:]}.")


def chat_text(table: pd.DataFrame, warehouse_id: str, *, as_of: pd.Timestamp, timezone: str, most: int = 15) -> str:
    """Return the top-ups and the largest risks of a warehouse as text for a chat group, in Chinese.

    Each top-up names the last moment a supplier can still be asked. Of a table of changes only those are told.

    Parameters
    ----------
    most : int
        Top-ups that are named; the rest is counted.
    """
    own = table[table["warehouse_id"] == warehouse_id]
    buy = own[own["top_up_cases"] > 0]
    at = f"{as_of.tz_convert(timezone):%m-%d %H:%M}"
    since = "较上次有变化的商品中，" if "change_yuan" in own else ""
    head = f"【{warehouse_id}】截至 {at}：{since}建议补货 {len(buy)} 个商品，共 {buy['top_up_cases'].sum():.0f} 箱"
    lines = [f"{head}；风险金额合计 {own['at_stake_yuan'].sum():.0f} 元"]
    slots = buy["late_slot"].dt.tz_convert(timezone)
    rows = zip(buy.head(most).itertuples(index=False), slots, strict=False)
    lines += [f"{rank}. {_top_up(row, slot)}" for rank, (row, slot) in enumerate(rows, start=1)]
    if len(buy) > most:
        lines.append(f"……另有 {len(buy) - most} 个")
    short = own[own["expected_short"] >= 0.5].head(5)
    if len(short):
        told = [f"{row.name} {row.expected_short:.0f} 件（{row.short_yuan:.0f} 元）" for row in short.itertuples()]
        lines.append("可能缺货：" + "，".join(told))
    return "\n".join(lines)


def _top_up(row: Any, slot: pd.Timestamp) -> str:
    """Return one top-up: cases, what is ordered and expected, and until when a supplier can be asked."""
    last = "" if pd.isna(slot) else f"，最晚 {slot:%H:%M} 下单"
    theirs = "" if pd.isna(row.outside_units) else f"，外部预估 {_units(row.outside_units)}"
    still = f"，预计 {_units(row.q50)}（{_units(row.q10)}–{_units(row.q90)}）" if row.q90 - row.q10 >= _CERTAIN else ""
    return (
        f"{row.name} {row.sku_id}：补 {row.top_up_cases:.0f} 箱（{_units(row.top_up_units)} 件），"
        f"已下单 {_units(row.confirmed)}{still}{theirs}{last}"
    )


def _units(units: float) -> str:
    return f"{units:.0f}"
