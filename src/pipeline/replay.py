"""Replay: plan again from the same inputs and say whether the same plan comes out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeline.begin import Begin
from pipeline.desk import PlanningDesk
from pipeline.fingerprint import table_fingerprint
from pipeline.night import plan_night
from pipeline.plan import NightPlan
from pipeline.progress import Progress, silent
from pipeline.revise import refuse_revision


@dataclass(frozen=True)
class Rerun:
    """Outcome of a replay.

    Attributes
    ----------
    changed_inputs : tuple of str
        Inputs whose content, settings, model or library version is no longer what the plan was made from.
    changed_tables : tuple of str
        Tables of the plan that differ.
    """

    plan_id: str
    changed_inputs: tuple[str, ...]
    changed_tables: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether every table of the plan came out the same."""
        return not self.changed_tables

    @property
    def sentence(self) -> str:
        """Return the outcome as one sentence."""
        if self.identical:
            return f"Plan {self.plan_id} came out identical."
        why = f"inputs changed: {', '.join(self.changed_inputs)}" if self.changed_inputs else "no input changed"
        return f"Plan {self.plan_id} came out different in {', '.join(self.changed_tables)}; {why}."


def rerun_plan(desk: PlanningDesk, plan_id: str, *, progress: Progress = silent) -> Rerun:
    """Plan again what a kept plan planned, from what the store holds now; the kept plan is not touched.

    Raises
    ------
    InputError
        The plan is a revision: its late changes are kept nowhere but in it.
    """
    kept = desk.saved_plan(plan_id)
    refuse_revision(kept, "rerun")
    summary = kept.summary
    night = desk.night_input(
        pd.Timestamp(summary.delivery_date).as_unit("us"),
        pd.Timestamp(summary.as_of).tz_convert("UTC").as_unit("us"),
        after=summary.after,
        begin=None if summary.begun_from is None else Begin(summary.begun_from, stay_near=summary.stays_near),
        change=summary.what_if,
    )
    again = plan_night(night, settings=desk.settings, progress=progress)
    return compare_plans(kept, again)


def compare_plans(kept: NightPlan, again: NightPlan) -> Rerun:
    """Return what differs between two plans of the same night."""
    before, now = kept.summary, again.summary
    names = sorted(set(before.input_fingerprints) | set(now.input_fingerprints))
    changed = [n for n in names if before.input_fingerprints.get(n) != now.input_fingerprints.get(n)]
    changed += [f"version of {n}" for n, v in before.versions.items() if now.versions.get(n) != v]
    if before.settings_fingerprint != now.settings_fingerprint:
        changed.append("settings")
    if before.model_version != now.model_version:
        changed.append("model")
    tables = dict(again.tables())
    different = [n for n, frame in kept.tables() if table_fingerprint(frame) != table_fingerprint(tables[n])]
    return Rerun(before.plan_id, tuple(changed), tuple(different))
