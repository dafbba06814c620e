"""Orders that arrive in batches: each line is taken in once, however often it comes, and a cancellation amends it."""

from __future__ import annotations

import logging

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import ConflictError, first_keys
from contracts.flow import OrderLines

_LOG = logging.getLogger(__name__)
_KEY = list(OrderLines.key())
_FIXED = ["placed_at", "delivery_date", "community_id", "sku_id", "quantity", "unit_price_yuan"]


def add_batch(known: DataFrame[OrderLines], batch: DataFrame[OrderLines]) -> DataFrame[OrderLines]:
    """Return the lines known so far with a further batch taken in.

    New keys are added, in any order of time. A line that comes again changes nothing, unless it now says when it was
    cancelled: then the known line is cancelled. So the same batch twice is the same as once.

    Raises
    ------
    ConflictError
        A line comes again with another quantity, SKU, place, date, price or moment, or with another cancellation.
        Nothing of the batch is taken in.
    """
    first = pd.MultiIndex.from_frame(known[_KEY])
    position = first.get_indexer(pd.MultiIndex.from_frame(batch[_KEY]))
    again, fresh = batch[position >= 0], batch[position < 0]
    rows = position[position >= 0]
    before = known.iloc[rows]
    changed = (before[_FIXED].to_numpy(object) != again[_FIXED].to_numpy(object)).any(axis=1)
    old, new = before["cancelled_at"].reset_index(drop=True), again["cancelled_at"].reset_index(drop=True)
    changed |= (old.notna() & new.notna() & (old != new)).to_numpy(bool)
    if changed.any():
        keys = again.loc[changed, _KEY].astype(str).agg("/".join, axis=1)
        raise ConflictError(
            f"{int(changed.sum())} order lines came again with other content: {first_keys(keys)}. "
            "Nothing of the batch was taken in; send a changed order as a cancellation and a new line."
        )
    cancelled = known["cancelled_at"].reset_index(drop=True)
    cancelled.iloc[rows] = old.where(old.notna(), new).array
    merged = known.reset_index(drop=True).assign(cancelled_at=cancelled)
    _LOG.info("add_batch: %d lines known, %d in the batch, %d new", len(known), len(batch), len(fresh))
    return OrderLines.check(pd.concat([merged, fresh], ignore_index=True))
