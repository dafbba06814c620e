"""The one door to PuLP and HiGHS in the sorting room: solve a model and say honestly what is known of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from typing import Any

import highspy
import pulp
from pulp import LpAffineExpression, LpProblem, LpVariable

from contracts.errors import SolveError

__all__ = ["Answer", "Ending", "LpAffineExpression", "LpProblem", "LpVariable", "minimise", "new_problem"]


class Ending(StrEnum):
    """What ended a search."""

    PROOF = "proof"
    INFEASIBLE = "infeasible"
    WORK = "work"
    SECONDS = "seconds"


@dataclass(frozen=True)
class Answer:
    """What a search found.

    Attributes
    ----------
    found : dict or None
        Variable name to value of the best answer; None when there is none.
    bound : float or None
        Proven lower bound of the objective.
    """

    ending: Ending
    found: dict[str, float] | None
    objective: float | None
    bound: float | None


class _Search(pulp.HiGHS):  # type: ignore[misc]
    """HiGHS behind PuLP, read by us: PuLP calls a time limit optimal and does not know the node limit."""

    def findSolutionValues(self, lp: Any) -> tuple[int, int]:  # noqa: N802 - PuLP's name
        """Leave status and values to `minimise`, which reads them from the HiGHS model itself."""
        return pulp.constants.LpStatusNotSolved, pulp.constants.LpSolutionNoSolutionFound


def solver_name() -> str:
    """Return the libraries that search, with their versions."""
    return f"PuLP {version('PuLP')} with HiGHS {version('highspy')}"


def new_problem(name: str) -> LpProblem:
    """Return an empty minimisation problem."""
    return LpProblem(name, pulp.LpMinimize)


def minimise(problem: LpProblem, *, seconds: float, nodes: int | None, gap: float, seed: int) -> Answer:
    """Minimise and return what is known: best values, bound, and what ended the search.

    One thread and a seed, so that the same problem with the same `nodes` gives the same answer.
    """
    options: dict[str, Any] = {"random_seed": seed % (2**31 - 1), "mip_abs_gap": 1e-9}
    if nodes is not None:
        options["mip_max_nodes"] = nodes
    problem.solve(_Search(msg=False, threads=1, timeLimit=max(seconds, 0.01), gapRel=gap, **options))
    model = problem.solverModel
    status, info = model.getModelStatus(), model.getInfo()
    kinds = highspy.HighsModelStatus
    if status in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible):
        return Answer(Ending.INFEASIBLE, None, None, None)
    ending = {
        kinds.kOptimal: Ending.PROOF,
        kinds.kTimeLimit: Ending.SECONDS,
        kinds.kSolutionLimit: Ending.WORK,
        kinds.kIterationLimit: Ending.WORK,
    }.get(status)
    if ending is None:
        raise SolveError(f"HiGHS ended with {status} on {problem.name}: neither a plan, a limit nor a proof")
    whole = any(v.cat == pulp.LpInteger for v in problem.variables())
    bound = info.mip_dual_bound if whole else info.objective_function_value
    known = ending == Ending.PROOF or whole
    found = int(info.primal_solution_status) == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    columns = model.getSolution().col_value if found else []
    values = {v.name: column for v, column in zip(problem.variables(), columns, strict=True)} if found else None
    offset = float(problem.objective.constant)
    return Answer(
        ending,
        values,
        float(info.objective_function_value) + offset if found else None,
        float(bound) + offset if known and abs(bound) < 1e30 else None,
    )
