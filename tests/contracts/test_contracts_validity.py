"""Rows that hold for some dates only: what holds on a date, and which rows may not stand beside each other."""

from __future__ import annotations

import doctest
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contracts.validity
from contracts.errors import ContractError
from contracts.reference import Listings, SpendRebates
from contracts.validity import dated, overlapping, rows_on
from contracts.world import REFERENCE_TABLES

FIRST = date(2026, 3, 1)
Row = tuple[str, int | None, int | None]
"""Supplier, day it holds from and day it holds until, both counted from `FIRST`."""
DAYS = st.none() | st.integers(0, 9)
ROWS = st.lists(st.tuples(st.sampled_from(["S1", "S2"]), DAYS, DAYS), max_size=8, unique_by=lambda row: row[:2]).map(
    lambda rows: [row for row in rows if row[1] is None or row[2] is None or row[1] <= row[2]]
)


def frame(rows: list[Row], *, rate: float = 0.0) -> pd.DataFrame:
    """Build rebate rows, each known by its rate."""
    day = lambda n: None if n is None else FIRST + timedelta(days=n)  # noqa: E731
    table = [(s, 10.0, rate + (place + 1) / 100, day(a), day(b)) for place, (s, a, b) in enumerate(rows)]
    columns = ["supplier_id", "from_yuan", "rebate_rate", "valid_from", "valid_until"]
    return dated(SpendRebates).check(pd.DataFrame(table, columns=columns))


def holding(rows: list[Row], supplier: str, day: int) -> int | None:
    """Return which row holds, by the rule's own words: one that ends before one that stands, then the later start."""
    fits = [
        (until is not None, -1 if start is None else start, place)
        for place, (name, start, until) in enumerate(rows)
        if name == supplier and (start is None or start <= day) and (until is None or day <= until)
    ]
    return max(fits)[2] if fits else None


def clashes(one: Row, other: Row) -> bool:
    """Whether two rows of a key both end and share a day."""
    if one[0] != other[0] or one[2] is None or other[2] is None:
        return False
    start, other_start = (-1 if row[1] is None else row[1] for row in (one, other))
    return start <= other[2] and other_start <= one[2]


@settings(deadline=None, max_examples=80)
@given(ROWS, st.integers(-1, 11))
def test_the_row_that_holds_is_the_rules_own(rows: list[Row], day: int) -> None:
    """At most one row per key holds, the one a plain loop finds; the columns are the contract's."""
    apart = [row for place, row in enumerate(rows) if not any(clashes(row, other) for other in rows[:place])]
    found = rows_on(frame(apart), SpendRebates, FIRST + timedelta(days=day))
    assert list(found.columns) == list(SpendRebates.column_names())
    wanted = {s: place for s in ("S1", "S2") if (place := holding(apart, s, day)) is not None}
    assert {
        s: round(rate * 100) - 1 for s, rate in zip(found["supplier_id"], found["rebate_rate"], strict=True)
    } == wanted
    standing = rows_on(frame(apart), SpendRebates, FIRST + timedelta(days=day), standing=True)
    assert set(standing["supplier_id"]) == {row[0] for row in apart}
    assert (
        wanted.items()
        <= {
            s: round(rate * 100) - 1 for s, rate in zip(standing["supplier_id"], standing["rebate_rate"], strict=True)
        }.items()
    )


@settings(deadline=None, max_examples=80)
@given(ROWS, ROWS)
def test_what_is_left_after_the_overlaps_are_out_overlaps_nowhere(held: list[Row], coming: list[Row]) -> None:
    """Rejected rows are of the coming ones only, each for a cause; what stays has no two rows on one day."""
    held = [row for place, row in enumerate(held) if not any(clashes(row, other) for other in held[:place])]
    there, ours = frame(held), frame(coming, rate=0.5)
    broken = overlapping(there, ours, SpendRebates)
    assert set(broken.index) <= set(ours.index)
    kept = [row for place, row in enumerate(coming) if place not in broken.index]
    stays = [row for row in held if row[:2] not in {one[:2] for one in kept}]
    together = [*stays, *kept]
    assert not any(clashes(a, b) for place, a in enumerate(together) for b in together[:place])
    every = [*held, *coming]
    for place in broken.index:
        assert any(clashes(coming[place], other) for other in every if other is not coming[place])
        assert "overlaps the row that holds" in broken[place]


def test_a_row_that_ends_before_it_starts_is_refused() -> None:
    """The rule and the row's key are named."""
    with pytest.raises(ContractError, match="valid_from at most valid_until"):
        frame([("S1", 5, 4)])


def test_tables_with_a_date_of_their_own_are_not_dated() -> None:
    """Listings, estimates and thresholds are by delivery date, the calendar and local events by day."""
    own = {name for name, contract in REFERENCE_TABLES.items() if dated(contract) is contract}
    assert own == {"listings", "calendar", "area_events", "outside_estimates", "group_thresholds"}
    assert dated(Listings) is Listings


def test_places_and_goods_keep_the_nearest_row() -> None:
    """Where no row holds, one that ended is kept before one that has not begun."""
    rows = frame([("S1", None, 2), ("S1", 6, None), ("S2", 6, None)])
    found = rows_on(rows, SpendRebates, FIRST + timedelta(days=4), standing=True)
    assert found["rebate_rate"].tolist() == [0.01, 0.03]


def test_examples_hold() -> None:
    """Doctests of the module."""
    assert doctest.testmod(contracts.validity).failed == 0


def test_rules_keep_their_names_in_both_contracts() -> None:
    """A contract built on another names its rules as the other does, whichever is read first."""
    for contract in REFERENCE_TABLES.values():
        if dated(contract) is not contract:
            own, with_dates = ([check.name for check in c.to_schema().checks] for c in (contract, dated(contract)))
            assert sorted(with_dates) == sorted([*own, "valid_from at most valid_until"])
            assert not [name for name in own if str(name).startswith("_")]
