"""Data in and out: orders, reference data, imports, forecasts and order books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from api.client.calls import Calls, checked, mapped, plain_rows
from api.reports import ImportResult
from api.routes.reference_rows import ReferenceRow

BATCH_LINES = 500


class DataCalls(Calls):
    """Calls about orders, reference data and demand."""

    def add_orders(self, lines: pd.DataFrame, *, source: str = "client") -> list[ImportResult]:
        """Send order lines in batches; sending them again changes nothing. Returns the books of each batch."""
        rows = plain_rows(lines)
        batches = [rows[at : at + BATCH_LINES] for at in range(0, len(rows), BATCH_LINES)]
        return [self._post("/v1/orders", ImportResult, {"source": source, "lines": batch}) for batch in batches]

    def import_orders(self, path: Path, *, mapping: str = "default", mapping_rules: str | None = None) -> ImportResult:
        """Send a file of order lines."""
        return self._send_file("/v1/orders/file", path, ImportResult, mapped(mapping, mapping_rules))

    def orders(self, delivery_date: date, **filters: str) -> pd.DataFrame:
        """Return the order lines of a delivery date."""
        return self.rows("/v1/orders", {"delivery_date": delivery_date.isoformat(), **filters})

    def imports(self) -> pd.DataFrame:
        """Return what was brought in, the newest first."""
        return self.rows("/v1/imports")

    def failures(self, import_id: str) -> pd.DataFrame:
        """Return every row of an import that could not be taken, with its rule."""
        return self.rows(f"/v1/imports/{import_id}/failures")

    def reference(self, table: str, *, on: date | None = None) -> pd.DataFrame:
        """Return a reference table: every row with the dates it holds for, or the rows that hold on a date."""
        return self.rows(f"/v1/reference/{table}", {"on": None if on is None else on.isoformat()})

    def add_reference(self, table: str, rows: pd.DataFrame) -> ImportResult:
        """Add rows to a reference table, or change those with the same key."""
        return self._post(f"/v1/reference/{table}", ImportResult, {"rows": plain_rows(rows)})

    def import_reference(
        self, table: str, path: Path, *, mapping: str = "default", mapping_rules: str | None = None
    ) -> ImportResult:
        """Send a file of reference rows."""
        return self._send_file(f"/v1/reference/{table}/file", path, ImportResult, mapped(mapping, mapping_rules))

    def reference_row(self, table: str, key: Sequence[str], *, valid_from: date | None = None) -> dict[str, Any]:
        """Return one row by the values of its key columns and the date it holds from."""
        return self._get(f"/v1/reference/{table}/row", ReferenceRow, _named(key, valid_from)).row

    def put_reference_row(
        self, table: str, key: Sequence[str], row: dict[str, Any], *, valid_from: date | None = None
    ) -> ImportResult:
        """Make a row what is given; ``valid_until`` in it ends it."""
        answer = self.http.put(f"/v1/reference/{table}/row", params=_named(key, valid_from), json={"row": row})
        return ImportResult.model_validate(checked(answer).json())

    def remove_reference_row(self, table: str, key: Sequence[str], *, valid_from: date | None = None) -> dict[str, Any]:
        """Take one row out and return it."""
        answer = self.http.delete(f"/v1/reference/{table}/row", params=_named(key, valid_from))
        return ReferenceRow.model_validate(checked(answer).json()).row

    def reference_history(self, table: str) -> pd.DataFrame:
        """Return who changed what in a reference table, the newest first."""
        return self.rows(f"/v1/reference/{table}/history")

    def generate_supply(self, *, seed: int = 0, replace: bool = False) -> None:
        """Generate a supply side for the orders that are there."""
        checked(self.http.post("/v1/reference", json={"seed": seed, "replace": replace}))

    def forecast(self, delivery_date: date, **filters: str) -> pd.DataFrame:
        """Return the forecast of a delivery date."""
        return self.rows("/v1/forecasts", {"delivery_date": delivery_date.isoformat(), **filters})

    def forecast_by_category(self, delivery_date: date, **filters: str) -> pd.DataFrame:
        """Return the forecast of a delivery date by place and category, with quantiles of the sums' own errors."""
        return self.rows("/v1/forecasts/categories", {"delivery_date": delivery_date.isoformat(), **filters})

    def order_book(self, delivery_date: date, as_of: datetime, **filters: str) -> pd.DataFrame:
        """Return the order book as of a moment."""
        asked = {"delivery_date": delivery_date.isoformat(), "as_of": as_of.isoformat(), **filters}
        return self.rows("/v1/order-book", asked)


def _named(key: Sequence[str], valid_from: date | None) -> dict[str, Any]:
    return {"key": list(key)} | ({} if valid_from is None else {"valid_from": valid_from.isoformat()})
