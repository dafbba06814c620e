"""Order rows of a file become order lines: read, filtered, completed, cancelled, checked - and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from contracts.cells import numbers
from contracts.errors import EmptyInputError, MappingError, first_keys
from contracts.flow import MOST_UNITS, OrderLines
from store.cancellations import match_cancellations, split_lines
from store.conditions import rejected_rows
from store.derive import derive, plain_text
from store.mapping import DeliveryDay, Mapping, Number
from store.order_owners import cancellation_digests, owner_digests
from store.source_file import SourceFile
from store.tidy import failure_rows, failure_table, find_columns, tidy


@dataclass(frozen=True)
class Recalls:
    """Cancellation rows that name no order line, and what they and their orders share.

    Attributes
    ----------
    match : tuple of str
        Columns a cancellation shares with its order, as the mapping names them.
    rows : DataFrame, index = row of the file
        ``order_id``, ``placed_at``, ``quantity`` (positive), ``owner`` (`store.order_owners`), ``cancellation``.
    unmatched : Index
        Those of the rows that found no line in their own file.
    owners : Series, index = row of the file
        Owner of every order row that has one, where not all of `match` are columns of order lines.
    """

    match: tuple[str, ...]
    rows: pd.DataFrame
    unmatched: pd.Index
    owners: pd.Series[str]


Settled = Callable[[pd.Series], pd.DataFrame]
"""Gives ``order_id`` and ``line_no`` of the lines that cancellations were matched to before, index = cancellation."""


@dataclass(frozen=True)
class OrderRows:
    """Order lines with the rows they came from.

    Attributes
    ----------
    lines : DataFrame
        Columns of `OrderLines` plus ``order_row`` and ``cancel_row`` (row of the cancellation, -1 if none).
    failures : DataFrame
        ``row``, ``column``, ``rule``, ``value``.
    units : Series
        Units of every row of the file, index = row, cancellations negative, zero where unreadable.
    notes : tuple of str
        What was filled in or decided that a reader of the report should know.
    recalls : Recalls or None
        The cancellation rows among them; None where the mapping knows no such rows.
    """

    lines: pd.DataFrame
    failures: pd.DataFrame
    units: pd.Series[Any]
    notes: tuple[str, ...] = ()
    recalls: Recalls | None = None


def read_order_rows(
    source: SourceFile,
    mapping: Mapping,
    *,
    timezone: str,
    cutoff: str,
    known: dict[str, frozenset[str]] | None = None,
    settled: Settled | None = None,
) -> OrderRows:
    """Return the order lines of a file, its cancellation rows matched to lines of the same file.

    Parameters
    ----------
    settled : callable, optional
        Tells which order lines cancellations were matched to when they came before.
    timezone : str
        The city's zone, for delivery dates and for times without a zone.
    cutoff : str
        The city's cutoff, used where the file has no delivery date and the mapping no rule.
    known : dict, optional
        Column to the ids that exist, e.g. ``{"sku_id": ...}``; rows with others are rejected.

    Raises
    ------
    EmptyInputError
        The file has no rows.
    MissingColumnError, MappingError
        A column or rule cannot be found in the file.
    """
    cells = source.cells
    if cells.empty and source.torn.empty:
        raise EmptyInputError(f"{source.name} has no rows: expected a header line and at least one order line.")
    mapping, notes = _complete(mapping, cells, cutoff)
    read = tidy(cells, OrderLines, mapping, timezone=timezone)
    frame = read.frame

    def column(name: str) -> pd.Series[Any]:
        if name in cells.columns:
            return cells[name]
        if name in frame.columns:
            return frame[name]
        raise MappingError(
            f"Mapping {mapping.name} uses column {name!r}; {source.name} has {first_keys(cells.columns, shown=15)}."
        )

    def parsed(name: str) -> pd.Series[Any]:  # rules build on what was read: "7 " and "7" are one order
        return frame[name] if name in frame.columns else column(name)

    zone = mapping.time.timezone or timezone
    if zone != timezone:
        notes += (f"times are wall times of {zone}, the city's zone is {timezone}: set city.timezone if it is there",)
    for name, rule in mapping.derive.items():
        frame[name] = derive(rule, parsed, timezone=zone)
    if "quantity" in frame:
        frame["quantity"] = numbers(frame["quantity"])  # a constant or a rule of the mapping may have given text
    filtered = rejected_rows(mapping.reject, column, cells.index)
    unread = read.failures[~read.failures["row"].isin(filtered["row"])]
    cancels = _cancelling(mapping, frame)
    units = _countable(frame["quantity"]) if "quantity" in frame else pd.Series(0.0, index=frame.index)
    uncounted = len(source.torn) + int(units.isna().sum())
    units = units.fillna(0.0)
    if uncounted:
        notes += (f"{uncounted:,} rows have no readable or no plausible quantity and count as 0 units",)
    units = units.where(~cancels, -units.abs())
    judged = ~frame.index.isin(filtered["row"]) & ~frame.index.isin(unread["row"])
    if "quantity" in frame:
        frame["quantity"] = frame["quantity"].where(~cancels, frame["quantity"].abs())
    good, broken = _keep_contract(frame[judged], known or {})
    lines, recalls, anonymous = _cancel(good, cancels.reindex(good.index), column, mapping, settled)
    failures = failure_table([source.torn, filtered, unread, broken, anonymous])
    if isinstance(mapping.derive.get("line_no"), Number):  # a row that was sent twice looks like two lines
        kept = good.index.difference(pd.Index(anonymous["row"]))
        notes += _repeats(cells.loc[kept if recalls is None else kept.difference(recalls.unmatched)])
    units = pd.concat([units, pd.Series(0.0, index=source.torn["row"].astype("int64"))])
    return OrderRows(lines, failures, units, notes, recalls)


def _complete(mapping: Mapping, cells: pd.DataFrame, cutoff: str) -> tuple[Mapping, tuple[str, ...]]:
    """Return the mapping with the usual rules for columns that neither file nor mapping gives."""
    origins = find_columns(cells, OrderLines, mapping)
    given = set(origins) | set(mapping.constants) | set(mapping.derive)
    derived = dict(mapping.derive)
    notes = []
    if "line_no" not in given and "order_id" in given:
        derived["line_no"] = Number(rule="number", within="order_id")
        notes.append("line_no: rows numbered within each order, in file order")
    if "delivery_date" not in given and "placed_at" in given:
        derived["delivery_date"] = DeliveryDay(rule="delivery_day", cutoff=cutoff)
        notes.append(f"delivery_date: first date whose cutoff ({cutoff}) is not before the order")
    return mapping.model_copy(update={"derive": derived}), tuple(notes)


def _repeats(accepted: pd.DataFrame) -> tuple[str, ...]:
    repeats = int(accepted.duplicated().sum())
    if not repeats:
        return ()
    return (f"{repeats:,} rows repeat an earlier row exactly, in every column; each counts as a row of its own",)


def _cancelling(mapping: Mapping, frame: pd.DataFrame) -> pd.Series[bool]:
    rule = mapping.cancellations
    found = pd.Series(False, index=frame.index)
    if rule is None:
        return found
    if rule.order_id_matches is not None and "order_id" in frame:
        found |= (
            plain_text(frame["order_id"]).str.contains(rule.order_id_matches, regex=True).fillna(False).astype(bool)
        )
    if rule.negative_quantity and "quantity" in frame:
        found |= frame["quantity"] < 0
    return found


def _keep_contract(frame: pd.DataFrame, known: dict[str, frozenset[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that keep the contract and whose ids are known, index = row of the file; and the failures."""
    rows = frame.index.to_numpy("int64")
    good, broken = OrderLines.split(frame.assign(_row=rows)[list(frame.columns)])
    broken = broken.assign(row=rows[broken["row"].to_numpy()])
    good.index = pd.Index(rows[~pd.Index(rows).isin(broken["row"])])
    failures = [broken]
    for name, ids in known.items():
        lost = ~good[name].isin(ids)
        if not lost.any():
            continue
        rule = pd.Series(f"unknown {name}: not in the reference data", index=good.index[lost.to_numpy()], dtype="str")
        failures.append(failure_rows(rule, name, good[name]))
        good = good[~lost]
    return good, failures[0] if len(failures) == 1 else pd.concat(failures)


