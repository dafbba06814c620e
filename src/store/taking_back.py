"""Cancellation rows that found no order line in their own file, matched to lines the store holds.

The rule is the same as within a file (`store.cancellations`). What was matched is written down with the import, so
that a cancellation counts once, whatever file it comes in again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum

import pandas as pd

from contracts.flow import OrderLines
from store.cancellations import PART_STEP, match_cancellations, split_lines
from store.database.import_log import ImportLog
from store.derive import plain_text
from store.history import History
from store.order_owners import owner_digests
from store.order_rows import OrderRows
from store.tidy import failure_rows, failure_table

_FAMILY = ["order_id", "family"]


@dataclass(frozen=True)
class TakenBack:
    """Order rows with the cancellations of the store's lines.

    Attributes
    ----------
    rows : OrderRows
        Its lines end with those of the store that change, ``order_row`` -1.
    elsewhere : float
        Units taken back from lines that are not in the file, now or when the cancellation came before.
    already : tuple of int
        Cancellation rows that came before: nothing changes.
    """

    rows: OrderRows
    elsewhere: float = 0.0
    already: tuple[int, ...] = ()


def take_back(rows: OrderRows, log: ImportLog, history: History) -> TakenBack:
    """Match the cancellations that are left over, and return the rows with the lines they change."""
    recalls = rows.recalls
    if recalls is None or recalls.unmatched.empty:
        return TakenBack(rows)
    left = recalls.rows.loc[recalls.unmatched]
    already = left.index[left["cancellation"].isin(log.cancelled_before(left["cancellation"]).index)]
    asked = left.drop(already)
    there = _lines_of(asked, recalls.match, log, history)
    here = pd.MultiIndex.from_arrays([rows.lines["order_id"], rows.lines["line_no"] % PART_STEP])
    there = there[~pd.MultiIndex.from_frame(there[_FAMILY]).isin(here)].reset_index(drop=True)
    opened = there[there["cancelled_at"].isna()]
    matches, unmatched = match_cancellations(opened, asked, ["owner"])
    shared = " and ".join(recalls.match)
    reason = f"cancellation without an earlier order line of the same {shared}, in this file or in the store"
    broken = failure_rows(pd.Series(reason, index=unmatched, dtype="str"), "order_id", left["order_id"])
    elsewhere, before = fsum(left["quantity"].drop(unmatched)), tuple(already)
    failures = failure_table([rows.failures, broken])
    if matches.empty:
        return TakenBack(replace(rows, failures=failures), elsewhere, before)
    families = pd.MultiIndex.from_frame(there.loc[matches["order_row"], _FAMILY])
    touched = there[pd.MultiIndex.from_frame(there[_FAMILY]).isin(families)]
    parts = (touched["line_no"] // PART_STEP).groupby([touched["order_id"], touched["family"]]).transform("max")
    lines = touched[[*OrderLines.column_names()]]
    still_open = lines[lines["cancelled_at"].isna()]
    split = split_lines(still_open, matches, parts_before=parts)
    gone = lines[lines["cancelled_at"].notna()].assign(cancel_row=-1)
    changed = pd.concat([gone, split]).assign(order_row=-1)
    file_lines = rows.lines
    every = pd.concat([file_lines, changed[file_lines.columns]], ignore_index=True)
    return TakenBack(replace(rows, lines=every.astype(file_lines.dtypes), failures=failures), elsewhere, before)


def _lines_of(cancels: pd.DataFrame, match: tuple[str, ...], log: ImportLog, history: History) -> pd.DataFrame:
    """Return the store's lines that may belong to the cancellations: `OrderLines`, ``owner`` and ``family``.

    A part that was split off a line is of the line's family.
    """
    stored = set(match) <= set(OrderLines.column_names())
    found = _by_columns(cancels, match, history) if stored else _by_owner(cancels, log, history)
    return found.assign(family=found["line_no"] % PART_STEP)


def _by_owner(cancels: pd.DataFrame, log: ImportLog, history: History) -> pd.DataFrame:
    """Return the lines whose owner was written down when they came in."""
    owned = log.owned_lines(cancels["owner"].unique())
    if owned.empty:
        return OrderLines.empty().assign(owner=pd.Series([], dtype="str"))
    lines = history.read_orders(history.files_of(owned["delivery_date"]))
    family = lines["line_no"] % PART_STEP
    names = owned.set_index(["order_id", "line_no"])["owner"]
    owner = names.reindex(pd.MultiIndex.from_arrays([lines["order_id"], family])).to_numpy()
    return lines.assign(owner=owner).dropna(subset="owner")


def _by_columns(cancels: pd.DataFrame, match: tuple[str, ...], history: History) -> pd.DataFrame:
    """Return the lines whose own columns say that they may belong to a cancellation."""
    wanted, parts = frozenset(cancels["owner"]), []
    for lines in history.each_day():
        values = pd.DataFrame({f"match {place}": plain_text(lines[name]) for place, name in enumerate(match)})
        owner = owner_digests(values, match)
        parts.append(lines.assign(owner=owner)[owner.isin(wanted)])
    return pd.concat(parts) if parts else OrderLines.empty().assign(owner=pd.Series([], dtype="str"))
