"""Changing as little as worth while: a price on every line that differs from the plan before, and the change sheet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimize.purchase.demand import Ints
from optimize.purchase.opening import OFFER_KEY

UNPLANNED = -1
"""`previous_cases` where no plan before is given: nothing counts as a change."""


def planned_before(offers: pd.DataFrame, previous: pd.DataFrame | None) -> Ints:
    """Return per offer the cases the plan before adds to its locked ones; `UNPLANNED` without such a plan."""
    if previous is None:
        return np.full(len(offers), UNPLANNED, dtype=np.int64)
    total = previous.set_index(OFFER_KEY)["cases"]
    cases = total.reindex(pd.MultiIndex.from_frame(offers[OFFER_KEY]), fill_value=0).to_numpy(np.int64)
    return np.asarray(np.maximum(cases - offers["locked_cases"].to_numpy(np.int64), 0), dtype=np.int64)


def charge_changes(bands: pd.DataFrame, offers: pd.DataFrame, *, change_yuan: float) -> pd.DataFrame:
    """Return the bands with ``side_yuan``, what a quantity costs besides goods: the price of changing the line.

    A quantity other than the one planned before costs `change_yuan`. Dropping a planned line is a change too, so its
    price stands in the plan's cost from the start (`standing_changes`) and buying the planned quantity takes it back.
    The band that holds the planned quantity is cut in three for that.
    """
    plain = bands.assign(side_yuan=0.0)
    planned = offers["previous_cases"].to_numpy(np.int64)[bands["offer"]]
    if not len(bands) or (planned == UNPLANNED).all() or change_yuan == 0:
        return plain
    low, high = bands["from_cases"].to_numpy(np.int64), bands["to_cases"].to_numpy(np.int64)
    held = (planned >= low) & (planned <= high)
    new_line = planned == 0
    others = plain.assign(side_yuan=np.where(new_line, change_yuan, 0.0))
    below = others.assign(to_cases=np.where(held, planned - 1, high))
    same = plain[held].assign(from_cases=planned[held], to_cases=planned[held], side_yuan=-change_yuan)
    above = others[held].assign(from_cases=planned[held] + 1)
    cut = pd.concat([below, same, above])
    cut = cut[cut["from_cases"] <= cut["to_cases"]]
    return cut.sort_values(["offer", "from_cases"], ignore_index=True)


def changed_lines(offers: pd.DataFrame, cases: Ints) -> int:
    """Return how many lines differ from the plan before."""
    planned = offers["previous_cases"].to_numpy(np.int64)
    return int(((planned != UNPLANNED) & (cases != planned)).sum())


def change_sheet(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the lines that differ between two plans' lines, one row each, sorted by supplier.

    Returns
    -------
    DataFrame
        ``supplier_id, sku_id, warehouse_id, change (new, dropped, more, fewer, dearer or cheaper), cases_before,
        cases_after, units_before, units_after, yuan_before, yuan_after, extra_yuan``.
    """
    keep = [*OFFER_KEY, "cases", "units", "amount_yuan"]
    both = before[keep].merge(after[keep], on=OFFER_KEY, how="outer", suffixes=("_before", "_after"))
    figures = [c for c in both.columns if c not in OFFER_KEY]
    both[figures] = both[figures].fillna(0.0)
    more = both["cases_after"] - both["cases_before"]
    extra = (both["amount_yuan_after"] - both["amount_yuan_before"]).round(2)
    both = both.rename(columns={"amount_yuan_before": "yuan_before", "amount_yuan_after": "yuan_after"})
    words = np.select(
        [both["cases_before"] == 0, both["cases_after"] == 0, more > 0, more < 0, extra > 0],
        ["new", "dropped", "more", "fewer", "dearer"],
        default="cheaper",
    )
    both = both.assign(change=words, extra_yuan=extra)
    sheet = both[(more != 0) | (extra != 0)].astype({"cases_before": np.int64, "cases_after": np.int64})
    columns = [*OFFER_KEY, "change", "cases_before", "cases_after", "units_before", "units_after"]
    columns += ["yuan_before", "yuan_after", "extra_yuan"]
    return sheet[columns].sort_values(OFFER_KEY, ignore_index=True)
