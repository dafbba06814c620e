"""A plan that is out, revised: the rest sorted again, routes mended, as a plan of its own that can be published."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import InfeasibleError, InputError
from contracts.planned import Allotments, Arrivals, PurchaseLines
from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing import RoutePlan, trip_deadlines
from optimize.sorting import (
    Remaining,
    SortingData,
    SortingPlan,
    TaskProgress,
    remaining,
    sort,
    whole_night,
)
from pipeline.fingerprint import settings_fingerprint, table_fingerprint
from pipeline.joint import Asked, Goods, route_input, sorting_limits, wave_input
from pipeline.late import Late
from pipeline.plan import NightPlan
from pipeline.replan import CityNight, day_of, drive_again, replaced_by, routes_of, waves_of

COMMUNITY = ["warehouse_id", "community_id", "sku_id"]


@dataclass(frozen=True)
class Revision:
    """A revised plan and what became of the changes.

    Attributes
    ----------
    plan : NightPlan
        The whole night: what is sorted, under way and planned anew; routes that left and routes mended.
    left : Remaining
        Among others what is missing for good (``left.lacking``).
    said : tuple of str
        What changed, one sentence each.
    """

    plan: NightPlan
    left: Remaining
    said: tuple[str, ...]


def revise(plan: NightPlan, reference: Reference, late: Late, *, as_of: pd.Timestamp, settings: Settings) -> Revision:
    """Return a plan with late changes as of a moment: as few of its waves, drivers and slots change as pay.

    Waves that have ended are done as reported, those under way stay, the others are planned again with late orders (as
    far as goods nobody waits for reach) and without cancelled communities. Routes that have left by the moment stay;
    the others are mended, each stop that changes its driver at the settings' price. Purchase lines are locked.

    Raises
    ------
    UnknownReferenceError, NotFoundError, InputError
        Changes of what is not there, or progress of more units than a task has.
    InfeasibleError
        The rest of the night can no longer be sorted; the reasons say what would free it.
    """
    late.check(plan, reference)
    if not plan.summary.status.has_plan:
        raise InputError(f"Plan {plan.summary.plan_id} is {plan.summary.status.value}: there is nothing to revise.")
    data, before = _night(plan, reference, settings), waves_of(plan)
    left = remaining(
        data,
        before,
        told_progress(plan, late, as_of=as_of),
        as_of=as_of,
        rule=replaced_by(settings),
        added=_added(late, reference),
        gone=late.cancelled,
    )
    again = None if left.data is None else sort(left.data, limits=sorting_limits(settings))
    if again is not None and not again.report.status.has_plan:
        raise InfeasibleError("sorting the rest of the night", again.report.explanation)
    waves = whole_night(data, before, left, again)
    allotments = _allotted(plan.allotments, late, left.lacking, reference)
    changed = _with(plan, waves, allotments, left.usable)
    routes = drive_again(changed, reference, allotments, settings=settings, as_of=as_of, frozen=late.frozen)
    said = _said(plan, late, left, again, routes)
    return Revision(_revised(changed, (waves, routes), late, said, as_of=as_of, settings=settings), left, said)


def told_progress(plan: NightPlan, late: Late, *, as_of: pd.Timestamp) -> DataFrame[TaskProgress]:
    """Return the progress that counts: what was reported, and what is taken as done.

    Without reports waves that have ended are sorted whole. Waves that had ended when the plan was revised hold what
    was sorted in them by then, so they are done and reports on them are settled. What is short or damaged counts when
    its wave has ended: until then the station may still find it, and a later revision would count it again.
    """
    tasks, settled = plan.sorting_tasks, plan.summary.revised_at
    until = as_of if late.progress is None else pd.Timestamp.min.tz_localize("UTC")
    until = until if settled is None else max(until, pd.Timestamp(settled))
    over = tasks[tasks["ends_at"] <= until]
    key = list(TaskProgress.key())
    done = over[key].assign(sorted_units=over["units"], short_units=0.0, damaged_units=0.0, over_units=0.0)
    if late.progress is None:
        return TaskProgress.check(done)
    known = pd.MultiIndex.from_frame(done[key])
    told: pd.DataFrame = late.progress[~pd.MultiIndex.from_frame(late.progress[key]).isin(known)]
    if settled is not None:
        told = _of_tasks(told, tasks)
    ended = pd.MultiIndex.from_frame(tasks.loc[tasks["ends_at"] <= as_of, key])
    early = ~pd.MultiIndex.from_frame(told[key]).isin(ended)
    told = told.assign(**{part: told[part].mask(early, 0.0) for part in ("short_units", "damaged_units", "over_units")})
    tables: list[pd.DataFrame] = [done, told]
    return TaskProgress.check(pd.concat(tables, ignore_index=True))


def _of_tasks(told: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return reports on tasks that are still there; a task of which nothing was sorted is settled too."""
    key = list(TaskProgress.key())
    return told[pd.MultiIndex.from_frame(told[key]).isin(pd.MultiIndex.from_frame(tasks[key]))]


def _night(plan: NightPlan, reference: Reference, settings: Settings) -> SortingData:
    """Return the sorting input of the plan, due when its trips must load."""
    place, goods = CityNight(reference, day_of(plan)), Goods(plan.allotments, plan.arrivals)
    data = route_input(place, plan.allotments, plan.releases, settings)
    asked = Asked(trip_deadlines(data, routes_of(plan)), waves_of(plan), whole_trips=False)
    return wave_input(place, goods, settings, asked=asked)


