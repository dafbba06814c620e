"""Sharing out: what each community gets of a SKU, in whole sale units, when there is enough and when there is not."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.errors import ContractError, InputError, MissingColumnError
from contracts.planned import Allotments
from optimize.sorting.whole import REMAINDER_DIGITS, largest_remainder, rounded_half_up

Rule = Literal["proportional", "smallest_protected", "prepaid_first"]
KEY = ["warehouse_id", "community_id", "sku_id"]
GRAM = 1000.0
"""Goods sold by weight are shared to a thousandth of a unit: a gram of a kilogram."""

log = logging.getLogger(__name__)


def share_out(
    ordered: pd.DataFrame, supply: pd.DataFrame, *, rule: Rule = "proportional", at_cutoff: bool = False
) -> DataFrame[Allotments]:
    """Return what each community gets of each SKU.

    First fractions become whole units. Before the cutoff quantities are expectations: per warehouse x SKU the total
    is rounded half-up and given out by largest remainder, so communities add up to it. At the cutoff quantities are
    orders and nothing is rounded: a warehouse x SKU with a fractional order is sold by weight and keeps its fractions
    (to 0.001 units).
    Then, where supply is short of the total:

    - ``proportional``: every community gets the same share of its order; whole units by largest remainder.
    - ``smallest_protected``: every community gets its order or a common level, whichever is less (constrained equal
      awards; Thomson 2003), so small orders are served whole; the units left by rounding go to the largest remainder.
    - ``prepaid_first``: prepaid units (column ``prepaid_units`` of `ordered`) are served first, proportionally if even
      they are too many; what is left is shared proportionally over the rest.

    Ties in the remainder rotate over the communities from SKU to SKU, so that no community always loses.

    Parameters
    ----------
    ordered : DataFrame
        ``warehouse_id``, ``community_id``, ``sku_id`` (unique together), ``units`` >= 0; ``prepaid_units`` if asked.
    supply : DataFrame
        ``warehouse_id``, ``sku_id``, ``units``; several rows of a pair are added up, no row means no goods.

    Returns
    -------
    DataFrame[Allotments]
        One row per order left after rounding; ``ordered_units`` are the whole units, ``short_units`` what is missing.

    Raises
    ------
    MissingColumnError, ContractError
        A column is absent, a quantity is negative or not finite, or a key comes twice.
    InputError
        More is prepaid than ordered.

    Examples
    --------
    >>> orders = pd.DataFrame({"warehouse_id": "W1", "community_id": ["C1", "C2"], "sku_id": "S1", "units": [8.0, 2.0]})
    >>> goods = pd.DataFrame({"warehouse_id": ["W1"], "sku_id": ["S1"], "units": [5.0]})
    >>> share_out(orders, goods)["allotted_units"].tolist()
    [4.0, 1.0]
    >>> share_out(orders, goods, rule="smallest_protected")["allotted_units"].tolist()
    [3.0, 2.0]
    """
    began = time.perf_counter()
    needed = [*KEY, "units"] + (["prepaid_units"] if rule == "prepaid_first" else [])
    missing = [column for column in needed if column not in ordered]
    if missing:
        raise MissingColumnError("ordered", missing, [str(c) for c in ordered.columns])
    _refuse_bad_units(ordered, "units")
    pair, group, turn = _groups(ordered)
    asked, weighed = _countable(ordered["units"].to_numpy(np.float64), group, len(pair), turn=turn, at_cutoff=at_cutoff)
    goods = _supply_of(pair, supply)
    goods = np.where(weighed, np.floor(np.round(goods * GRAM, 6)), np.floor(np.round(goods, REMAINDER_DIGITS)))
    asked = np.where(weighed[group], np.round(asked * GRAM), asked)
    total = np.bincount(group, weights=asked, minlength=len(pair))
    given = asked.copy()
    scarce = np.flatnonzero(goods < total)
    short = np.isin(group, scarce)
    if len(scarce):
        local = np.searchsorted(scarce, group[short])
        wanted = _Want(asked[short], local, goods[scarce], turn[short])
        given[short] = _share(wanted, rule, _prepaid(ordered, short, weighed[group], asked))
    unit = np.where(weighed[group], GRAM, 1.0)
    table = pd.DataFrame(
        {
            **{column: ordered[column].to_numpy() for column in KEY},
            "ordered_units": asked / unit,
            "allotted_units": given / unit,
            "short_units": (asked - given) / unit,
        }
    )
    allotments = Allotments.check(table[asked > 0])
    log.info(
        "share_out: rows in %d, rows out %d, units asked %.1f, ordered %.1f, short %.1f, %.2f s",
        len(ordered),
        len(allotments),
        ordered["units"].sum(),
        allotments["ordered_units"].sum(),
        allotments["short_units"].sum(),
        time.perf_counter() - began,
    )
    return allotments


@dataclass(frozen=True)
class _Want:
    """Whole orders of the scarce groups (one row per order) and the goods there are for each group."""

    asked: NDArray[np.float64]
    group: NDArray[np.int64]
    goods: NDArray[np.float64]
    turn: NDArray[np.int64]

    @property
    def total(self) -> NDArray[np.float64]:
        """Units asked per group."""
        return np.bincount(self.group, weights=self.asked, minlength=len(self.goods)).astype(np.float64)


def _share(want: _Want, rule: Rule, prepaid: NDArray[np.float64] | None) -> NDArray[np.float64]:
    if rule == "smallest_protected":
        return _equal_awards(want)
    if rule == "prepaid_first" and prepaid is not None:
        first = _proportional(_Want(prepaid, want.group, want.goods, want.turn))
        left = want.goods - np.bincount(want.group, weights=first, minlength=len(want.goods))
        return first + _proportional(_Want(want.asked - prepaid, want.group, left, want.turn))
    return _proportional(want)


def _proportional(want: _Want) -> NDArray[np.float64]:
    """Return goods x asked / total in whole units; everything asked where goods suffice."""
    total = want.total
    goods = np.minimum(want.goods, total)
    share = np.divide(goods, total, out=np.zeros_like(goods), where=total > 0)
    return largest_remainder(want.asked * share[want.group], want.group, goods, turn=want.turn)


def _equal_awards(want: _Want) -> NDArray[np.float64]:
    """Return min(asked, level) in whole units, the level such that the goods are used up.

    With the orders of a group ascending, a_1 <= ... <= a_n, the level lies at the first i with
    ``a_1 + ... + a_i + (n - i) a_i >= goods``: ``level = (goods - a_1 - ... - a_{i-1}) / (n - i + 1)``.
    """
    order = np.lexsort((want.turn, want.asked, want.group))
    asked, group = want.asked[order], want.group[order]
    sizes = np.bincount(group, minlength=len(want.goods))
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    before = np.cumsum(asked) - asked
    before -= before[firsts[group]]
    rest = sizes[group] - (np.arange(len(asked)) - firsts[group])
    reached = before + rest * asked >= want.goods[group]
    at = np.full(len(want.goods), len(asked), dtype=np.int64)
    np.minimum.at(at, group[reached], np.flatnonzero(reached))
    level = (want.goods - before[at]) / rest[at]
    return largest_remainder(np.minimum(want.asked, level[want.group]), want.group, want.goods, turn=want.turn)


def _countable(
    units: NDArray[np.float64], group: NDArray[np.int64], groups: int, *, turn: NDArray[np.int64], at_cutoff: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return units as they can be counted, and which groups are sold by weight."""
    if at_cutoff:
        fraction = np.abs(units - np.round(units)) > 10.0**-REMAINDER_DIGITS
        weighed = np.bincount(group, weights=fraction, minlength=groups) > 0
        return np.where(weighed[group], units, np.round(units)), weighed
    totals = rounded_half_up(np.bincount(group, weights=units, minlength=groups))
    return largest_remainder(units, group, totals, turn=turn), np.zeros(groups, dtype=bool)


