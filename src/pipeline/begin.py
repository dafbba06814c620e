"""Which kept plan a search begins from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from contracts.errors import InputError, NotFoundError
from contracts.planned import PurchaseLines
from pipeline.night import EarlierPlan
from pipeline.risk import PREVIOUS, last_plan
from store import Store


@dataclass(frozen=True)
class Begin:
    """Which kept plan of the date a search begins from; with `stay_near` each line that differs has a price.

    `plan_id` may be ``previous``: the plan of the date made last before. Without one nothing, unless it is `required`.
    """

    plan_id: str
    stay_near: bool = False
    required: bool = True


def earlier_plan(store: Store, begin: Begin, *, delivery_date: pd.Timestamp, as_of: pd.Timestamp) -> EarlierPlan | None:
    """Return the plan to begin from with its purchase lines; None where the previous one is not there nor required.

    Raises
    ------
    NotFoundError
        There is no such plan.
    InputError
        It is of another date.
    """
    plan_id, day = begin.plan_id, delivery_date.date()
    if plan_id == PREVIOUS:
        found = last_plan(store.plan_summaries(), delivery_date=day, before=as_of.to_pydatetime())
        if found is None and not begin.required:
            return None
        if found is None:
            raise NotFoundError("earlier plan of", str(day), hint="Plan an earlier moment first, or name one.")
        plan_id = found
    planned = store.plan_summary(plan_id)
    if planned.delivery_date != day:
        raise InputError(f"Plan {plan_id} is for {planned.delivery_date}: a plan of {day} cannot begin from it.")
    return EarlierPlan(plan_id, PurchaseLines.check(store.plan_table(plan_id, "purchase_lines")), begin.stay_near)
