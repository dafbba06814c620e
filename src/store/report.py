"""What an import did: every row and every unit of the file accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

FAILURES = ("row", "column", "rule", "value")


@dataclass(frozen=True)
class ImportReport:
    """The books of one import; `reconciliation` says them in one sentence.

    Attributes
    ----------
    rows_read : int
        Rows of the file; ``rows_accepted + rows_rejected``.
    rows_new, rows_updated, rows_unchanged : int
        Accepted rows by what they did: new to the store, changing a line that was there (a cancellation, a changed
        reference row), or there already as they are.
    units_read : float
        Sum of the file's quantities, cancellations negative; ``units_accepted + units_rejected``.
    units_ordered, units_cancelled : float
        Units of the accepted lines, and of those the ones that are cancelled.
    rules : DataFrame
        ``column``, ``rule``, ``rows``, ``units``: the rejected rows, each counted under the first rule it broke.
    failures : DataFrame
        ``row`` (as a spreadsheet shows it), ``column``, ``rule``, ``value``: every broken rule of every rejected row.
    failures_path : Path or None
        Where the failure table is kept; None when nothing was rejected.
    """

    import_id: str
    table: str
    source: str
    sha256: str
    mapping: str
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_new: int
    rows_updated: int
    rows_unchanged: int
    units_read: float = 0.0
    units_accepted: float = 0.0
    units_rejected: float = 0.0
    units_ordered: float = 0.0
    units_cancelled: float = 0.0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    failures_path: Path | None = None
    rules: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["column", "rule", "rows", "units"]))
    failures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(FAILURES)), repr=False)

    @property
    def reconciliation(self) -> str:
        """Return the books in one sentence."""
        rows = (
            f"{self.source}: {self.rows_read:,} rows read = {self.rows_accepted:,} accepted "
            f"({self.rows_new:,} new, {self.rows_updated:,} changed, {self.rows_unchanged:,} there already) "
            f"+ {self.rows_rejected:,} rejected"
        )
        if self.table != "order_lines":
            return rows + "."
        return (
            f"{rows}; {_units(self.units_read)} units in = {_units(self.units_accepted)} accepted "
            f"({_units(self.units_ordered)} ordered - {_units(self.units_cancelled)} taken back by cancellation rows) "
            f"+ {_units(self.units_rejected)} rejected."
        )

    def books(self) -> dict[str, Any]:
        """Return everything but the failure table as plain values, for JSON."""
        plain = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("rules", "failures", "failures_path", "notes")
        }
        rules = [
            {"column": str(c), "rule": str(r), "rows": int(n), "units": float(u)}
            for c, r, n, u in self.rules.itertuples(index=False, name=None)
        ]
        path = None if self.failures_path is None else str(self.failures_path)
        return plain | {"notes": list(self.notes), "failures_path": path, "rules": rules}


def count_rules(failures: pd.DataFrame, units: pd.Series[Any] | None = None) -> pd.DataFrame:
    """Return rows and units per rule, each rejected row counted under the first rule it broke."""
    if failures.empty:
        return pd.DataFrame(columns=["column", "rule", "rows", "units"])
    first = failures.drop_duplicates("row")
    weight = pd.Series(0.0, index=first.index) if units is None else first["row"].map(units).fillna(0.0)
    counted = first.assign(units=weight).groupby(["column", "rule"], sort=False)
    table = counted.agg(rows=("row", "size"), units=("units", "sum")).reset_index()
    return table.sort_values("rows", ascending=False, kind="stable", ignore_index=True)


def _units(amount: float) -> str:
    text = f"{amount:,.0f}" if float(amount).is_integer() else f"{amount:,.3f}"
    return f"({text})" if amount < 0 else text
