"""Sharing out: whole units, nothing lost, and each rule as it is stated."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ContractError, InputError, MissingColumnError
from optimize.sorting import share_out

WHOLE = st.lists(st.integers(0, 9), min_size=1, max_size=6)
FRACTIONS = st.lists(st.floats(0, 9, allow_subnormal=False), min_size=1, max_size=8)


def orders(units: list[float], **more: object) -> pd.DataFrame:
    names = [f"C{i}" for i in range(len(units))]
    return pd.DataFrame({"warehouse_id": "W1", "community_id": names, "sku_id": "S1", "units": units, **more})


def goods(units: float) -> pd.DataFrame:
    return pd.DataFrame({"warehouse_id": ["W1"], "sku_id": ["S1"], "units": [units]})


def given_to(units: list[float], supply: float, **options: object) -> list[float]:
    shares = share_out(orders(units), goods(supply), **options).set_index("community_id")["allotted_units"]
    return [float(shares.get(f"C{i}", 0.0)) for i in range(len(units))]


@settings(deadline=None, max_examples=60)
@given(FRACTIONS)
def test_expected_fractions_become_whole_units_that_add_up_to_the_rounded_total(units: list[float]) -> None:
    """The whole units add up to the total rounded half-up, and each is its fraction rounded down or up."""
    table = share_out(orders(units), goods(1e6))
    total = np.floor(round(sum(units), 9) + 0.5)
    assert table["ordered_units"].sum() == total
    back = table.set_index("community_id")["ordered_units"]
    for i, exact in enumerate(units):
        assert abs(back.get(f"C{i}", 0.0) - exact) < 1 + 1e-9
    assert (table["short_units"] == 0).all()


@settings(deadline=None, max_examples=60)
@given(WHOLE, st.integers(0, 60), st.sampled_from(["proportional", "smallest_protected"]))
def test_goods_are_used_up_and_nobody_gets_more_than_ordered(units: list[int], supply: int, rule: str) -> None:
    """Allotted is the lesser of supply and orders; allotted plus short is ordered in every row."""
    table = share_out(orders([float(u) for u in units]), goods(float(supply)), rule=rule)
    assert table["allotted_units"].sum() == min(supply, sum(units))
    assert (table["allotted_units"] + table["short_units"] == table["ordered_units"]).all()
    assert (table["allotted_units"] % 1 == 0).all()
    assert table["ordered_units"].sum() == sum(units)


@settings(deadline=None, max_examples=40)
@given(WHOLE, st.integers(0, 30))
def test_proportional_shares_are_within_one_unit_of_the_exact_share(units: list[int], supply: int) -> None:
    """Each share is the exact proportional share rounded down or up (Hamilton keeps quota)."""
    shares = given_to([float(u) for u in units], float(supply))
    total = max(sum(units), 1)
    for ordered, got in zip(units, shares, strict=True):
        assert abs(got - ordered * min(supply, total) / total) < 1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 12))
def test_smallest_protected_is_the_fairest_of_all_whole_sharings(units: list[int], supply: int) -> None:
    """Brute force: sorted ascending, no other sharing of the goods is lexicographically larger (max-min fairness)."""
    shares = given_to([float(u) for u in units], float(supply), rule="smallest_protected")
    use = min(supply, sum(units))
    every = (s for s in itertools.product(*(range(u + 1) for u in units)) if sum(s) == use)
    assert sorted(shares) == sorted(max(every, key=sorted))


def test_prepaid_units_are_served_first() -> None:
    """Prepaid 3 and 1 of orders 4 and 6 with 6 units: prepaid is whole, the other 2 go by the rest 1 and 5."""
    paid = orders([4.0, 6.0], prepaid_units=[3.0, 1.0])
    assert share_out(paid, goods(6.0), rule="prepaid_first")["allotted_units"].tolist() == [3.0, 3.0]
    assert share_out(paid, goods(2.0), rule="prepaid_first")["allotted_units"].sum() == 2.0


def test_prepaid_rule_needs_to_know_what_is_prepaid() -> None:
    """Without the column the rule cannot be applied, and it does not fall back silently."""
    with pytest.raises(MissingColumnError, match="prepaid_units"):
        share_out(orders([1.0]), goods(1.0), rule="prepaid_first")
    with pytest.raises(InputError, match="1 rows have more units prepaid than ordered"):
        share_out(orders([1.0], prepaid_units=[2.0]), goods(0.0), rule="prepaid_first")


def test_orders_by_weight_keep_their_fractions_at_the_cutoff() -> None:
    """0.5 + 1.25 kg ordered and 1.4 kg come: grams are shared, none is lost."""
    full = share_out(orders([0.5, 1.25]), goods(9.0), at_cutoff=True)
    assert full["allotted_units"].tolist() == [0.5, 1.25]
    part = share_out(orders([0.5, 1.25]), goods(1.4), at_cutoff=True)
    assert part["allotted_units"].tolist() == [0.4, 1.0]
    assert part["allotted_units"].sum() + part["short_units"].sum() == pytest.approx(1.75)


def test_the_last_unit_goes_round_among_equals_from_sku_to_sku() -> None:
    """Three equal communities and three SKUs with one unit each: every community gets one."""
    rows = pd.DataFrame(
        [("W1", f"C{c}", f"S{s}", 1.0) for s in range(3) for c in range(3)],
        columns=["warehouse_id", "community_id", "sku_id", "units"],
    )
    supply = pd.DataFrame({"warehouse_id": "W1", "sku_id": ["S0", "S1", "S2"], "units": 1.0})
    got = share_out(rows, supply).groupby("community_id")["allotted_units"].sum()
    assert got.tolist() == [1.0, 1.0, 1.0]


def test_order_of_rows_changes_nothing_and_input_stays_as_it_was() -> None:
    """Shuffled orders give the same shares."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        [("W1", f"C{c}", f"S{s}", float(rng.integers(0, 5))) for s in range(6) for c in range(9)],
        columns=["warehouse_id", "community_id", "sku_id", "units"],
    )
    supply = pd.DataFrame({"warehouse_id": "W1", "sku_id": [f"S{s}" for s in range(6)], "units": 7.0})
    before = rows.copy()
    key = ["community_id", "sku_id"]
    one = share_out(rows, supply).sort_values(key, ignore_index=True)
    two = share_out(rows.sample(frac=1, random_state=1), supply.iloc[::-1]).sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(rows, before)


