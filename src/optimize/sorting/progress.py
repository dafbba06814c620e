"""Progress of the sorting floor posted back, and what is left to plan again."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import TEMPERATURE_ZONES, amount, choice, identifier
from contracts.errors import InputError, UnknownReferenceError
from contracts.planned import Allotments, Arrivals, SortingTasks
from contracts.table import Table
from optimize.sorting.data import SortingData
from optimize.sorting.plan import SortingPlan
from optimize.sorting.reach import in_reach
from optimize.sorting.share import Rule, share_out

log = logging.getLogger(__name__)
SKU = ["warehouse_id", "sku_id"]
PLACE = ["warehouse_id", "temperature_zone", "destination_id"]
VAN_LEFT = "the van has left"
NO_WAVE = "no wave was found that ends before the van must load"


class TaskProgress(Table):
    """How far a sorting task is, as the station reports it; the four figures are totals of the task so far."""

    _key: ClassVar[tuple[str, ...]] = SortingTasks._key
    warehouse_id: str = identifier("Warehouse")
    temperature_zone: str = choice("Temperature zone", TEMPERATURE_ZONES)
    wave: int = amount("Wave", gt=0)
    station: int = amount("Station", gt=0)
    slot: int = amount("Slot", gt=0)
    sku_id: str = identifier("SKU")
    sorted_units: float = amount("Units put into the slot, good ones")
    short_units: float = amount("Units that were not there")
    damaged_units: float = amount("Units that cannot be delivered")
    over_units: float = amount("Units left over at the station beyond the task, back to the floor")


@dataclass(frozen=True)
class Remaining:
    """What is left of a night.

    Attributes
    ----------
    data : SortingData or None
        Goods to plan again, in waves that start at `as_of` or later; None when nothing is left.
    in_work : DataFrame
        Tasks of waves under way: they stay as they are.
    done : DataFrame
        Tasks of other waves with the units that were sorted, where there were any.
    usable : DataFrame[Arrivals]
        The night's goods without what was reported short or damaged, with what was left over.
    lacking : DataFrame[Allotments]
        By destination (as ``community_id``) and SKU: units short, damaged or ordered late (ordered), given from goods
        to spare (allotted), and missing for good (short).
    refused : DataFrame
        Of what is missing: ``community_id``, ``sku_id``, ``units``, ``reason`` where time forbids it, not goods.
    """

    data: SortingData | None
    in_work: pd.DataFrame
    done: pd.DataFrame
    usable: DataFrame[Arrivals]
    lacking: DataFrame[Allotments]
    refused: pd.DataFrame


def remaining(
    data: SortingData,
    plan: SortingPlan,
    progress: DataFrame[TaskProgress],
    *,
    as_of: pd.Timestamp,
    rule: Rule = "proportional",
    added: pd.DataFrame | None = None,
    gone: Collection[str] = (),
    departed: Collection[str] = (),
    full: Collection[str] = (),
) -> Remaining:
    """Return what is left to sort as of a moment; plan it with `sort(remaining.data, limits=...)`.

    Tasks of waves that have ended, and tasks reported complete, are done; what such a task does not account for is
    left. Waves under way stay. Units short or damaged are replaced from goods nobody is waiting for, shared by `rule`
    where they do not suffice, as far as a wave can still bring them in time (`in_reach`). Waves not started may be
    planned anew, but a destination keeps its wave wherever that costs nothing.

    Parameters
    ----------
    added : DataFrame, optional
        Orders that came late: ``warehouse_id``, ``temperature_zone``, ``destination_id``, ``sku_id``, ``units``. They
        are given what nobody is waiting for, together with what is to be replaced.
    gone : collection of str
        Destinations that cancelled: what is not sorted for them yet is free for others, nothing of theirs is replaced.
    departed : collection of str
        Destinations whose van has left: what is not in it is missing for good.
    full : collection of str
        Destinations nothing is replaced for or added to, because the waves in time for them have no room.

    Raises
    ------
    UnknownReferenceError
        Progress of a task the plan does not have.
    InputError
        A task accounts for more units than it has; units beyond the task belong into ``over_units``.
    """
    tasks = _with_progress(plan, progress)
    waiting = tasks["starts_at"] >= as_of
    running = ~waiting & (tasks["ends_at"] > as_of)
    accounted = tasks["sorted_units"] + tasks["short_units"] + tasks["damaged_units"]
    wanted = ~tasks["destination_id"].isin(set(gone))
    open_units = (tasks["units"] - accounted).where(~running & wanted, 0.0)
    behind = open_units.where(tasks["destination_id"].isin(set(departed)), 0.0)
    open_units = open_units - behind
    lack = behind + (tasks["short_units"] + tasks["damaged_units"]).where(wanted, 0.0)
    used = accounted - tasks["over_units"] + (tasks["units"] - accounted).where(running, 0.0)
    left = _lots_left(data.arrivals, tasks[SKU].assign(units=used).groupby(SKU)["units"].sum())
    waiting_units = tasks[SKU].assign(units=open_units).groupby(SKU)["units"].sum()
    spare = left.groupby(SKU)["units"].sum().sub(waiting_units, fill_value=0)
    calls = pd.concat([tasks.assign(units=lack), *([] if added is None else [added])], ignore_index=True)
    calls = calls.loc[calls["units"] > 0, [*PLACE, "sku_id", "units"]].reset_index(drop=True)
    late = calls["destination_id"].isin(set(departed)).to_numpy()
    never = ~late & ~in_reach(data, calls, left, waiting_units, as_of=as_of)
    never |= ~late & calls["destination_id"].isin(set(full)).to_numpy()
    refused = calls.assign(reason=np.where(late, VAN_LEFT, NO_WAVE))[late | never]
    lacking = _with_refused(_replace(calls[~(late | never)], spare.clip(lower=0.0), rule), refused)
    goods = _goods(tasks.assign(units=open_units), lacking, calls)
    log.info("remaining: tasks %d, open rows %d, units %.1f", len(tasks), len(goods), goods["units"].sum())
    before = plan.tasks[waiting.to_numpy()].drop_duplicates(PLACE).set_index(PLACE)["wave"]
    again = replace(data, goods=goods, arrivals=left, not_before=as_of, before=before) if len(goods) else None
    columns = list(plan.tasks.columns)
    sorted_ = tasks.assign(units=tasks["sorted_units"])[~running & (tasks["sorted_units"] > 0)]
    in_work = plan.tasks[running.to_numpy()].reset_index(drop=True)
    wasted = tasks["short_units"] + tasks["damaged_units"] - tasks["over_units"]
    usable = _lots_left(data.arrivals, tasks[SKU].assign(units=wasted).groupby(SKU)["units"].sum())
    told = refused.rename(columns={"destination_id": "community_id"})[["community_id", "sku_id", "units", "reason"]]
    done = sorted_[columns].reset_index(drop=True)
    return Remaining(again, in_work, done, usable, lacking, told.reset_index(drop=True))


def _with_progress(plan: SortingPlan, progress: DataFrame[TaskProgress]) -> pd.DataFrame:
    key = list(SortingTasks.key())
    known = pd.MultiIndex.from_frame(plan.tasks[key])
    told = pd.MultiIndex.from_frame(progress[key])
    if not told.isin(known).all():
        raise UnknownReferenceError("progress", "/".join(key), "sorting_tasks", list(told[~told.isin(known)]))
    figures = ["sorted_units", "short_units", "damaged_units", "over_units"]
    tasks = plan.tasks.merge(progress, on=key, how="left")
    tasks[figures] = tasks[figures].fillna(0.0)
    over = tasks[figures[:3]].sum(axis=1) > tasks["units"] + 1e-6
    if over.any():
        row = tasks[over].iloc[0]
        raise InputError(
            f"{int(over.sum())} tasks account for more units than they have, e.g. {row['sku_id']} for "
            f"{row['destination_id']}: {row[figures[:3]].sum():g} of {row['units']:g}. "
            "Units beyond the task are over_units."
        )
    return tasks


def _lots_left(lots: DataFrame[Arrivals], used: pd.Series) -> DataFrame[Arrivals]:
    """Take what was used from the earliest lots; goods given back (negative use) join the earliest lot."""
    rows = lots.sort_values([*SKU, "arrives_at", "supplier_id"], kind="stable", ignore_index=True)
    gone = used.reindex(pd.MultiIndex.from_frame(rows[SKU])).fillna(0.0).to_numpy()
    upto = rows.groupby(SKU)["units"].cumsum().to_numpy()
    kept = np.clip(upto - np.maximum(gone, 0.0), 0.0, rows["units"].to_numpy())
    back = np.where(rows.duplicated(SKU), 0.0, np.maximum(-gone, 0.0))
    units = np.round(kept + back, 9)
    return Arrivals.check(rows.assign(units=units)[units > 0])


def _replace(tasks: pd.DataFrame, spare: pd.Series, rule: Rule) -> DataFrame[Allotments]:
    lack = tasks[tasks["units"] > 0].rename(columns={"destination_id": "community_id"})
    wanted = lack.groupby(["warehouse_id", "community_id", "sku_id"])["units"].sum().reset_index()
    return share_out(wanted, spare.rename("units").reset_index(), rule=rule, at_cutoff=True)


def _with_refused(lacking: DataFrame[Allotments], refused: pd.DataFrame) -> DataFrame[Allotments]:
    """Return what is lacking with what comes too late, all of it missing."""
    if refused.empty:
        return lacking
    rows = refused.rename(columns={"destination_id": "community_id"})
    rows = rows.assign(ordered_units=rows["units"], allotted_units=0.0, short_units=rows["units"])
    tables: list[pd.DataFrame] = [lacking, rows[list(Allotments.column_names())]]
    together = pd.concat([table for table in tables if len(table)], ignore_index=True)
    return Allotments.check(together.groupby(list(Allotments.key()), as_index=False).sum())


def _goods(tasks: pd.DataFrame, lacking: DataFrame[Allotments], calls: pd.DataFrame) -> pd.DataFrame:
    zones = calls.drop_duplicates("sku_id").set_index("sku_id")["temperature_zone"]
    again = lacking[lacking["allotted_units"] > 0]
    replaced = pd.DataFrame(
        {
            "warehouse_id": again["warehouse_id"],
            "temperature_zone": again["sku_id"].map(zones).astype("str"),
            "destination_id": again["community_id"],
            "sku_id": again["sku_id"],
            "units": again["allotted_units"],
        }
    )
    rows = pd.concat([tasks.loc[tasks["units"] > 1e-9, replaced.columns], replaced], ignore_index=True)
    return rows.groupby([*PLACE, "sku_id"])["units"].sum().reset_index()
