"""Reading reference tables: every row with the dates it holds for, and the rows of one delivery date as one value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from contracts.errors import NotFoundError
from contracts.validity import dated, rows_on
from contracts.world import _POINTERS, OFFER_KEY, REFERENCE_TABLES, Reference
from store.database.reference_rows import ReferenceRows
from store.disk import reading_own
from store.parquet import read_parquet
from store.reference_import import contract_of
from store.world_files import REQUIRED_TABLES

STANDING_TABLES = ("warehouses", "depots", "communities", "skus")
"""Places and goods: orders and history point to them, so they have a row on every date. Communities close by
`closed_on`, SKUs leave by their listings; a dated row of theirs changes what they are."""


def owners(name: str) -> list[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Return what rows of a table hang on and may lose: their columns, the table they point to and its columns."""
    found = [
        ((column,), target, (key,))
        for table, column, target, key in _POINTERS
        if table == name and target not in STANDING_TABLES
    ]
    return [*found, (OFFER_KEY, "offers", OFFER_KEY)] if name == "price_breaks" else list(found)


@dataclass(frozen=True)
class ReferenceReading:
    """Reads reference tables of the store."""

    folder: Path
    rows: ReferenceRows

    def table(self, name: str) -> pd.DataFrame:
        """Return every row of a table with `valid_from` and `valid_until`, where its rows may be dated."""
        contract, later = dated(contract_of(name)), self.rows.dated(name)
        always = self._always(name)
        return contract.check(always if later.empty else pd.concat([always.astype(object), later], ignore_index=True))

    def table_on(self, name: str, on: date) -> Any:
        """Return the rows of a table that hold on a date, as its contract has it; empty if it was never given.

        A row that hangs on one that does not hold on the date does not hold either: with a supplier go its offers,
        lanes and rebates, with an offer its price breaks.
        """
        contract = contract_of(name)
        if not self.by_date(name):
            return contract.check(self._always(name))
        rows = rows_on(self.table(name), contract, on, standing=name in STANDING_TABLES)
        for columns, target, key in owners(name):
            if self.by_date(target):
                ever = pd.MultiIndex.from_frame(self.table(target)[list(key)])
                gone = ever.difference(pd.MultiIndex.from_frame(self.table_on(target, on)[list(key)]))
                rows = rows[~pd.MultiIndex.from_frame(rows[list(columns)]).isin(gone)]
        return contract.check(rows)

    def by_date(self, name: str) -> bool:
        """Return whether the rows of a table depend on the date: some are dated, or some that they hang on."""
        return bool(len(self.rows.dated(name))) or any(self.by_date(target) for _, target, _ in owners(name))

    def reference(self, on: date) -> Reference:
        """Return the reference data of a delivery date, checked as a whole, with the synthetic labels.

        Raises
        ------
        NotFoundError
            Required tables were never given; all are named.
        UnknownReferenceError
            An id points nowhere.
        """
        known = self.rows.sets()
        missing = [name for name in REQUIRED_TABLES if name not in known or not known[name].rows]
        if missing:
            raise NotFoundError(
                "reference table(s)",
                ", ".join(missing),
                hint="Import them (`tuancai import reference`), or generate a supply side (`tuancai supply generate`).",
            )
        tables = {name: self.table_on(name, on) for name in REFERENCE_TABLES if name in known}
        synthetic = tuple(name for name in REFERENCE_TABLES if name in known and known[name].synthetic)
        return Reference(**tables, synthetic=synthetic).check()

    def _always(self, name: str) -> pd.DataFrame:
        """Return the rows of a table that hold on every date."""
        known = self.rows.sets().get(name)
        if known is None or not known.rows:
            return contract_of(name).empty()
        if known.file is None:
            return self.rows.read(name)
        with reading_own(self.folder):
            return read_parquet(self.folder / known.file)
