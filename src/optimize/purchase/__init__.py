"""What to buy from whom, in whole cases, at least expected cost."""

from optimize.purchase.allocate import allocate
from optimize.purchase.changes import change_sheet
from optimize.purchase.check import check
from optimize.purchase.data import PurchaseData
from optimize.purchase.insight import Insight, explain
from optimize.purchase.intake import purchase_data
from optimize.purchase.plan import PurchasePlan
from optimize.purchase.what_if import WhatIf, what_if

__all__ = [
    "Insight",
    "PurchaseData",
    "PurchasePlan",
    "WhatIf",
    "allocate",
    "change_sheet",
    "check",
    "explain",
    "purchase_data",
    "what_if",
]
