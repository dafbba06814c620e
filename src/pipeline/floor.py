"""The sorting floor of a night under way: what counts as sorted, what is left, and the waves that can still sort it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import InfeasibleError
from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing import trip_deadlines
from optimize.routing.under_way import Road
from optimize.sorting import Remaining, SortingData, SortingPlan, TaskProgress, remaining, sort
from pipeline.joint import Asked, Goods, sorting_limits, wave_input
from pipeline.late import Late
from pipeline.on_the_road import open_routes
from pipeline.plan import NightPlan
from pipeline.replan import replaced_by
from pipeline.stages import night_of, waves_of


@dataclass(frozen=True)
class Floor:
    """The sorting of a night under way.

    Attributes
    ----------
    data : SortingData
        As the plan had it, due when the trips that have not left must load.
    before : SortingPlan
        The plan's waves.
    added : DataFrame or None
        Units ordered late.
    gone : frozenset of str
        Communities that cancel now, or cancelled before while their wave ran: they have tasks, but no allotment.
    """

    data: SortingData
    before: SortingPlan
    added: pd.DataFrame | None
    gone: frozenset[str]
    road: Road
    settings: Settings

    @classmethod
    def of(cls, plan: NightPlan, reference: Reference, late: Late, road: Road, settings: Settings) -> Floor:
        """Return the floor of a plan with late changes."""
        before, tasks = waves_of(plan), plan.sorting_tasks["destination_id"]
        asked = Asked(_deadlines(plan, reference, road, settings), before, whole_trips=False)
        goods = Goods(plan.allotments, plan.arrivals)
        return cls(
            data=wave_input(night_of(plan, reference), goods, settings, asked=asked),
            before=before,
            added=added_units(late, reference),
            gone=frozenset(set(tasks) - set(plan.allotments["community_id"]) | set(late.cancelled)),
            road=road,
            settings=settings,
        )

    def sorted_again(self, progress: DataFrame[TaskProgress]) -> tuple[Remaining, SortingPlan | None]:
        """Return what is left and its waves; replaced and late units are kept only where they are sorted in time.

        Whoever would get them late does without, and if that does not help, everybody.

        Raises
        ------
        InfeasibleError
            What was planned before can no longer be sorted.
        """
        full: set[str] = set()
        left, again = self._once(progress, full)
        for everybody in (False, True):
            late = self._late(left, again)
            if not late:
                break
            full |= late if not everybody else self._all()
            left, again = self._once(progress, full)
        if again is not None and not again.report.status.has_plan:
            raise InfeasibleError("sorting the rest of the night", again.report.explanation)
        return left, again

    def _once(self, progress: DataFrame[TaskProgress], full: set[str]) -> tuple[Remaining, SortingPlan | None]:
        left = remaining(
            self.data,
            self.before,
            progress,
            as_of=self.road.as_of,
            rule=replaced_by(self.settings),
            added=self.added,
            gone=self.gone,
            departed=self.road.loaded,
            full=full,
        )
        return left, None if left.data is None else sort(left.data, limits=sorting_limits(self.settings))

    def _late(self, left: Remaining, again: SortingPlan | None) -> set[str]:
        """Return who is given units in a wave that ends after the van must load; all of them if there are no waves."""
        given = left.lacking[left.lacking["allotted_units"] > 0]
        if again is None or not again.report.status.has_plan:
            return set(given["community_id"])
        mine = pd.MultiIndex.from_frame(given[["warehouse_id", "community_id", "sku_id"]])
        key = ["warehouse_id", "destination_id", "sku_id"]
        tasks = again.tasks[pd.MultiIndex.from_frame(again.tasks[key]).isin(mine)]
        latest = self.data.deadlines.reindex(tasks["destination_id"]).set_axis(tasks.index)
        return set(tasks.loc[tasks["ends_at"] > latest, "destination_id"])

    def _all(self) -> set[str]:
        planned = set(self.before.tasks["destination_id"])
        return planned if self.added is None else planned | set(self.added["destination_id"])


def _deadlines(plan: NightPlan, reference: Reference, road: Road, settings: Settings) -> pd.DataFrame:
    """Return ``destination_id``, ``latest_at``: when trips must load that have not left, and when the others did."""
    left = road.loaded_at(round(settings.routing.loading_minutes * 60.0))
    still = open_routes(plan, reference, plan.allotments, settings, road)
    if still is None:
        return left
    columns = ["destination_id", "latest_at"]
    tables: list[pd.DataFrame] = [table for table in (trip_deadlines(*still)[columns], left) if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else left


def told_progress(plan: NightPlan, late: Late, *, as_of: pd.Timestamp) -> DataFrame[TaskProgress]:
    """Return the progress that counts: what was reported, and what is taken as done.

    A task of an ended wave that nobody reported is sorted whole, whatever was reported of others, unless
    `late.unreported` says that it is open. Waves that had ended when the plan was revised hold what was sorted in them
    by then, so they are done and reports on them are settled. What is short or damaged counts when its wave has ended:
    until then the station may still find it, and a later revision would count it again.
    """
    tasks, settled = plan.sorting_tasks, plan.summary.revised_at
    key = list(TaskProgress.key())
    task = pd.MultiIndex.from_frame(tasks[key])
    ended = (tasks["ends_at"] <= as_of).to_numpy()
    over = np.zeros(len(tasks), dtype=bool) if settled is None else (tasks["ends_at"] <= settled).to_numpy()
    told: pd.DataFrame = TaskProgress.empty() if late.progress is None else late.progress
    told = told[~pd.MultiIndex.from_frame(told[key]).isin(task[over])]
    if settled is not None:
        told = _of_tasks(told, tasks)
    of = pd.MultiIndex.from_frame(told[key])
    early = ~of.isin(task[ended])
    told = told.assign(**{part: told[part].mask(early, 0.0) for part in ("short_units", "damaged_units", "over_units")})
    silent = ended & ~task.isin(of) if late.unreported == "sorted" else np.zeros(len(tasks), dtype=bool)
    done = tasks[over | silent]
    whole = done[key].assign(sorted_units=done["units"], short_units=0.0, damaged_units=0.0, over_units=0.0)
    tables: list[pd.DataFrame] = [table for table in (whole, told) if len(table)]
    return TaskProgress.check(pd.concat(tables, ignore_index=True)) if tables else TaskProgress.empty()


def _of_tasks(told: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return reports on tasks that are still there; a task of which nothing was sorted is settled too."""
    key = list(TaskProgress.key())
    return told[pd.MultiIndex.from_frame(told[key]).isin(pd.MultiIndex.from_frame(tasks[key]))]


def added_units(late: Late, reference: Reference) -> pd.DataFrame | None:
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
