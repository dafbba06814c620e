"""Shortage notices: what a leader is told before the van leaves."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Allotments
from contracts.reference import Communities, Skus
from optimize.sorting.papers.words import Language, number

HEADS: dict[Language, str] = {
    "zh": "【缺货通知】{}：以下商品到货不足，差额将退款。",
    "en": "Shortage notice for {}: these goods fall short and are refunded.",
}


def shortage_notices(
    allotments: DataFrame[Allotments],
    *,
    communities: DataFrame[Communities],
    skus: DataFrame[Skus],
    language: Language = "zh",
) -> pd.DataFrame:
    """Return one row per community that misses goods: ``community_id``, ``leader_id``, ``skus``, ``units``, ``text``.

    Goods are named largest shortage first; the text can be sent to the chat as it is.
    """
    short = allotments[allotments["short_units"] > 1e-9].merge(
        skus[["sku_id", "name", "unit"]], on="sku_id", how="left", validate="many_to_one"
    )
    short = short.sort_values(["community_id", "short_units", "sku_id"], ascending=[True, False, True])
    facts = short[["name", "ordered_units", "allotted_units"]].to_dict("records")
    said = [_line(row["name"], row["ordered_units"], row["allotted_units"], language) for row in facts]
    grouped = short.assign(line=said).groupby("community_id")
    table = pd.DataFrame(
        {"skus": grouped.size(), "units": grouped["short_units"].sum(), "lines": grouped["line"].agg("\n".join)}
    ).reset_index()
    table = table.merge(communities[["community_id", "name", "leader_id"]], on="community_id", how="left")
    head = (
        "【缺货通知】{}：以下商品到货不足，差额将退款。"
        if language == "zh"
        else "Shortage notice for {}: refunds follow."
    )
    table["text"] = [
        head.format(name) + "\n" + lines for name, lines in zip(table["name"], table["lines"], strict=True)
    ]
    return table[["community_id", "leader_id", "skus", "units", "text"]]


def _line(name: str, ordered: float, given: float, language: Language) -> str:
    if language == "zh":
        return f"{name}：订{number(ordered)}，到{number(given)}，缺{number(ordered - given)}"
    return f"{name}: ordered {number(ordered)}, coming {number(given)}, short {number(ordered - given)}"
