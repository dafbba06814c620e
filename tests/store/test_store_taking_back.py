"""Cancellations that come in a later file than their order: matched like within one file, once, and counted."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contracts.settings import StorageSettings
from store import Mapping, Store, order_owners

HEADER = "order_id,at,customer,sku_id,n"
ORDER, OTHER = "1,2026-03-01 10:00,ann,apple,10", "2,2026-03-01 11:00,ann,apple,4"


def mapping(*match: str) -> Mapping:
    """Return a mapping whose cancellations share these columns with their orders."""
    return Mapping.model_validate(
        {
            "columns": {"placed_at": "at", "quantity": "n", "community_id": "customer"},
            "constants": {"unit_price_yuan": 1.0},
            "derive": {"delivery_date": {"rule": "delivery_day", "cutoff": "23:00-1"}},
            "cancellations": {"order_id_matches": "^C", "match": list(match)},
        }
    )


FOREIGN, STORED = mapping("customer", "sku_id"), mapping("community_id", "sku_id")
"""A customer is no column of an order line, a community is."""


def csv(path: Path, *rows: str) -> Path:
    """Write a file of order rows."""
    path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    return path


def told(store: Store) -> list[tuple[object, ...]]:
    """Return every line of the store, parts of one line without their numbers."""
    lines = store.order_lines()
    shown = lines.assign(line_no=lines["line_no"] % 1_000_000)[["order_id", "line_no", "quantity", "cancelled_at"]]
    return sorted((o, n, q, str(at)) for o, n, q, at in shown.itertuples(index=False, name=None))


@pytest.mark.parametrize("rules", [FOREIGN, STORED], ids=["foreign column", "stored columns"])
def test_a_cancellation_in_a_later_file(store: Store, tmp_path: Path, rules: Mapping) -> None:
    """The latest fitting line of the store is split; sent again nothing changes, whatever file it comes in."""
    store.import_orders(csv(tmp_path / "a.csv", ORDER, OTHER), rules)
    later = csv(tmp_path / "b.csv", "C3,2026-03-01 12:00,ann,apple,3", "C4,2026-03-01 12:30,bob,apple,1")
    report = store.import_orders(later, rules)
    assert (report.rows_updated, report.rows_rejected, report.units_cancelled) == (1, 1, 3.0)
    assert report.failures["rule"].tolist() == [
        f"cancellation without an earlier order line of the same {rules.cancellations.match[0]} and sku_id, "  # type: ignore[union-attr]
        "in this file or in the store"
    ]
    assert "(-3) accepted (0 ordered - 3 taken back by cancellation rows) + (-1) rejected" in report.reconciliation
    lines = told(store)
    assert [line[:3] for line in lines] == [("1", 1, 10.0), ("2", 1, 1.0), ("2", 1, 3.0)]
    assert lines[2][3] == "2026-03-01 04:00:00+00:00"
    again = store.import_orders(later, rules)
    assert (again.rows_unchanged, again.rows_rejected, again.units_cancelled) == (1, 1, 3.0)
    longer = csv(tmp_path / "c.csv", ORDER, OTHER, "C3,2026-03-01 12:00,ann,apple,3")
    assert (store.import_orders(longer, rules).rows_unchanged, told(store)) == (3, lines)
    assert (store.import_orders(tmp_path / "a.csv", rules).rows_unchanged, told(store)) == (2, lines)


def test_what_was_taken_back_in_one_file_counts_there(store: Store, tmp_path: Path) -> None:
    """A cancellation matched within its file, and sent again without the order, takes nothing from another line."""
    store.import_orders(csv(tmp_path / "a.csv", ORDER, OTHER, "C3,2026-03-01 12:00,ann,apple,4"), FOREIGN)
    lines = told(store)
    report = store.import_orders(csv(tmp_path / "b.csv", "C3,2026-03-01 12:00,ann,apple,4"), FOREIGN)
    assert (report.rows_unchanged, told(store)) == (1, lines)


def test_a_cancellation_stays_with_the_line_it_was_matched_to(store: Store, tmp_path: Path) -> None:
    """An order that comes late and would have fitted better does not draw the cancellation over."""
    store.import_orders(csv(tmp_path / "a.csv", ORDER), FOREIGN)
    cancel = "C3,2026-03-01 12:00,ann,apple,3"
    store.import_orders(csv(tmp_path / "b.csv", cancel), FOREIGN)
    report = store.import_orders(csv(tmp_path / "c.csv", ORDER, OTHER, cancel), FOREIGN)
    assert (report.rows_new, report.rows_unchanged, report.rows_rejected) == (1, 2, 0)
    assert [line[:3] for line in told(store)] == [("1", 1, 3.0), ("1", 1, 7.0), ("2", 1, 4.0)]


def test_two_rows_that_say_the_same_are_two(store: Store, tmp_path: Path) -> None:
    """The same cancellation twice in one file takes twice, and both are known when the file comes again."""
    store.import_orders(csv(tmp_path / "a.csv", ORDER), FOREIGN)
    twice = csv(tmp_path / "b.csv", *["C3,2026-03-01 12:00,ann,apple,3"] * 2)
    assert store.import_orders(twice, FOREIGN).rows_updated == 2
    assert store.import_orders(twice, FOREIGN).rows_unchanged == 2
    assert [line[2] for line in told(store)] == [3.0, 3.0, 4.0]


def test_a_line_of_the_api_is_taken_back_by_a_file(store: Store, tmp_path: Path) -> None:
    """Where all shared columns are stored it does not matter how the order came in."""
    line = {"order_id": ["x"], "line_no": [7], "placed_at": ["2026-03-01T02:00:00Z"], "delivery_date": ["2026-03-02"]}
    more = {"community_id": ["ann"], "sku_id": ["apple"], "quantity": [5.0], "unit_price_yuan": [1.0]}
    store.add_order_lines(pd.DataFrame(line | more))
    report = store.import_orders(csv(tmp_path / "b.csv", "C3,2026-03-01 12:00,ann,apple,5"), STORED)
    assert (report.rows_updated, told(store)) == (1, [("x", 7, 5.0, "2026-03-01 04:00:00+00:00")])


@pytest.mark.parametrize("seed", range(4))
def test_pieces_of_a_file_give_what_the_whole_gives(
    store: Store, tmp_path: Path, seed: int, database_url: Callable[[Path], str]
) -> None:
    """Cut anywhere in time: the same lines, the same rejected rows; and the whole after its pieces changes nothing."""
    rng, rows = np.random.default_rng(seed), []
    for place in range(60):
        at = pd.Timestamp("2026-03-01") + pd.Timedelta(hours=place)
        cancel = rng.random() < 0.4
        who, what, units = rng.choice(["ann", "bob"]), rng.choice(["apple", "rice"]), int(rng.integers(1, 6))
        rows.append(f"{'C' if cancel else ''}{place},{at:%Y-%m-%d %H:%M},{who},{what},{units}")
    cuts = [0, *sorted(rng.choice(np.arange(1, 60), 3, replace=False)), 60]
    rules, rejected = (FOREIGN, STORED)[seed % 2], 0
    for number, (start, end) in enumerate(pairwise(cuts)):
        report = store.import_orders(csv(tmp_path / f"{number}.csv", *rows[start:end]), rules)
        rejected += report.rows_rejected
    pieces = told(store)
    whole = csv(tmp_path / "whole.csv", *rows)
    after = store.import_orders(whole, rules)
    assert (after.rows_new, after.rows_updated, after.rows_rejected, told(store)) == (0, 0, rejected, pieces)
    folder = tmp_path / "other"
    other = Store.open(StorageSettings(url=database_url(folder), history=folder / "history"))
    assert other.import_orders(whole, rules).rows_rejected == rejected
    assert told(other) == pieces
    other.close()


def test_examples_hold() -> None:
    """Doctests of the module."""
    assert doctest.testmod(order_owners).failed == 0
