"""The answer as tables: purchase lines, coverage, costs, and what is known of its quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import QUANTILE_COLUMNS
from contracts.money import line_amounts
from contracts.planned import Coverage, GroupDecisions, PurchaseLines
from contracts.solve import StageReport
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.opening import OFFER_KEY


@dataclass(frozen=True)
class PurchasePlan:
    """What to buy from whom for one night.

    Attributes
    ----------
    lines : DataFrame[PurchaseLines]
        One line per supplier, SKU and warehouse. A line topped up beyond its locked cases is not ``locked``; its
        reason says how many cases were sent before.
    coverage : DataFrame[Coverage]
        Every SKU x warehouse with demand or supply.
    groups : DataFrame[GroupDecisions]
        Campaigns with a group threshold: go, no go or still open, and their chance.
    costs : dict
        Yuan per part; the parts sum to ``"total"``.
    report : StageReport
    warnings : tuple of str
    """

    lines: DataFrame[PurchaseLines]
    coverage: DataFrame[Coverage]
    groups: DataFrame[GroupDecisions]
    costs: dict[str, float]
    report: StageReport
    warnings: tuple[str, ...]


def line_table(data: PurchaseData, cases: Ints, reasons: list[str]) -> DataFrame[PurchaseLines]:
    """Return the purchase lines of additional cases per offer, merged with what is locked.

    Parameters
    ----------
    cases : array of int, shape (offers,)
    reasons : list of str
        One sentence per offer with cases, in offer order.
    """
    bought = np.flatnonzero(cases)
    own = data.offers.iloc[bought]
    new = pd.DataFrame(
        {
            **{key: own[key].to_numpy() for key in OFFER_KEY},
            "new_cases": cases[bought],
            "new_units": cases[bought] * own["case_units"].to_numpy(np.float64),
            "new_yuan": line_amounts(np.ones(len(bought)), data.goods_yuan(cases)[bought]),
            "new_reason": reasons,
        }
    )
    lines = data.locked.merge(new, on=OFFER_KEY, how="outer", sort=True)
    was, adds = lines["cases"].notna(), lines["new_cases"].notna()
    figures = ["cases", "units", "amount_yuan", "new_cases", "new_units", "new_yuan"]
    lines[figures] = lines[figures].fillna(0.0)
    sent = lines["cases"].astype(np.int64).astype(str) + " cases were sent before. "
    added = lines["new_reason"].astype(object).where(adds, "").astype("str")  # all-null text would be read as floats
    units = lines["units"] + lines["new_units"]
    amount = lines["amount_yuan"] + lines["new_yuan"]
    return PurchaseLines.check(
        pd.DataFrame(
            {
                **{key: lines[key] for key in OFFER_KEY},
                "cases": (lines["cases"] + lines["new_cases"]).astype(np.int64),
                "units": units,
                "unit_price_yuan": lines["unit_price_yuan"].where(was & ~adds, amount / units),
                "amount_yuan": amount.round(2),
                "reason": lines["reason"].where(~adds, sent.where(was, "") + added),
                "locked": was & ~adds,
            }
        )
    )


def coverage_table(data: PurchaseData, cases: Ints) -> DataFrame[Coverage]:
    """Return how each SKU x warehouse stands with these additional cases."""
    nominal = cases * data.column("offers", "case_units")
    bought = np.bincount(data.offers["cell"], weights=nominal, minlength=len(data.cells))
    units = data.received(cases)
    keep = ["warehouse_id", "sku_id", "confirmed", "final_mean", *QUANTILE_COLUMNS, "available", "late_slot"]
    return Coverage.check(
        data.cells[keep].assign(
            bought=data.cells["locked_units"] + bought,
            expected_short=data.recourse.short_units(units),
            expected_surplus=data.recourse.surplus_units(units),
            short_yuan=data.recourse.short_yuan(units),
            surplus_yuan=data.recourse.surplus_yuan(units),
        )
    )
