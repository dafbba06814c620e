"""Row models of what is read of a plan: contract columns, and the names that the views join."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.rows import row_model
from contracts.planned import Coverage, PurchaseLines, RouteStops, SortingTasks, Trips, Unserved, WaveLoads


class SupplierRow(BaseModel):
    """One supplier's part of a plan."""

    supplier_id: str = Field(examples=["S1"])
    name: str | None = Field(default=None, examples=["East Valley Produce"])
    order_deadline: str | None = Field(default=None, examples=["20:00-1"])
    lines: int = Field(examples=[12])
    cases: int = Field(examples=[40])
    units: float = Field(examples=[800.0])
    locked_lines: int = Field(description="Lines that were sent before.", examples=[0])
    amount_yuan: float = Field(description="Sum of rounded lines.", examples=[2480.0])


PurchaseRow = row_model(
    "PurchaseRow", PurchaseLines, extra={"arrives_at": str, "name": str, "unit": str, "case_units": int}
)
CoverageRow = row_model("CoverageRow", Coverage)
LoadRow = row_model("LoadRow", WaveLoads)
SortingRow = row_model("SortingRow", SortingTasks, extra={"name": str, "destination": str})
TripRow = row_model("TripRow", Trips)
StopRow = row_model("StopRow", RouteStops, extra={"name": str})
UnservedRow = row_model("UnservedRow", Unserved)