def _added(late: Late, reference: Reference) -> pd.DataFrame | None:
    """Return the late orders as the sorting floor takes them."""
    if late.orders.empty:
        return None
    home = reference.communities.set_index("community_id")["warehouse_id"]
    zone = reference.skus.set_index("sku_id")["temperature_zone"]
    return pd.DataFrame(
        {
            "warehouse_id": late.orders["community_id"].map(home).astype("str"),
            "temperature_zone": late.orders["sku_id"].map(zone).astype("str"),
            "destination_id": late.orders["community_id"],
            "sku_id": late.orders["sku_id"],
            "units": late.orders["units"],
        }
    )


def _allotted(
    before: DataFrame[Allotments], late: Late, lacking: DataFrame[Allotments], reference: Reference
) -> DataFrame[Allotments]:
    """Return what each community gets now: late orders added, what is missing for good taken off, cancelled ones gone.

    Of a community x SKU let a be what it was allotted, o and s ordered and short before, e ordered late, m missing
    for good. Now o + e is ordered, s + m short, and the difference allotted.
    """
    table = before.set_index(COMMUNITY)[["ordered_units", "short_units"]]
    added = _added(late, reference)
    if added is not None:
        more = added.rename(columns={"destination_id": "community_id", "units": "ordered_units"})
        table = table.add(more.groupby(COMMUNITY)[["ordered_units"]].sum(), fill_value=0.0)
    missing = lacking[lacking["short_units"] > 0].groupby(COMMUNITY)[["short_units"]].sum()
    table = table.add(missing, fill_value=0.0).fillna(0.0).round(6)
    rows = table.assign(allotted_units=(table["ordered_units"] - table["short_units"]).round(6)).reset_index()
    return Allotments.check(rows[~rows["community_id"].isin(late.cancelled)])


def _with(
    plan: NightPlan, waves: SortingPlan, allotments: DataFrame[Allotments], usable: DataFrame[Arrivals]
) -> NightPlan:
    """Return the plan with other goods, waves and allotments; its routes are still the old ones."""
    tables = dict(plan.tables())
    tables |= {
        "allotments": allotments,
        "arrivals": usable,
        "sorting_tasks": waves.tasks,
        "wave_loads": waves.waves,
        "releases": waves.releases,
        "purchase_lines": PurchaseLines.check(plan.purchase_lines.assign(locked=True)),
    }
    return NightPlan(summary=plan.summary, **tables)  # type: ignore[arg-type]


def _revised(
    changed: NightPlan,
    made: tuple[SortingPlan, RoutePlan],
    late: Late,
    said: tuple[str, ...],
    *,
    as_of: pd.Timestamp,
    settings: Settings,
) -> NightPlan:
    """Return the plan under an id of its own, with the reports, costs and tables of the new waves and routes."""
    waves, routes = made
    before = changed.summary
    costs = {part: yuan for part, yuan in before.costs_yuan.items() if part.startswith("purchase.")}
    for stage in made:
        costs |= {f"{stage.report.stage}.{part}": yuan for part, yuan in stage.costs.items() if part != "total"}
    reports = {stage.report.stage: stage.report for stage in made}
    summary = before.model_copy(
        update={
            "plan_id": _revision_id(before.plan_id, late, as_of, settings),
            "after": before.plan_id,
            "revises": before.plan_id,
            "revised_at": as_of.to_pydatetime(),
            "stages": tuple(reports.get(stage.stage, stage) for stage in before.stages),
            "costs_yuan": {**costs, "total": sum(costs.values())},
            "settings_fingerprint": settings_fingerprint(settings),
            "warnings": tuple(dict.fromkeys((*said, *waves.warnings, *routes.warnings))),
        }
    )
    tables = dict(changed.tables())
    tables |= {"route_stops": routes.stops, "trips": routes.trips, "unserved": routes.unserved}
    return NightPlan(summary=summary, **tables)  # type: ignore[arg-type]


def _revision_id(base: str, late: Late, as_of: pd.Timestamp, settings: Settings) -> str:
    told = "" if late.progress is None else table_fingerprint(late.progress)
    marks = [base, as_of.isoformat(), told, table_fingerprint(late.orders), sorted(late.cancelled)]
    identity = json.dumps([*marks, sorted(late.frozen), settings_fingerprint(settings)])
    return f"{base.split('-')[0]}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def _said(
    plan: NightPlan, late: Late, left: Remaining, again: SortingPlan | None, routes: RoutePlan
) -> tuple[str, ...]:
    sentences = [f"Revises plan {plan.summary.plan_id}."]
    rest = 0.0 if again is None else float(again.tasks["units"].sum())
    sorted_units, running = float(left.done["units"].sum()), float(left.in_work["units"].sum())
    sentences.append(f"{sorted_units:,.0f} units are sorted, {running:,.0f} under way, {rest:,.0f} planned again.")
    missing, given = (float(left.lacking[part].sum()) for part in ("short_units", "allotted_units"))
    if missing or given:
        sentences.append(
            f"Short, damaged or ordered late: {given:,.0f} units are given from goods to spare, {missing:,.0f} are "
            "missing for good."
        )
    if late.cancelled:
        sentences.append(f"Cancelled: {', '.join(late.cancelled)}.")
    then = plan.route_stops.dropna(subset="community_id").set_index("community_id")["route_id"]
    now = routes.stops.dropna(subset="community_id").set_index("community_id")["route_id"]
    both = then.index.intersection(now.index)
    other = int((then.reindex(both) != now.reindex(both)).sum())
    sentences.append(f"{other} of {len(both)} stops changed their route, {len(now.index.difference(then.index))} came.")
    return tuple(sentences)


def refuse_revision(plan: NightPlan, what: str) -> None:
    """Refuse what only a plan made from orders can be asked.

    Raises
    ------
    InputError
        The plan revises another one.
    """
    if plan.summary.revises is not None:
        raise InputError(
            f"Plan {plan.summary.plan_id} revises {plan.summary.revises} by hand: {what} that plan, then revise again."
        )
