"""Campaigns recounted from the threshold table and the order book, for the check."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from contracts.clock import clock_instant
from optimize.purchase.data import PurchaseData
from optimize.purchase.outcomes import expected_short, mean_units, outcomes_of
from optimize.purchase.plan import PurchasePlan
from optimize.purchase.recount import Terms
from optimize.purchase.rows import rows_of


@dataclass(frozen=True)
class Group:
    """A campaign: its decision, the chance that it forms, and per warehouse the outcomes without demand."""

    decision: str
    chance: float
    level: dict[str, float]
    refund_yuan: float

    @property
    def held(self) -> bool:
        """Whether nothing of it is bought now because it is still open."""
        return self.decision == "open" and all(level >= 1.0 for level in self.level.values())


def recount_groups(data: PurchaseData, terms: Terms) -> dict[str, Group]:
    """Return every campaign of the delivery date by SKU."""
    places = {(row.warehouse_id, row.sku_id) for row in rows_of(data.cells)}
    cutoff = clock_instant(data.city.cutoff, delivery_date=data.delivery_date, timezone=data.city.timezone)
    groups = {}
    for row in rows_of(data.reference.group_thresholds):
        here = sorted(place for place, sku in places if sku == row.sku_id)
        if row.delivery_date != data.delivery_date or not here:
            continue
        deadline = clock_instant(row.deadline, delivery_date=data.delivery_date, timezone=data.city.timezone)
        asked = [r for r in rows_of(data.book) if r.sku_id == row.sku_id and r.place_id in here]
        demands = [outcomes_of(r) for r in asked]
        ordered = sum(r.confirmed for r in asked)
        if ordered >= row.min_units:
            groups[row.sku_id] = Group("go", 1.0, dict.fromkeys(here, 0.0), 0.0)
            continue
        if data.as_of >= deadline:
            groups[row.sku_id] = Group("no_go", 0.0, dict.fromkeys(here, 1.0), row.refund_yuan * ordered)
            continue
        left = (deadline - data.as_of) / (cutoff - data.as_of) if deadline < cutoff else 1.0
        needed = ordered + (row.min_units - ordered) / left  # at the cutoff, to have the threshold by the deadline
        total = [(sum(units for units, _ in same), same[0][1]) for same in zip(*demands, strict=True)]
        miss = _chance_below(total, needed)
        kept = sum(mean_units(outcomes_of(r, nothing_below=miss)) for r in asked)
        lost = sum(expected_short(demand, 0.0) for demand in demands) - kept
        level = {place: 1.0 if _last_order(terms, place, row.sku_id) >= deadline else miss for place in here}
        groups[row.sku_id] = Group("open", 1.0 - miss, level, row.refund_yuan * lost)
    return groups


def group_findings(data: PurchaseData, plan: PurchasePlan, groups: dict[str, Group]) -> list[str]:
    """Return what is wrong with the campaigns a plan shows, and lines bought for campaigns that wait or do not go."""
    shown = {row.sku_id: row for row in rows_of(plan.groups)}
    found = [f"Campaign {sku!r} is not decided." for sku in sorted(set(groups) - set(shown))]
    found += [f"Campaign {sku!r} has no threshold." for sku in sorted(set(shown) - set(groups))]
    for sku in sorted(set(groups) & set(shown)):
        group, row = groups[sku], shown[sku]
        close = abs(row.chance - group.chance) <= 1e-6 and abs(row.refund_yuan - group.refund_yuan) <= 1e-3
        if row.decision != group.decision or not close:
            found.append(
                f"Campaign {sku!r} is {row.decision}, chance {row.chance:.4f}, refunds {row.refund_yuan:.2f}; "
                f"should be {group.decision}, {group.chance:.4f}, {group.refund_yuan:.2f}."
            )
    sent = {(r.supplier_id, r.sku_id, r.warehouse_id): r.cases for r in rows_of(data.locked)}
    for line in rows_of(plan.lines):
        group_of = groups.get(line.sku_id)
        key = line.supplier_id, line.sku_id, line.warehouse_id
        if group_of and group_of.level[line.warehouse_id] >= 1.0 and line.cases != sent.get(key, 0):
            found.append(f"{line.sku_id!r} is bought for {line.warehouse_id!r} although its campaign is not formed.")
    return found


def _chance_below(total: list[tuple[float, float]], needed: float) -> float:
    """Return the chance that the total stays below what is needed."""
    if total[0][0] >= needed:
        return 0.0
    for (a, p), (b, q) in pairwise(total):
        if b >= needed:
            return p + (q - p) * (needed - a) / (b - a)
    return 1.0


def _last_order(terms: Terms, place: str, sku: str) -> pd.Timestamp:
    """Return the last moment the SKU can be ordered for a warehouse, late prices included."""
    moments = [pd.Timestamp.min.tz_localize("UTC")]
    for key, offer in terms.offers.items():
        if (
            key[1] == sku
            and key[2] == place
            and offer.latest is not None
            and (place, terms.zone[sku]) in terms.capacity
        ):
            late = offer.late_price_yuan == offer.late_price_yuan  # not null
            moments.append(offer.latest if late else min(offer.latest, offer.deadline))
    return max(moments)
