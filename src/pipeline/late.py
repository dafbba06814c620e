"""What changes after the plan is out: progress of the floor, cancelled stops, late orders, routes that must stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import amount, identifier
from contracts.errors import InputError, MissingColumnError, NotFoundError, UnknownReferenceError, first_keys
from contracts.table import Table
from contracts.world import Reference
from optimize.sorting import TaskProgress
from pipeline.plan import NightPlan
from store.aliases import ALIASES, VALUES, heading
from store.source_file import read_source

T = TypeVar("T", bound=Table)
Unreported = Literal["sorted", "open"]
FIGURES = ("sorted_units", "short_units", "damaged_units", "over_units")
_NAMES: dict[str, tuple[str, ...]] = {
    "warehouse_id": ALIASES["warehouse_id"],
    "community_id": ALIASES["community_id"],
    "sku_id": ALIASES["sku_id"],
    "temperature_zone": ALIASES["temperature_zone"],
    "wave": ("波次",),
    "station": ("播种台", "工位"),
    "slot": ("格口",),
    "units": ("件数", "数量", "quantity", "qty"),
    "sorted_units": ("已分", "已分件数", "sorted"),
    "short_units": ("缺", "缺货", "缺货件数", "short"),
    "damaged_units": ("破损", "破损件数", "damaged"),
    "over_units": ("多出", "多出件数", "over"),
}


class LateOrders(Table):
    """Units ordered after the cutoff that are delivered if goods nobody is waiting for suffice."""

    _key: ClassVar[tuple[str, ...]] = ("community_id", "sku_id")
    community_id: str = identifier("Community")
    sku_id: str = identifier("SKU")
    units: float = amount("Units ordered late", gt=0)


@dataclass(frozen=True)
class Late:
    """Late changes of a night.

    Attributes
    ----------
    progress : DataFrame[TaskProgress] or None
        What stations report, totals per task.
    unreported : {"sorted", "open"}
        What nobody reported of waves that have ended: sorted whole, or not sorted and to be planned again.
    cancelled : tuple of str
        Communities that are not delivered to.
    frozen : tuple of str
        Routes that stay as they are, beside those that have left.
    """

    progress: DataFrame[TaskProgress] | None = None
    orders: DataFrame[LateOrders] = field(default_factory=LateOrders.empty)
    cancelled: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    unreported: Unreported = "sorted"

    def check(self, plan: NightPlan, reference: Reference) -> None:
        """Refuse changes of what is not there.

        Raises
        ------
        UnknownReferenceError
            A late order of a community or SKU that the reference does not know.
        InputError
            A community both cancels and orders.
        NotFoundError
            A community that cancels has nothing in the plan, or a route to keep is not in it.
        """
        for column, known in (
            ("community_id", reference.communities["community_id"]),
            ("sku_id", reference.skus["sku_id"]),
        ):
            unknown = sorted(set(self.orders[column]) - set(known))
            if unknown:
                raise UnknownReferenceError("late orders", column, column.removesuffix("_id") + "s", unknown)
        both = sorted(set(self.orders["community_id"]) & set(self.cancelled))
        if both:
            raise InputError(f"{first_keys(both)} both cancel and order late: say one or the other.")
        there = {*plan.allotments["community_id"], *plan.sorting_tasks["destination_id"]}  # cancelled again is no error
        _refuse_strange("community in this plan", self.cancelled, there)
        _refuse_strange("route of this plan", self.frozen, plan.trips["route_id"])


def read_progress(path: Path | str) -> DataFrame[TaskProgress]:
    """Return the progress in a CSV, XLSX or Parquet file; heads and zones may be Chinese or English.

    A row whose figures are all blank reports nothing and is left out; a written 0 is 0. A floor that counts only what
    it sorted need not report the rest: beside a figure of what was sorted, blanks are zero.

    Raises
    ------
    InputError
        A row says what is short, damaged or over, but not what was sorted.
    """
    given = _renamed(path, TaskProgress)
    figures = given.reindex(columns=list(FIGURES)).astype(object)
    blank = figures.isna() | figures.map(lambda cell: isinstance(cell, str) and not cell.strip())
    halves = blank["sorted_units"] & ~blank.all(axis=1)
    if halves.any():
        rows = [int(row) for row in given.index[halves]]
        raise InputError(
            f"Rows {first_keys(rows)} of {Path(path).name} say what is short, damaged or over, but not what was "
            "sorted: write it, 0 if nothing was."
        )
    given = given.assign(**figures.mask(blank, 0.0))[~blank.all(axis=1)].reset_index(drop=True)
    given["temperature_zone"] = given["temperature_zone"].replace(VALUES["temperature_zone"])
    return TaskProgress.check(given)


def read_late_orders(path: Path | str) -> DataFrame[LateOrders]:
    """Return the late orders in a file; the same community and SKU twice is refused."""
    return LateOrders.check(_renamed(path, LateOrders))


def read_customers(path: Path | str) -> pd.DataFrame:
    """Return ``order_id`` and ``name`` of a file of customers' names; the first name of an order counts.

    Raises
    ------
    MissingColumnError
        There is no column of orders or of names.
    """
    cells = read_source(path).cells
    heads = {heading(str(column)): str(column) for column in cells.columns}
    found = {}
    for column, others in (("order_id", ALIASES["order_id"]), ("name", ("姓名", "收货人", "客户", "customer"))):
        mine = next((heads[heading(name)] for name in (column, *others) if heading(name) in heads), None)
        if mine is None:
            raise MissingColumnError(f"customers in {Path(path).name}", [column], [str(c) for c in cells.columns])
        found[column] = cells[mine].fillna("").astype(str)
    return pd.DataFrame(found).drop_duplicates("order_id", ignore_index=True)


def _renamed(path: Path | str, table: type[T]) -> pd.DataFrame:
    """Return a file's cells under a table's column names."""
    cells = read_source(path).cells
    heads = {heading(str(column)): str(column) for column in cells.columns}
    found = {}
    for column in table.column_names():
        names = (column, *_NAMES[column])
        mine = next((heads[heading(name)] for name in names if heading(name) in heads), None)
        if mine is not None:
            found[column] = cells[mine]
    missing = [column for column in table.column_names() if column not in found and column not in FIGURES]
    if missing:
        raise MissingColumnError(f"{table.__name__} in {Path(path).name}", missing, [str(c) for c in cells.columns])
    return pd.DataFrame(found)


def _refuse_strange(kind: str, names: Sequence[str], known: Iterable[str]) -> None:
    strange = sorted(set(names) - set(known))
    if strange:
        raise NotFoundError(kind, ", ".join(strange[:5]), hint=f"There are {', '.join(sorted(set(known))[:8])} ...")