def test_a_sku_without_supply_is_all_short() -> None:
    """No supply row means no goods: the orders stay, as shortage."""
    table = share_out(orders([2.0, 3.0]), goods(1.0).assign(sku_id="S9"))
    assert table["short_units"].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_quantities_are_refused_with_their_row(bad: float) -> None:
    """A negative or unreadable quantity is named, never shared."""
    with pytest.raises(ContractError, match=r"units: a finite number, not negative \(1 rows"):
        share_out(orders([1.0, bad]), goods(1.0))


def test_bad_keys_are_refused() -> None:
    """The same community and SKU twice, an id that is missing, a column that is missing."""
    with pytest.raises(ContractError, match="duplicate key"):
        share_out(pd.concat([orders([1.0]), orders([0.0])]), goods(1.0))
    with pytest.raises(ContractError, match="not null"):
        share_out(orders([1.0]).assign(community_id=None), goods(1.0))
    with pytest.raises(MissingColumnError, match="units"):
        share_out(orders([1.0]).drop(columns="units"), goods(1.0))
    with pytest.raises(MissingColumnError, match="supply"):
        share_out(orders([1.0]), goods(1.0).drop(columns="units"))


def test_no_orders_give_no_rows() -> None:
    """An empty day is an empty table, not an error: the caller decides."""
    assert len(share_out(orders([1.0]).iloc[:0], goods(1.0))) == 0
