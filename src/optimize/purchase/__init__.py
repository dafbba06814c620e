"""What to buy from whom, in whole cases, at least expected cost."""

from contracts.what_if import WhatIf
from optimize.purchase.allocate import allocate
from optimize.purchase.changes import change_sheet
from optimize.purchase.check import check
from optimize.purchase.data import PurchaseData
from optimize.purchase.insight import Insight, explain
from optimize.purchase.intake import purchase_data
from optimize.purchase.plan import PurchasePlan
from optimize.purchase.what_if import check_change, what_if, with_demand

__all__ = [
    "Insight",
    "PurchaseData",
    "PurchasePlan",
    "WhatIf",
    "allocate",
    "change_sheet",
    "check",
    "check_change",
    "explain",
    "purchase_data",
    "what_if",
    "with_demand",
]
