"""The short way over clean columns answers as the long way does, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.cells import kind_of, read_column
from contracts.describe import PAGES, contract_tables
from contracts.flow import OrderLines
from contracts.plain import as_it_is, keeps

COLUMNS = {
    f"{kind_of(column)} {column.nullable}": column
    for _, module in PAGES
    for table in contract_tables(module)
    for column in table.to_schema().columns.values()
}
"""One contract column of each kind, with and without nulls."""
TEXTS = st.one_of(
    st.none(), st.sampled_from(["", " ", "\t\n", "　", "\u200b", "a", " a", "苹果", "1"]), st.text(max_size=3)
)
NUMBERS = st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.0, 2.5]))
TIMES = st.one_of(
    st.none(),
    st.sampled_from([0, 1, 86_400_000_000, 10**16, -(10**17), 2**62, -(2**62)]),
    st.integers(-(2**63) + 1, 2**63 - 1),
)
CELLS = st.one_of(
    st.lists(TEXTS, max_size=5).map(lambda cells: pd.Series(cells, dtype="str")),
    st.lists(TEXTS, max_size=5).map(lambda cells: pd.Series(cells, dtype=object)),
    st.lists(NUMBERS, max_size=5).map(lambda cells: pd.Series(cells, dtype="float64")),
    st.lists(st.integers(-5, 5), max_size=5).map(lambda cells: pd.Series(cells, dtype="int64")),
    st.lists(st.booleans(), max_size=5).map(lambda cells: pd.Series(cells, dtype="bool")),
    st.lists(TIMES, max_size=5).map(lambda cells: pd.Series(cells, dtype="Int64").astype("datetime64[us]")),
    st.lists(TIMES, max_size=5).map(
        lambda cells: pd.Series(cells, dtype="Int64").astype("datetime64[us]").dt.tz_localize("UTC")
    ),
)


@settings(deadline=None, max_examples=150)
@given(raw=CELLS, which=st.sampled_from(sorted(COLUMNS)))
def test_a_column_taken_as_it_is_is_what_the_strict_reading_gives(raw: pd.Series[Any], which: str) -> None:
    """Where the short way takes a column, the long way finds nothing wrong and reads the same cells."""
    column = COLUMNS[which]
    taken = as_it_is(raw, kind_of(column), nullable=column.nullable)
    if taken is not None:
        read, wrong, _ = read_column(raw, column)
        assert not wrong.any()
        pd.testing.assert_series_equal(taken, read, check_names=False)


@pytest.mark.parametrize("which", sorted(COLUMNS))
def test_the_usual_column_is_taken(which: str) -> None:
    """Clean cells in the contract's dtype go the short way: otherwise it would be of no use."""
    kind = which.split()[0]
    day = pd.Timestamp("2026-03-01").as_unit("us")
    usual = {"text": "S1", "number": 2.5, "whole": 3, "flag": True, "day": day, "instant": day.tz_localize("UTC")}
    raw = pd.Series([usual[kind]] * 2)
    assert as_it_is(raw, kind, nullable=False) is not None


RULES = [
    pa.Check.gt(0),
    pa.Check.ge(0),
    pa.Check.le(2.5),
    pa.Check.isin(["a", "苹果"]),
    pa.Check.str_length(min_value=1),
    pa.Check.str_length(max_value=1),
    pa.Check.str_matches("^a"),
]


@settings(deadline=None, max_examples=100)
@given(
    column=st.one_of(
        st.lists(TEXTS, max_size=5).map(lambda cells: pd.Series(cells, dtype="str")),
        st.lists(NUMBERS, max_size=5).map(lambda cells: pd.Series(cells, dtype="float64")),
        st.lists(st.integers(-5, 5), max_size=5).map(lambda cells: pd.Series(cells, dtype="int64")),
    ),
    rule=st.sampled_from(RULES),
)
def test_a_rule_is_kept_when_pandera_says_so(column: pd.Series[Any], rule: Any) -> None:
    """Limits, vocabularies and lengths worked out here are pandera's, null by null."""
    if (column.dtype.kind in "if") == (rule.name in ("isin", "str_length", "str_matches")):
        return
    assert keeps(column, rule) == bool(rule(column).check_passed)


def test_a_table_taken_as_it_is_is_still_a_copy() -> None:
    """What a caller does to the checked table does not reach the table it came from."""
    day = pd.Timestamp("2026-03-02").as_unit("us")
    line = {"order_id": "o", "line_no": 1, "placed_at": day.tz_localize("UTC"), "delivery_date": day}
    given = pd.DataFrame([{**line, "community_id": "c", "sku_id": "k", "quantity": 2.0, "unit_price_yuan": 4.5}])
    before = given.copy(deep=True)
    checked = OrderLines.check(given)
    checked.loc[0, "quantity"] = 9.0
    checked["line_no"] += 1
    pd.testing.assert_frame_equal(given, before)
    empty = OrderLines.empty()
    empty["note"] = np.nan
    assert "note" not in OrderLines.empty()
