"""The model against answers known without it: textbook, closed form, brute force."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock import clock_instant
from contracts.columns import QUANTILE_COLUMNS
from contracts.flow import OrderBook
from contracts.settings import CitySettings, PurchaseSettings
from contracts.solve import SolveLimits, SolveStatus
from contracts.world import World
from optimize.purchase import PurchaseData, allocate, check, purchase_data
from optimize.purchase.costs import price_out
from optimize.purchase.feasible import broken_yuan

EXACT = SolveLimits(seconds=60.0, gap=0.0)


@pytest.mark.parametrize(("penalty", "salvage"), [(6.0, 1.0), (3.0, 0.0), (12.0, 3.5), (1.0, -2.0)])
def test_one_sku_one_supplier_is_the_newsvendor_quantile(market: Any, penalty: float, salvage: float) -> None:
    """The plan buys the critical ratio's quantile: underage is the penalty, overage cost less salvage."""
    market.sku("A", penalty=penalty, salvage=salvage)
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 0.0, 1000.0)
    plan = allocate(market.data(), limits=SolveLimits(gap=0.0))
    ratio = penalty / (penalty + 4.0 - salvage)
    assert plan.report.status is SolveStatus.PROVED
    assert plan.lines["units"].iloc[0] == pytest.approx(1000.0 * ratio, abs=1.0)


def test_a_supplier_with_one_price_and_no_limits_gets_every_quantile(market: Any) -> None:
    """With one flat price nothing ties SKUs together, so each SKU gets its own newsvendor quantity."""
    market.supplier("S1", freight=0.5)
    for i, price in enumerate((2.0, 3.0, 8.0)):
        market.sku(f"K{i}", penalty=5.0, salvage=0.5)
        market.offer("S1", f"K{i}", price)
        market.demand(f"K{i}", 10.0, 90.0)
    plan = allocate(market.data(), limits=SolveLimits(gap=0.0))
    bought = plan.lines.set_index("sku_id")["units"]
    for i, price in enumerate((2.0, 3.0, 8.0)):
        under = 5.0 + price - (price + 0.5)
        want = 10.0 + 80.0 * under / (under + price + 0.5 - 0.5)
        assert bought[f"K{i}"] == pytest.approx(want, abs=1.0)


def test_confirmed_orders_without_forecast_are_bought_exactly(market: Any) -> None:
    """After the cutoff demand is known, and whole units of it are bought."""
    market.sku("A")
    market.supplier("S1")
    market.offer("S1", "A", 4.0)
    market.demand("A", 37.0, 37.0)
    plan = allocate(market.data(), limits=EXACT)
    assert plan.lines["units"].tolist() == [37.0]
    assert plan.costs["total"] == pytest.approx(148.0)


def test_capacitated_facility_location_has_its_known_optimum(new_market: Callable[..., Any]) -> None:
    """Order costs are opening costs: two sites of three open, as enumeration over site sets says."""
    opening = {"S1": 50.0, "S2": 70.0, "S3": 40.0}
    ship = {"S1": (1.0, 4.0, 6.0, 5.0), "S2": (3.0, 1.0, 2.0, 2.0), "S3": (6.0, 5.0, 1.0, 4.0)}
    need = (10.0, 12.0, 8.0, 14.0)
    market = new_market()
    for name, cost in opening.items():
        market.supplier(name, order_cost_yuan=cost)
    for k, units in enumerate(need):
        market.sku(f"K{k}", penalty=100.0, salvage=0.0)
        market.demand(f"K{k}", units, units)
        for name in opening:
            market.offer(name, f"K{k}", ship[name][k])
    best = min(
        sum(opening[s] for s in sites) + sum(n * min(ship[s][k] for s in sites) for k, n in enumerate(need))
        for count in (1, 2, 3)
        for sites in itertools.combinations(opening, count)
    )
    plan = allocate(market.data(), limits=EXACT)
    assert plan.costs["total"] == pytest.approx(best)


def brute_force(data: PurchaseData) -> float:
    """Return the least cost over every combination of cases that keeps all limits."""
    best = np.inf
    ranges = [range(int(most) + 1) for most in data.offers["max_cases"]]
    shares = data.column("offers", "max_share")
    units = data.column("offers", "case_units")
    cell = data.offers["cell"].to_numpy()
    for choice in itertools.product(*ranges):
        cases = np.array(choice, dtype=np.int64)
        if not np.isfinite(data.goods_yuan(cases)).all():
            continue
        if broken_yuan(data, cases) > 0:
            continue
        own = (cases + data.column("offers", "locked_cases")) * units
        total = np.bincount(cell, cases * units, minlength=len(data.cells)) + data.column("cells", "locked_units")
        if ((cases > 0) & (own > shares * total[cell] + 1e-9)).any():
            continue
        best = min(best, price_out(data, cases)["total"])
    return float(best)