def _cancel(
    good: pd.DataFrame, cancels: pd.Series[bool], column: Any, mapping: Mapping, settled: Settled | None
) -> tuple[pd.DataFrame, Recalls | None, pd.DataFrame]:
    """Return the lines with cancellations written in, the cancellations, and those that name nobody, as failures."""
    rule = mapping.cancellations
    orders, asked = good[~cancels.to_numpy(bool)], good[cancels.to_numpy(bool)]
    if rule is None:
        return split_lines(orders, pd.DataFrame()), None, failure_rows()
    names = [f"match {place}" for place in range(len(rule.match))]
    values = pd.DataFrame(
        {
            key: plain_text(good[name] if name in good.columns else column(name).reindex(good.index))
            for key, name in zip(names, rule.match, strict=True)
        }
    )
    told = values.notna().all(axis=1)
    owner = owner_digests(values[told], rule.match)
    keyed = good[told].assign(owner=owner)
    open_orders = keyed[~cancels[told].to_numpy(bool) & keyed["cancelled_at"].isna()]
    able = keyed.loc[cancels[told].to_numpy(bool), ["order_id", "placed_at", "quantity", "owner"]]
    able = able.assign(cancellation=cancellation_digests(able, able["owner"]))
    before = {} if settled is None or able.empty else _order_rows_of(able, orders, settled(able["cancellation"]))
    matches, unmatched = match_cancellations(open_orders, able, ["owner"], settled=before)
    reason = f"cancellation without {' and '.join(rule.match)}: no order can be named"
    anonymous = pd.Series(reason, index=asked.index[~told.loc[asked.index]], dtype="str")
    foreign = not set(rule.match) <= set(OrderLines.column_names())
    owners = keyed.loc[~cancels[told].to_numpy(bool), "owner"] if foreign else pd.Series([], dtype="str")
    recalls = Recalls(rule.match, able, unmatched, owners)
    return split_lines(orders, matches), recalls, failure_rows(anonymous, "order_id", good["order_id"])


