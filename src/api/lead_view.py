"""What a warehouse lead sees of a plan: when, how it stands and where its own tables are; no costs, no sentences.

Sentences (warnings, explanations, fallbacks, what-ifs) name suppliers, prices and other warehouses, and units are the
whole city's, so they are left out; the lead's own figures are in loads, assignments, routes and people.
"""

from __future__ import annotations

from api.access import Duty, Holder
from contracts.plan import PlanSummary
from contracts.what_if import WhatIf

HIDDEN = "other circumstances"
"""What a lead reads where a planner reads which."""


def seen_by(holder: Holder, summary: PlanSummary) -> PlanSummary:
    """Return a plan's summary as a key's holder may see it; what may not be seen is empty, not zero."""
    if holder.may(Duty.READ_PRICES):
        return summary
    stages = [
        stage.model_copy(update={"cost_yuan": None, "bound_yuan": None, "gap": None, "explanation": ()})
        for stage in summary.stages
    ]
    hidden = {"stages": tuple(stages), "costs_yuan": {}, "demand_units": {}, "warnings": (), "fallbacks": ()}
    what_if = None if summary.what_if is None else WhatIf()
    return summary.model_copy(update={**hidden, "what_if": what_if})
