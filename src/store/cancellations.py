"""Cancellation rows matched to the order lines they take back.

A cancellation of q units takes them from the most recent line that was placed at or before it, shares its match
columns (say customer and SKU) and still has at least q open units. A line that is taken back in part is split: the
open rest keeps its line number n, the cancelled parts get n + 1,000,000, n + 2,000,000, ...; a line that is taken back
wholly by one cancellation keeps its number. Cancellations without such a line are not guessed at: they come back as
unmatched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pandas as pd

PART_STEP = 1_000_000
"""Line numbers of split parts differ by this; orders have fewer lines."""


def match_cancellations(
    orders: pd.DataFrame, cancels: pd.DataFrame, match: list[str], *, settled: Mapping[int, int] | None = None
) -> tuple[pd.DataFrame, pd.Index]:
    """Return the matches and the rows that found no order.

    Parameters
    ----------
    orders, cancels : DataFrame, index = row of the file
        With ``placed_at``, ``quantity`` (both positive) and the match columns, none of them null.
    settled : mapping, optional
        Row of a cancellation that came before to the order row it was matched to then; these go first.

    Returns
    -------
    matches : DataFrame
        ``cancel_row``, ``order_row``, ``quantity``, ``cancelled_at``, in the order of the cancellations.
    unmatched : Index of rows of `cancels`
    """
    keys = pd.concat([orders[match], cancels[match]]).groupby(match, sort=False, dropna=False).ngroup().to_numpy()
    order_keys, cancel_keys = keys[: len(orders)], keys[len(orders) :]
    wanted = np.isin(order_keys, cancel_keys)
    pool = pd.DataFrame(
        {
            "key": order_keys[wanted],
            "at": orders["placed_at"].to_numpy("datetime64[us]").astype("int64")[wanted],
            "row": orders.index.to_numpy()[wanted],
            "open": orders["quantity"].to_numpy("float64")[wanted],
        }
    ).sort_values(["key", "at", "row"])
    lines: dict[int, list[list[float]]] = defaultdict(list)
    for key, at, row, quantity in pool.itertuples(index=False, name=None):
        lines[key].append([at, row, quantity])
    asked = pd.DataFrame(
        {
            "key": cancel_keys,
            "at": cancels["placed_at"].to_numpy("datetime64[us]").astype("int64"),
            "row": cancels.index.to_numpy(),
            "quantity": cancels["quantity"].to_numpy("float64"),
        }
    )
    before = settled or {}
    matched: list[tuple[int, int, int, float]] = []
    unmatched: list[int] = []
    asked["first"] = ~asked["row"].isin(list(before))  # what is settled goes first, so that it finds its units
    for key, at, row, quantity, _ in asked.sort_values(["first", "at", "row"]).itertuples(index=False, name=None):
        for line in reversed(lines[key]):
            if line[0] <= at and line[2] >= quantity - 1e-9 and before.get(row, line[1]) == line[1]:
                line[2] -= quantity
                matched.append((at, row, int(line[1]), quantity))
                break
        else:
            unmatched.append(row)
    found = [(row, line, quantity) for _, row, line, quantity in sorted(matched)]
    matches = pd.DataFrame(found, columns=["cancel_row", "order_row", "quantity"])
    matches["cancelled_at"] = cancels["placed_at"].reindex(matches["cancel_row"]).to_numpy()
    return matches, pd.Index(unmatched, dtype="int64")


def split_lines(
    orders: pd.DataFrame, matches: pd.DataFrame, *, parts_before: pd.Series[int] | None = None
) -> pd.DataFrame:
    """Return the order lines with the matched cancellations written in; quantities add up to those of `orders`.

    The result has the columns of `orders` plus ``order_row`` and ``cancel_row`` (-1: an open line).

    Parameters
    ----------
    parts_before : Series, optional
        How many parts were split off each line before, by order row; new ones are numbered on from there.
    """
    lines = orders.assign(order_row=orders.index.to_numpy("int64"), cancel_row=np.int64(-1))
    if matches.empty:
        return lines.reset_index(drop=True)
    taken = matches.groupby("order_row")["quantity"].sum()
    rest = (lines["quantity"] - taken.reindex(lines.index).fillna(0.0)).round(9)
    parts = orders.loc[matches["order_row"]].reset_index(drop=True)
    number = matches.groupby("order_row").cumcount().to_numpy() + 1
    gone = (rest.loc[matches["order_row"]] <= 0).to_numpy()  # the first part of a line wholly taken back is the line
    number = number - gone
    if parts_before is not None:
        number += np.where(number > 0, parts_before.loc[matches["order_row"]].to_numpy(), 0)
    parts["line_no"] = parts["line_no"].to_numpy() + PART_STEP * number
    parts["quantity"] = matches["quantity"].to_numpy()
    parts["cancelled_at"] = pd.to_datetime(matches["cancelled_at"], utc=True).dt.as_unit("us").to_numpy()
    parts["cancelled_at"] = parts["cancelled_at"].astype(orders["cancelled_at"].dtype)
    parts["order_row"] = matches["order_row"].to_numpy("int64")
    parts["cancel_row"] = matches["cancel_row"].to_numpy("int64")
    kept = lines.assign(quantity=rest)[rest > 0]
    return pd.concat([kept, parts]).sort_values(["order_row", "line_no"], kind="stable", ignore_index=True)
