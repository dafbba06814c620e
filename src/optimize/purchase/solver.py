"""The door to PuLP and HiGHS: build quickly, solve deterministically, and say honestly what came out."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray

Variable: TypeAlias = Any
"""A PuLP variable (PuLP carries no types)."""
Expression: TypeAlias = Any
"""A PuLP linear expression."""
SOLVER = f"PuLP {pulp.__version__} + HiGHS {highspy.Highs().version()}"


@dataclass(frozen=True)
class Effort:
    """What one solve may use: nodes are the repeatable limit, seconds the guard."""

    seconds: float
    gap: float = 1e-6
    nodes: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Answer:
    """What a solve found.

    Attributes
    ----------
    has_values : bool
        Whether the variables hold a feasible answer; without it no value is read.
    infeasible : bool
        Proven: no answer exists.
    bound : float
        Proven lower bound on the objective; minus infinity if none.
    stopped_by : str
        proof, gap, work or seconds.
    """

    has_values: bool
    infeasible: bool
    bound: float
    stopped_by: str
    seconds: float
    nodes: int


class _Highs(pulp.HiGHS):  # type: ignore[misc]
    """PuLP's HiGHS with a starting point, and with the statuses PuLP's own table does not know (node limit)."""

    start: NDArray[np.float64] | None = None

    def callSolver(self, lp: pulp.LpProblem) -> None:  # noqa: N802 - PuLP's name
        if self.start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = self.start.tolist()
            lp.solverModel.setSolution(solution)
        lp.solverModel.run()

    def findSolutionValues(self, lp: pulp.LpProblem) -> tuple[int, int]:  # noqa: N802 - PuLP's name
        status = lp.solverModel.getModelStatus()
        solution = lp.solverModel.getSolution()
        found = lp.solverModel.getInfo().primal_solution_status == 2
        values, duals = list(solution.col_value), list(solution.row_dual)
        if found:
            for variable in lp.variables():
                variable.varValue = values[variable.index]
            for row, dual in zip(lp._constraints.values(), duals, strict=True):
                row.pi = dual
            return pulp.LpStatusOptimal, pulp.LpSolutionIntegerFeasible
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return pulp.LpStatusInfeasible, pulp.LpSolutionInfeasible
        return pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound


def solve(problem: pulp.LpProblem, effort: Effort, *, start: dict[Variable, float] | None = None) -> Answer:
    """Solve in place, single-threaded with a fixed seed, and read status and bound from HiGHS itself.

    Parameters
    ----------
    start : dict, optional
        A feasible answer to begin from; variables left out start at zero.
    """
    begun = time.perf_counter()
    options = {"random_seed": effort.seed}
    if effort.nodes is not None:
        options["mip_max_nodes"] = effort.nodes
    solver = _Highs(msg=False, threads=1, timeLimit=max(effort.seconds, 0.01), gapRel=effort.gap, **options)
    if start is not None:
        solver.start = np.array([start.get(variable, 0.0) for variable in problem.variables()])
    problem.solve(solver)
    model = problem.solverModel
    info, status = model.getInfo(), model.getModelStatus()
    kind = highspy.HighsModelStatus
    found = info.primal_solution_status == 2
    mixed = any(variable.cat == pulp.LpInteger for variable in problem.variables())
    bound = info.mip_dual_bound if mixed else info.objective_function_value
    if not mixed and status != kind.kOptimal:
        bound = -np.inf
    stopped = {kind.kOptimal: "proof", kind.kInfeasible: "proof", kind.kTimeLimit: "seconds"}.get(status, "work")
    if status == kind.kOptimal and mixed and info.mip_gap > 1e-9:
        stopped = "gap"
    return Answer(
        has_values=bool(found),
        infeasible=status in (kind.kInfeasible, kind.kUnboundedOrInfeasible),
        bound=float(bound + problem.objective.constant) if np.isfinite(bound) else -np.inf,  # HiGHS leaves it out
        stopped_by=stopped,
        seconds=time.perf_counter() - begun,
        nodes=max(int(info.mip_node_count), 0),
    )


def new_problem(name: str) -> pulp.LpProblem:
    """Return an empty minimisation."""
    return pulp.LpProblem(name, pulp.LpMinimize)


def number(problem: Any, name: str, *, low: float | None = 0.0, high: float | None = None) -> Variable:
    """Return a continuous variable."""
    return problem.add_variable(name, low, high)


def whole(problem: Any, name: str, *, low: float = 0.0, high: float | None = None) -> Variable:
    """Return an integer variable."""
    return problem.add_variable(name, low, high, pulp.LpInteger)


def weighted(pairs: Iterable[tuple[Variable, float]], constant: float = 0.0) -> Expression:
    """Return a linear expression; from pairs, which builds ten times faster than adding terms."""
    return pulp.LpAffineExpression(pairs, constant)


def value(variable: Variable) -> float:
    """Return a variable's value after a solve that has values."""
    return float(variable.varValue)
