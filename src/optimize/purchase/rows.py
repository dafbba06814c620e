"""Rows of a table as named tuples, for the few places that read tables line by line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd


def rows_of(table: pd.DataFrame) -> Iterable[Any]:
    """Return the rows as named tuples; a column's type is known to its contract, not to the type checker."""
    return table.itertuples()
