"""The risk table on paper: a workbook with a sheet per warehouse, and the text for each warehouse's chat group."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.filenames import file_names, sheet_name
from pipeline.risk import YUAN_COLUMNS
from pipeline.risk_words import chat_text
from store import export_tables

_UNITS = ("confirmed", "q10", "q50", "q90", "outside_units", "expected_short", "expected_surplus")


def write_risk(table: pd.DataFrame, folder: Path, *, as_of: pd.Timestamp, timezone: str) -> list[Path]:
    """Write ``risk.xlsx`` (all rows, then a sheet per warehouse) and ``chat/WAREHOUSE.txt``; return the files.

    Units are shown to a tenth, money to the fen; the most money stands first on every sheet.
    """
    sheets = risk_sheets(table)
    written = [export_tables(sheets, folder / "risk.xlsx", headers="both", timezone=timezone)]
    for warehouse, name in file_names(sorted(table["warehouse_id"].unique())).items():
        text = folder / "chat" / f"{name}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(chat_text(table, warehouse, as_of=as_of, timezone=timezone) + "\n", encoding="utf-8")
        written.append(text)
    return written


def risk_sheets(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the sheets of the workbook: all warehouses, then each one."""
    digits = {**dict.fromkeys(_UNITS, 1), **{name: 2 for name in YUAN_COLUMNS if name in table}}
    shown = table.round(digits)
    if "outside_units" in shown and shown["outside_units"].isna().all():
        shown = shown.drop(columns="outside_units")
    sheets = {"全部 all": shown}
    for warehouse, rows in shown.groupby("warehouse_id"):
        sheets[sheet_name(f"仓 {warehouse}")] = rows.drop(columns="warehouse_id")
    return sheets


def risk_brief(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns a terminal has room for; the expected units as one text, ``41 (30–55)``."""
    spans = zip(table["q50"], table["q10"], table["q90"], strict=True)
    brief = table.assign(expected=[f"{q50:.0f} ({q10:.0f}–{q90:.0f})" for q50, q10, q90 in spans])
    wanted = ["warehouse_id", "sku_id", "confirmed", "expected"]
    wanted += ["outside_units"] if table["outside_units"].notna().any() else []
    wanted += ["at_stake_yuan", *(["change_yuan"] if "change_yuan" in table else []), "top_up_cases", "late_slot"]
    return brief[[*wanted, "reason_zh"]]
