"""Sorting against brute force on tiny floors and against textbook bounds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock import clock_text
from contracts.settings import CitySettings, SortingSettings
from contracts.solve import SolveLimits, SolveStatus
from optimize.sorting import SortingData, check, sort
from optimize.sorting.decide import decide
from optimize.sorting.floor import Floor, Zone
from optimize.sorting.grid import wave_grid
from optimize.sorting.ready import ready_moments
from optimize.sorting.start import cost_of

LIMITS = SolveLimits(seconds=20, gap=0.0)
RATE, WAGE, OVERTIME, LATE = 10.0, 20.0, 30.0, 0.5
STARTS, CLOSE = (60, 120, 180, 240), 240  # minutes after midnight; the last wave is overtime

Jobs = st.lists(
    st.tuples(st.integers(1, 25), st.sampled_from([30, 90, 120, 130]), st.sampled_from([120, 200, 240])),
    min_size=1,
    max_size=5,
)
Job = tuple[int, int, int]  # units, minute of arrival, minute of the latest wave end


def brute_force(jobs: list[Job], *, slots: int, workers: int) -> float:
    """Least cost over every assignment of (units, arrival minute, latest end) to the four waves, plainly computed."""
    best = math.inf
    for waves in itertools.product(range(4), repeat=len(jobs)):
        if any(STARTS[w] < arrival for w, (_, arrival, _) in zip(waves, jobs, strict=True)):
            continue
        cost = 0.0
        for w, start in enumerate(STARTS):
            mine = [job for chosen, job in zip(waves, jobs, strict=True) if chosen == w]
            people = math.ceil(sum(units for units, _, _ in mine) / RATE)
            if len(mine) > slots or people > workers:
                cost = math.inf
                break
            cost += people * (OVERTIME if start >= CLOSE else WAGE)
            cost += sum(max(0, start + 60 - latest) * LATE for _, _, latest in mine)
        best = min(best, cost)
    return best


def floor_of(jobs: list[Job], *, slots: int, workers: int) -> Floor:
    grid = wave_grid(
        "01:00",
        "04:00",
        delivery_date=pd.Timestamp("2026-03-02"),
        city=CitySettings(),
        settings=SortingSettings(overtime_minutes=60),
    )
    late = np.array([[max(0, start + 60 - latest) for start in STARTS] for _, _, latest in jobs], dtype=float)
    earliest = [sum(start < arrival for start in STARTS) for _, arrival, _ in jobs]
    names = np.array([f"C{i}" for i in range(len(jobs))], dtype=object)
    zone = Zone("W1", "ambient", 1, slots, RATE, workers, WAGE, OVERTIME)
    units = np.array([float(u) for u, _, _ in jobs])
    members = pd.DataFrame({"destination_id": names, "batch": range(len(jobs)), "units": units})
    seats = np.ones(len(jobs), dtype=np.int64)
    return Floor(zone, grid, members, names, units, seats, np.array(earliest), late, late * LATE, seats * 0 - 1)


@settings(deadline=None, max_examples=60)
@given(Jobs, st.integers(1, 3), st.integers(1, 4))
def test_cost_equals_brute_force(jobs: list[Job], slots: int, workers: int) -> None:
    """Every tiny floor: the cheapest assignment is found and its cost is the bound, or its absence is proved."""
    best = brute_force(jobs, slots=slots, workers=workers)
    floor = floor_of(jobs, slots=slots, workers=workers)
    decision = decide(floor, limits=LIMITS, pairs=1000)
    assert decision.infeasible == math.isinf(best)
    if decision.waves is not None:
        assert cost_of(floor, decision.waves)[0] == pytest.approx(best, abs=1e-6)
        assert decision.bound_yuan == pytest.approx(best, rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(Jobs, st.integers(1, 3), st.integers(1, 4))
def test_relaxation_never_claims_more_than_brute_force(jobs: list[Job], slots: int, workers: int) -> None:
    """On the path for large floors the bound is below the optimum, the plan above it, and `infeasible` is true."""
    best = brute_force(jobs, slots=slots, workers=workers)
    floor = floor_of(jobs, slots=slots, workers=workers)
    decision = decide(floor, limits=LIMITS, pairs=0)
    if decision.infeasible:
        assert math.isinf(best)
    elif decision.waves is not None:
        assert cost_of(floor, decision.waves)[0] >= best - 1e-6
        assert decision.bound_yuan is not None
        assert decision.bound_yuan <= best + 1e-6


@settings(deadline=None, max_examples=4)
@given(Jobs)
def test_the_whole_chain_equals_brute_force(make_data: Callable[..., SortingData], jobs: list[Job]) -> None:
    """From allotments and arrivals to costs in yuan, the same least cost."""
    data = make_data(
        [(f"C{i}", f"S{i}", float(units)) for i, (units, _, _) in enumerate(jobs)],
        arrive=[(f"S{i}", "P1", float(units), clock_text(minute)) for i, (units, minute, _) in enumerate(jobs)],
        deadlines={f"C{i}": clock_text(latest) for i, (_, _, latest) in enumerate(jobs)},
        settings=SortingSettings(overtime_minutes=60, late_yuan_per_minute=LATE),
        stations=1,
        slots_per_station=3,
        max_workers=4,
    )
    best = brute_force(jobs, slots=3, workers=4)
    plan = sort(data, limits=LIMITS)
    assert plan.report.status == (SolveStatus.INFEASIBLE if math.isinf(best) else SolveStatus.PROVED)
    assert plan.costs.get("total", math.inf) == pytest.approx(best, abs=1e-6)


@settings(deadline=None, max_examples=5)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=6), st.integers(0, 20))
def test_goods_in_lots_never_run_ahead_of_arrivals(
    make_data: Callable[..., SortingData], wants: list[tuple[int, int]], early: int
) -> None:
    """Two SKUs that come in two lots: every destination is served, none before its goods came (check recounts)."""
    goods = [(f"C{i}", s, float(u)) for i, pair in enumerate(wants) for s, u in zip("AB", pair, strict=True) if u]
    totals = {s: sum(u for _, k, u in goods if k == s) for s in "AB"}
    lots = [(s, "P1", min(early, totals[s]), "00:30") for s in "AB"]
    lots += [(s, "P2", max(totals[s] - early, 0), "02:00") for s in "AB"]
    data = make_data(goods, arrive=[lot for lot in lots if lot[2] > 0], max_workers=12, stations=4)
    plan = sort(data, limits=LIMITS)
    assert plan.report.status == SolveStatus.PROVED
    assert plan.tasks["units"].sum() == sum(totals.values())
    assert check(data, plan) == []


def test_workers_equal_the_bin_packing_optimum(make_data: Callable[..., SortingData]) -> None:
    """Sixes and fours into worker-hours of ten: pairs fill them, so seven workers, as bin packing says."""
    units = [6.0, 4.0] * 7
    data = make_data([(f"C{i}", "S", u) for i, u in enumerate(units)], stations=9, max_workers=1, closes_at="08:00")
    plan = sort(data, limits=LIMITS)
    assert plan.costs["total"] == 7 * WAGE
    assert plan.waves["units"].tolist() == [10.0] * 7


def test_split_relaxation_is_repaired_close_to_the_whole_model(make_data: Callable[..., SortingData]) -> None:
    """The path for large floors, taken on a middling one, lands within 2 % of the proved optimum, bound below it."""
    rng = np.random.default_rng(5)
    goods = [(f"C{i:03d}", "S", float(rng.integers(3, 40))) for i in range(80)]
    lots = [("S", "P1", 400.0, "00:30"), ("S", "P2", sum(u for _, _, u in goods) - 400.0, "02:00")]
    wide = {"stations": 10, "slots_per_station": 4, "max_workers": 60}
    exact = sort(make_data(goods, arrive=lots, **wide), limits=SolveLimits(seconds=30, gap=1e-6))
    split = SortingSettings(overtime_minutes=60, whole_model_pairs=0)
    quick = sort(make_data(goods, arrive=lots, settings=split, **wide), limits=SolveLimits(seconds=30, gap=1e-6))
    assert exact.report.status == SolveStatus.PROVED
    assert quick.report.bound_yuan is not None
    assert quick.report.bound_yuan <= exact.costs["total"] + 1e-6
    assert exact.costs["total"] - 1e-6 <= quick.costs["total"] <= 1.02 * exact.costs["total"]


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_readiness_equals_a_plain_loop(given_data: st.DataObject) -> None:
    """Giving out arrivals equals asking destination after destination, moment after moment."""
    draw = given_data.draw
    count, kinds, moments = draw(st.integers(1, 6)), draw(st.integers(1, 3)), 3
    wants = np.array(draw(st.lists(st.integers(0, 4), min_size=count * kinds, max_size=count * kinds))).reshape(
        count, kinds
    )
    lots = np.array(draw(st.lists(st.integers(0, 6), min_size=moments * kinds, max_size=moments * kinds)))
    came = np.cumsum(lots.reshape(moments, kinds), axis=0)
    order = np.array(draw(st.permutations(range(count))))
    pool, expected = np.zeros(kinds), [moments] * count
    for moment in range(moments):
        pool = pool + lots.reshape(moments, kinds)[moment]
        for one in order:
            if expected[one] == moments and (wants[one] <= pool).all():
                expected[one], pool = moment, pool - wants[one]
    destination, sku = np.nonzero(wants)
    found = ready_moments(wants[destination, sku].astype(float), destination, sku, came=came.astype(float), order=order)
    assert found.tolist() == expected
