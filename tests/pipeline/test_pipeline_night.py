"""The night as a whole: nothing is lost between order line and route stop, and the same input gives the same plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import EmptyInputError, InputError
from contracts.flow import DailyDemand, OrderLines
from contracts.reference import Communities, Listings
from contracts.settings import Settings
from contracts.world import World
from forecast import build_history
from pipeline.desk import PlanningDesk
from pipeline.goods import asked_units, stop_loads
from pipeline.night import plan_night
from pipeline.plan import NightPlan
from pipeline.replay import compare_plans, rerun_plan
from pipeline.score import score_book

PLANS = pytest.mark.parametrize("which", ["evening_plan", "cutoff_plan"])


@PLANS
def test_units_are_conserved_from_purchase_to_route_stop(which: str, request: pytest.FixtureRequest) -> None:
    """stock + due in + bought = allotted + surplus; allotted = sorted = delivered + reported as unserved."""
    plan: NightPlan = request.getfixturevalue(which)
    key = ["warehouse_id", "sku_id"]
    supplied = plan.arrivals.groupby(key)["units"].sum()
    allotted = plan.allotments.groupby(key)["allotted_units"].sum()
    assert (supplied.sub(allotted, fill_value=0.0) >= -1e-9).all()
    sorted_units = plan.sorting_tasks.groupby(["destination_id", "sku_id"])["units"].sum().sort_index()
    given = plan.allotments[plan.allotments["allotted_units"] > 0]
    given = given.groupby(["community_id", "sku_id"])["allotted_units"].sum().sort_index()
    assert sorted_units.index.equals(given.index.rename(["destination_id", "sku_id"]))
    np.testing.assert_allclose(sorted_units, given, atol=1e-9)
    served = plan.route_stops.dropna(subset="community_id").groupby("community_id")["units"].sum()
    due = given.groupby("community_id").sum()
    unserved = set(plan.unserved["destination_id"])
    assert set(served.index) | unserved == set(due.index)
    np.testing.assert_allclose(served.sort_index(), due[served.index].sort_index(), atol=1e-6)


@PLANS
def test_bought_plus_stock_is_what_arrives(which: str, request: pytest.FixtureRequest) -> None:
    """Every purchased unit and every usable stock unit is an arrival, and nothing else is."""
    plan: NightPlan = request.getfixturevalue(which)
    key = ["warehouse_id", "sku_id"]
    coverage = plan.coverage.set_index(key)
    came = plan.arrivals.groupby(key)["units"].sum().reindex(coverage.index, fill_value=0.0)
    np.testing.assert_allclose(came, coverage["available"] + coverage["bought"], atol=1e-9)
    bought = plan.purchase_lines.groupby(key)["units"].sum().reindex(coverage.index, fill_value=0.0)
    np.testing.assert_allclose(bought, coverage["bought"], atol=1e-9)


def test_confirmed_units_are_the_order_lines_placed_and_not_cancelled(
    tiny: World, tomorrow: pd.Timestamp, evening_plan: NightPlan
) -> None:
    """The book's confirmed column, summed by hand from the order lines."""
    as_of = pd.Timestamp(evening_plan.summary.as_of)
    lines = tiny.order_lines[tiny.order_lines["delivery_date"] == tomorrow]
    placed = lines[lines["placed_at"] <= as_of]
    alive = placed[placed["cancelled_at"].isna() | (placed["cancelled_at"] > as_of)]
    book = evening_plan.order_book[evening_plan.order_book["level"] == "warehouse"]
    assert book["confirmed"].sum() == pytest.approx(alive["quantity"].sum())
    assert evening_plan.summary.demand_units["confirmed"] == pytest.approx(alive["quantity"].sum())


def test_at_the_cutoff_everything_is_confirmed_and_the_sent_orders_are_kept(
    evening_plan: NightPlan, cutoff_plan: NightPlan
) -> None:
    """Nothing is expected after the cutoff; locked lines are in the plan with their cases."""
    assert cutoff_plan.order_book["remaining_mean"].eq(0).all()
    key = ["supplier_id", "sku_id", "warehouse_id"]
    locked = cutoff_plan.purchase_lines[cutoff_plan.purchase_lines["locked"]].set_index(key)["cases"]
    sent = evening_plan.purchase_lines.set_index(key)["cases"]
    held = cutoff_plan.purchase_lines.set_index(key)["cases"]
    assert (held.reindex(sent.index) >= sent).all()
    assert set(sent.index) <= set(held.index)
    assert len(locked) > 0


