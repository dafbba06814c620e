"""The leader's hand-out: every order of a community, what was ordered and what is handed out."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import OrderLines
from contracts.planned import Allotments


def hand_out(
    order_lines: DataFrame[OrderLines],
    allotments: DataFrame[Allotments],
    *,
    customers: pd.DataFrame | None = None,
    prepaid: Collection[str] = (),
) -> pd.DataFrame:
    """Return one row per order and SKU: ``community_id``, ``order_id``, ``name``, ``sku_id``, ``ordered``, ``given``.

    Where a community got less of a SKU than its neighbours ordered, orders in `prepaid` are served first, then earlier
    ones. Cancelled lines and communities that are not delivered to are left out. Names (``order_id``, ``name`` in
    `customers`) are masked.

    Parameters
    ----------
    order_lines : DataFrame[OrderLines]
        Lines of one delivery date at its cutoff.
    prepaid : collection of str
        Orders that are paid, where paid orders come first.
    """
    here = order_lines["community_id"].isin(set(allotments["community_id"]))
    lines = order_lines[order_lines["cancelled_at"].isna() & here]
    key = ["community_id", "order_id", "sku_id"]
    rows = lines.groupby(key).agg(ordered=("quantity", "sum"), placed_at=("placed_at", "min")).reset_index()
    rows["later"] = ~rows["order_id"].isin(set(prepaid))
    rows = rows.sort_values(["community_id", "sku_id", "later", "placed_at", "order_id"], ignore_index=True)
    got = allotments.groupby(["community_id", "sku_id"])["allotted_units"].sum()
    there = got.reindex(pd.MultiIndex.from_frame(rows[["community_id", "sku_id"]])).fillna(0.0).to_numpy()
    upto = rows.groupby(["community_id", "sku_id"])["ordered"].cumsum().to_numpy()
    before = upto - rows["ordered"].to_numpy()
    rows["given"] = np.round(np.clip(there - before, 0.0, rows["ordered"].to_numpy()), 6)
    names = pd.Series(dtype="str") if customers is None else customers.set_index("order_id")["name"].map(mask_name)
    rows["name"] = names.reindex(rows["order_id"]).fillna("").to_numpy(object)
    columns = ["community_id", "order_id", "name", "sku_id", "ordered", "given"]
    return rows.sort_values(["community_id", "order_id", "sku_id"], ignore_index=True)[columns]


def mask_name(name: str) -> str:
    """Return a name of which only the first character can be read.

    Examples
    --------
    >>> mask_name("王小明"), mask_name("Li"), mask_name("")
    ('王**', 'L*', '')
    """
    return name[:1] + "*" * (len(name) - 1)
