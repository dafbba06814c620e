"""Which limits bind in a plan, and what one more unit of each is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimize.purchase.costs import rebate_yuan, spend_yuan
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.feasible import over_share, zone_room

WORTH_NAMING_YUAN = 0.005
"""A limit whose next unit saves less than half a fen does not bind."""


def one_case_saves(data: PurchaseData, cases: Ints) -> Floats:
    """Return per offer what one more case would save by what it brings: less shortage, for its price and freight.

    The price is that of the highest band at the supplier's present rebate; minima, capacity and thresholds are not
    looked at.
    """
    last = data.bands.groupby("offer")["yuan_per_case"].last().reindex(range(len(data.offers))).to_numpy(np.float64)
    spend = spend_yuan(data, data.goods_yuan(cases))
    rate = np.divide(rebate_yuan(data, spend), spend, out=np.zeros_like(spend), where=spend > 0)
    supplier, cell = data.offers["supplier"].to_numpy(np.int64), data.offers["cell"].to_numpy(np.int64)
    received = data.received(cases)[cell]
    after = data.recourse.cost_yuan(received + data.column("offers", "received_per_case"), cell)
    gain = data.recourse.cost_yuan(received, cell) - after
    return np.asarray(gain - last * (1.0 - rate[supplier]) - data.column("offers", "freight_yuan_per_case"))


def binding_limits(data: PurchaseData, cases: Ints) -> pd.DataFrame:
    """Return the limits that keep a plan from saving more, the dearest first.

    Returns
    -------
    DataFrame
        ``kind`` (zone, offer, share, budget), ``where``, ``used``, ``limit``, ``worth_yuan`` (what one more unit of a
        zone, case of an offer or yuan of budget would save at least), ``cure``.
    """
    saves = one_case_saves(data, cases)
    pays = saves > WORTH_NAMING_YUAN
    rows = [*_zones(data, cases, saves, pays), *_offers(data, cases, saves, pays), *_shares(data, cases, saves, pays)]
    rows += _budget(data, cases, saves, pays)
    table = pd.DataFrame(rows, columns=["kind", "where", "used", "limit", "worth_yuan", "cure"])
    return table.sort_values(["worth_yuan", "where"], ascending=[False, True], ignore_index=True)


Row = tuple[str, str, float, float, float, str]


def _zones(data: PurchaseData, cases: Ints, saves: Floats, pays: np.ndarray) -> list[Row]:
    room, units, zone_of = zone_room(data, cases), data.column("offers", "case_units"), data.offers["zone"].to_numpy()
    free = pays & (cases < data.offers["max_cases"].to_numpy())
    rows = []
    for z in range(len(data.zones)):
        stuck = free & (zone_of == z) & (units > room[z])
        if stuck.any():
            o = int(np.flatnonzero(stuck)[np.argmax((saves / units)[stuck])])
            place, zone = data.zones["warehouse_id"].iloc[z], data.zones["temperature_zone"].iloc[z]
            limit = float(data.zones["capacity_units"].iloc[z])
            cure = f"Raise the inbound capacity of the {zone} zone: {data.offers['sku_id'].iloc[o]!r} would come next."
            rows.append(("zone", f"{place} {zone}", limit - float(room[z]), limit, float(saves[o] / units[o]), cure))
    return rows


def _offers(data: PurchaseData, cases: Ints, saves: Floats, pays: np.ndarray) -> list[Row]:
    rows = []
    for o in np.flatnonzero((cases > 0) & (cases == data.offers["max_cases"].to_numpy()) & pays).tolist():
        own = data.offers.iloc[o]
        most = float(cases[o] + own["locked_cases"])
        cure = f"Ask {own['supplier_id']!r} for more than {most:.0f} cases."
        rows.append(("offer", _line_name(own), most, most, float(saves[o]), cure))
    return rows


def _shares(data: PurchaseData, cases: Ints, saves: Floats, pays: np.ndarray) -> list[Row]:
    """A supplier at its largest share: one more case would break it."""
    rows = []
    limited = pays & (cases > 0) & (data.column("offers", "max_share") < 1.0)
    for o in np.flatnonzero(limited & (cases < data.offers["max_cases"].to_numpy())).tolist():
        more = cases.copy()
        more[o] += 1
        if over_share(data, more)[o]:
            own, cell = data.offers.iloc[o], int(data.offers["cell"].iloc[o])
            units = data.column("offers", "case_units")
            total = float(data.cells["locked_units"].iloc[cell] + (cases * units)[data.offers["cell"] == cell].sum())
            held = float((cases[o] + own["locked_cases"]) * units[o])
            cure = f"Let {own['supplier_id']!r} bring more than {own['max_share']:.0%} of it."
            rows.append(("share", _line_name(own), held, float(own["max_share"]) * total, float(saves[o]), cure))
    return rows


def _budget(data: PurchaseData, cases: Ints, saves: Floats, pays: np.ndarray) -> list[Row]:
    """The budget is spent: the next case would not fit."""
    if data.settings.budget_yuan is None:
        return []
    next_yuan = next_case_yuan(data)
    left = data.budget_left_yuan - float(data.goods_yuan(cases).sum())
    stuck = pays & (cases < data.offers["max_cases"].to_numpy()) & (next_yuan > left + 1e-9)
    if not stuck.any():
        return []
    o = int(np.flatnonzero(stuck)[np.argmax((saves / next_yuan)[stuck])])
    limit = float(data.settings.budget_yuan)
    cure = f"Raise the budget: {data.offers['sku_id'].iloc[o]!r} would come next."
    return [("budget", "all suppliers", limit - left, limit, float(saves[o] / next_yuan[o]), cure)]


def next_case_yuan(data: PurchaseData) -> Floats:
    """Return per offer what a case costs in its highest band; infinite where nothing is sold."""
    last = data.bands.groupby("offer")["yuan_per_case"].last().reindex(range(len(data.offers)))
    return np.asarray(last.fillna(np.inf), dtype=np.float64)


def _line_name(offer: pd.Series) -> str:
    return f"{offer['supplier_id']} {offer['sku_id']} {offer['warehouse_id']}"
