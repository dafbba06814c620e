"""Cancellations: matched to the latest fitting line as a plain loop would, units conserved, leftovers reported."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Mapping, Store
from store.cancellations import PART_STEP, match_cancellations, split_lines

MAPPING = Mapping.model_validate(
    {
        "columns": {"placed_at": "at", "quantity": "n"},
        "constants": {"community_id": "C1", "unit_price_yuan": 1.0},
        "cancellations": {"order_id_matches": "^C", "negative_quantity": True, "match": ["customer", "sku_id"]},
    }
)


def _orders(rows: list[tuple[int, int, float]]) -> pd.DataFrame:
    """Build lines from (minute, customer, quantity)."""
    start = pd.Timestamp("2026-03-01", tz="UTC")
    return pd.DataFrame(
        {
            "order_id": [f"O{i}" for i in range(len(rows))],
            "line_no": 1,
            "placed_at": pd.Series([start + pd.Timedelta(minutes=m) for m, _, _ in rows], dtype="datetime64[us, UTC]"),
            "customer": [str(c) for _, c, _ in rows],
            "quantity": [q for _, _, q in rows],
            "cancelled_at": pd.Series([pd.NaT] * len(rows), dtype="datetime64[us, UTC]"),
        }
    )


def _slow(orders: pd.DataFrame, cancels: pd.DataFrame) -> tuple[list[tuple[int, int]], list[int]]:
    """Match by the rule's own words, one cancellation at a time."""
    left = orders["quantity"].to_dict()
    pairs, lost = [], []
    for row, cancel in cancels.sort_values(["placed_at"], kind="stable").iterrows():
        fits = [
            (line["placed_at"], place)
            for place, line in orders.iterrows()
            if line["customer"] == cancel["customer"]
            and line["placed_at"] <= cancel["placed_at"]
            and left[place] >= cancel["quantity"]
        ]
        if fits:
            target = max(fits)[1]
            left[target] -= cancel["quantity"]
            pairs.append((row, target))
        else:
            lost.append(row)
    return pairs, lost


_ROWS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 2), st.integers(1, 5).map(float)), min_size=1, max_size=12
)


@settings(deadline=None, max_examples=60)
@given(_ROWS, _ROWS)
def test_matches_equal_a_plain_loop_and_conserve_units(
    ordered: list[tuple[int, int, float]], cancelled: list[tuple[int, int, float]]
) -> None:
    """The fast matching is the rule; after splitting, units and keys are what they were."""
    orders, cancels = _orders(ordered), _orders(cancelled)
    cancels.index = cancels.index + 1000
    matches, unmatched = match_cancellations(orders, cancels, ["customer"])
    pairs = list(zip(matches["cancel_row"], matches["order_row"], strict=True))
    assert (pairs, unmatched.tolist()) == _slow(orders, cancels)
    lines = split_lines(orders, matches)
    assert lines["quantity"].sum() == orders["quantity"].sum()
    assert (lines["quantity"] > 0).all()
    assert not lines.duplicated(["order_id", "line_no"]).any()
    gone = lines[lines["cancel_row"] >= 0]
    assert gone["quantity"].sum() == matches["quantity"].sum()
    assert (gone["cancelled_at"].notna()).all()


def _csv(path: Path, *rows: str) -> Path:
    path.write_text("order_id,at,customer,sku_id,n\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_cancellation_rows_of_a_file(store: Store, tmp_path: Path) -> None:
    """A partial one splits its line, a whole one marks it, one without an order is reported; the books balance."""
    path = _csv(
        tmp_path / "o.csv",
        "1,2026-03-01 10:00,ann,apple,10",
        "2,2026-03-01 11:00,ann,apple,4",
        "C3,2026-03-01 12:00,ann,apple,-3",
        "C4,2026-03-01 12:30,ann,apple,-10",
        "5,2026-03-01 12:40,ann,apple,-6",
        "C6,2026-03-01 12:50,bob,apple,-1",
        "C7,2026-03-01 12:50,,apple,-1",
    )
    report = store.import_orders(path, MAPPING)
    lines = store.order_lines().sort_values(["order_id", "line_no"])
    assert lines[["order_id", "line_no", "quantity"]].to_numpy().tolist() == [
        ["1", 1, 10.0],
        ["2", 1, 1.0],
        ["2", 1 + PART_STEP, 3.0],
    ]
    assert lines["cancelled_at"].notna().tolist() == [True, False, True]
    assert report.failures["row"].tolist() == [6, 7, 8]
    assert (
        "units in = 1 accepted (14 ordered - 13 taken back by cancellation rows) + (-8) rejected"
        in report.reconciliation
    )


def test_a_later_file_may_tell_of_more_cancellations(store: Store, tmp_path: Path) -> None:
    """A longer file updates lines cancelled since, in whole or in part; the shorter one changes nothing."""
    order = "1,2026-03-01 10:00,ann,apple,10"
    other = "2,2026-03-01 10:00,bob,apple,5"
    short = _csv(tmp_path / "monday.csv", order, other)
    longer = _csv(
        tmp_path / "tuesday.csv", order, other, "C1,2026-03-02 9:00,ann,apple,-4", "C2,2026-03-02 9:00,bob,apple,-5"
    )
    store.import_orders(short, MAPPING)
    report = store.import_orders(longer, MAPPING)
    assert (report.rows_updated, report.rows_new, report.rows_rejected) == (4, 0, 0)
    lines = store.order_lines()
    assert lines["quantity"].sum() == 15
    assert lines.loc[lines["cancelled_at"].isna(), "quantity"].sum() == 6
    assert store.import_orders(longer, MAPPING).rows_unchanged == 4
    again = store.import_orders(short, MAPPING)
    assert (again.rows_unchanged, again.rows_rejected) == (2, 0)
    assert any("stay cancelled" in note for note in again.notes)
    pd.testing.assert_frame_equal(store.order_lines(), lines)


def test_a_changed_order_takes_its_cancellation_along(store: Store, tmp_path: Path) -> None:
    """When a line conflicts, the cancellation of it is rejected too, so that units still add up."""
    store.import_orders(_csv(tmp_path / "a.csv", "1,2026-03-01 10:00,ann,apple,10"), MAPPING)
    changed = _csv(tmp_path / "b.csv", "1,2026-03-01 10:00,ann,apple,12", "C1,2026-03-02 9:00,ann,apple,-2")
    report = store.import_orders(changed, MAPPING)
    assert report.failures["row"].tolist() == [2, 3]
    assert (report.units_accepted, report.units_rejected) == (0.0, 10.0)