@PLANS
def test_the_cost_parts_sum_to_the_total(which: str, request: pytest.FixtureRequest) -> None:
    """The breakdown explains every yuan."""
    costs = dict(request.getfixturevalue(which).summary.costs_yuan)
    total = costs.pop("total")
    assert sum(costs.values()) == pytest.approx(total, abs=1e-6)


def test_the_same_input_gives_the_same_plan(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """A kept plan, replayed from the store, comes out identical."""
    outcome = rerun_plan(desk, evening_plan.summary.plan_id)
    assert outcome.identical, outcome.sentence
    assert outcome.changed_inputs == ()


def test_a_kept_plan_is_read_back_as_it_was(desk: PlanningDesk, evening_plan: NightPlan) -> None:
    """What the store gives back is what was planned, to the last digit."""
    kept = desk.saved_plan(evening_plan.summary.plan_id)
    assert kept.summary == evening_plan.summary
    assert compare_plans(kept, evening_plan).identical


def test_the_future_changes_nothing(desk: PlanningDesk, evening_plan: NightPlan, tomorrow: pd.Timestamp) -> None:
    """Later orders, later cancellations of early orders and demand of later dates: same tables, same plan id."""
    night = desk.night_input(tomorrow, pd.Timestamp(evening_plan.summary.as_of))
    lines = night.order_lines
    late = lines["placed_at"] > night.as_of
    future = lines.assign(
        quantity=lines["quantity"].mask(late, lines["quantity"] * 9),
        cancelled_at=lines["cancelled_at"].where(
            lines["cancelled_at"] <= night.as_of, night.as_of + pd.Timedelta(minutes=1)
        ),
    )
    later = night.history.tail(5).assign(delivery_date=tomorrow + pd.Timedelta(days=1), quantity=99.0)
    history = DailyDemand.check(pd.concat([night.history, later], ignore_index=True))
    again = plan_night(replace(night, order_lines=OrderLines.check(future), history=history), settings=desk.settings)
    assert compare_plans(evening_plan, again).changed_tables == ()
    assert again.summary.plan_id == evening_plan.summary.plan_id


def test_a_return_weeks_later_does_not_rewrite_a_closed_day(tiny: World, desk: PlanningDesk) -> None:
    """A line cancelled after its cutoff was demand; one cancelled before it was not."""
    lines = tiny.order_lines[tiny.order_lines["cancelled_at"].isna()].head(200)
    returned = OrderLines.check(lines.assign(cancelled_at=lines["placed_at"] + pd.Timedelta(days=30)))
    undone = OrderLines.check(lines.assign(cancelled_at=lines["placed_at"] + pd.Timedelta(seconds=1)))
    places = (tiny.reference.listings, tiny.reference.communities)
    units = lines["quantity"].sum()
    assert build_history(returned, *places, city=desk.settings.city)["quantity"].sum() == pytest.approx(units)
    assert build_history(undone, *places, city=desk.settings.city)["quantity"].sum() == 0


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.2, 1.0, 4.0]))
def test_any_evening_conserves_units(
    desk: PlanningDesk, brief: Settings, tomorrow: pd.Timestamp, evening_plan: NightPlan, seed: int, scale: float
) -> None:
    """Whatever was ordered: stock + bought = allotted + surplus per SKU, and allotted = sorted = delivered or named."""
    rng = np.random.default_rng(seed)
    night = desk.night_input(tomorrow, pd.Timestamp(evening_plan.summary.as_of))
    chosen = night.order_lines[rng.random(len(night.order_lines)) < rng.uniform(0.1, 1.0)]
    units = np.ceil(rng.exponential(2.0 * scale, len(chosen)))
    plan = plan_night(replace(night, order_lines=OrderLines.check(chosen.assign(quantity=units))), settings=brief)
    key = ["warehouse_id", "sku_id"]
    came = plan.arrivals.groupby(key)["units"].sum()
    gone = plan.allotments.groupby(key)["allotted_units"].sum()
    surplus = came.sub(gone, fill_value=0.0)
    assert (surplus >= -1e-9).all()
    coverage = plan.coverage.set_index(key)
    supplied = (coverage["available"] + coverage["bought"]).sub(came, fill_value=0.0)
    assert supplied.abs().max() < 1e-9
    assert plan.sorting_tasks["units"].sum() == pytest.approx(gone.sum())
    unserved = plan.allotments["community_id"].isin(plan.unserved["destination_id"])
    delivered = plan.route_stops["units"].sum() + plan.allotments.loc[unserved, "allotted_units"].sum()
    assert delivered == pytest.approx(gone.sum())


