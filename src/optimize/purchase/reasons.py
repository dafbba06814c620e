"""Why each line is bought where it is bought: the next best supplier and what it would cost more."""

from __future__ import annotations

from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.moves import alternatives
from optimize.purchase.rows import rows_of


def line_reasons(data: PurchaseData, cases: Ints) -> list[str]:
    """Return one sentence per offer with cases, in offer order.

    The difference is that of the whole plan's cost - prices, rebates, order costs, freight, shortage - if the line's
    units came from the other supplier instead, rounded to whole cases, as far as it sells so many.
    """
    table = alternatives(data, cases)
    reasons = []
    for row in rows_of(table):
        if row.rivals == 0:
            reasons.append("Only supplier that can deliver it now.")
        elif row.best < 0:
            reasons.append("No other supplier can bring more of it within the limits.")
        elif row.extra_yuan >= 0:
            part = "" if row.taken_share > 0.999 else f" with only {row.taken_share:.0%} of the units"
            reasons.append(
                f"Next best is {row.supplier_id!r}{part}: {row.extra_yuan:.2f} yuan more for the whole plan."
            )
        else:
            reasons.append(
                f"{row.supplier_id!r} alone would be {-row.extra_yuan:.2f} yuan cheaper; found within the stated gap."
            )
    return reasons
