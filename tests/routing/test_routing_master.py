"""Master routes: drivers keep the rounds they know unless leaving them pays more than its price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contracts.reference import MasterRoutes
from contracts.solve import SolveLimits
from optimize.routing import RoutePlan, RoutingData, route
from optimize.routing.duty import Duty
from optimize.routing.partition import net_yuan, steady_mix
from optimize.routing.replan import moved_stops


def priced(data: RoutingData, yuan: float) -> RoutingData:
    """Return the data with another price of a stop that leaves its round."""
    return replace(data, settings=data.settings.model_copy(update={"moved_stop_yuan": yuan}))


def crossed(town: Any) -> pd.DataFrame:
    """Return two rounds nobody would plan: every other stop by longitude on each."""
    names = [c["community_id"] for c in sorted(town.communities, key=lambda c: c["longitude"])]
    rows = [
        {"route_id": f"R{i % 2}", "trip": 1, "seq": i // 2 + 1, "base_id": "W1", "vehicle_type_id": "W1-van"}
        | {"community_id": name}
        for i, name in enumerate(names)
    ]
    return MasterRoutes.check(pd.DataFrame(rows))


@pytest.fixture(scope="module")
def city(town: Callable[..., Any]) -> tuple[RoutingData, pd.DataFrame]:
    """Return eight stops that need two vans, and their master routes."""
    small = town(8, seed=3, kg=60.0, max_trips=1)
    master = crossed(small)
    return replace(small.data(), master=master), master


def rounds(plan: RoutePlan) -> set[frozenset[str]]:
    """Return which stops go together."""
    return {frozenset(rows) for _, rows in plan.stops.groupby("route_id")["community_id"]}


def test_at_a_high_price_everybody_keeps_the_round_and_at_none_cost_alone_decides(
    city: tuple[RoutingData, pd.DataFrame], limits: SolveLimits
) -> None:
    """10,000 yuan a stop: the master's rounds, nothing moved. Free: never dearer, and the report adds up."""
    data, master = city
    steady, loose = (route(priced(data, yuan), limits=limits) for yuan in (10_000.0, 0.0))
    assert rounds(steady) == {frozenset(rows) for _, rows in master.groupby("route_id")["community_id"]}
    assert steady.costs["moved"] == 0.0
    driven = [sum(plan.costs[part] for part in ("fixed", "distance", "duty")) for plan in (steady, loose)]
    assert driven[1] <= driven[0] + 1e-6
    for plan in (steady, loose):
        assert sum(yuan for part, yuan in plan.costs.items() if part != "total") == pytest.approx(plan.costs["total"])


def test_what_leaving_costs_is_counted_stop_by_stop(
    city: tuple[RoutingData, pd.DataFrame], limits: SolveLimits
) -> None:
    """The price told is the price per stop times the stops whose driver changes, by a count of our own."""
    data, master = city
    plan = route(priced(data, 1.0), limits=limits)
    home = master.set_index("community_id")["route_id"]
    groups = [list(rows) for _, rows in plan.stops.groupby("route_id")["community_id"]]
    kept = max(  # two rounds: at most one heir each, so both pairings are tried
        sum((home[group] == heir).sum() for group, heir in zip(groups, heirs, strict=False))
        for heirs in (("R0", "R1"), ("R1", "R0"))
    )
    assert plan.costs["moved"] == pytest.approx(len(plan.stops) - kept)


def test_rounds_that_no_longer_fit_are_a_start_all_the_same(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Goods three times as heavy break the master's rounds: every stop is still served or listed."""
    heavy = town(8, seed=3, kg=180.0, max_trips=2)
    data = replace(heavy.data(), master=crossed(heavy))
    plan = route(data, limits=limits)
    assert set(plan.stops["community_id"]) | set(plan.unserved["destination_id"]) == {
        c["community_id"] for c in heavy.communities
    }


@pytest.mark.parametrize("seed", range(4))
def test_a_mix_is_never_dearer_than_the_sets_it_mixes(town: Callable[..., Any], seed: int) -> None:
    """Random sets of single-trip duties: the mix costs, moves priced per duty, at most what each set costs."""
    territory = town(7, seed=seed, max_trips=1).but(vans=town(1, max_trips=1, count=7).vans).data().warehouses[0]
    random = np.random.default_rng(seed)
    sets = []
    for _ in range(2):
        order = random.permutation(7)
        sets.append(tuple(Duty(0, (tuple(map(int, part)),)) for part in np.array_split(order, 4)))
    known = sets[0]
    mixed = steady_mix(territory, sets, known, moved_yuan=5.0)
    assert sorted(stop for duty in mixed for stop in duty.stops) == list(range(7))
    home = {stop: number for number, duty in enumerate(known) for stop in duty.stops}

    def price(duties: tuple[Duty, ...]) -> float:
        away = sum(len(d.stops) - max(Counter(home[s] for s in d.stops).values()) for d in duties)
        return net_yuan(territory, duties) + 5.0 * away

    assert price(mixed) <= min(price(duties) for duties in sets) + 1e-6
    assert steady_mix(territory, sets, known, moved_yuan=1e6) == known
    assert len(moved_stops(steady_mix(territory, sets, known, moved_yuan=1e6), known)) == 0
