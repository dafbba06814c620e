"""Local events from the reference table to the forecast: learned where they were on, expected where they will be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from contracts.flow import OrderLines
from contracts.reference import AreaEvents, Communities, Listings
from contracts.settings import Settings
from contracts.world import World
from pipeline.desk import PlanningDesk
from pipeline.premises import premise_warnings

FEW = {"backtest_origins": 3, "boosting": {"trees": 40, "threads": 1}}


def events(days: list[pd.Timestamp], area: str, name: str = "market") -> pd.DataFrame:
    """Return one event of an area on days."""
    return AreaEvents.check(pd.DataFrame({"day": pd.DatetimeIndex(days).as_unit("us"), "area_id": area, "event": name}))


@pytest.fixture(scope="module")
def market(tiny: World, tomorrow: pd.Timestamp, tmp_path_factory: pytest.TempPathFactory) -> PlanningDesk:
    """Return a trained desk of a city whose first area orders four times as much on every fifth day: market days."""
    folder: Path = tmp_path_factory.mktemp("market")
    area, other = "A1", "A2"
    places = tiny.reference.communities
    places = Communities.check(places.assign(area_id=[area if row < 3 else other for row in range(len(places))]))
    listed = Listings.check(pd.concat([tiny.reference.listings.assign(area_id=one) for one in (area, other)]))
    days = sorted(tiny.order_lines["delivery_date"].unique())[::-5]  # the last is tomorrow
    here = tiny.order_lines["community_id"].isin(places.loc[places["area_id"] == area, "community_id"])
    busy = here & tiny.order_lines["delivery_date"].isin(days)
    lines = tiny.order_lines.assign(
        quantity=tiny.order_lines["quantity"].where(~busy, tiny.order_lines["quantity"] * 4)
    )
    known = replace(tiny.reference, communities=places, listings=listed, area_events=events(days, area))
    storage = {"url": f"sqlite:///{folder}/t.sqlite", "history": folder / "history", "models": folder / "models"}
    desk = PlanningDesk.open(Settings(storage=storage, forecast=FEW))  # type: ignore[arg-type]
    desk.import_world(World(known, OrderLines.check(lines)))
    desk.train()
    return desk


def units(desk: PlanningDesk, day: pd.Timestamp) -> pd.Series:
    """Return units expected by area."""
    made = desk.forecast(day)
    return made[made["level"] == "area"].groupby("place_id")["mean"].sum()


def test_a_market_day_sells_more_where_it_is(market: PlanningDesk, tomorrow: pd.Timestamp) -> None:
    """Taken out of tomorrow the area is expected to sell far less, the other area as before."""
    area = market.store.reference_table("area_events")["area_id"].iloc[0]
    with_it = units(market, tomorrow)
    market.store.remove_reference("area_events", [str(tomorrow.date()), area, "market"])
    without = units(market, tomorrow)
    assert with_it[area] > 1.5 * without[area]
    assert with_it["A2"] == pytest.approx(without["A2"], rel=0.2)


def test_an_event_without_a_past_is_told(market: PlanningDesk, tomorrow: pd.Timestamp) -> None:
    """A name the model has no day of is a warning of the plan; one it knows is none."""
    night = market.night_input(tomorrow, tomorrow.tz_localize("UTC") - pd.Timedelta(hours=10))
    area = night.reference.communities["area_id"].min()
    for name, words in (("market", 0), ("concert", 1)):
        told = replace(night, reference=replace(night.reference, area_events=events([tomorrow], area, name)))
        said = [one for one in premise_warnings(told, market.settings) if "has learned no day of" in one]
        assert len(said) == words
    assert "'concert'" in said[0]
