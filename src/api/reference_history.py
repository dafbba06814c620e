"""What changed in a reference table: rows by key, before and after, for the audit log."""

from __future__ import annotations

from typing import Any

import pandas as pd

MOST_SHOWN = 200
"""Changed rows an audit entry carries; larger imports are told by their counts and the import's own rows."""


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
