"""The sorting model of one floor: batches to waves, whole workers per wave (generalized assignment).

Sets: batches d with units u_d and destinations s_d (a route's, or one), waves w.
Variables: x_dw = 1 if d is sorted in w, y_w workers of w.

::

    min  sum_w wage_w y_w + sum_dw late_dw x_dw
    place_once      sum_w x_dw = 1                          every d, over waves that start after its goods came
    fill_slots      sum_d s_d x_dw <= stations x slots          every w
    staff_waves     sum_d u_d x_dw <= rate x hours_w y_w    every w, y_w whole, at most max_workers
    round_workers   sum_{w >= e} y_w >= ceil(units that come for wave e or later / rate x longest hours)

The last family is implied by the others with whole workers, but not without: it lets the bound see whole people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimize.sorting.floor import UNPLACED, Floor, workers_for
from optimize.sorting.solver import LpAffineExpression, LpProblem, LpVariable, new_problem

Term = tuple[LpVariable, float]
SPREAD_STEPS = 40
"""Steps by which squared workers are measured in a wave: finer than a fortieth of the floor, nobody sees."""


@dataclass(frozen=True)
class WaveModel:
    """A floor's problem with its variables.

    Attributes
    ----------
    base_yuan : float
        Lateness of the batches fixed beforehand, which the objective does not see.
    over : dict
        Elastic model only: by ``slots`` (destinations) and ``staff`` (worker-hours), variables and their scale.
    """

    problem: LpProblem
    x: dict[tuple[int, int], LpVariable]
    y: list[LpVariable]
    cost: LpAffineExpression
    base_yuan: float
    over: dict[str, list[Term]]


def wave_model(
    floor: Floor, *, whole: bool, fixed: NDArray[np.int64] | None = None, elastic: bool = False
) -> WaveModel:
    """Return the model; without `whole` batches may be split over waves (a relaxation: its cost is a bound).

    Parameters
    ----------
    fixed : ndarray, shape (B,), optional
        Wave of batches that are already placed; `UNPLACED` for those the model places.
    elastic
        Let slots and workers exceed their limits, and minimise by how many destinations and worker-hours.
    """
    held = np.full(len(floor.units), UNPLACED) if fixed is None else fixed
    free = np.flatnonzero(held == UNPLACED)
    waves = range(len(floor.grid))
    kind = "Binary" if whole else "Continuous"
    problem = new_problem("waves")
    x = {
        (int(d), int(w)): problem.add_variable(f"x_{d}_{w}", 0, 1, kind)
        for d, w in zip(*np.nonzero(floor.allowed & (held == UNPLACED)[:, None]), strict=True)
    }
    y = [problem.add_variable(f"y_{w}", 0, floor.zone.max_workers, "Integer") for w in waves]
    late = floor.late_yuan
    cost = LpAffineExpression(
        [(y[w], float(floor.worker_yuan[w])) for w in waves]
        + [(variable, float(late[d, w])) for (d, w), variable in x.items() if late[d, w] > 0]
    )
    over = _violations(problem, floor) if elastic else {"slots": [], "staff": []}
    problem += LpAffineExpression([*over["slots"], *over["staff"]]) if elastic else cost
    _place_once(problem, free, x)
    _fill_slots(problem, floor, x, held, over["slots"])
    _staff_waves(problem, floor, x, y, held, over["staff"])
    if not elastic:
        _round_workers(problem, floor, y)
    placed = np.flatnonzero(held != UNPLACED)
    return WaveModel(problem, x, y, cost, float(late[placed, held[placed]].sum()), over)


def _violations(problem: LpProblem, floor: Floor) -> dict[str, list[Term]]:
    """Return, per wave, destinations beyond its slots and workers beyond its limit (scaled to worker-hours)."""
    hours = floor.grid["hours"].to_list()
    return {
        "slots": [(problem.add_variable(f"over_slots_{w}", 0), 1.0) for w in range(len(hours))],
        "staff": [(problem.add_variable(f"over_staff_{w}", 0), hour) for w, hour in enumerate(hours)],
    }


def _place_once(problem: LpProblem, free: NDArray[np.int64], x: dict[tuple[int, int], LpVariable]) -> None:
    """Every batch is sorted once."""
    of: dict[int, list[Term]] = {int(d): [] for d in free}
    for (d, _), variable in x.items():
        of[d].append((variable, 1.0))
    for d, pairs in of.items():
        problem += LpAffineExpression(pairs) == 1, f"place_{d}"


def _fill_slots(
    problem: LpProblem,
    floor: Floor,
    x: dict[tuple[int, int], LpVariable],
    held: NDArray[np.int64],
    over: list[Term],
) -> None:
    """A wave has one slot per destination."""
    taken = floor.slots_taken(held)
    for w, pairs in _by_wave(floor, x, floor.seats):
        extra = [(over[w][0], -1.0)] if over else []
        problem += LpAffineExpression([*pairs, *extra]) <= floor.slots - int(taken[w]), f"slots_{w}"


def _staff_waves(
    problem: LpProblem,
    floor: Floor,
    x: dict[tuple[int, int], LpVariable],
    y: list[LpVariable],
    held: NDArray[np.int64],
    over: list[Term],
) -> None:
    """The workers of a wave sort its units within its hours; in worker-units, so that coefficients stay near one."""
    loads = floor.loads(held)
    for w, pairs in _by_wave(floor, x, floor.units):
        one = float(floor.worker_units[w])
        scaled = [(variable, units / one) for variable, units in pairs]
        people = [(y[w], -1.0), *([(over[w][0], -1.0)] if over else [])]
        problem += LpAffineExpression([*scaled, *people]) <= -float(loads[w]) / one, f"staff_{w}"


def _round_workers(problem: LpProblem, floor: Floor, y: list[LpVariable]) -> None:
    """Goods that come for wave e or later need whole workers from e on."""
    for e in np.unique(floor.earliest):
        if e < len(y):
            units = floor.units[floor.earliest >= e].sum()
            need = workers_for(np.array([units]), floor.worker_units[e:].max(keepdims=True))[0]
            problem += LpAffineExpression([(variable, 1.0) for variable in y[e:]]) >= int(need), f"round_{e}"


def _by_wave(floor: Floor, x: dict[tuple[int, int], LpVariable], weight: NDArray[Any]) -> list[tuple[int, list[Term]]]:
    pairs: list[list[Term]] = [[] for _ in range(len(floor.grid))]
    for (d, w), variable in x.items():
        pairs[w].append((variable, float(weight[d])))
    return list(enumerate(pairs))


def cap_cost(model: WaveModel, yuan: float) -> None:
    """Keep the cost at most at an amount (a hair above it, for float noise)."""
    problem = model.problem
    problem += model.cost <= yuan - model.base_yuan + 1e-6 * (1.0 + abs(yuan)), "cap_cost"


def spread_workers(model: WaveModel, floor: Floor, *, beside_cost: float | None = None) -> None:
    """Make the sum over waves of squared workers the objective, or add it to the cost at the weight `beside_cost`.

    y_w = z_w1 + z_w2 + ... with 0 <= z <= q and rising prices q, 3 q, 5 q, ... sums to y_w squared at multiples of q
    and to the chord between; q is 1 on floors of up to `SPREAD_STEPS` workers. Among equal spreads earlier waves are
    a hair cheaper: what is left of the night is the reserve. A batch that leaves the wave it has in the plan people
    have weighs more than any spread.
    """
    weight = 1.0 if beside_cost is None else beside_cost
    people, count = floor.zone.max_workers, len(model.y)
    q = -(-people // SPREAD_STEPS)
    later = 1.0 / (count * (1 + count * people))
    problem = model.problem
    away = weight * count * (people + q) ** 2
    terms = [(variable, away) for (d, w), variable in model.x.items() if floor.before[d] not in (UNPLACED, w)]
    for w, y in enumerate(model.y):
        steps = [problem.add_variable(f"z_{w}_{j}", 0, q) for j in range(-(-people // q))]
        problem += LpAffineExpression([*((z, 1.0) for z in steps), (y, -1.0)]) == 0, f"steps_{w}"
        terms += [(z, weight * (q * (2 * j + 1) + later * w)) for j, z in enumerate(steps)]
    spread = LpAffineExpression(terms)
    problem.setObjective(spread if beside_cost is None else model.cost + spread)


def read_waves(model: WaveModel, values: dict[str, float], fixed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each batch's wave; one that the answer splits over waves stays `UNPLACED`."""
    waves = fixed.copy()
    for (d, w), variable in model.x.items():
        if values[variable.name] > 1 - 1e-5:
            waves[d] = w
    return waves
