"""Tables for people: CSV, XLSX or Parquet files in which no cell can act as a formula.

Text that a spreadsheet would run (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break, and is no number)
gets a leading apostrophe in CSV and is written as a string in XLSX. Parquet keeps every value as it is.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from contracts.errors import InputError
from store.aliases import ALIASES
from store.disk import storing
from store.parquet import parquet_bytes, sync_directory

ExportKind = Literal["csv", "xlsx", "parquet"]
Headers = Literal["names", "both"]

_RUNS = re.compile(r"^\s*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"^\s*[+-]?\d+(\.\d+)?\s*$")
_MOST_ROWS, _LONGEST_CELL = 1_048_576, 32_767  # limits of the XLSX format
_PLANNED = {
    "cases": "箱数",
    "units": "件数",
    "amount_yuan": "金额",
    "reason": "原因",
    "locked": "已锁定",
    "wave": "波次",
    "station": "播种台",
    "slot": "格口",
    "destination_id": "去向",
    "starts_at": "开始",
    "ends_at": "结束",
    "workers": "人数",
    "route_id": "线路",
    "trip": "趟次",
    "seq": "顺序",
    "arrive_at": "到达",
    "depart_at": "离开",
    "load_kg": "载重",
    "load_l": "体积",
    "late_minutes": "晚到分钟",
    "wait_minutes": "等待分钟",
    "confirmed": "已下单",
    "final_mean": "预计总量",
    "short_units": "缺货",
    "allotted_units": "分到",
    "ordered_units": "订购",
    "sent": "已发采购单",
    "sent_cases": "其中已发箱数",
    "q10": "低估（十天一天更低）",
    "q50": "中位预计",
    "q90": "高估（十天一天更高）",
    "outside_units": "外部预估",
    "expected_short": "预计缺货件数",
    "expected_surplus": "预计剩余件数",
    "short_yuan": "缺货损失元",
    "surplus_yuan": "剩货损失元",
    "at_stake_yuan": "风险金额元",
    "change_yuan": "较上次变化元",
    "change": "变更",
    "cases_before": "原箱数",
    "cases_after": "现箱数",
    "units_before": "原件数",
    "units_after": "现件数",
    "yuan_before": "原金额",
    "yuan_after": "现金额",
    "extra_yuan": "金额差",
    "top_up_cases": "建议补货箱数",
    "top_up_units": "建议补货件数",
    "late_slot": "最晚下单时间",
    "reason_zh": "说明",
}


def export_table(
    frame: pd.DataFrame,
    path: Path | str,
    *,
    headers: Headers = "names",
    timezone: str | None = None,
) -> Path:
    """Write a table to a CSV, XLSX or Parquet file, by the end of its name; the file is complete or not there.

    Parameters
    ----------
    headers : {"names", "both"}
        ``both`` writes 商品编码 sku_id. Such a file can be imported again: the names are found by the aliases.
    timezone : str, optional
        Zone in which instants are shown; default UTC. XLSX cells have no zone, so its wall times are written there.

    Raises
    ------
    InputError
        The name ends otherwise, or the table does not fit the format.
    StorageFullError
        The disk is full; nothing is left at `path`.
    """
    return export_tables({"Sheet1": frame}, path, headers=headers, timezone=timezone)


def export_tables(
    tables: Mapping[str, pd.DataFrame],
    path: Path | str,
    *,
    headers: Headers = "names",
    timezone: str | None = None,
) -> Path:
    """Write tables to one file: a workbook takes several, one per sheet, CSV and Parquet one. See `export_table`."""
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("csv", "xlsx", "parquet"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'!r}; tables are written to .csv, .xlsx or .parquet.")
    data = table_bytes(tables, kind, headers=headers, timezone=timezone)  # type: ignore[arg-type]
    unfinished = path.with_name(f".{path.name}.part")
    with storing(path, clean=unfinished):
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        sync_directory(path.parent)
    return path


def table_bytes(
    tables: Mapping[str, pd.DataFrame],
    kind: ExportKind,
    *,
    headers: Headers = "names",
    timezone: str | None = None,
) -> bytes:
    """Return the bytes of an export, as `export_tables` writes them; the same tables give the same bytes."""
    if kind != "xlsx" and len(tables) != 1:
        raise InputError(f"{kind} holds one table; {len(tables)} came. Write a workbook (.xlsx) or one file each.")
    shown = {name: _shown(frame, headers, timezone) for name, frame in tables.items()}
    if kind == "xlsx":
        return _workbook(shown)
    (frame,) = shown.values()
    if kind == "parquet":
        return parquet_bytes(frame)
    safe = frame.rename(columns=_harmless)
    for name in safe.columns:
        if _is_text(safe[name]):
            safe[name] = safe[name].map(_harmless, na_action="ignore")
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")  # the mark makes Excel read UTF-8


def chinese_name(column: str) -> str | None:
    """Return the Chinese name of a column, or None.

    Examples
    --------
    >>> chinese_name("sku_id"), chinese_name("amount_yuan"), chinese_name("q05")
    ('商品编码', '金额', None)
    """
    names = [alias for alias in ALIASES.get(column, ()) if not alias.isascii()]
    return _PLANNED.get(column) or (names[0] if names else None)


def _shown(frame: pd.DataFrame, headers: Headers, timezone: str | None) -> pd.DataFrame:
    table = frame.copy()
    for name in table.columns:
        if isinstance(table[name].dtype, pd.DatetimeTZDtype):
            table[name] = table[name].dt.tz_convert(timezone or "UTC")
    if headers == "both":
        table = table.rename(columns=lambda name: f"{chinese_name(name)} {name}" if chinese_name(name) else name)
    return table


def _is_text(column: pd.Series[Any]) -> bool:
    return column.dtype == object or isinstance(column.dtype, (pd.StringDtype, pd.CategoricalDtype))


def _harmless(cell: object) -> object:
    """Return text that a spreadsheet shows and does not run.

    Examples
    --------
    >>> _harmless("=1+1"), _harmless("-5"), _harmless("苹果")
    ("'=1+1", '-5', '苹果')
    """
    runs = isinstance(cell, str) and _RUNS.match(cell) and not _NUMBER.match(cell)
    return f"'{cell}" if runs else cell


def _workbook(tables: Mapping[str, pd.DataFrame]) -> bytes:
    import xlsxwriter  # with the first workbook, so that a service is up sooner

    sink = io.BytesIO()
    book = xlsxwriter.Workbook(
        sink, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"created": datetime(2000, 1, 1)})  # the moment of writing would make every file another
    bold = book.add_format({"bold": True, "bottom": 1})
    day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for name, frame in tables.items():
        if len(frame) >= _MOST_ROWS:
            raise InputError(f"{name} has {len(frame):,} rows; a sheet holds {_MOST_ROWS - 1:,}. Write CSV or Parquet.")
        sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", name)[:31])
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(frame.columns):
            sheet.write_string(0, place, str(column), bold)
            sheet.set_column(place, place, min(max(len(str(column).encode()) + 2, 10), 40))
            form = moment if isinstance(frame[column].dtype, pd.DatetimeTZDtype) else day
            for row, cell in enumerate(frame[column].tolist(), start=1):
                _write_cell(sheet, row, place, cell, form)
    book.close()
    return sink.getvalue()


def _write_cell(sheet: Any, row: int, place: int, cell: Any, time_format: Any) -> None:
    if isinstance(cell, str):
        if len(cell) > _LONGEST_CELL:
            raise InputError(
                f"A cell of {len(cell):,} characters does not fit a sheet ({_LONGEST_CELL:,} are the most)."
            )
        sheet.write_string(row, place, cell)
    elif pd.isna(cell):
        sheet.write_blank(row, place, None)
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, place, cell.replace(tzinfo=None), time_format)
    elif isinstance(cell, bool):
        sheet.write_boolean(row, place, cell)
    elif isinstance(cell, (int, float)):
        sheet.write_number(row, place, cell)
    else:
        sheet.write_string(row, place, str(cell))