def _order_rows_of(cancels: pd.DataFrame, orders: pd.DataFrame, lines: pd.DataFrame) -> dict[int, int]:
    """Return row of a cancellation to row of the order line it was matched to before; -1: one of another file."""
    rows = pd.Series(orders.index, index=pd.MultiIndex.from_frame(orders[["order_id", "line_no"]]))
    held = cancels[cancels["cancellation"].isin(lines.index)]
    keys = lines.loc[held["cancellation"], ["order_id", "line_no"]].itertuples(index=False, name=None)
    return {int(row): int(rows.get(key, -1)) for row, key in zip(held.index, keys, strict=True)}


def _countable(quantity: pd.Series[Any]) -> pd.Series[float]:
    """Return units as the books count them: NaN for what no line can have, whose row is among the failures."""
    units = numbers(quantity)
    return units.where(units.abs() <= MOST_UNITS)  # sums of larger ones know no single units, or overflow


def frame_rows(frame: pd.DataFrame, *, known: dict[str, frozenset[str]] | None = None) -> OrderRows:
    """Return the order lines of a frame that already has the contract's columns; row 1 is the first line."""
    numbered = frame.set_axis(pd.RangeIndex(1, len(frame) + 1))
    good, broken = _keep_contract(numbered, known or {})
    units = _countable(numbered["quantity"]).fillna(0.0)
    return OrderRows(split_lines(good, pd.DataFrame()), failure_table([broken]), units)
