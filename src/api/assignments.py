"""Sorting assignments between two plans, and progress on them."""

from __future__ import annotations

import pandas as pd

from api.records.progress import TASK_KEY
from contracts.errors import ContractError

_KEY = list(TASK_KEY)


def assignment_changes(before: pd.DataFrame | None, after: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tasks to take over and the keys of tasks to drop, to get from what a station has to what holds.

    Parameters
    ----------
    before : DataFrame or None
        Tasks the station has; None asks for all.
    """
    if before is None:
        return after, after.iloc[:0][_KEY]
    told = ["destination_id", "units", "starts_at", "ends_at"]
    beside = after.merge(before[_KEY + told], on=_KEY, how="left", suffixes=("", "_before"), indicator=True)
    differs = (beside["_merge"] != "both").to_numpy()
    for column in told:
        differs = differs | (beside[column] != beside[f"{column}_before"]).to_numpy()
    gone = before[_KEY].merge(after[_KEY], on=_KEY, how="left", indicator=True)
    return after[differs].reset_index(drop=True), gone.loc[gone["_merge"] == "left_only", _KEY].reset_index(drop=True)


def check_progress(reported: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return reported progress, each row of it on a task of the plan and within its units.

    Raises
    ------
    ContractError
        Rows that are no task of the plan, come twice, or account for more units (done, short, damaged) than it has.
    """
    figures = ["units_done", "short_units", "damaged_units"]
    beside = reported.merge(tasks[[*_KEY, "units"]], on=_KEY, how="left", validate="many_to_one")
    shown = beside[_KEY].astype(str).agg(" / ".join, axis=1)
    unknown, over = beside["units"].isna(), beside[figures].sum(axis=1)
    findings = [
        (unknown, "sku_id", "a task of this plan", shown),
        (beside.duplicated(_KEY), "sku_id", "reported once", shown),
        (over > beside["units"] + 1e-9, "units_done", "at most the task's units", over),
    ]
    failures = pd.concat(
        [
            pd.DataFrame(
                {"row": beside.index[wrong], "column": column, "rule": rule, "value": value[wrong].astype(str)}
            )
            for wrong, column, rule, value in findings
        ],
        ignore_index=True,
    )
    if len(failures):
        raise ContractError("SortingProgress", failures.sort_values("row", kind="stable", ignore_index=True))
    return reported
