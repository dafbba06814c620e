"""What counts as ordered: lines of a delivery date placed by a moment and by the cutoff, not cancelled by that moment.

Lines that can never count are named by `set_aside`, with the rule, so that nothing is lost silently.
"""

from __future__ import annotations

import logging

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import UnknownReferenceError
from contracts.flow import OrderLines
from contracts.reference import Communities, Skus
from contracts.settings import CitySettings
from forecast.book.sessions import Sessions

_LOG = logging.getLogger(__name__)

AFTER_CUTOFF = "placed after the cutoff"
CLOSED = "community closed on the delivery date"
NOT_OPEN = "community not yet open on the delivery date"
COUNTS = ""


def line_rules(
    lines: DataFrame[OrderLines],
    *,
    communities: DataFrame[Communities],
    sessions: Sessions,
    skus: DataFrame[Skus] | None = None,
) -> pd.Series:
    """Return per line the rule that keeps it from ever counting, or "" where it counts.

    Raises
    ------
    UnknownReferenceError
        A line's community is in no row of `communities`: no warehouse could be told. Or, where categories close at
        different cutoffs, a SKU whose category is not known.
    """
    known = communities.set_index("community_id")
    unknown = sorted(set(lines["community_id"].unique()) - set(known.index))
    if unknown:
        raise UnknownReferenceError("OrderLines", "community_id", "Communities", unknown)
    rules = pd.Series(COUNTS, index=lines.index, dtype="str")
    opened, closed = lines["community_id"].map(known["opened_on"]), lines["community_id"].map(known["closed_on"])
    rules[lines["delivery_date"] < opened] = NOT_OPEN
    rules[lines["delivery_date"] > closed] = CLOSED
    rules[lines["placed_at"] > sessions.cutoffs_at(lines["delivery_date"], lines["sku_id"], skus)] = AFTER_CUTOFF
    return rules


def set_aside(
    lines: DataFrame[OrderLines],
    *,
    communities: DataFrame[Communities],
    city: CitySettings,
    skus: DataFrame[Skus] | None = None,
) -> pd.DataFrame:
    """Return the lines that never count, with a column ``rule``.

    Orders after their SKU's cutoff, and for a community that is not open on the delivery date. A cancelled line is
    not set aside: it counts until the moment it was cancelled (never, if that precedes its own order).
    """
    rules = line_rules(lines, communities=communities, sessions=Sessions.of(city), skus=skus)
    return lines.assign(rule=rules)[rules != COUNTS].reset_index(drop=True)


def counted_lines(
    lines: DataFrame[OrderLines],
    *,
    as_of: pd.Timestamp,
    communities: DataFrame[Communities],
    sessions: Sessions,
    skus: DataFrame[Skus] | None = None,
) -> pd.DataFrame:
    """Return the lines placed by `as_of` that count, with ``cancelled`` as of that moment.

    Returns
    -------
    DataFrame
        Columns ``delivery_date, community_id, sku_id, quantity, placed_at, cancelled``; one row per line, in the
        order given.
    """
    placed = lines[lines["placed_at"] <= as_of]
    rules = line_rules(placed, communities=communities, sessions=sessions, skus=skus)
    for rule, count in rules[rules != COUNTS].value_counts().sort_index().items():
        _LOG.warning("book: %d order lines set aside: %s", count, rule)
    kept = placed[rules == COUNTS]
    table = kept[["delivery_date", "community_id", "sku_id", "quantity", "placed_at"]]
    return table.assign(cancelled=(kept["cancelled_at"] <= as_of).to_numpy(bool)).reset_index(drop=True)