def test_an_empty_day_is_said_to_be_empty(desk: PlanningDesk, tomorrow: pd.Timestamp) -> None:
    """Every community is closed that day and nothing is ordered: an error, not an empty plan."""
    as_of = tomorrow.tz_localize("Asia/Shanghai").tz_convert("UTC") - pd.Timedelta(hours=6)
    night = desk.night_input(tomorrow, as_of)
    places = night.reference.communities.assign(closed_on=tomorrow - pd.Timedelta(days=1))
    closed = replace(night.reference, communities=Communities.check(places))
    empty = replace(night, reference=closed, order_lines=OrderLines.check(night.order_lines.head(0)))
    with pytest.raises(EmptyInputError, match=str(tomorrow.date())):
        plan_night(empty, settings=desk.settings)


def test_missing_listings_are_assumed_and_said(desk: PlanningDesk, brief: Settings, tomorrow: pd.Timestamp) -> None:
    """Without listings for the date the recent assortment stands in, and the plan says so."""
    as_of = tomorrow.tz_localize("Asia/Shanghai").tz_convert("UTC") - pd.Timedelta(hours=6)
    night = desk.night_input(tomorrow, as_of)
    listed = night.reference.listings
    unsaid = replace(night.reference, listings=Listings.check(listed[listed["delivery_date"] < tomorrow]))
    plan = plan_night(replace(night, reference=unsaid), settings=brief)
    assert any("No listings for 2026-04-22" in warning for warning in plan.summary.warnings)


def test_an_area_without_listings_is_said_by_name(desk: PlanningDesk, tomorrow: pd.Timestamp) -> None:
    """One area's listings are missing: it is named, its rows are labelled fallbacks, the other area's are not."""
    night = desk.night_input(tomorrow, tomorrow.tz_localize("Asia/Shanghai").tz_convert("UTC") - pd.Timedelta(hours=6))
    places = night.reference.communities
    places = Communities.check(places.assign(area_id=["A2", "A2", *places["area_id"][2:]]))
    moved = replace(night.reference, communities=places)  # its listings are still those of A1 only
    plan = plan_night(replace(night, reference=moved), settings=desk.settings)
    assert any("No listings for 2026-04-22, but for others, in area 'A2'" in one for one in plan.summary.warnings)
    assert any("no listings, goods on sale of late" in one for one in plan.summary.fallbacks)
    rows = plan.forecast[plan.forecast["level"] == "community"]
    assumed = rows["source"].str.startswith("fallback: no listings")
    assert assumed.any()
    assert assumed.tolist() == rows["place_id"].isin(places["community_id"][:2]).tolist()
    assert not any("No listings" in one for one in plan_night(night, settings=desk.settings).summary.warnings)


def test_stale_orders_are_refused(desk: PlanningDesk) -> None:
    """A plan five years after the last known order would be a guess."""
    with pytest.raises(InputError, match="Import newer orders"):
        desk.plan(pd.Timestamp("2031-01-01"), pd.Timestamp("2030-12-31 10:00", tz="UTC"))


def test_a_moment_before_orders_open_is_refused(desk: PlanningDesk, tomorrow: pd.Timestamp) -> None:
    """There is nothing to count yet."""
    with pytest.raises(InputError, match="orders open"):
        desk.plan(tomorrow, pd.Timestamp("2020-01-01", tz="UTC"))


def test_loads_weigh_what_the_goods_weigh(tiny: World, cutoff_plan: NightPlan) -> None:
    """Kilograms per stop, computed by hand from allotments and SKU weights."""
    loads = stop_loads(cutoff_plan.allotments, tiny.reference.skus)
    weight = tiny.reference.skus.set_index("sku_id")["weight_kg"]
    by_hand = (cutoff_plan.allotments["allotted_units"] * cutoff_plan.allotments["sku_id"].map(weight)).sum()
    assert loads["load_kg"].sum() == pytest.approx(by_hand)
    assert cutoff_plan.trips["load_kg"].sum() == pytest.approx(by_hand)


def test_at_the_cutoff_the_book_is_the_truth_but_for_later_cancellations(tiny: World, cutoff_plan: NightPlan) -> None:
    """Scored against the simulated demand, a closed book has no error on SKUs that did not sell out."""
    scores = score_book(cutoff_plan.order_book, tiny.true_demand, tiny.reference).set_index("level")
    assert scores.loc["warehouse", "wape"] < 0.1
    assert asked_units(cutoff_plan.order_book, tiny.reference.communities)["units"].sum() == pytest.approx(
        cutoff_plan.summary.demand_units["final"]
    )
