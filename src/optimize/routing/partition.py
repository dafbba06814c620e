"""The one door to PuLP: the cheapest set of duties, out of all duties seen, that serves each stop once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import pulp

from optimize.routing.duty import Duty, whole_yuan
from optimize.routing.territory import Territory

NODES = 2000
"""Branch-and-bound nodes: the deterministic limit; almost every such problem is solved at the root."""
MIX_SECONDS = 10.0
"""Guard of a mix of two plans: twice as many columns as routes, solved in a fraction of a second."""


def best_of_all(
    territory: Territory,
    duties: Sequence[Duty],
    seen: Iterable[Duty],
    *,
    seconds: float,
    extra: Callable[[Duty], float] = lambda _duty: 0.0,
) -> tuple[tuple[Duty, ...], bool]:
    """Return the cheapest duties that can be put together, never dearer than `duties`, and whether seconds ended it.

    Set partitioning: minimise sum c_d x_d + price * sum y_s with each stop s in exactly one chosen duty or left out
    (y_s, where that is allowed), and no kind of van used more often than there are vans. The answer is judged by its
    own cost and coverage, whatever the solver says of it. `extra` is a price beside the cost of a duty.
    """
    started = time.perf_counter()
    columns = list(dict.fromkeys([*duties, *seen]))
    yuan = [whole_yuan(territory, duty) + extra(duty) for duty in columns]
    price = territory.unserved_yuan
    model = pulp.LpProblem("duties", pulp.LpMinimize)
    use = [model.add_variable(f"x{i}", cat=pulp.LpBinary) for i in range(len(columns))]
    of_stop: list[list[tuple[pulp.LpVariable, float]]] = [[] for _ in range(len(territory.stops))]
    of_van: list[list[tuple[pulp.LpVariable, float]]] = [[] for _ in territory.vans]
    for duty, variable in zip(columns, use, strict=True):
        of_van[duty.van].append((variable, 1.0))
        for stop in duty.stops:
            of_stop[stop].append((variable, 1.0))
    costs = list(zip(use, yuan, strict=True))
    if price is not None:
        for stop, terms in enumerate(of_stop):
            out = model.add_variable(f"y{stop}", lowBound=0.0, upBound=1.0)
            terms.append((out, 1.0))
            costs.append((out, price))
    model += pulp.LpAffineExpression(costs)
    for terms in of_stop:
        model += pulp.LpAffineExpression(terms) == 1
    for van, terms in zip(territory.vans, of_van, strict=True):
        if len(terms) > van.count:
            model += pulp.LpAffineExpression(terms) <= van.count
    model.solve(pulp.HiGHS(msg=False, timeLimit=seconds, threads=1, mip_max_nodes=NODES))
    out_of_time = time.perf_counter() - started >= seconds
    chosen = tuple(duty for duty, variable in zip(columns, use, strict=True) if (variable.varValue or 0.0) > 0.5)
    return (chosen if _better(territory, chosen, duties, extra) else tuple(duties)), out_of_time


def steady_mix(
    territory: Territory, sets: Sequence[Sequence[Duty]], known: Sequence[Duty], *, moved_yuan: float
) -> tuple[Duty, ...]:
    """Return the cheapest mix of two or more sets of duties where every stop that leaves its known round has a price.

    A duty pays for the stops it does not share with the known round it shares most with; when two duties share most
    with the same round this is too little, so the mix is judged anew by whoever asks.
    """
    first, *others = sets
    if not first or moved_yuan <= 0:
        return tuple(first)
    of = {stop: number for number, duty in enumerate(known) for stop in duty.stops}

    def away(duty: Duty) -> float:
        rounds = Counter(of[stop] for stop in duty.stops if stop in of)
        return moved_yuan * (rounds.total() - max(rounds.values(), default=0))

    seen = [duty for duties in others for duty in duties]
    return best_of_all(territory, first, seen, seconds=MIX_SECONDS, extra=away)[0]


def _better(
    territory: Territory, chosen: Sequence[Duty], duties: Sequence[Duty], extra: Callable[[Duty], float]
) -> bool:
    stops = [stop for duty in chosen for stop in duty.stops]
    used = [sum(duty.van == van for duty in chosen) for van in range(len(territory.vans))]
    if len(stops) != len(set(stops)) or any(n > v.count for n, v in zip(used, territory.vans, strict=True)):
        return False
    if territory.unserved_yuan is None and len(stops) < sum(len(duty.stops) for duty in duties):
        return False
    before, after = (net_yuan(territory, found) + sum(map(extra, found)) for found in (duties, chosen))
    return after < before - 1e-9


def net_yuan(territory: Territory, duties: Sequence[Duty]) -> float:
    """Return the cost of duties less the price of leaving their stops out."""
    served = sum(len(duty.stops) for duty in duties)
    return sum(whole_yuan(territory, duty) for duty in duties) - served * (territory.unserved_yuan or 0.0)
