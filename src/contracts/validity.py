"""Reference rows that hold for some delivery dates only: `valid_from` and `valid_until` beside a contract's columns.

A row without an end stands until a later row of its key starts. A row with an end holds on exactly its dates, before
whatever stands; two such rows of one key may not overlap. So a price from Monday on is one more row, a price for three
days is one more row with an end, and a supplier that leaves is its row with an end.

Readers downstream never see the two columns: `rows_on` gives the rows of a date in the contract's own columns.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from functools import cache
from typing import Any

import pandas as pd

from contracts.columns import Day, day, row_rule
from contracts.table import Table

VALIDITY: tuple[str, ...] = ("valid_from", "valid_until")


class Validity(Table):
    """From when until when a row holds; both empty: always."""

    valid_from: Day = day("First delivery date it holds for; empty: from the beginning", nullable=True)
    valid_until: Day = day("Last delivery date it holds for; empty: until a later row starts", nullable=True)

    @row_rule("valid_from at most valid_until")
    @classmethod
    def _in_order(cls, frame: pd.DataFrame) -> pd.Series:
        return ~(frame["valid_from"] > frame["valid_until"])


def may_be_dated(contract: type[Table]) -> bool:
    """Return whether rows of a contract may be dated; those kept by delivery date or day have their date already."""
    return not {"delivery_date", "day"} & set(contract.key())


@cache
def dated(contract: type[Table]) -> type[Table]:
    """Return the contract with the two columns, keyed by `valid_from` too; as it is where rows may not be dated.

    Examples
    --------
    >>> from contracts.reference import Listings, Suppliers
    >>> dated(Suppliers).key(), dated(Listings).key()
    (('supplier_id', 'valid_from'), ('delivery_date', 'area_id', 'sku_id'))
    """
    if not may_be_dated(contract):
        return contract
    body = {"_key": (*contract.key(), "valid_from"), "__doc__": contract.__doc__, "__module__": __name__}
    return type(contract.__name__, (Validity, contract), body)


def has_dates(rows: pd.DataFrame) -> bool:
    """Return whether any row holds for some dates only."""
    return any(name in rows and bool(rows[name].notna().any()) for name in VALIDITY)


def rows_on(rows: pd.DataFrame, contract: type[Table], on: date, *, standing: bool = False) -> pd.DataFrame:
    """Return the rows that hold on a date, one per key at most, in the contract's columns and the order of the keys.

    Parameters
    ----------
    rows : DataFrame
        Of `dated(contract)`.
    standing : bool
        Keep a row of every key: where none holds, the one that held last before the date, else the next to come.
    """
    columns, key = list(contract.column_names()), list(contract.key())
    if not has_dates(rows):
        return rows[columns]
    moment = pd.Timestamp(on)
    holds = ~(rows["valid_from"] > moment) & ~(rows["valid_until"] < moment)
    fixed = rows["valid_until"].notna()
    ranked = rows[holds].assign(fixed=fixed[holds]).sort_values(["fixed", "valid_from"], na_position="first")
    chosen = ranked.drop_duplicates(key, keep="last").index
    place = rows.groupby(key, sort=False, dropna=False).ngroup()
    if standing:
        others = rows[~place.isin(place[chosen])]
        past = others["valid_until"] < moment
        days = (moment - others["valid_until"]).where(past, others["valid_from"] - moment)
        nearest = others.assign(coming=~past, days=days).sort_values(["coming", "days"], kind="stable")
        chosen = chosen.append(nearest.drop_duplicates(key).index)
    return rows.loc[place[chosen].sort_values().index, columns].reset_index(drop=True)


def overlapping(held: pd.DataFrame, coming: pd.DataFrame, contract: type[Table]) -> pd.Series[str]:
    """Return the coming rows that end and overlap another row of their key that ends, with the rule they break.

    Parameters
    ----------
    held : DataFrame
        Rows that are there, of `dated(contract)`; a coming row with the same key and `valid_from` takes one's place.
    coming : DataFrame
        Rows to be put in, likewise; unique by key and `valid_from`.

    Returns
    -------
    Series
        Index: that of `coming`.
    """
    broken: dict[int, str] = {}
    key, identity = list(contract.key()), [*contract.key(), "valid_from"]
    if not has_dates(coming):
        return pd.Series(broken, dtype="str")
    names = [*key, *VALIDITY]
    while True:  # what is rejected leaves the row whose place it would have taken, so look again
        left = coming.loc[~coming.index.isin(list(broken)), names].assign(row=lambda part: part.index)
        stays = held[names].merge(left[identity], on=identity, how="left", indicator="there")
        both = pd.concat([stays.loc[stays["there"] == "left_only", names], left])
        both = both[both["valid_until"].notna()].sort_values(
            [*key, "valid_from"], na_position="first", ignore_index=True
        )
        before = both.groupby(key, sort=False, dropna=False)[["valid_from", "valid_until", "row"]].shift()
        shared = (before["valid_until"] >= both["valid_from"]).to_numpy()
        clash = both.join(before.add_suffix("_before"))[shared]
        clash = clash.assign(worst=clash[["row", "row_before"]].max(axis=1)).dropna(subset="worst")
        if clash.empty:
            return pd.Series(broken, dtype="str")
        for one in clash.sort_values("worst").drop_duplicates(key).to_dict("records"):
            other = "_before" if one["worst"] == one["row"] else ""
            broken[int(one["worst"])] = f"overlaps the row that holds {_span(one, other)}"


def _span(row: dict[Hashable, Any], which: str) -> str:
    start, end = row[f"valid_from{which}"], row[f"valid_until{which}"]
    return f"until {end:%Y-%m-%d}" if pd.isna(start) else f"from {start:%Y-%m-%d} until {end:%Y-%m-%d}"
