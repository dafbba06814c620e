"""A plan that is out, revised: the rest sorted again, routes mended, as a plan of its own that can be published."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import InputError, first_keys
from contracts.planned import Allotments, Arrivals, PurchaseLines
from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing import RoutePlan
from optimize.routing.under_way import Road
from optimize.sorting import Remaining, SortingPlan, whole_night
from pipeline.fingerprint import settings_fingerprint, table_fingerprint
from pipeline.floor import Floor, added_units, told_progress
from pipeline.late import Late
from pipeline.on_the_road import aboard_name, on_the_road
from pipeline.plan import NightPlan
from pipeline.replan import drive_again

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

    Waves that have ended are done as reported (`told_progress`), those under way stay, the others are planned again
    with late orders (as far as goods nobody waits for and the waves before each van's loading reach) and without
    cancelled communities. Trips that have left by the moment stay to the letter, and nothing is added to what they
    carry; a community they are under way to cancels too late. No other trip loads before the moment; each stop that
    changes its driver costs what the settings say. Purchase lines are locked.

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
    road = on_the_road(plan, reference, settings, as_of=as_of)
    too_late = tuple(name for name in late.cancelled if name in road.delivered)
    counts = replace(late, cancelled=tuple(name for name in late.cancelled if name not in road.delivered))
    floor = Floor.of(plan, reference, counts, road, settings)
    left, again = floor.sorted_again(told_progress(plan, late, as_of=as_of))
    waves = whole_night(floor.data, floor.before, left, again)
    allotments = _allotted(plan.allotments, counts, left.lacking, reference)
    changed = _with(plan, waves, allotments, left.usable)
    routes = drive_again(changed, reference, allotments, settings=settings, road=road, frozen=late.frozen)
    zone = settings.city.timezone
    said = (*_said(plan, counts, left, again, routes), *_too_late(too_late, road, left, zone))
    revised = _revised(changed, (waves, routes), late, said, road=road, settings=settings)
    return Revision(revised, left, said)


def _allotted(
    before: DataFrame[Allotments], late: Late, lacking: DataFrame[Allotments], reference: Reference
) -> DataFrame[Allotments]:
    """Return what each community gets now: late orders added, what is missing for good taken off, cancelled ones gone.

    Of a community x SKU let a be what it was allotted, o and s ordered and short before, e ordered late, m missing
    for good. Now o + e is ordered, s + m short, and the difference allotted.
    """
    table = before.set_index(COMMUNITY)[["ordered_units", "short_units"]]
    added = added_units(late, reference)
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
    road: Road,
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
            "plan_id": _revision_id(before.plan_id, late, road.as_of, settings),
            "after": before.plan_id,
            "revises": before.plan_id,
            "revised_at": road.as_of.to_pydatetime(),
            "aboard": {aboard_name(stop): names for stop, names in road.aboard.items()},
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
    marks = [base, as_of.isoformat(), told, late.unreported, table_fingerprint(late.orders), sorted(late.cancelled)]
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


def _too_late(cancelled: tuple[str, ...], road: Road, left: Remaining, timezone: str) -> tuple[str, ...]:
    """Return what could not be changed any more, one sentence each."""
    sentences = [f"{len(road.trips)} trips have left and stay as they are."] if len(road.trips) else []
    for community in cancelled:
        route, departs = road.left_at(community)
        sentences.append(
            f"{community} cancels too late: {route} left at {departs.tz_convert(timezone):%H:%M} and calls there."
        )
    for reason, rows in left.refused.groupby("reason", sort=True):
        names = first_keys(sorted(rows["community_id"].unique()))
        sentences.append(f"{rows['units'].sum():,.0f} units for {names} come too late: {reason}.")
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
