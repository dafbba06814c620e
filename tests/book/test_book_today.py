"""What happens on the day itself: listings that sell out, leaders who open late, holidays and promotions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contracts.flow import OrderLines
from contracts.reference import Calendar, Listings
from contracts.settings import BookSettings, CitySettings
from forecast.book import DayFacts, fit_curve, update_book
from forecast.book.pace import Pace
from forecast.book.remainder import Remainder
from forecast.book.situation import GROUPS

SKUS = [f"s{i}" for i in range(5)]


def listings(day, *, sold_out=None, promoted=()):
    """Both areas sell everything; `sold_out` maps (area, SKU) to a moment."""
    rows = pd.MultiIndex.from_product([["a1", "a2"], SKUS], names=["area_id", "sku_id"]).to_frame(index=False)
    moments = [(sold_out or {}).get((area, sku), pd.NaT) for area, sku in rows.itertuples(index=False)]
    price = np.where(rows["sku_id"].isin(promoted), 4.0, 5.0)
    return Listings.check(rows.assign(delivery_date=day, price_yuan=price, list_price_yuan=5.0, sold_out_at=moments))


def book(town, moment, *, facts=None, orders=None, model=None):
    return update_book(
        town.forecast,
        town.orders if orders is None else orders,
        as_of=moment,
        model=model or town.model,
        communities=town.communities,
        city=CitySettings(),
        facts=facts,
    )


def test_a_sold_out_listing_takes_no_more_orders(town, at):
    """After it sold out in an area nothing more is expected there, the rest of the warehouse goes on; sums hold."""
    known = DayFacts(listings=listings(town.today, sold_out={("a1", "s0"): at("16:00")}))
    now = book(town, at("18:00"), facts=known).merge(
        town.communities[["community_id", "area_id", "warehouse_id"]], left_on="place_id", right_on="community_id"
    )
    gone = now[(now["area_id"] == "a1") & (now["sku_id"] == "s0")]
    assert (gone["remaining_mean"] == 0).all()
    assert (gone["q99"] == gone["confirmed"]).all()
    assert set(gone["source"]) == {"listing closed: no more orders"}
    other = now[(now["area_id"] == "a2") & (now["sku_id"] == "s0")]
    assert (other["remaining_mean"] > 0).all()
    whole = book(town, at("18:00"), facts=known)
    rows = whole[(whole["level"] == "warehouse") & (whole["sku_id"] == "s0")].set_index("place_id")["remaining_mean"]
    fine = now[now["sku_id"] == "s0"].groupby("warehouse_id")["remaining_mean"].sum()
    np.testing.assert_allclose(rows[fine.index], fine)
    assert (whole["source"] == "listing closed: no more orders").sum() == len(gone) + 1  # and the area's own row


def test_selling_out_later_is_not_known_yet(town, at):
    """A closing after the moment is the future and changes nothing."""
    later = DayFacts(listings=listings(town.today, sold_out={("a1", "s0"): at("19:00")}))
    plain = DayFacts(listings=listings(town.today))
    pd.testing.assert_frame_equal(book(town, at("18:00"), facts=later), book(town, at("18:00"), facts=plain))


def test_cancellations_after_selling_out_still_count(town, at):
    """What is cancelled after the listing closed leaves the confirmed units; nothing is expected in its place."""
    known = DayFacts(listings=listings(town.today, sold_out={(a, "s0"): at("16:00") for a in ("a1", "a2")}))
    orders = town.orders.copy()
    mine = (orders["delivery_date"] == town.today) & (orders["sku_id"] == "s0") & (orders["placed_at"] < at("16:00"))
    first = orders.index[mine & orders["cancelled_at"].isna()][0]
    orders.loc[first, "cancelled_at"] = at("17:00")
    before, after = (
        book(town, at("18:00"), facts=known, orders=OrderLines.check(lines)) for lines in (town.orders, orders)
    )
    units = [b.loc[(b["level"] == "warehouse") & (b["sku_id"] == "s0"), "final_mean"].sum() for b in (before, after)]
    assert units[1] == units[0] - orders.loc[first, "quantity"]


@pytest.fixture(scope="module")
def quick(town):
    """The town's model with a pace that believes every group at once, so that who is judged slow is plain to see."""
    lessons, _ = town.model.session("23:00-1")
    pace = Pace(np.zeros(1), np.full((1, len(GROUPS)), 10.0), np.ones((1, len(GROUPS))))
    remainder = Remainder(pace, None, np.zeros(1), np.array([[0.0, 1.0, 0.0]]))
    levels = {level: replace(learned, remainder=remainder) for level, learned in lessons.levels.items()}
    return replace(town.model, sessions={"23:00-1": replace(lessons, levels=levels)})


def test_a_closed_listing_is_judged_until_it_closed(town, at, quick):
    """A SKU that stopped at 12:00 does not make the city look slow in the evening."""
    late = (town.orders["sku_id"] == "s0") & (town.orders["placed_at"] > at("12:00"))
    orders = OrderLines.check(town.orders[~(late & (town.orders["delivery_date"] == town.today))])
    closed = DayFacts(listings=listings(town.today, sold_out={(a, "s0"): at("12:00") for a in ("a1", "a2")}))
    told, untold = (book(town, at("20:00"), facts=f, orders=orders, model=quick) for f in (closed, None))
    rows = (told["level"] == "warehouse") & (told["sku_id"] != "s0")
    assert told.loc[rows, "remaining_mean"].sum() > 1.02 * untold.loc[rows, "remaining_mean"].sum()


