"""A floor of a city: what the large path must reach, and one door to the solver."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import optimize.sorting
from contracts.settings import SortingSettings
from contracts.solve import SolveLimits
from optimize.sorting import SortingData, check, sort


@pytest.mark.slow
def test_a_city_floor_lands_within_one_percent_of_its_bound(make_data: Callable[..., SortingData]) -> None:
    """600 communities with 12 SKUs in two lots, deadlines of their own: gap at most 1 %, check clean, repeatable."""
    rng = np.random.default_rng(11)
    taken = np.argwhere(rng.random((600, 12)) < 0.6)
    goods = [(f"C{i:04d}", f"S{k:02d}", float(rng.integers(1, 6))) for i, k in taken]
    totals: dict[str, float] = {}
    for _, sku, units in goods:
        totals[sku] = totals.get(sku, 0.0) + units
    lots = [(s, "P1", round(u / 2), "00:30") for s, u in totals.items()]
    lots += [(s, "P2", u - round(u / 2), "01:50") for s, u in totals.items()]
    data = make_data(
        goods,
        arrive=lots,
        deadlines={f"C{i:04d}": f"0{rng.integers(2, 5)}:{rng.integers(0, 60):02d}" for i in range(600)},
        settings=SortingSettings(overtime_minutes=60),
        stations=16,
        slots_per_station=24,
        units_per_worker_hour=200.0,
        max_workers=30,
        closes_at="05:00",
    )
    limits = SolveLimits(seconds=120, work=500, gap=1e-3)
    plan = sort(data, limits=limits)
    assert plan.report.gap is not None
    assert plan.report.gap <= 0.01
    assert check(data, plan) == []
    assert plan.tasks["units"].sum() == data.goods["units"].sum()
    assert sort(data, limits=limits).tasks.equals(plan.tasks)


def test_pulp_and_highs_come_in_by_one_door() -> None:
    """Only solver.py imports the solver libraries."""
    room = Path(str(optimize.sorting.__file__)).parent
    importing = set()
    for path in room.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in ("pulp", "highspy") for name in names):
                importing.add(path.name)
    assert importing == {"solver.py"}
