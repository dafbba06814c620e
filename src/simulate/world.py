"""`build_world`: a seeded city with its supply side, its order history and the truth behind it."""

from __future__ import annotations

import logging
from datetime import timedelta
from time import perf_counter

import numpy as np
import pandas as pd

from contracts.columns import TEMPERATURE_ZONES
from contracts.errors import EmptyInputError
from contracts.world import World
from simulate import tiny
from simulate.almanac import build_calendar, is_closed, span
from simulate.arrival import build_arrivals, curve_table
from simulate.assortment import build_assortment, listing_table
from simulate.goods import Goods, build_goods
from simulate.history import Clock, draw_history
from simulate.orders import City
from simulate.places import Places, build_places
from simulate.reference import assemble
from simulate.rhythm import build_mean_demand
from simulate.settings import WorldSettings, preset_settings
from simulate.streams import stream
from simulate.volumes import SkuMeasures, Volumes, sum_volumes

log = logging.getLogger(__name__)
CALENDAR_MARGIN_DAYS = 60


def build_world(preset: str | WorldSettings, *, seed: int = 0) -> World:
    """Return a simulated city: reference data, order lines, true demand and the exact arrival curve.

    The same settings and seed give the same world; every part (places, goods, each evening, ...) has a random stream
    of its own. The last delivery date is "tomorrow": its orders run to the cutoff of the evening before, so a caller
    plans as of 18:00 by keeping ``placed_at <= as_of`` and later scores against the truth.

    Parameters
    ----------
    preset : str or WorldSettings
        ``"tiny"``, ``"town"``, ``"city"``, ``"city_direct"``, or settings of your own.

    Raises
    ------
    SettingsError
        The preset's name is unknown.
    EmptyInputError
        The settings leave no orders at all.
    """
    settings = preset_settings(preset) if isinstance(preset, str) else preset
    started = perf_counter()
    days = span(settings.last_delivery_date, settings.days)
    margin = timedelta(days=CALENDAR_MARGIN_DAYS)
    calendar = build_calendar(
        days[0].date() - margin, days[-1].date() + margin, settings=settings.calendar, rng=stream(seed, "calendar")
    )
    closed = is_closed(days, settings.calendar)
    written = settings.plan == "tiny"
    places = tiny.places(len(days)) if written else _places(settings, days, seed)
    goods = tiny.goods(len(days), settings.categories) if written else _goods(settings, len(days), seed)
    assortment = build_assortment(
        goods,
        days=days,
        closed=closed,
        areas=len(places.area_ids),
        settings=settings.range,
        rng=stream(seed, "assortment"),
    )
    mean = build_mean_demand(
        goods,
        places,
        assortment,
        calendar[calendar["day"].isin(days)],
        categories=settings.categories,
        demand=settings.demand,
        range_settings=settings.range,
        leaders=settings.leaders,
        feasts=settings.calendar,
        rng=stream(seed, "mean demand"),
    )
    arrivals = build_arrivals(settings.arrivals, settings.categories, settings.city)
    city = City(goods, places, mean, arrivals, settings.demand, settings.range, settings.arrivals.pace_spread)
    history = draw_history(
        city,
        assortment,
        Clock(days, settings.city),
        seed=seed,
        line_days=settings.line_days,
        truth_days=settings.truth_days,
    )
    if not history.loads:
        raise EmptyInputError(f"World {settings.name!r} has no orders: list more SKUs, or raise lines_per_community.")
    listings = listing_table(
        assortment,
        days=days,
        area_ids=places.area_ids,
        sku_ids=goods.skus["sku_id"].tolist(),
        sold_out_at=history.sold_out_at,
    )
    if written:
        reference = tiny.reference(places, goods, listings, calendar, planning_day=days[-1])
    else:
        reference = assemble(
            places,
            goods,
            listings,
            calendar,
            volumes=_volumes(places, goods, history.nights, history.loads),
            planning_day=days[-1],
            settings=settings.supply,
            seed=seed,
        )
    log.info(
        "simulate %s: %d communities x %d SKUs x %d days -> %d order lines in %.1f s",
        settings.name, len(places.size), len(goods.skus), len(days), len(history.order_lines),
        perf_counter() - started,
    )  # fmt: skip
    return World(
        reference=reference.check(),
        order_lines=history.order_lines,
        true_demand=history.true_demand,
        arrival_curve=curve_table(arrivals, settings.categories),
    )


def planning_date(world: World) -> pd.Timestamp:
    """Return the last delivery date of a world's orders: the one to plan.

    Raises
    ------
    EmptyInputError
        The world has no orders.
    """
    if world.order_lines.empty:
        raise EmptyInputError("The world has no order lines, so there is no delivery date to plan.")
    return pd.Timestamp(world.order_lines["delivery_date"].max())


def _places(settings: WorldSettings, days: pd.DatetimeIndex, seed: int) -> Places:
    return build_places(
        settings.size,
        settings.leaders,
        days=days,
        sigma=settings.demand.community_sigma,
        rng=stream(seed, "places"),
        members_rng=stream(seed, "members"),
    )


def _goods(settings: WorldSettings, days: int, seed: int) -> Goods:
    return build_goods(
        settings.size.skus,
        settings.categories,
        range_settings=settings.range,
        zipf=settings.demand.zipf,
        goodwill=settings.supply.offers.goodwill_share,
        days=days,
        rng=stream(seed, "goods"),
    )


def _volumes(places: Places, goods: Goods, nights: np.ndarray, loads: list[np.ndarray]) -> Volumes:
    depot = places.communities["depot_id"]
    depot_ids = places.depots["depot_id"].tolist()
    base_of = pd.Index(depot_ids).get_indexer(depot.to_numpy()) if depot_ids else places.warehouse_index
    zone = goods.skus["temperature_zone"].map({z: i for i, z in enumerate(TEMPERATURE_ZONES)}).to_numpy()
    measures = SkuMeasures(goods.skus["weight_kg"].to_numpy(), goods.skus["volume_l"].to_numpy(), zone)
    return sum_volumes(nights, loads, base_of=base_of, bases=len(depot_ids) or len(places.warehouses), sku=measures)