def late_orders(town, at, community, opening):
    """Orders of the date in which a community has none before its opening."""
    mine = (town.orders["delivery_date"] == town.today) & (town.orders["community_id"] == community)
    return OrderLines.check(town.orders[~(mine & (town.orders["placed_at"] < at(opening)))])


def test_a_late_opening_is_judged_from_the_opening(town, at, quick):
    """A community that opened at 18:00 is expected to go on as usual, not as slowly as its whole day looks."""
    orders = late_orders(town, at, "c0", "18:00")
    blind = replace(quick, settings=BookSettings(late_opening_units=1e6))
    given = pd.DataFrame({"delivery_date": [town.today], "community_id": ["c0"], "opened_at": [at("18:00")]})
    slow, told, usual = (
        book(town, at("20:00"), orders=lines, facts=DayFacts(openings=openings), model=blind)
        for lines, openings in ((orders, None), (orders, given), (town.orders, None))
    )
    mine = (told["level"] == "community") & (told["place_id"] == "c0")
    rest = [float(b.loc[mine, "remaining_mean"].sum()) for b in (slow, told, usual)]
    assert rest[1] > 1.2 * rest[0]
    assert rest[1] == pytest.approx(rest[2], rel=0.35)


def test_an_opening_still_to_come_is_not_read(town, at, quick):
    """Before a given opening the community is not slow: nothing is usual there yet, and the rest of the day is."""
    orders = late_orders(town, at, "c0", "18:00")
    given = pd.DataFrame({"delivery_date": [town.today], "community_id": ["c0"], "opened_at": [at("21:00")]})
    now = book(town, at("17:00"), orders=orders, facts=DayFacts(openings=given), model=quick)
    slow = book(town, at("17:00"), orders=orders, model=quick)
    mine = (now["level"] == "community") & (now["place_id"] == "c0")
    assert now.loc[mine, "remaining_mean"].sum() > slow.loc[mine, "remaining_mean"].sum()


def test_a_late_first_order_tells_of_a_late_opening(town, at, caplog):
    """Without being told, a first order when the setting's units are usual by then counts as a late opening."""
    caplog.set_level("INFO")
    model = replace(town.model, settings=BookSettings(late_opening_units=12.0))
    book(town, at("20:00"), orders=late_orders(town, at, "c0", "18:00"), model=model)
    assert "1 communities opened late" in caplog.text
    caplog.clear()
    book(town, at("20:00"), model=model)
    assert "opened late" not in caplog.text


@pytest.fixture(scope="module")
def special(town, lines_of):
    """A model of sixty days: holidays are ordered early, and s1 is promoted every third day and goes early then."""
    rng = np.random.default_rng(21)
    days = pd.date_range(end=town.today - pd.Timedelta(days=1), periods=60)
    off = days[::6]
    parts, listed = [], []
    for number, day in enumerate(days):
        lines = lines_of(rng, day, 150)
        early = np.full(len(lines), day in off) | ((lines["sku_id"] == "s1") & (number % 3 == 0)).to_numpy()
        lines["placed_at"] -= pd.to_timedelta(np.where(early, 180, 0), unit="m")
        listed.append(listings(day, promoted=["s1"] if number % 3 == 0 else []))
        parts.append(lines)
    calendar = Calendar.check(
        pd.DataFrame({"day": days - pd.Timedelta(days=1), "is_holiday": days.isin(off), "event": None})
    )
    tables = OrderLines.check(pd.concat(parts, ignore_index=True)), Listings.check(pd.concat(listed))
    return fit_curve(
        tables[0], skus=town.skus, settings=BookSettings(curve_days=60), city=CitySettings(),
        communities=town.communities, listings=tables[1], calendar=calendar,
    )  # fmt: skip


def test_holidays_have_their_own_curve(special):
    """At 15:00 before a delivery more is ordered on a day off, part of the way as ten days are shrunk."""
    shares = special.session("23:00-1")[0].shares
    plain, off = (shares.at(480.0, 2, holiday=flag)[-1] for flag in (False, True))
    assert off > plain + 0.1


def test_promotions_have_their_own_curve(special):
    """A promoted SKU goes earlier; where nothing is promoted the share stays."""
    shares = special.session("23:00-1")[0].shares
    share = shares.at(480.0, 2)[None, :]
    part = np.zeros_like(share)
    np.testing.assert_array_equal(shares.promote(share, part, 480.0), share)
    part[0, 1] = 1.0
    moved = shares.promote(share, part, 480.0)
    assert moved[0, 1] > share[0, 1] + 0.02
    assert (np.delete(moved, 1, axis=1) == np.delete(share, 1, axis=1)).all()


def test_holiday_and_promotion_of_the_date_are_used(town, at, special):
    """A promotion lowers what is expected of that SKU from now on, a day off what is expected of all."""
    eve = town.today - pd.Timedelta(days=1)
    calendar = Calendar.check(pd.DataFrame({"day": [eve], "is_holiday": [True], "event": ["feast"]}))
    cases = [
        DayFacts(listings=listings(town.today)),
        DayFacts(listings=listings(town.today, promoted=["s1"])),
        DayFacts(listings=listings(town.today), calendar=calendar),
    ]
    plain, promoted, feast = (book(town, at("12:00"), facts=facts, model=special) for facts in cases)
    rows = (plain["level"] == "warehouse") & (plain["sku_id"] == "s1")
    assert promoted.loc[rows, "remaining_mean"].sum() < plain.loc[rows, "remaining_mean"].sum()
    assert feast["remaining_mean"].sum() < 0.9 * plain["remaining_mean"].sum()
