"""What a solver may use and what it may claim: limits, the four honest statuses, the report of a stage."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class SolveStatus(StrEnum):
    """What is known about a stage's answer, from our own check and bound - never a solver's word alone."""

    PROVED = "PROVED"
    """Feasible, and no better answer exists beyond the stated gap tolerance."""
    FEASIBLE = "FEASIBLE"
    """Feasible; the gap to the bound is stated (or no bound is known: ``gap`` is None)."""
    INFEASIBLE = "INFEASIBLE"
    """No answer can satisfy the input; the explanation says what is short."""
    NO_ANSWER = "NO_ANSWER"
    """The limits ended before any feasible answer was found."""

    @property
    def has_plan(self) -> bool:
        """Whether there are tables to read."""
        return self in (SolveStatus.PROVED, SolveStatus.FEASIBLE)


class SolveLimits(BaseModel):
    """How much work a stage may do.

    `work` is counted in the solver's own deterministic unit (HiGHS branch-and-bound nodes, PyVRP iterations,
    subgradient steps); with the same input, seed and `work` the answer is the same. `seconds` is a guard: when it
    ends a solve, the report says so, because such an answer depends on the machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(default=60.0, gt=0, description="Wall-clock guard in seconds.")
    work: int | None = Field(default=None, ge=1, description="Deterministic work limit; None leaves only the guard.")
    gap: float = Field(
        default=1e-4, ge=0, lt=1, description="Relative gap (cost - bound) / cost that counts as proved."
    )
    seed: int = Field(default=0, ge=0, description="Seed of every random choice of the stage.")
    workers: int = Field(default=1, ge=1, description="Processes or threads the stage may use.")


def relative_gap(cost: float, bound: float | None) -> float | None:
    """Return ``(cost - bound) / |cost|``, zero when both are zero, None without a bound.

    Examples
    --------
    >>> relative_gap(100.0, 98.0), relative_gap(0.0, 0.0), relative_gap(5.0, None)
    (0.02, 0.0, None)
    """
    if bound is None:
        return None
    if cost == bound:
        return 0.0
    return max(cost - bound, 0.0) / max(abs(cost), 1e-12)


class StageReport(BaseModel):
    """What one stage of a plan did: its status, cost, bound and effort."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str = Field(description="forecast, book, purchase, sorting or routing.")
    status: SolveStatus
    cost_yuan: float | None = Field(default=None, description="Cost recomputed by the stage's own check, in yuan.")
    bound_yuan: float | None = Field(default=None, description="Proven lower bound on the cost, in yuan.")
    gap: float | None = Field(default=None, description="(cost - bound) / cost, recomputed by us.")
    seconds: float = Field(default=0.0, ge=0, description="Wall-clock seconds the stage took.")
    seed: int = Field(default=0, description="Seed used.")
    solver: str = Field(default="", description="Library and version that searched.")
    stopped_by: str = Field(default="", description="What ended the search: proof, gap, work, seconds, '' if none ran.")
    explanation: tuple[str, ...] = Field(default=(), description="Business words: why infeasible, what binds.")
