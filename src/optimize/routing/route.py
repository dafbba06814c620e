"""`route`: linehaul, then the last mile, searched by PyVRP, explained, tabled and checked."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from contracts.errors import CheckFailedError
from contracts.solve import SolveLimits, SolveStatus, StageReport, relative_gap
from optimize.routing.bound import lower_bound
from optimize.routing.check import check
from optimize.routing.crew import crew_size, muster
from optimize.routing.data import RoutingData
from optimize.routing.decompose import Parts, search_parts
from optimize.routing.diagnose import Diagnosis, diagnose, hopeless
from optimize.routing.duty import Duty, renumbered
from optimize.routing.handover import brought_at, last_mile
from optimize.routing.insertion import insert_left_over
from optimize.routing.partition import net_yuan, steady_mix
from optimize.routing.plan import RoutePlan, plan_tables, unserved_table
from optimize.routing.replan import as_plan, given_duties, moved_stops, rounds_known, without
from optimize.routing.solver import SOLVER, Effort
from optimize.routing.territory import Territory

log = logging.getLogger(__name__)
TABLES_SHARE = 0.05
"""Share of the seconds kept for tables and check after the searches."""


@dataclass(frozen=True)
class _Answer:
    """Duties of one territory, whether seconds ended their search, and what the best set of all duties seen saved."""

    duties: tuple[Duty, ...]
    out_of_time: bool
    saved_yuan: float = 0.0
    moved: int = 0
    names: Mapping[Duty, str] = field(default_factory=dict)
    frozen: tuple[Duty, ...] = ()
    loose: tuple[str, ...] = ()


def route(
    data: RoutingData, *, limits: SolveLimits, previous: RoutePlan | None = None, frozen: Collection[str] = ()
) -> RoutePlan:
    """Return the cheapest routes found.

    First the warehouses (direct communities and linehaul to depots), then each depot's vans with the goods as linehaul
    brings them. `limits.work` counts search iterations per territory; `limits.seconds` guards the whole call, and
    `report.stopped_by` says when it ended a search. Large territories are searched in parts (`decompose`).

    With `previous` (a plan of the same city, e.g. before late changes) the search starts from its duties: routes named
    in `frozen` stay as they are (a warning names those that cannot), cancelled stops leave, new ones are inserted;
    without it, from `data.master` if there is one. Each stop that leaves its route in `data.master`, or else in
    `previous`, costs `settings.moved_stop_yuan` (cost ``moved``): the cheapest, this price included, of the given
    duties with new stops inserted, the searched ones, and the best set of both is taken.

    Every stop is on a route or in `unserved` with its reason and cheapest cure. The cost is recomputed from the tables;
    the gap is to the bound of `lower_bound`, which is loose.

    Raises
    ------
    CheckFailedError
        The plan did not survive `check`; it is not handed out.
    """
    started = time.perf_counter()
    desk = _Desk(limits, started, data, previous, frozenset(frozen))
    first = desk.searched(_aiming(data) if previous is None else data.warehouses)
    first = _late_linehaul(data, first, desk)
    ready = brought_at(data, [answer.duties for answer in first])
    arrived = [last_mile(depot, ready) for depot in data.depots]
    depots = [territory for territory, _ in arrived]
    second = desk.searched(depots)

    answered = list(zip((*data.warehouses, *depots), (*first, *second), strict=True))
    planned = [(territory, answer.duties) for territory, answer in answered]
    names = {(territory.name, duty): name for territory, answer in answered for duty, name in answer.names.items()}
    stops, trips, costs = plan_tables(planned, data.midnight, names=names)
    unserved = unserved_table([*_unserved_rows(data, answered), *_stranded_rows(data, [left for _, left in arrived])])
    costs["unserved"] = data.settings.unserved_yuan * len(unserved)
    if previous is not None or data.master is not None:
        costs["moved"] = data.settings.moved_stop_yuan * sum(answer.moved for answer in (*first, *second))
    costs["total"] = sum(costs.values())
    bound = sum(lower_bound(territory) for territory in (*data.warehouses, *data.depots))
    report = StageReport(
        stage="routing",
        status=_status(served=len(stops), unserved=len(unserved)),
        cost_yuan=costs["total"],
        bound_yuan=min(bound, costs["total"]),
        gap=relative_gap(costs["total"], bound),
        seconds=time.perf_counter() - started,
        seed=limits.seed,
        solver=SOLVER if planned else "",
        stopped_by=_stopped_by([*first, *second]),
        explanation=(
            *_partition_words(sum(answer.saved_yuan for answer in (*first, *second)), costs["total"]),
            *(f"{row.destination_id}: {row.reason} {row.cure}" for row in unserved.head(20).itertuples()),
        ),
    )
    loose = [sentence for _, answer in answered for sentence in answer.loose]
    plan = RoutePlan(stops, trips, unserved, costs, report, (*loose, *_warnings(data, len(unserved))))
    findings = check(data, plan)
    if findings:
        raise CheckFailedError("routing", findings)
    log.info(
        "routing: %d stops in, %d served on %d routes, %d unserved, %.2f yuan, %.1f s",
        data.stops,
        len(stops),
        stops["route_id"].nunique(),
        len(unserved),
        costs["total"],
        report.seconds,
    )
    return plan


class _Desk:
    """Searches territories within the limits of the call: several at a time, or one at a time in parallel parts."""

    def __init__(
        self,
        limits: SolveLimits,
        started: float,
        data: RoutingData,
        previous: RoutePlan | None,
        frozen: frozenset[str],
    ) -> None:
        self.limits = limits
        self.start = as_plan(data.master) if previous is None and data.master is not None else previous
        self.known = data.master if data.master is not None else None if previous is None else previous.stops
        self.frozen = frozen
        self.moved_yuan = data.settings.moved_stop_yuan
        self.ends = started + limits.seconds * (1.0 - TABLES_SHARE)
        self.stops_left = data.stops
        self.crew = crew_size(stops=data.stops, seconds=limits.seconds, workers=limits.workers)
        muster(self.crew)
        self.parts = Parts(data.settings.whole_stops, data.settings.part_stops, data.settings.part_iterations_per_stop)

    def searched(self, territories: Sequence[Territory]) -> list[_Answer]:
        """Return the answer of each territory; seconds are shared out by stops still to search.

        Many territories are searched side by side, few of them one after the other with all workers on each.
        """
        workers = self.limits.workers
        side_by_side = workers if len(territories) >= 2 * workers else 1
        if side_by_side == 1:
            return [self._one(territory, workers=workers, side_by_side=1) for territory in territories]
        with ThreadPoolExecutor(side_by_side) as pool:
            waiting = [pool.submit(self._one, t, workers=1, side_by_side=side_by_side) for t in territories]
            return [answer.result() for answer in waiting]

    def _one(self, territory: Territory, *, workers: int, side_by_side: int) -> _Answer:
        """Return the duties for the stops that can be served at all, left-overs inserted where they fit."""
        share = side_by_side * len(territory.stops) / max(self.stops_left, 1)
        self.stops_left -= len(territory.stops)
        seconds = max((self.ends - time.perf_counter()) * min(share, 1.0), 0.05)
        effort = Effort(self.limits.work, seconds, self.limits.seed, workers, self.crew)
        if self.start is None or self.known is None:
            return self._search(territory, effort, ())
        given = given_duties(territory, self.start, frozen=self.frozen)
        open_part, rest = without(territory, given.frozen)
        number = {int(stop): n for n, stop in enumerate(rest)}
        vans = range(len(territory.vans))
        known = rounds_known(territory, self.known, numbers=number)
        kept = insert_left_over(open_part, renumbered(given.free, stops=number, vans=vans))
        found = self._search(open_part, effort, kept)
        mixed = steady_mix(open_part, (kept, found.duties), known, moved_yuan=self.moved_yuan)
        best = min((kept, found.duties, mixed), key=lambda duties: self._price(open_part, duties, known))
        best = insert_left_over(open_part, best)
        return replace(
            found,
            duties=(*given.frozen, *renumbered(best, stops=rest.tolist(), vans=vans)),
            moved=len(moved_stops(best, known)),
            names=given.names,
            frozen=given.frozen,
            loose=given.loose,
        )

    def _search(self, territory: Territory, effort: Effort, start: Sequence[Duty]) -> _Answer:
        """Return duties for the stops that can be served at all, left-overs inserted where they fit."""
        possible = np.arange(len(territory.stops))
        if territory.unserved_yuan is not None:
            possible = np.setdiff1d(possible, hopeless(territory))
        if not len(possible) or not any(van.count for van in territory.vans):
            return _Answer(tuple(start), out_of_time=False)
        number = {int(stop): n for n, stop in enumerate(possible)}
        there = [v for v, van in enumerate(territory.vans) if van.count]
        part = replace(territory.only(possible), vans=tuple(territory.vans[v] for v in there))
        begin = renumbered(start, stops=number, vans={van: n for n, van in enumerate(there)})
        found = search_parts(part, effort, parts=self.parts, start=begin)
        duties = renumbered(found.duties or (), stops=possible.tolist(), vans=there)
        return _Answer(insert_left_over(territory, duties), found.out_of_time, found.partition_saved_yuan)

    def _price(self, territory: Territory, duties: Sequence[Duty], known: Sequence[Duty]) -> float:
        return net_yuan(territory, duties) + self.moved_yuan * len(moved_stops(duties, known))


def _aiming(data: RoutingData) -> list[Territory]:
    """Return the warehouse territories with linehaul stops due at their wished arrival."""
    closes = [territory.stops.close_s.copy() for territory in data.warehouses]
    for hand in data.handovers:
        closes[hand.warehouse][hand.stop] = max(
            min(hand.aim_s, int(closes[hand.warehouse][hand.stop])),
            int(data.warehouses[hand.warehouse].stops.open_s[hand.stop]),
        )
    return [
        replace(territory, stops=replace(territory.stops, close_s=close))
        for territory, close in zip(data.warehouses, closes, strict=True)
    ]


def _late_linehaul(data: RoutingData, first: list[_Answer], desk: _Desk) -> list[_Answer]:
    """Return the answers, searched again with the latest useful arrivals where wished ones left linehaul out."""
    served = [{stop for duty in answer.duties for stop in duty.stops} for answer in first]
    again = sorted({hand.warehouse for hand in data.handovers if hand.stop not in served[hand.warehouse]})
    if not again:
        return first
    retried = desk.searched([data.warehouses[i] for i in again])
    better = dict(zip(again, retried, strict=True))
    return [better.get(number, answer) for number, answer in enumerate(first)]


def _unserved_rows(data: RoutingData, answered: Sequence[tuple[Territory, _Answer]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for territory, answer in answered:
        served = {stop for duty in answer.duties for stop in duty.stops}
        free = answer.duties[len(answer.frozen) :]  # the frozen ones come first
        for stop in sorted(set(range(len(territory.stops))) - served):
            why = diagnose(territory, free, stop, data.settings, frozen=answer.frozen)
            rows.append(why.row(territory.stops.ids[stop], territory.base_ids[0]))
    return rows


def _stranded_rows(data: RoutingData, left: Sequence[Sequence[str]]) -> list[dict[str, object]]:
    """Return the communities whose goods do not reach their depot."""
    rows: list[dict[str, object]] = []
    for depot, communities in zip(data.depots, left, strict=True):
        why = Diagnosis(
            f"No truck brings its goods to {depot.name}.", f"Cure the linehaul to {depot.name}; see its own line.", None
        )
        rows.extend(why.row(community, depot.name) for community in communities)
    return rows


def _status(*, served: int, unserved: int) -> SolveStatus:
    if unserved and not served:
        return SolveStatus.INFEASIBLE
    return SolveStatus.FEASIBLE if served else SolveStatus.PROVED


def _partition_words(saved: float, total: float) -> tuple[str, ...]:
    if saved < 0.01:
        return ()
    return (f"The best set of all duties seen saved {saved:.2f} yuan ({saved / max(total, saved):.2%} of the cost).",)


def _stopped_by(answers: Sequence[_Answer]) -> str:
    if not any(answer.duties for answer in answers):
        return ""
    return "seconds" if any(answer.out_of_time for answer in answers) else "work"


def _warnings(data: RoutingData, unserved: int) -> tuple[str, ...]:
    left = [f"{unserved} places are not served; each has its reason and cure."] if unserved else []
    return (*data.warnings, *left)
