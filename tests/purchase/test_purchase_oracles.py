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
    """Return the least cost over every combination of cases that keeps all limits.

    Warehouses share no supplier here, so each is enumerated alone, all its combinations at once.
    """
    return sum(_cheapest_at(data, place) for place in sorted(data.cells["warehouse_id"].unique()))


def _cheapest_at(data: PurchaseData, place: str) -> float:
    offers = data.offers
    here = np.flatnonzero(offers["warehouse_id"] == place)
    ranges = [np.arange(int(most) + 1) for most in offers["max_cases"].iloc[here]]
    grid = np.zeros((int(np.prod([len(r) for r in ranges])), len(offers)), dtype=np.int64)
    grid[:, here] = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, len(here))
    goods = np.zeros(grid.shape)
    for o in here.tolist():
        for n in np.unique(grid[:, o]).tolist():
            alone = np.zeros(len(offers), dtype=np.int64)
            alone[o] = n
            goods[grid[:, o] == n, o] = np.round(data.goods_yuan(alone)[o], 2)
    good = np.isfinite(goods).all(axis=1)
    grid, goods = grid[good], goods[good]
    cost, allowed = np.zeros(len(grid)), np.ones(len(grid), dtype=bool)
    sellers = set(data.reference.lanes.loc[data.reference.lanes["warehouse_id"] == place, "supplier_id"])
    for s, terms in enumerate(data.suppliers.itertuples()):
        if terms.supplier_id not in sellers:
            continue
        mine = (offers["supplier"] == s).to_numpy()
        spend = terms.locked_yuan + goods[:, mine].sum(axis=1)
        used = (grid[:, mine] > 0).any(axis=1) | terms.has_locked
        own = data.reference.spend_rebates
        own = own[own["supplier_id"] == terms.supplier_id]
        rate = np.zeros(len(grid))
        for floor, share in zip(own["from_yuan"], own["rebate_rate"], strict=True):
            rate = np.where(spend >= floor - 1e-9, np.maximum(rate, share), rate)
        cost += spend * (1 - rate) + used * terms.order_cost_yuan
        allowed &= ~used | (spend >= terms.min_order_yuan - 1e-9)
    for lane, terms in enumerate(data.lanes.itertuples()):
        if terms.warehouse_id == place:
            mine = (offers["lane"] == lane).to_numpy()
            kg = terms.locked_kg + grid[:, mine] @ data.column("offers", "kg_per_case")[mine]
            cost += grid[:, mine] @ data.column("offers", "freight_yuan_per_case")[mine] + terms.locked_freight_yuan
            cost += np.ceil(kg / terms.truck_capacity_kg - 1e-9) * terms.truck_yuan
    units = data.column("offers", "case_units")
    for z, zone in enumerate(data.zones.itertuples()):
        bought = grid @ np.where(offers["zone"] == z, units, 0.0)
        allowed &= bought <= max(zone.capacity_units - zone.taken_units, 0.0) + 1e-9
    for c in np.flatnonzero(data.cells["warehouse_id"] == place).tolist():
        mine = (offers["cell"] == c).to_numpy()
        received = data.base_units[c] + grid[:, mine] @ data.column("offers", "received_per_case")[mine]
        cost += data.recourse.cost_yuan(received, np.full(len(grid), c))
        total = data.cells["locked_units"].iloc[c] + grid[:, mine] @ units[mine]
        for o in np.flatnonzero(mine).tolist():
            own_units = (grid[:, o] + offers["locked_cases"].iloc[o]) * units[o]
            allowed &= (grid[:, o] == 0) | (own_units <= offers["max_share"].iloc[o] * total + 1e-9)
    return float(cost[allowed].min())


def random_market(new_market: Callable[..., Any], seed: int, *, groups: int) -> Any:
    """Return a market of several tiny problems side by side, one per warehouse, with every kind of term."""
    rng = np.random.default_rng(seed)
    market = new_market()
    for group in range(groups):
        _add_tiny_problem(market, rng, f"{group}")
    return market


