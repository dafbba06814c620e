"""Lines that come again: there already, cancelled since, or in conflict with what is there.

A line and the parts it was split into by cancellations (`store.cancellations`) are one family: their line numbers
differ by multiples of 1,000,000. A family that comes again is

- unchanged, when it is the same, or an older view of what is there (fewer cancellations);
- updated, when it says the same and more of it is cancelled;
- in conflict otherwise: the first stays.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from store.cancellations import PART_STEP

NEW, UNCHANGED, UPDATED, OLDER, CONFLICT = "new", "unchanged", "updated", "older", "conflict"
_FACTS = ["placed_at", "delivery_date", "community_id", "sku_id", "quantity", "unit_price_yuan", "cancelled_at"]
_FAMILY = ["order_id", "family"]


@dataclass(frozen=True)
class Familiar:
    """`status` per incoming line; `replaced` are the lines of the store that updated families take the place of."""

    status: pd.Series[str]
    replaced: pd.DataFrame


def compare(incoming: pd.DataFrame, existing: pd.DataFrame) -> Familiar:
    """Return what each incoming line is to the lines of the same orders in the store.

    Parameters
    ----------
    incoming, existing : DataFrame
        With the columns of `OrderLines`; keys are unique in each.
    """
    status = pd.Series(NEW, index=incoming.index, dtype="str")
    if existing.empty:
        return Familiar(status, existing)
    coming = incoming.assign(family=incoming["line_no"] % PART_STEP, place=np.arange(len(incoming)))
    there = existing.assign(family=existing["line_no"] % PART_STEP, place=np.arange(len(existing)))
    both = coming.merge(there, on=["order_id", "line_no"], how="outer", suffixes=("", "_there"), indicator=True)
    same = both["_merge"] == "both"
    for fact in _FACTS:
        one, other = both[fact], both[f"{fact}_there"]
        same &= (one == other) | (one.isna() & other.isna())
    family = both["line_no"] % PART_STEP
    known = there.groupby(_FAMILY).ngroups
    keys = pd.MultiIndex.from_arrays([both["order_id"], family])
    differing = keys[~same.to_numpy()].unique()
    families_there = pd.MultiIndex.from_frame(there[_FAMILY]).unique()
    in_store = pd.MultiIndex.from_frame(coming[_FAMILY]).isin(families_there)
    status[in_store] = UNCHANGED
    doubtful = differing.intersection(families_there).intersection(pd.MultiIndex.from_frame(coming[_FAMILY]).unique())
    if not known or not len(doubtful):
        return Familiar(status, existing.iloc[:0])
    ours = coming[pd.MultiIndex.from_frame(coming[_FAMILY]).isin(doubtful)].groupby(_FAMILY)
    theirs = dict(iter(there[pd.MultiIndex.from_frame(there[_FAMILY]).isin(doubtful)].groupby(_FAMILY)))
    replaced: list[int] = []
    for key, part in ours:
        judged = _judge(part, theirs[key])
        status.iloc[part["place"].to_numpy()] = judged
        if judged == UPDATED:
            replaced.extend(theirs[key]["place"])
    return Familiar(status, existing.iloc[sorted(replaced)])


def _judge(coming: pd.DataFrame, there: pd.DataFrame) -> str:
    base = ["placed_at", "delivery_date", "community_id", "sku_id", "unit_price_yuan"]
    facts = pd.concat([coming[base], there[base]]).drop_duplicates()
    if len(facts) > 1 or abs(coming["quantity"].sum() - there["quantity"].sum()) > 1e-6:
        return CONFLICT
    ours, theirs = _cancelled(coming), _cancelled(there)
    if ours == theirs:  # the same parts under other numbers
        return UNCHANGED
    if theirs <= ours:
        return UPDATED
    return OLDER if ours <= theirs else CONFLICT


def _cancelled(lines: pd.DataFrame) -> Counter[tuple[int, float]]:
    gone = lines[lines["cancelled_at"].notna()]
    return Counter(zip(gone["cancelled_at"].astype("int64").tolist(), gone["quantity"].round(6).tolist(), strict=True))
