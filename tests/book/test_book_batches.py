"""Orders in batches: taken in once, amended by cancellations, refused when they contradict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.errors import ConflictError
from contracts.flow import OrderLines
from contracts.settings import BookSettings, CitySettings, StorageSettings
from forecast.book import add_batch, fit_curve, past, update_book
from forecast.book.learning import snapshot_times
from store import Store


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


def test_batches_through_the_store_equal_a_full_update(town, at, tmp_path):
    """What the API and the terminal take in - hour by hour, out of order, some twice - gives the book of the whole."""
    store = Store.open(StorageSettings(url=f"sqlite:///{tmp_path / 'kept.sqlite'}", history=tmp_path / "history"))
    today = town.orders[town.orders["delivery_date"] == town.today]
    shuffled = today.sample(frac=1.0, random_state=4)
    batches = [shuffled.iloc[part] for part in np.array_split(np.arange(len(shuffled)), 5)]
    for batch in [*batches, batches[1]]:
        report = store.add_order_lines(batch.reset_index(drop=True))
        assert report.rows_rejected == 0
    kept = store.order_lines(delivery_from=town.today, delivery_to=town.today)
    store.close()
    books = [
        update_book(
            town.forecast,
            lines,
            as_of=at("18:00"),
            model=town.model,
            communities=town.communities,
            city=CitySettings(),
        )
        for lines in (town.orders, kept)
    ]
    pd.testing.assert_frame_equal(*books)


def test_training_looks_at_a_bounded_number_of_series(town, monkeypatch):
    """However many SKU x community there are, snapshots of at most the setting's number are held at once."""
    seen = []
    running = past._running

    def watched(cell, slot, amount, shape):
        seen.append(shape)
        return running(cell, slot, amount, shape)

    monkeypatch.setattr(past, "_running", watched)
    many = pd.concat(
        [
            town.past.assign(
                community_id=town.past["community_id"] + f"-{copy}", order_id=town.past["order_id"] + f"-{copy}"
            )
            for copy in range(6)
        ],
        ignore_index=True,
    )
    settings = BookSettings(max_series=100, boost_rows=5_000, boost_leaf_rows=100)
    model = fit_curve(OrderLines.check(many), skus=town.skus, settings=settings, city=CitySettings())
    times = len(snapshot_times(model.session("23:00-1")[0].shares, settings))
    assert many.groupby(["community_id", "sku_id"]).ngroups > 150
    assert max(series for _, series, _ in seen) <= 100
    assert {k for _, _, k in seen} == {times}
