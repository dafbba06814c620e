"""What to buy from whom, in whole cases, at least expected cost."""

from optimize.purchase.allocate import allocate
from optimize.purchase.check import check
from optimize.purchase.data import PurchaseData
from optimize.purchase.intake import purchase_data
from optimize.purchase.plan import PurchasePlan

__all__ = ["PurchaseData", "PurchasePlan", "allocate", "check", "purchase_data"]
