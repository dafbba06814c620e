"""Orders in batches: taken in once, amended by cancellations, refused when they contradict."""

from __future__ import annotations

import pandas as pd
import pytest

from contracts.errors import ConflictError
from contracts.flow import OrderLines
from forecast.book import add_batch


def test_batches_in_any_order_give_the_whole(town):
    """Lines taken in by batches, some twice and the late ones first, are the same set as the whole."""
    parts = [town.orders.iloc[i::3] for i in (2, 0, 1, 0)]
    known = OrderLines.empty()
    for part in parts:
        known = add_batch(known, OrderLines.check(part))
    expected = town.orders.sort_values(["order_id", "line_no"], ignore_index=True)
    pd.testing.assert_frame_equal(known.sort_values(["order_id", "line_no"], ignore_index=True), expected)


def test_cancellation_amends_the_known_line(town):
    """A line that comes again with a cancellation is cancelled; coming again without it, it stays cancelled."""
    line = OrderLines.check(town.orders[town.orders["cancelled_at"].isna()].head(1))
    gone = OrderLines.check(line.assign(cancelled_at=line["placed_at"] + pd.Timedelta(minutes=5)))
    known = add_batch(add_batch(line, gone), line)
    pd.testing.assert_frame_equal(known, gone)


def test_contradiction_is_refused(town):
    """The same key with another quantity names the key, and nothing of the batch is taken in."""
    line = OrderLines.check(town.orders.head(1))
    with pytest.raises(ConflictError, match=str(line["order_id"].iloc[0])):
        add_batch(line, OrderLines.check(line.assign(quantity=99.0)))
