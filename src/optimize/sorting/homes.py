"""What a free assignment of communities to warehouses would save: transport, labour and evenly filled floors.

Tonight's goods are bought for the warehouses communities belong to, so this is advice for the reference data, not a
part of the night's plan.

Sets: places p (communities, or depots with all their communities), warehouses w, zones z with units u_pz.
Variables: x_pw = 1 if p is sorted at w, h_wz and o_wz regular and overtime worker-hours, t_z fullest share of a floor.

::

    min  sum_pw way_pw x_pw + sum_wz (wage_wz h_wz + overtime_wz o_wz) + BALANCE sum_z t_z
    one_home   sum_w x_pw = 1                                       every p
    hours      sum_p u_pz x_pw / rate_wz <= h_wz + o_wz              every floor, both within workers x hours
    inbound    sum_p u_pz x_pw <= inbound capacity                   every floor
    slots      sum_p places_pz x_pw <= slots x waves                 every floor
    fullest    h_wz + o_wz <= regular hours x workers x t_z          every floor
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.clock import clock_minutes
from contracts.errors import InputError, first_keys
from contracts.reference import WarehouseZones
from contracts.settings import SortingSettings
from contracts.solve import SolveLimits, SolveStatus, StageReport, relative_gap
from optimize.sorting.solver import LpAffineExpression, LpVariable, minimise, new_problem, solver_name

BALANCE_YUAN = 1000.0
"""Yuan for a floor that is full against one that is empty, so 10 yuan per point: a lead moves that many units by hand
before calling a neighbour; it decides among homes of about equal cost only."""


@dataclass(frozen=True)
class HomesData:
    """Places, what they need and what bringing it costs.

    Attributes
    ----------
    units : DataFrame
        ``place_id``, ``temperature_zone`` (unique together), ``units``, ``destinations`` (slots they take).
    ways : DataFrame
        ``place_id``, ``warehouse_id`` (unique together), ``yuan``: transport if the place is served from there. A pair
        without a row is not possible.
    now : Series
        Warehouse by place_id.
    """

    units: pd.DataFrame
    ways: pd.DataFrame
    now: pd.Series
    floors: DataFrame[WarehouseZones]
    settings: SortingSettings


@dataclass(frozen=True)
class Homes:
    """The free assignment beside the one there is.

    Attributes
    ----------
    homes : DataFrame
        ``place_id``, ``warehouse_now``, ``warehouse_free``, ``transport_now_yuan``, ``transport_free_yuan``.
    floors : DataFrame
        ``warehouse_id``, ``temperature_zone``, ``share_now``, ``share_free`` of the regular worker-hours.
    costs_now, costs_free : mapping
        Yuan: ``transport``, ``labour``, ``overtime``, ``balance``, ``total``.
    """

    homes: pd.DataFrame
    floors: pd.DataFrame
    costs_now: Mapping[str, float]
    costs_free: Mapping[str, float]
    report: StageReport

    @property
    def saved_yuan(self) -> float:
        """Return what the free assignment saves a night; people and vans only, without the price of balance."""
        parts = ("transport", "labour", "overtime")
        return sum(self.costs_now[part] - self.costs_free[part] for part in parts)

    @property
    def sentence(self) -> str:
        """Return what would be saved in one sentence."""
        if not self.report.status.has_plan:
            return f"No free assignment: {' '.join(self.report.explanation)}"
        less = "less" if self.saved_yuan >= 0 else "more, with floors filled more evenly,"
        moved = int((self.homes["warehouse_now"] != self.homes["warehouse_free"]).sum())
        return (
            f"With every community free to change its warehouse, {moved} of {len(self.homes)} would, and a night would "
            f"cost {abs(self.saved_yuan):.2f} yuan {less} for people and vans (estimated; at most "
            f"{self.report.gap or 0.0:.2%} from the best assignment)."
        )


def free_homes(data: HomesData, *, limits: SolveLimits) -> Homes:
    """Return the cheapest assignment of places to warehouses found, with a bound, beside the present one.

    Raises
    ------
    InputError
        A place has no home now, or none is possible.
    """
    case = _Case.of(data)
    problem = new_problem("homes")
    use = {(int(p), int(w)): problem.add_variable(f"x_{p}_{w}", 0, 1, "Binary") for p, w in np.argwhere(case.possible)}
    costs = [(variable, float(case.ways[key])) for key, variable in use.items()]
    for p in range(len(case.places)):
        homes = [(use[p, int(w)], 1.0) for w in np.flatnonzero(case.possible[p])]
        problem += LpAffineExpression(homes) == 1, f"home_{p}"
    fullest = {z: problem.add_variable(f"t_{n}", 0) for n, z in enumerate(sorted(set(case.floors["temperature_zone"])))}
    costs += [(variable, BALANCE_YUAN) for variable in fullest.values()]
    for number, floor in enumerate(case.floors.to_dict("records")):
        terms = [(use[p, w], p) for p, w in use if case.warehouses[w] == floor["warehouse_id"]]
        hours = problem.add_variable(f"h_{number}", 0, float(floor["regular"]))
        extra = problem.add_variable(f"o_{number}", 0, float(floor["overtime"]))
        costs += [(hours, float(floor["worker_hour_yuan"])), (extra, float(floor["overtime_hour_yuan"]))]
        units, slots = case.units[:, number], case.slots[:, number]
        rate, room = float(floor["units_per_worker_hour"]), float(floor["inbound_capacity_units"])
        worked: list[tuple[LpVariable, float]] = [(x, units[p] / rate) for x, p in terms if units[p] > 0]
        problem += LpAffineExpression([*worked, (hours, -1.0), (extra, -1.0)]) <= 0, f"hours_{number}"
        problem += LpAffineExpression([(x, units[p]) for x, p in terms if units[p] > 0]) <= room, f"inbound_{number}"
        seats = [(x, float(slots[p])) for x, p in terms if slots[p] > 0]
        problem += LpAffineExpression(seats) <= float(floor["seats"]), f"slots_{number}"
        share = (fullest[floor["temperature_zone"]], -float(floor["regular"]))
        problem += LpAffineExpression([(hours, 1.0), (extra, 1.0), share]) <= 0, f"fullest_{number}"
    problem += LpAffineExpression(costs)
    answer = minimise(problem, seconds=limits.seconds, nodes=limits.work, gap=max(limits.gap, 1e-3), seed=limits.seed)
    if answer.found is None:
        return case.without(str(answer.ending), seed=limits.seed)
    chosen = case.now.copy()
    for (p, w), variable in use.items():
        if answer.found[variable.name] > 0.5:
            chosen[p] = w
    if case.costs(chosen)["total"] > case.costs(case.now)["total"] and case.within(case.now):
        chosen = case.now
    return case.beside(chosen, bound=answer.bound, ending=str(answer.ending), seed=limits.seed)


@dataclass(frozen=True)
class _Case:
    """The data as arrays: P places, W warehouses, F floors (warehouse x zone)."""

    places: pd.Index
    warehouses: pd.Index
    possible: NDArray[np.bool_]
    ways: NDArray[np.float64]
    units: NDArray[np.float64]
    slots: NDArray[np.float64]
    now: NDArray[np.int64]
    floors: pd.DataFrame

    @classmethod
    def of(cls, data: HomesData) -> _Case:
        """Return the arrays; floors of warehouses without a zone that a place needs make the pair impossible."""
        places = pd.Index(sorted(data.units["place_id"].unique()))
        table = data.ways.pivot_table("yuan", "place_id", "warehouse_id").reindex(places)
        warehouses = pd.Index(sorted(set(table.columns) | set(data.now)))
        ways = table.reindex(columns=warehouses).to_numpy(np.float64)
        floors = _floor_table(data.floors, data.settings)
        need = {
            value: data.units.pivot_table(value, "place_id", "temperature_zone").reindex(places)
            for value in ("units", "destinations")
        }
        units, slots = (
            need[value].reindex(columns=floors["temperature_zone"]).fillna(0.0).to_numpy(np.float64)
            for value in ("units", "destinations")
        )
        zones = sorted(data.units["temperature_zone"].unique())
        has = pd.MultiIndex.from_frame(floors[["warehouse_id", "temperature_zone"]])
        lacks = np.array([[(w, z) not in has for z in zones] for w in warehouses])
        needs = need["units"].reindex(columns=zones).fillna(0.0).to_numpy() > 0
        possible = np.isfinite(ways) & ~(needs.astype(int) @ lacks.T.astype(int) > 0)
        now = warehouses.get_indexer(pd.Index(data.now.reindex(places)))
        lost = places[(now < 0) | ~possible.any(axis=1)]
        if len(lost):
            raise InputError(
                f"{first_keys(list(lost))} have no warehouse now, or none with a van and the zones their goods need: "
                "mend communities.warehouse_id, vehicle_types or warehouse_zones."
            )
        return cls(places, warehouses, possible, ways, units, slots, now.astype(np.int64), floors)

    def at(self, homes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which place is sorted on which floor, shape (P, F)."""
        found: NDArray[np.bool_] = (
            self.warehouses[homes].to_numpy()[:, None] == self.floors["warehouse_id"].to_numpy()[None, :]
        )
        return found

    def load(self, homes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return worker-hours per floor."""
        rate = self.floors["units_per_worker_hour"].to_numpy()
        hours: NDArray[np.float64] = (self.units * self.at(homes)).sum(axis=0) / rate
        return hours

    def within(self, homes: NDArray[np.int64]) -> bool:
        """Return whether an assignment keeps every limit of the model."""
        floors, here = self.floors, self.at(homes)
        return bool(
            self.possible[np.arange(len(homes)), homes].all()
            and (self.load(homes) <= floors["regular"] + floors["overtime"]).all()
            and ((self.units * here).sum(axis=0) <= floors["inbound_capacity_units"]).all()
            and ((self.slots * here).sum(axis=0) <= floors["seats"]).all()
        )

    def costs(self, homes: NDArray[np.int64]) -> dict[str, float]:
        """Return yuan by kind; hours beyond the regular ones are overtime, even beyond its limit."""
        hours, regular = self.load(homes), self.floors["regular"].to_numpy()
        normal = np.minimum(hours, regular)
        shares = pd.Series(hours / regular).groupby(self.floors["temperature_zone"].to_numpy()).max()
        parts = {
            "transport": float(np.nan_to_num(self.ways[np.arange(len(homes)), homes]).sum()),
            "labour": float(normal @ self.floors["worker_hour_yuan"].to_numpy()),
            "overtime": float((hours - normal) @ self.floors["overtime_hour_yuan"].to_numpy()),
            "balance": float(BALANCE_YUAN * shares.sum()),
        }
        return {**parts, "total": sum(parts.values())}

    def beside(self, chosen: NDArray[np.int64], *, bound: float | None, ending: str, seed: int) -> Homes:
        """Return the assignment beside the present one."""
        rows, free = np.arange(len(chosen)), self.costs(chosen)
        regular = self.floors["regular"].to_numpy()
        gap = relative_gap(free["total"], bound)
        return Homes(
            homes=pd.DataFrame(
                {
                    "place_id": self.places,
                    "warehouse_now": self.warehouses[self.now],
                    "warehouse_free": self.warehouses[chosen],
                    "transport_now_yuan": self.ways[rows, self.now],
                    "transport_free_yuan": self.ways[rows, chosen],
                }
            ),
            floors=self.floors[["warehouse_id", "temperature_zone"]].assign(
                share_now=self.load(self.now) / regular, share_free=self.load(chosen) / regular
            ),
            costs_now=self.costs(self.now),
            costs_free=free,
            report=StageReport(
                stage="homes",
                status=SolveStatus.FEASIBLE,
                cost_yuan=free["total"],
                bound_yuan=bound,
                gap=gap,
                seed=seed,
                solver=solver_name(),
                stopped_by=ending,
            ),
        )

    def without(self, ending: str, *, seed: int) -> Homes:
        """Return the present assignment, with the reason why there is no free one."""
        told = self.beside(self.now, bound=None, ending=ending, seed=seed)
        infeasible = ending == "infeasible"
        reason = (
            "the floors together cannot take in, seat or sort the night's goods, whatever the homes: add workers, "
            "stations or inbound capacity."
            if infeasible
            else "the limits ended before an assignment was found: allow more seconds."
        )
        status = SolveStatus.INFEASIBLE if infeasible else SolveStatus.NO_ANSWER
        report = told.report.model_copy(
            update={"status": status, "cost_yuan": None, "gap": None, "explanation": (reason,)}
        )
        return Homes(told.homes, told.floors, told.costs_now, told.costs_free, report)


def _floor_table(floors: DataFrame[WarehouseZones], settings: SortingSettings) -> pd.DataFrame:
    """Return the floors with regular and overtime worker-hours, and seats of a night: slots x whole waves."""
    opens, closes = (floors[column].map(clock_minutes).to_numpy(np.float64) for column in ("opens_at", "closes_at"))
    minutes = closes - opens
    waves = np.maximum((minutes + settings.overtime_minutes) // settings.wave_minutes, 1)
    return floors.assign(
        regular=floors["max_workers"] * minutes / 60.0,
        overtime=floors["max_workers"] * settings.overtime_minutes / 60.0,
        seats=floors["stations"] * floors["slots_per_station"] * waves,
    ).sort_values(["warehouse_id", "temperature_zone"], ignore_index=True)
