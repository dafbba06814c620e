"""The one door to PyVRP: a territory in, duties out."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    Depot,
    Location,
    PenaltyManager,
    PenaltyParams,
    ProblemData,
    RandomNumberGenerator,
    Route,
    Solution,
    VehicleType,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.IteratedLocalSearch import (
    IteratedLocalSearch,
    IteratedLocalSearchCallbacks,
    IteratedLocalSearchParams,
)
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)
from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria, StoppingCriterion

from optimize.routing.duty import Duty
from optimize.routing.scale import NEVER, NO_LIMIT, Scale, scale_of
from optimize.routing.territory import Territory

NARROW, WIDE = (15, 10), (50, 25)
"""Neighbours of a stop that moves consider, and most random moves per iteration. PyVRP's own are the wide ones; they
suit minutes per hundred stops. In seconds, narrow searches gave gaps of 2.0 % and 3.7 % where wide ones gave 4.2 % and
8.3 % (a thousand stops, 6 s of two cores). Small territories have both side by side."""
WIDE_COST = 4.0
"""Time of a wide iteration over that of a narrow one."""
PENALTY_UPDATE = 50
"""Iterations between updates of the penalties. With PyVRP's own 500 a short search never adapts them: 400 iterations
on five stops then missed the optimum on four of six small towns; with 10 to 50, on none."""
REMEMBERED = 20
"""Improving answers whose duties are kept for the partition; older ones are far worse."""
warnings.simplefilter("ignore", PenaltyBoundWarning)
"""Here and not around the search, which runs in threads; an answer that stays infeasible is reported as such."""
SOLVER = f"PyVRP {version('pyvrp')}"


@dataclass(frozen=True)
class Effort:
    """What one search may use: iterations (None: no limit), seconds, seed, searches side by side.

    `crew` is the number of processes such searches go to (`crew`), 0 when they stay in this one. A `wide` search makes
    a quarter of the iterations (`WIDE_COST`), each considering more.
    """

    iterations: int | None
    seconds: float
    seed: int
    workers: int = 1
    crew: int = 0
    wide: bool = False

    @property
    def made(self) -> int | None:
        """Return the iterations PyVRP makes, None without a limit."""
        return (
            self.iterations if self.iterations is None or not self.wide else max(round(self.iterations / WIDE_COST), 1)
        )


@dataclass(frozen=True)
class Found:
    """What one search found; iterations in narrow ones' time.

    Attributes
    ----------
    duties : tuple of Duty or None
        None when no feasible answer was found.
    out_of_time : bool
        Seconds, not iterations, ended the search.
    seen : tuple of Duty
        Duties of the last improving answers; other combinations of them may be better (`partition`).
    partition_saved_yuan : float
        What the best set of all duties seen saved over the best answer of the searches.
    """

    duties: tuple[Duty, ...] | None
    iterations: int
    out_of_time: bool
    seen: tuple[Duty, ...] = ()
    partition_saved_yuan: float = 0.0


def search(territory: Territory, effort: Effort, *, start: Sequence[Duty] = ()) -> Found:
    """Return the best duties PyVRP finds, starting from `start` if given.

    Same territory, start, seed and iterations give the same duties, as long as seconds do not end the search.
    """
    scale = scale_of(territory)
    data = problem(territory, scale)
    random = RandomNumberGenerator(seed=effort.seed)
    near, moves = WIDE if effort.wide else NARROW
    neighbours = compute_neighbours(data, NeighbourhoodParams(num_neighbours=near))
    local = LocalSearch(data, random, neighbours, PerturbationManager(PerturbationParams(1, moves)))
    for operator in OPERATORS:
        if operator.supports(data):
            local.add_operator(operator(data))
    penalties = PenaltyParams(
        max_penalty=_largest_penalty(data),
        solutions_between_updates=PENALTY_UPDATE,
    )
    manager = PenaltyManager(_first_penalties(data), penalties)
    first = _solution(data, start) if start else None
    if first is None:
        first = local(Solution.make_random(data, random), manager.max_cost_evaluator(), exhaustive=True)
    rules: list[StoppingCriterion] = [MaxRuntime(effort.seconds)]
    if effort.made is not None:
        rules.insert(0, MaxIterations(effort.made))
    improving = _Improving()
    params = IteratedLocalSearchParams(callbacks=improving)
    found = IteratedLocalSearch(data, manager, local, first, params).run(MultipleCriteria(rules), collect_stats=False)
    return Found(
        duties=_duties(found.best) if found.best.is_feasible() else None,
        iterations=round(found.num_iterations * (WIDE_COST if effort.wide else 1.0)),
        out_of_time=effort.made is None or found.num_iterations < effort.made,
        seen=tuple(dict.fromkeys(duty for answer in improving.answers for duty in _duties(answer))),
    )


class _Improving(IteratedLocalSearchCallbacks):
    """Keeps the last feasible answers that were the best so far."""

    def __init__(self) -> None:
        self.answers: deque[Solution] = deque(maxlen=REMEMBERED)

    def on_best(self, best: Solution) -> None:
        """Keep an improving answer."""
        if best.is_feasible():
            self.answers.append(best)


def problem(territory: Territory, scale: Scale) -> ProblemData:
    """Return a territory as PyVRP data: bases are depots, stops are clients in the same order."""
    stops, first = territory.stops, territory.first_stop
    demand = np.column_stack([amounts for amounts, _ in _dimensions(territory, scale)])
    metres: Any = territory.travel.distance_m  # PyVRP's stub types arrays without a shape
    seconds: Any = territory.travel.duration_s
    optional = territory.unserved_yuan is not None
    prize = scale.money(territory.unserved_yuan) if territory.unserved_yuan is not None else 0
    clients = [
        Client(
            location=first + i,
            delivery=demand[i].tolist(),
            service_duration=int(stops.service_s[i]),
            tw_early=scale.clock(stops.open_s[i]),
            tw_late=scale.clock(stops.close_s[i]),
            release_time=scale.clock(stops.release_s[i]),
            prize=prize,
            required=not optional,
        )
        for i in range(len(stops))
    ]
    return ProblemData(
        locations=[Location(float(x), float(y)) for x, y in zip(territory.longitude, territory.latitude, strict=True)],
        clients=clients,
        depots=[Depot(i, service_duration=territory.loading_s) for i in range(first)],
        vehicle_types=_vehicle_types(territory, scale),
        distance_matrices=[metres],
        duration_matrices=[seconds],
    )


def _dimensions(territory: Territory, scale: Scale) -> list[tuple[NDArray[np.int64], list[int]]]:
    """Return the load dimensions: what each stop takes up and what each van type holds.

    kg always, litres unless all of them fit the smallest van, and what some van must not carry: each temperature need
    that it lacks, each set of vans that a stop is closed to. There a stop takes up 1 and such a van holds nothing.
    """
    stops, vans = territory.stops, territory.vans
    found = [(scale.load(stops.load_kg), [scale.capacity(van.capacity_kg) for van in vans])]
    litres, holds = scale.load(stops.load_l), [scale.capacity(van.capacity_l) for van in vans]
    if litres.sum() > min(holds):
        found.append((litres, holds))
    for flag, able in (
        (stops.chilled, [van.carries_chilled for van in vans]),
        (stops.frozen, [van.carries_frozen for van in vans]),
    ):
        if flag.any() and not all(able):
            found.append((flag.astype(np.int64), [NO_LIMIT if can else 0 for can in able]))
    closed = [frozenset(number for number, van in enumerate(vans) if stop in van.closed_to) for stop in stops.ids]
    for barred in sorted(set(closed) - {frozenset()}, key=sorted):
        flag = np.array([of_stop == barred for of_stop in closed])
        found.append((flag.astype(np.int64), [0 if number in barred else NO_LIMIT for number in range(len(vans))]))
    return found


def _vehicle_types(territory: Territory, scale: Scale) -> list[VehicleType]:
    dimensions = _dimensions(territory, scale)
    types = []
    for index, van in enumerate(territory.vans):
        types.append(
            VehicleType(
                num_available=van.count,
                capacity=[holds[index] for _, holds in dimensions],
                start_depot=van.base,
                end_depot=van.base,
                fixed_cost=scale.money(van.fixed_yuan),
                tw_early=scale.clock(van.shift_start_s),
                tw_late=scale.clock(van.shift_end_s),
                shift_duration=NEVER if van.max_duty_s is None else van.max_duty_s,
                unit_distance_cost=scale.money(van.yuan_per_km / 1000.0),
                unit_duration_cost=scale.money(van.yuan_per_hour / 3600.0),
                reload_depots=[van.base] if van.max_trips > 1 else [],
                max_reloads=van.max_trips - 1,
                name=van.vehicle_type_id,
            )
        )
    return types


def _first_penalties(data: ProblemData) -> tuple[list[float], float, float]:
    """Return first penalties: the cost of an average leg per unit of average load, second and metre.

    After Vidal et al. (2012), section 4.2, who start from the ratio of typical distance to typical demand.
    """
    leg_m, leg_s = data.distance_matrix(0).mean(), data.duration_matrix(0).mean()
    types = data.vehicle_types()
    leg = np.mean([t.unit_distance_cost * leg_m + t.unit_duration_cost * leg_s for t in types]) + 1.0
    loads = np.array([client.delivery for client in data.clients()], dtype=np.float64)
    typical = np.where(loads > 0, loads, np.nan)
    typical_load = np.nan_to_num(np.nanmean(typical, axis=0), nan=1.0) if np.isfinite(typical).any() else loads[0] + 1
    return (leg / np.maximum(typical_load, 1.0)).tolist(), float(leg / max(leg_s, 1.0)), float(leg / max(leg_m, 1.0))


def _largest_penalty(data: ProblemData) -> float:
    """Return a penalty per unit that no saving elsewhere can buy: the dearest trip there and back, its van, a stop.

    Kept below 10^11, so that penalties of whole solutions stay within 64 bits.
    """
    far_m, far_s = float(data.distance_matrix(0).max()), float(data.duration_matrix(0).max())
    trips = [
        2 * (t.unit_distance_cost * far_m + t.unit_duration_cost * far_s) + t.fixed_cost for t in data.vehicle_types()
    ]
    prize = max((client.prize for client in data.clients()), default=0)
    return float(min(max(100_000.0, max(trips, default=0.0) + prize), 1e11))


def _solution(data: ProblemData, duties: Sequence[Duty]) -> Solution:
    routes = []
    for duty in duties:
        base = data.vehicle_type(duty.van).start_depot
        visits = []
        for number, trip in enumerate(duty.trips):
            if number:
                visits.append(Activity(ActivityType.DEPOT, base))
            visits.extend(Activity(ActivityType.CLIENT, stop) for stop in trip)
        routes.append(Route(data, visits, duty.van))
    return Solution(data, routes)


def _duties(solution: Solution) -> tuple[Duty, ...]:
    duties = []
    for route in solution.routes():
        trips: list[list[int]] = [[]]
        for activity in route:
            if activity.is_client():
                trips[-1].append(activity.idx)
            elif trips[-1]:
                trips.append([])
        kept = tuple(tuple(trip) for trip in trips if trip)
        if kept:
            duties.append(Duty(route.vehicle_type(), kept))
    return tuple(sorted(duties, key=lambda duty: (duty.van, duty.trips)))