def random_market(new_market: Callable[..., Any], seed: int) -> Any:
    """Return a market of one or two SKUs and two or three suppliers with every kind of term."""
    rng = np.random.default_rng(seed)
    market = new_market()
    suppliers = [f"S{i}" for i in range(int(rng.integers(2, 4)))]
    for name in suppliers:
        share = float(rng.choice([0.5, 0.6, 0.75])) if rng.random() < 0.25 else None
        truck = {"truck_capacity_kg": float(rng.integers(8, 25)), "truck_yuan": float(rng.integers(5, 25))}
        market.supplier(
            name,
            freight=round(float(rng.uniform(0, 0.5)), 2),
            order_cost_yuan=float(rng.integers(0, 30)),
            min_order_yuan=float(rng.integers(0, 60)) if rng.random() < 0.4 else 0.0,
            fill_rate=float(rng.choice([1.0, 1.0, 0.95, 0.9])),
            max_share=share,
            **(truck if rng.random() < 0.3 else {}),
        )
        for floor in sorted(rng.choice(range(20, 160), size=int(rng.integers(0, 3)), replace=False).tolist()):
            rate = round(0.02 + 0.0005 * floor, 3)
            market.rebates.append({"supplier_id": name, "from_yuan": float(floor), "rebate_rate": rate})
    for k in range(int(rng.integers(1, 3))):
        sku = f"K{k}"
        market.sku(sku, penalty=float(rng.integers(2, 9)), salvage=float(rng.integers(-1, 2)))
        low = float(rng.integers(0, 12))
        market.demand(sku, low, low + float(rng.integers(1, 20)))
        for name in suppliers[: 3 if k == 0 else 2]:
            most = int(rng.integers(1, 4))
            kind = "all_units" if rng.random() < 0.5 else "incremental"
            limits = {"case_units": int(rng.integers(2, 7)), "min_cases": int(rng.integers(0, 3)), "max_cases": most}
            limits["min_cases"] = min(limits["min_cases"], most)
            price = round(float(rng.uniform(2, 6)), 2)
            market.offer(name, sku, price, discount_kind=kind, **limits)
            if most == 3 and rng.random() < 0.6:
                key = {
                    "supplier_id": name,
                    "sku_id": sku,
                    "warehouse_id": "W1",
                    "from_cases": int(rng.integers(2, most)),
                }
                market.breaks.append({**key, "unit_price_yuan": round(price * float(rng.uniform(0.7, 0.97)), 2)})
    if rng.random() < 0.3:
        market.capacity = float(rng.integers(10, 40))
    if rng.random() < 0.3:
        stock = {"warehouse_id": "W1", "sku_id": "K0", "on_hand": float(rng.integers(0, 6)), "due_in": 1.0}
        market.stock.append({**stock, "expires_on": None})
    return market


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6))
def test_tiny_problems_equal_brute_force(new_market: Callable[..., Any], seed: int) -> None:
    """On problems small enough to enumerate, the whole model finds the least cost and proves it."""
    data = random_market(new_market, seed).data()
    plan = allocate(data, limits=EXACT)
    assert plan.costs["total"] == pytest.approx(brute_force(data), abs=0.02)
    assert plan.report.gap is not None
    assert plan.report.gap <= 1e-4
    assert check(data, plan) == []


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_the_structured_search_never_claims_more_than_the_truth(new_market: Callable[..., Any], seed: int) -> None:
    """Its bound lies below the enumerated optimum, its plan is feasible and not far from it."""
    market = random_market(new_market, seed)
    market.settings = PurchaseSettings(whole_model_offers=0, ascent_steps=60, dive_steps=5, neighbourhoods=3)
    data = market.data()
    plan = allocate(data, limits=SolveLimits(seconds=30.0, gap=1e-6))
    truth = brute_force(data)
    assert plan.report.bound_yuan is not None
    assert plan.report.bound_yuan <= truth + 1e-6
    assert plan.costs["total"] >= truth - 0.02
    assert plan.costs["total"] <= truth * 1.25 + 1.0


def test_the_tiny_world_s_purchase_equals_brute_force(tiny: World) -> None:
    """At the cutoff of the tiny world no choice of cases for its seven offers costs less than the plan."""
    day = tiny.order_lines["delivery_date"].max()
    cutoff = clock_instant("23:00-1", delivery_date=day, timezone="Asia/Shanghai")
    lines = tiny.order_lines[(tiny.order_lines["delivery_date"] == day) & tiny.order_lines["cancelled_at"].isna()]
    units = lines.groupby("sku_id", as_index=False)["quantity"].sum()
    final = dict.fromkeys(("confirmed", "final_mean", *QUANTILE_COLUMNS), units["quantity"])
    book = OrderBook.check(
        units[["sku_id"]].assign(
            delivery_date=day,
            level="warehouse",
            place_id="W1",
            as_of=cutoff,
            remaining_mean=0.0,
            source="test",
            **final,
        )
    )
    data = purchase_data(tiny.reference, book, delivery_date=day, as_of=cutoff, city=CitySettings())
    plan = allocate(data, limits=SolveLimits(gap=1e-6))
    assert plan.report.status is SolveStatus.PROVED
    most = np.ceil(units.set_index("sku_id")["quantity"] * 1.3)  # more than a third too much of a SKU never pays here
    room = most.reindex(data.offers["sku_id"]).to_numpy() // data.offers["case_units"].to_numpy() + 1
    narrowed = replace(
        data, offers=data.offers.assign(max_cases=np.minimum(data.offers["max_cases"], room).astype(int))
    )
    assert plan.costs["total"] == pytest.approx(brute_force(narrowed), abs=0.02)