def _add_tiny_problem(market: Any, rng: np.random.Generator, group: str) -> None:
    """Add a warehouse with one or two SKUs and two or three suppliers of its own."""
    place = f"W{group}"
    market.warehouses = (place,)
    suppliers = [f"S{group}{i}" for i in range(int(rng.integers(2, 4)))]
    for name in suppliers:
        truck = {"truck_capacity_kg": float(rng.integers(8, 25)), "truck_yuan": float(rng.integers(5, 25))}
        market.supplier(
            name,
            freight=round(float(rng.uniform(0, 0.5)), 2),
            order_cost_yuan=float(rng.integers(0, 30)),
            min_order_yuan=float(rng.integers(0, 60)) if rng.random() < 0.4 else 0.0,
            fill_rate=float(rng.choice([1.0, 1.0, 0.95, 0.9])),
            max_share=float(rng.choice([0.5, 0.6, 0.75])) if rng.random() < 0.25 else None,
            **(truck if rng.random() < 0.3 else {}),
        )
        for floor in sorted(rng.choice(range(20, 160), size=int(rng.integers(0, 3)), replace=False).tolist()):
            rate = round(0.02 + 0.0005 * floor, 3)
            market.rebates.append({"supplier_id": name, "from_yuan": float(floor), "rebate_rate": rate})
    for k in range(int(rng.integers(1, 3))):
        sku = f"K{group}{k}"
        market.sku(sku, penalty=float(rng.integers(2, 9)), salvage=float(rng.integers(-1, 2)))
        low = float(rng.integers(0, 12))
        market.demand(sku, low, low + float(rng.integers(1, 20)), place=place)
        for name in suppliers[: 3 if k == 0 else 2]:
            most = int(rng.integers(1, 4))
            kind = "all_units" if rng.random() < 0.5 else "incremental"
            limits = {"case_units": int(rng.integers(2, 7)), "min_cases": int(rng.integers(0, 3)), "max_cases": most}
            limits["min_cases"] = min(limits["min_cases"], most)
            price = round(float(rng.uniform(2, 6)), 2)
            market.offer(name, sku, price, place=place, discount_kind=kind, **limits)
            if most == 3 and rng.random() < 0.6:
                key = {"supplier_id": name, "sku_id": sku, "warehouse_id": place, "from_cases": int(rng.integers(2, 4))}
                market.breaks.append({**key, "unit_price_yuan": round(price * float(rng.uniform(0.7, 0.97)), 2)})
    if rng.random() < 0.3:
        market.capacities[place] = float(rng.integers(10, 40))
    if rng.random() < 0.3:
        stock = {"warehouse_id": place, "sku_id": f"K{group}0", "on_hand": float(rng.integers(0, 6)), "due_in": 1.0}
        market.stock.append({**stock, "expires_on": None})
    market.warehouses = tuple(sorted({offer["warehouse_id"] for offer in market.offers}))


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_tiny_problems_equal_brute_force(new_market: Callable[..., Any], seed: int) -> None:
    """On 25 problems at a time, each small enough to enumerate, the whole model finds the least cost and proves it."""
    data = random_market(new_market, seed, groups=25).data()
    plan = allocate(data, limits=EXACT)
    assert plan.costs["total"] == pytest.approx(brute_force(data), abs=0.05)
    assert plan.report.gap is not None
    assert plan.report.gap <= 1e-4
    assert check(data, plan) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_structured_search_never_claims_more_than_the_truth(new_market: Callable[..., Any], seed: int) -> None:
    """Its bound lies below the enumerated optimum, its plan is feasible and not far from it."""
    market = random_market(new_market, seed, groups=8)
    market.settings = PurchaseSettings(whole_model_offers=0, ascent_steps=100, dive_steps=10, neighbourhoods=3)
    data = market.data()
    plan = allocate(data, limits=SolveLimits(seconds=30.0, gap=1e-6))
    truth = brute_force(data)
    assert plan.report.bound_yuan is not None
    assert plan.report.bound_yuan <= truth + 1e-6
    assert truth - 0.05 <= plan.costs["total"] <= truth * 1.1


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
