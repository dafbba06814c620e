"""Which rows a mapping's reject rules meet."""

from __future__ import annotations

from typing import Any

import pandas as pd

from store.derive import Lookup, plain_text
from store.mapping import Condition, Reject


def rejected_rows(rules: tuple[Reject, ...], column: Lookup, rows: pd.Index) -> pd.DataFrame:
    """Return the failure rows of the reject rules; a row is rejected by the first rule it meets."""
    found: list[pd.DataFrame] = []
    left = pd.Series(True, index=rows)
    for rule in rules:
        met = left.copy()
        for condition in rule.when:
            met &= _holds(condition, column(condition.column))
        hit = met.index[met.to_numpy()]
        left &= ~met
        shown = column(rule.when[0].column).loc[hit].astype(str).str.slice(0, 500)
        found.append(
            pd.DataFrame(
                {
                    "row": hit.to_numpy("int64"),
                    "column": pd.Series([rule.when[0].column] * len(hit), dtype="str"),
                    "rule": pd.Series([rule.reason] * len(hit), dtype="str"),
                    "value": pd.Series(shown.to_numpy(), dtype="str"),
                }
            )
        )
    return pd.concat(found) if found else pd.DataFrame(columns=["row", "column", "rule", "value"])


def _holds(condition: Condition, cells: pd.Series[Any]) -> pd.Series[bool]:
    text = plain_text(cells)
    met = pd.Series(True, index=cells.index)
    if condition.missing is not None:
        met &= (text.isna() | (text.str.strip() == "")) == condition.missing
    if condition.matches is not None:
        met &= _by_value(text, lambda words: words.str.fullmatch(condition.matches))
    if isinstance(condition.equals, str):
        met &= text == condition.equals
    if not isinstance(condition.equals, str) and condition.equals is not None:
        met &= pd.to_numeric(cells, errors="coerce") == condition.equals
    if condition.below is not None:
        met &= pd.to_numeric(cells, errors="coerce") < condition.below
    if condition.above is not None:
        met &= pd.to_numeric(cells, errors="coerce") > condition.above
    return met.fillna(False).astype(bool)


def _by_value(text: pd.Series[Any], test: Any) -> pd.Series[bool]:
    """Return a test's answer per row, asked once per different text."""
    words = pd.Series(text.dropna().unique(), dtype="str")
    answer = dict(zip(words, test(words).fillna(False), strict=True))
    return text.map(answer).fillna(False).astype(bool)