def _groups(ordered: pd.DataFrame) -> tuple[pd.MultiIndex, NDArray[np.int64], NDArray[np.int64]]:
    """Return the warehouse x SKU pairs, each row's pair number, and each row's turn among ties."""
    warehouse, warehouses = pd.factorize(ordered["warehouse_id"], sort=True)
    sku, skus = pd.factorize(ordered["sku_id"], sort=True)
    community, communities = pd.factorize(ordered["community_id"], sort=True)
    code = warehouse.astype(np.int64) * len(skus) + sku
    _refuse_bad_keys(ordered, (warehouse < 0) | (sku < 0) | (community < 0), "not null")
    again = pd.Series(code * max(len(communities), 1) + community).duplicated().to_numpy()
    _refuse_bad_keys(ordered, again, "duplicate key")
    pairs, group = np.unique(code, return_inverse=True)
    keys = pd.MultiIndex.from_arrays([warehouses[pairs // len(skus)], skus[pairs % len(skus)]])
    turn = (community + sku) % len(communities) if len(communities) else community
    return keys, group.astype(np.int64), turn.astype(np.int64)


def _supply_of(pairs: pd.MultiIndex, supply: pd.DataFrame) -> NDArray[np.float64]:
    missing = [column for column in ("warehouse_id", "sku_id", "units") if column not in supply]
    if missing:
        raise MissingColumnError("supply", missing, [str(c) for c in supply.columns])
    _refuse_bad_units(supply, "units")
    held = supply.groupby(["warehouse_id", "sku_id"])["units"].sum()
    found: NDArray[np.float64] = held.reindex(pairs).fillna(0.0).to_numpy(np.float64)
    return found


def _prepaid(
    ordered: pd.DataFrame, short: NDArray[np.bool_], weighed: NDArray[np.bool_], asked: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return prepaid units of the scarce rows in counting units, never more than asked after rounding."""
    if "prepaid_units" not in ordered:
        return None
    _refuse_bad_units(ordered, "prepaid_units")
    paid = ordered["prepaid_units"].to_numpy(np.float64)
    over = paid > ordered["units"].to_numpy(np.float64) + 10.0**-REMAINDER_DIGITS
    if over.any():
        row = ordered.loc[over, KEY].iloc[0]
        raise InputError(
            f"{int(over.sum())} rows have more units prepaid than ordered, e.g. {' / '.join(row.astype(str))}: "
            "mend prepaid_units."
        )
    counted = np.where(weighed, np.round(paid * GRAM), np.floor(np.round(paid, REMAINDER_DIGITS)))
    return np.minimum(counted, asked)[short]


def _refuse_bad_units(frame: pd.DataFrame, column: str) -> None:
    units = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)
    wrong = ~(np.isfinite(units) & (units >= 0))
    _refuse(wrong, column, "a finite number, not negative", frame[column])


def _refuse_bad_keys(ordered: pd.DataFrame, wrong: NDArray[np.bool_], rule: str) -> None:
    if wrong.any():
        _refuse(wrong, "/".join(KEY), rule, ordered[KEY].fillna("(none)").astype(str).agg(" / ".join, axis=1))


def _refuse(wrong: NDArray[np.bool_], column: str, rule: str, values: pd.Series) -> None:
    if wrong.any():
        rows = np.flatnonzero(wrong)
        facts = {"row": rows, "column": column, "rule": rule, "value": values.iloc[rows].astype(str).to_numpy()}
        raise ContractError("ordered", pd.DataFrame(facts))
