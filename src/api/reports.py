"""Import reports on the wire: the books of an import, its first failures, and the sentence that reconciles it."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.problems import FailureRow, Problem, failure_rows, problem_response
from store import ImportReport


class BrokenRule(BaseModel):
    """How many rows broke a rule first."""

    column: str = Field(examples=["quantity"])
    rule: str = Field(examples=["greater_than(0)"])
    rows: int = Field(examples=[1])
    units: float = Field(description="Units on those rows.", examples=[-2.0])


class ImportResult(BaseModel):
    """What an import did: every row and unit of the input accounted for."""

    import_id: str = Field(examples=["3f2a9c"])
    table: str = Field(examples=["order_lines"])
    source: str = Field(examples=["orders.csv"])
    mapping: str = Field(description="Mapping that was applied.", examples=["default"])
    rows_read: int = Field(examples=[500])
    rows_accepted: int = Field(description="Rows that are in the store now.", examples=[499])
    rows_rejected: int = Field(description="Rows that broke a rule; kept in the failure table.", examples=[1])
    rows_new: int = Field(description="Accepted and new.", examples=[480])
    rows_updated: int = Field(description="Accepted and changing a row that was there.", examples=[4])
    rows_unchanged: int = Field(description="Accepted and there already.", examples=[15])
    units_read: float = Field(examples=[812.0])
    units_accepted: float = Field(examples=[814.0])
    units_rejected: float = Field(examples=[-2.0])
    units_ordered: float = Field(examples=[820.0])
    units_cancelled: float = Field(examples=[6.0])
    seconds: float = Field(examples=[0.04])
    notes: list[str] = Field(default=[], examples=[["3 duplicate lines were counted once"]])
    reconciliation: str = Field(
        description="The books in one sentence.",
        examples=["orders.csv: 500 rows read = 499 accepted (480 new, 4 changed, 15 there already) + 1 rejected."],
    )
    rules: list[BrokenRule] = Field(default=[], description="Broken rules, the most frequent first.")
    failures: list[FailureRow] = Field(default=[], description="First failing rows.")
    failures_total: int = Field(default=0, description="Failing rows x rules in all.", examples=[1])


def shown_report(report: ImportReport) -> ImportResult:
    """Return a report as it is shown; paths of the server stay with the server."""
    books: dict[str, Any] = {k: v for k, v in report.books().items() if k in ImportResult.model_fields}
    return ImportResult(
        **books,
        reconciliation=report.reconciliation,
        failures=[FailureRow(**row) for row in failure_rows(report.failures)],
        failures_total=len(report.failures),
    )


def import_answer(report: ImportReport, *, instance: str, request_id: str) -> ImportResult | JSONResponse:
    """Return the report, or a 422 problem when not one row could be taken in."""
    shown = shown_report(report)
    if shown.rows_accepted or not shown.rows_rejected:
        return shown
    problem = Problem(
        type="urn:tuancai:problem:all-rows-rejected",
        title="Not one row could be taken in",
        status=422,
        detail=shown.reconciliation,
        instance=instance,
        request_id=request_id,
        failures=shown.failures,
        failures_total=shown.failures_total,
    )
    whole = problem.model_copy(
        update={"report": shown.model_dump(mode="json")}
    )  # a fact of its own, as RFC 9457 has it
    return problem_response(whole)
