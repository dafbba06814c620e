"""What changed in a reference table, by whatever way: rows by key, before and after, for the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from contracts.validity import dated, has_dates
from contracts.world import REFERENCE_TABLES
from store import ImportReport
from store.database.schema import WIDE_TABLES

ROWS, FILE, REMOVED = "bring in reference rows", "import reference file", "remove reference row"
"""What the audit log calls changes of reference data."""
MOST_SHOWN = 200
"""Changed rows an audit entry carries; larger imports are told by their counts and the import's own rows."""


def noting_changes(
    table: str, *, read: Callable[[str], pd.DataFrame], change: Callable[[], ImportReport]
) -> tuple[ImportReport, dict[str, Any]]:
    """Run an import and return its books with which rows it changed; wide tables are told by their counts only."""
    if table in WIDE_TABLES:
        report = change()
        return report, {"new": report.rows_new, "changed": report.rows_updated, "gone": 0, "changes": []}
    before = read(table)
    report = change()
    return report, table_changes(table, before, read(table))


def table_changes(table: str, before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """Return what changed in a table, as the audit log keeps it."""
    contract = REFERENCE_TABLES[table]
    if not (has_dates(before) or has_dates(after)):  # most tables have no dated rows: their keys stay short
        before, after = before[list(contract.column_names())], after[list(contract.column_names())]
        found = row_changes(before, after, contract.key())
    else:
        found = row_changes(before, after, dated(contract).key())
    return {**{name: found[name] for name in ("new", "changed", "gone")}, "changes": found["rows"]}


def row_changes(before: pd.DataFrame, after: pd.DataFrame, key: tuple[str, ...]) -> dict[str, Any]:
    """Return how many rows are new, changed and gone, and the first of them with what they were and are.

    Examples
    --------
    >>> old = pd.DataFrame({"sku_id": ["K1", "K2"], "unit": ["kg", "kg"]})
    >>> new = pd.DataFrame({"sku_id": ["K1", "K3"], "unit": ["bag", "kg"]})
    >>> found = row_changes(old, new, ("sku_id",))
    >>> found["new"], found["changed"], found["gone"]
    (1, 1, 1)
    >>> found["rows"][0]
    {'key': {'sku_id': 'K1'}, 'before': {'unit': 'kg'}, 'after': {'unit': 'bag'}}
    """
    names, keys = list(after.columns), list(key)
    both = before.merge(after, on=keys, how="outer", suffixes=("_before", "_after"), indicator=True)
    values = [name for name in names if name not in keys]
    differs = pd.Series(False, index=both.index)
    for name in values:
        one, other = both[f"{name}_before"], both[f"{name}_after"]
        differs |= ~((one == other) | (one.isna() & other.isna())).fillna(False).astype(bool)
    kinds = both["_merge"].astype("str").map({"left_only": "gone", "right_only": "new", "both": "changed"})
    moved = both[(kinds != "changed") | differs]
    counts = kinds[moved.index].value_counts()
    rows = []
    for place in moved.index[:MOST_SHOWN]:
        row, kind = moved.loc[place], kinds[place]
        pairs = {name: (_plain(row[f"{name}_before"]), _plain(row[f"{name}_after"])) for name in values}
        told = {name: pair for name, pair in pairs.items() if kind != "changed" or pair[0] != pair[1]}
        rows.append(
            {
                "key": {name: _plain(row[name]) for name in keys},
                "before": None if kind == "new" else {name: pair[0] for name, pair in told.items()},
                "after": None if kind == "gone" else {name: pair[1] for name, pair in told.items()},
            }
        )
    return {kind: int(counts.get(kind, 0)) for kind in ("new", "changed", "gone")} | {"rows": rows}


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
