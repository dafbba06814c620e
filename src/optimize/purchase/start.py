"""A first plan without a solver: every SKU from its cheapest offer, then limits mended by buying less."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.feasible import broken_suppliers, over_share, zone_room
from optimize.purchase.opening import OFFER_KEY


def cheapest_offer_plan(data: PurchaseData) -> Ints:
    """Return additional cases per offer: for each SKU x warehouse the newsvendor quantity of its cheapest offer.

    Offers whose share of a SKU is limited are left out. Where a zone is full or the budget spent, the lines that save
    least per unit or yuan are taken back; suppliers that miss their minimum order are not ordered from. The result
    keeps every limit except the minimum order of a supplier with locked lines.
    """
    offers, bands = data.offers, data.bands
    cases = np.zeros(len(offers), dtype=np.int64)
    if not len(bands):
        return cases
    offer = bands["offer"].to_numpy(np.int64)
    cell = offers["cell"].to_numpy(np.int64)
    received = data.column("offers", "received_per_case")
    low, high = bands["from_cases"].to_numpy(np.int64), bands["to_cases"].to_numpy(np.int64)
    unit_yuan = (data.column("bands", "yuan_per_case") + data.column("offers", "freight_yuan_per_case")[offer]) / (
        received[offer]
    )
    steps = data.recourse.step_yuan
    penalty, salvage = steps.sum(axis=1), data.recourse.salvage_yuan
    spread = np.maximum(penalty - salvage, 1e-9)[cell[offer]]
    ratio = np.clip((penalty[cell[offer]] - unit_yuan) / spread, 0.0, 1.0)
    own = type(data.demand)(data.demand.knots[cell[offer]], data.demand.levels[cell[offer]])
    missing = own.quantile(ratio) - data.base_units[cell[offer]]
    wanted = np.clip(np.rint(missing / received[offer]).astype(np.int64), low, high)
    base = data.base_units[cell[offer]]
    with_it = data.recourse.cost_yuan(base + wanted * received[offer], cell[offer])
    pays = data.column("bands", "fixed_yuan") + wanted * (unit_yuan * received[offer]) + with_it
    gain = data.recourse.cost_yuan(base, cell[offer]) - pays
    gain[(ratio <= 0) | (data.column("offers", "max_share")[offer] < 1.0)] = -np.inf
    order = np.lexsort((offer, -gain, cell[offer]))
    first = order[np.diff(cell[offer][order], prepend=-1) > 0]
    first = first[gain[first] > 0]
    cases[offer[first]] = wanted[first]
    worth = np.zeros(len(offers))
    worth[offer[first]] = gain[first]
    _fit_zones(data, cases, worth)
    _fit_budget(data, cases, worth)
    cases[np.isin(offers["supplier"], broken_suppliers(data, cases))] = 0
    return cases


def earlier_plan(data: PurchaseData, lines: pd.DataFrame) -> Ints:
    """Return additional cases per offer as an earlier plan's lines have them, what cannot be bought any more left out.

    Cases of a line beyond its locked ones are kept within what the offer allows; zones and the budget are fitted and
    suppliers below their minimum order left out as in `cheapest_offer_plan`.
    """
    total = lines.set_index(OFFER_KEY)["cases"]
    wanted = total.reindex(pd.MultiIndex.from_frame(data.offers[OFFER_KEY]), fill_value=0).to_numpy(np.int64)
    cases = np.clip(wanted - data.offers["locked_cases"].to_numpy(np.int64), 0, data.offers["max_cases"].to_numpy())
    cases = np.where(np.isfinite(data.goods_yuan(cases)), cases, 0).astype(np.int64)
    cell = data.offers["cell"].to_numpy(np.int64)
    before = data.recourse.cost_yuan(data.base_units)
    saved = before - data.recourse.cost_yuan(data.received(cases))
    _fit_zones(data, cases, saved[cell])
    _fit_budget(data, cases, saved[cell])
    while True:  # each turn takes something back, so it ends
        crowded = np.isin(cell, cell[over_share(data, cases)])
        broken = (cases > 0) & (crowded | np.isin(data.offers["supplier"], broken_suppliers(data, cases)))
        if not broken.any():
            return cases
        cases[broken] = 0


def _fit_budget(data: PurchaseData, cases: Ints, worth: np.ndarray) -> None:
    """Take back the offers that save least per yuan until the budget holds."""
    yuan = data.goods_yuan(cases)
    over = float(yuan.sum()) - data.budget_left_yuan
    bought = np.flatnonzero(cases)
    for o in bought[np.argsort(worth[bought] / yuan[bought], kind="stable")].tolist():
        if over <= 0:
            break
        over -= float(yuan[o])
        cases[o] = 0


def _fit_zones(data: PurchaseData, cases: Ints, worth: np.ndarray) -> None:
    """Take back the offers that save least per unit until each zone fits."""
    zone = data.offers["zone"].to_numpy(np.int64)
    units = data.column("offers", "case_units")
    for z, room in enumerate(zone_room(data, cases).tolist()):
        over = -room
        if over <= 0:
            continue
        here = np.flatnonzero((zone == z) & (cases > 0))
        for o in here[np.argsort(worth[here] / (cases[here] * units[here]), kind="stable")].tolist():
            if over <= 0:
                break
            over -= cases[o] * units[o]
            cases[o] = 0
