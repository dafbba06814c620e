"""What is sorted, what is under way and what is planned anew, as the tables of one night."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import SortingTasks, WaveLoads
from contracts.solve import SolveStatus, StageReport
from optimize.sorting.check import recomputed_costs
from optimize.sorting.data import SortingData
from optimize.sorting.plan import SortingPlan, release_table
from optimize.sorting.progress import Remaining

WAVE = ["warehouse_id", "temperature_zone", "wave"]
SEAT = [*WAVE, "station", "slot"]


def whole_night(data: SortingData, before: SortingPlan, left: Remaining, again: SortingPlan | None) -> SortingPlan:
    """Return the night's tables after it was planned again: units sorted, waves under way as they were, new waves.

    A destination that keeps its wave keeps its station and slot: its label hangs there. A slot of a wave not started
    that holds sorted goods of one destination and is planned for another is given to neither: the new destination takes
    the next free slot number of the station. People of waves that are over stay as they were booked.

    Parameters
    ----------
    data : SortingData
        The night as it was planned before; the costs of the whole night are recomputed under it.
    """
    fresh = again.tasks if again is not None else before.tasks.iloc[:0]
    kept = pd.concat([left.done, left.in_work], ignore_index=True)
    moved = _beside(kept, _where_they_were(before.tasks, fresh))
    tables: list[pd.DataFrame] = [kept, moved]
    together = pd.concat(tables, ignore_index=True)
    key = [*SEAT, "destination_id", "sku_id", "starts_at", "ends_at"]
    tasks = SortingTasks.check(together.groupby(key, sort=True)["units"].sum().reset_index())
    waves = _loads(tasks, before, again)
    report = again.report if again is not None else before.report
    draft = SortingPlan(report, tasks, waves, release_table(tasks))
    costs = recomputed_costs(data, draft)
    return SortingPlan(_report(report, costs["total"]), tasks, waves, draft.releases, costs)


def _where_they_were(before: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Return the new tasks with former seats for destinations that keep their wave; the others share the seats left."""
    place = [*WAVE, "destination_id"]
    seats = fresh.drop_duplicates(place)[[*place, "station", "slot"]].sort_values([*SEAT], ignore_index=True)
    had = before.drop_duplicates(place)[[*place, "station", "slot"]]
    both = seats.merge(had, on=place, how="left", suffixes=("", "_had"))
    stays = both["slot_had"].notna()
    claimed = pd.MultiIndex.from_frame(
        both.loc[stays, [*WAVE, "station_had", "slot_had"]].astype({"slot_had": "int64"})
    )
    free = both.loc[~pd.MultiIndex.from_frame(both[SEAT]).isin(claimed), SEAT]
    newcomers = both.loc[~stays, place]
    turn = [table.groupby(WAVE).cumcount() for table in (free, newcomers)]
    given = newcomers.assign(turn=turn[1]).merge(free.assign(turn=turn[0]), on=[*WAVE, "turn"], how="left")
    former = {"station_had": "station", "slot_had": "slot"}
    old = both.loc[stays, [*place, *former]].rename(columns=former)
    tables: list[pd.DataFrame] = [old, given[[*place, "station", "slot"]]]
    seated = pd.concat(tables, ignore_index=True).astype({"station": "int64", "slot": "int64"})
    return fresh.drop(columns=["station", "slot"]).merge(seated, on=place, how="left", validate="many_to_one")


def _beside(kept: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Return the new tasks with other slots where sorted goods of somebody else stand in theirs."""
    holder = kept.drop_duplicates(SEAT).set_index(SEAT)["destination_id"]
    seats = fresh.drop_duplicates([*SEAT, "destination_id"])[[*SEAT, "destination_id"]]
    there = holder.reindex(pd.MultiIndex.from_frame(seats[SEAT])).to_numpy(object)
    taken = seats[~pd.isna(there) & (there != seats["destination_id"].to_numpy(object))]
    if taken.empty:
        return fresh
    both: list[pd.DataFrame] = [kept[SEAT], fresh[SEAT]]
    station = SEAT[:-1]
    last = pd.concat(both, ignore_index=True).groupby(station)["slot"].max()
    other = last.reindex(pd.MultiIndex.from_frame(taken[station])).to_numpy() + taken.groupby(station).cumcount() + 1
    key = [*SEAT, "destination_id"]
    slots = pd.Series(other.to_numpy(), index=pd.MultiIndex.from_frame(taken[key]))
    new = slots.reindex(pd.MultiIndex.from_frame(fresh[key])).to_numpy()
    return fresh.assign(slot=pd.Series(new, index=fresh.index).fillna(fresh["slot"]).astype("int64"))


def _loads(tasks: pd.DataFrame, before: SortingPlan, again: SortingPlan | None) -> DataFrame[WaveLoads]:
    """Return units per wave from the tasks; people and lateness of the plan that decided the wave last."""
    tables: list[pd.DataFrame] = [before.waves] if again is None else [again.waves, before.waves]
    known = pd.concat(tables, ignore_index=True).drop_duplicates(WAVE)
    units = tasks.groupby(WAVE)["units"].sum().reset_index()
    return WaveLoads.check(known.drop(columns="units").merge(units, on=WAVE).sort_values(WAVE, ignore_index=True))


def _report(report: StageReport, yuan: float) -> StageReport:
    """Return the report of the rest with the cost of the whole night; no bound holds for what is over."""
    status = SolveStatus.FEASIBLE if report.status.has_plan else report.status
    return report.model_copy(update={"status": status, "cost_yuan": yuan, "bound_yuan": None, "gap": None})
