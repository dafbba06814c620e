"""Sorting against the textbook's lower bounds: generalized assignment (its linear program) and bin packing (L2)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from contracts.solve import SolveLimits
from optimize.sorting import SortingData, sort
from optimize.sorting.decide import decide
from optimize.sorting.floor import Floor
from optimize.sorting.floors import build_floors
from optimize.sorting.start import cost_of

LIMITS = SolveLimits(seconds=20, gap=0.0)
WAGE = 20.0


def gap_bound(floor: Floor) -> float:
    """Return the linear bound of generalized assignment, stated here anew: batches and workers may be split.

    min sum_w wage_w y_w + sum_dw late_dw x_dw, sum_w x_dw = 1, sum_d u_d x_dw <= rate_w y_w, sum_d s_d x_dw <= slots.
    """
    batches, waves = floor.late_yuan.shape
    cost = np.concatenate([floor.late_yuan.ravel(), floor.worker_yuan])
    place = np.zeros((batches, len(cost)))
    staff, slots = np.zeros((waves, len(cost))), np.zeros((waves, len(cost)))
    for d in range(batches):
        place[d, d * waves : (d + 1) * waves] = 1.0
        for w in range(waves):
            staff[w, d * waves + w] = floor.units[d]
            slots[w, d * waves + w] = floor.seats[d]
    staff[np.arange(waves), batches * waves + np.arange(waves)] = -floor.worker_units
    ends = [(0.0, 1.0 if floor.allowed[d, w] else 0.0) for d in range(batches) for w in range(waves)]
    ends += [(0.0, float(floor.zone.max_workers))] * waves
    limits = np.concatenate([np.zeros(waves), np.full(waves, float(floor.slots))])
    found = linprog(cost, A_ub=np.vstack([staff, slots]), b_ub=limits, A_eq=place, b_eq=np.ones(batches), bounds=ends)
    return float(found.fun) if found.status == 0 else np.inf


def l2(sizes: list[int], bin_size: int) -> int:
    """Return Martello and Toth's bound L2 on the bins that hold the sizes (Knapsack Problems, 1990, 8.3)."""
    best = -(-sum(sizes) // bin_size)
    for alpha in range(bin_size // 2 + 1):
        large = [s for s in sizes if s > bin_size - alpha]
        middle = [s for s in sizes if bin_size / 2 < s <= bin_size - alpha]
        small = [s for s in sizes if alpha <= s <= bin_size / 2]
        room = len(middle) * bin_size - sum(middle)
        best = max(best, len(large) + len(middle) + max(0, -(-(sum(small) - room) // bin_size)))
    return best


@pytest.mark.parametrize("pairs", [0, 10_000])
@pytest.mark.parametrize("seed", range(6))
def test_our_bound_is_no_weaker_than_generalized_assignment(
    make_data: Callable[..., SortingData], seed: int, pairs: int
) -> None:
    """On random floors, small and large path alike: linear bound <= our bound <= our cost."""
    rng = np.random.default_rng(seed)
    count = 24
    goods = [(f"C{i:02d}", "S", float(rng.integers(2, 30))) for i in range(count)]
    total = sum(units for _, _, units in goods)
    lots = [("S", "P1", round(total / 3), "00:30"), ("S", "P2", total - round(total / 3), "02:00")]
    latest = {f"C{i:02d}": f"0{rng.integers(2, 4)}:{rng.integers(0, 60):02d}" for i in range(count)}
    data = make_data(goods, arrive=lots, deadlines=latest, stations=4, slots_per_station=3, max_workers=16)
    (floor,), _ = build_floors(data)
    decision = decide(floor, limits=LIMITS, pairs=pairs)
    assert decision.bound_yuan is not None
    assert decision.waves is not None
    cost = cost_of(floor, decision.waves)[0]
    assert gap_bound(floor) <= decision.bound_yuan + 1e-6
    assert decision.bound_yuan <= cost + 1e-6
    assert cost <= 1.15 * gap_bound(floor)


@settings(deadline=None, max_examples=25)
@given(sizes=st.lists(st.integers(1, 10), min_size=1, max_size=9))
def test_workers_are_no_fewer_than_bin_packing_needs(make_data: Callable[..., SortingData], sizes: list[int]) -> None:
    """One worker a wave of ten units: the waves used are a packing, at least L2 and at most first fit decreasing."""
    data = make_data(
        [(f"C{i}", "S", float(size)) for i, size in enumerate(sizes)], stations=9, max_workers=1, closes_at="10:00"
    )
    plan = sort(data, limits=LIMITS)
    bins: list[int] = []
    for size in sorted(sizes, reverse=True):
        place = next((n for n, load in enumerate(bins) if load + size <= 10), None)
        if place is None:
            bins.append(size)
        else:
            bins[place] += size
    used = plan.costs["total"] / WAGE
    assert l2(sizes, 10) <= used <= len(bins)
    assert len(plan.waves) == used


def test_l2_by_hand() -> None:
    """Six sevens cannot share bins of ten, whatever their sum says: six bins; threes then fit beside them."""
    assert l2([7] * 6, 10) == 6
    assert l2([7] * 6 + [3] * 6, 10) == 6
    assert l2([7] * 6 + [4] * 2, 10) == 7
    assert pd.Series([l2([5, 5, 5], 10), l2([1], 10)]).tolist() == [2, 1]
