"""The same night under other circumstances: a supplier drops out, prices move, demand is higher or lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from contracts.columns import QUANTILE_COLUMNS
from contracts.errors import InputError, UnknownReferenceError, first_keys
from contracts.planned import PurchaseLines
from contracts.reference import Offers, PriceBreaks
from contracts.what_if import WhatIf
from contracts.world import Reference
from optimize.purchase.data import PurchaseData
from optimize.purchase.intake import purchase_data
from optimize.purchase.opening import OFFER_KEY


def what_if(
    data: PurchaseData,
    change: WhatIf,
    *,
    previous: pd.DataFrame | None = None,
    lockable: pd.DataFrame | None = None,
) -> PurchaseData:
    """Return the problem under the change.

    Parameters
    ----------
    previous : DataFrame[PurchaseLines], optional
        Lines of the plan before: changes to them are priced (see `purchase_data`).
    lockable : DataFrame[PurchaseLines], optional
        Lines that `WhatIf.lock` can name; default `previous`.

    Raises
    ------
    UnknownReferenceError
        A supplier, SKU or line of the change does not exist: a what-if about nothing would look like "no effect".
    InputError
        A factor or budget is no positive number.
    """
    reference = data.reference
    check_change(change, reference)
    offers: pd.DataFrame = reference.offers
    breaks: pd.DataFrame = reference.price_breaks
    for supplier, factor in change.price_factor.items():
        offers = _scaled(offers, supplier, factor, ("unit_price_yuan", "late_price_yuan"))
        breaks = _scaled(breaks, supplier, factor, ("unit_price_yuan",))
    keep = ~offers["supplier_id"].isin(change.without_suppliers)
    keep_breaks = ~breaks["supplier_id"].isin(change.without_suppliers)
    changed = replace(
        reference,
        offers=Offers.check(offers[keep]),
        price_breaks=PriceBreaks.check(breaks[keep_breaks]),
    )
    settings = data.settings
    if change.budget_yuan is not None:
        settings = settings.model_copy(update={"budget_yuan": change.budget_yuan})
    return purchase_data(
        changed,
        with_demand(data.book, change.demand_factor),
        delivery_date=data.delivery_date,
        as_of=data.as_of,
        city=data.city,
        locked=_with_locked(data.locked, previous if lockable is None else lockable, change.lock),
        previous=previous,
        settings=settings,
    )


def check_change(change: WhatIf, reference: Reference) -> None:
    """Refuse a change that names what does not exist, or a factor that is no number.

    Raises
    ------
    UnknownReferenceError, InputError
        As `what_if`.
    """
    _check_numbers(change)
    suppliers, skus = set(reference.suppliers["supplier_id"]), set(reference.skus["sku_id"])
    for column, named, known in (
        ("supplier_id", {*change.without_suppliers, *change.price_factor}, suppliers),
        ("sku_id", set(change.demand_factor) - {"*"}, skus),
    ):
        if named - known:
            raise UnknownReferenceError("what_if", column, "reference", sorted(named - known))


def _check_numbers(change: WhatIf) -> None:
    numbers = {**change.price_factor, **{f"demand {sku}": f for sku, f in change.demand_factor.items()}}
    wrong = [name for name, factor in numbers.items() if not 0.0 <= factor < np.inf]
    wrong += [name for name, factor in change.price_factor.items() if factor == 0.0]
    if change.budget_yuan is not None and not 0.0 <= change.budget_yuan < np.inf:
        wrong.append("budget")
    if wrong:
        raise InputError(f"A what-if needs finite factors, above zero for prices; got others for {first_keys(wrong)}.")


def _with_locked(
    locked: pd.DataFrame, previous: pd.DataFrame | None, keys: tuple[tuple[str, str, str], ...]
) -> pd.DataFrame:
    """Return the locked lines and those of the plan before that are to stay, which replace what was sent of them."""
    if not keys:
        return locked
    lines = PurchaseLines.empty() if previous is None else previous
    known = pd.MultiIndex.from_frame(lines[OFFER_KEY])
    lost = [" / ".join(key) for key in keys if key not in known]
    if lost:
        raise UnknownReferenceError("what_if", "lock", "lines of the plan before", lost)
    kept = lines[known.isin(list(keys))].assign(locked=True)
    others = locked[~pd.MultiIndex.from_frame(locked[OFFER_KEY]).isin(list(keys))]
    return PurchaseLines.check(pd.concat([others, kept], ignore_index=True))


def _scaled(table: pd.DataFrame, supplier: str, factor: float, columns: tuple[str, ...]) -> pd.DataFrame:
    own = table["supplier_id"] == supplier
    return table.assign(**{name: table[name].where(~own, (table[name] * factor).round(4)) for name in columns})


def with_demand(book: pd.DataFrame, factors: Mapping[str, float]) -> pd.DataFrame:
    """Return an order book with what is not confirmed yet scaled, by SKU or ``*``, at every level."""
    if not factors:
        return book
    factor = book["sku_id"].map(lambda sku: factors.get(sku, factors.get("*", 1.0))).to_numpy(np.float64)
    confirmed = book["confirmed"].to_numpy(np.float64)
    scaled = {
        name: confirmed + (book[name].to_numpy(np.float64) - confirmed) * factor
        for name in ("final_mean", *QUANTILE_COLUMNS)
    }
    return book.assign(remaining_mean=book["remaining_mean"] * factor, **scaled)
