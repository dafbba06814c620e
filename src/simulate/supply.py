"""`supply_for_history`: everything around an existing order history, generated and labelled as such."""

from __future__ import annotations

import logging
from dataclasses import replace
from time import perf_counter

import numpy as np
import pandas as pd

from contracts.columns import TEMPERATURE_ZONES
from contracts.errors import EmptyInputError
from contracts.flow import OrderLines, Stock
from contracts.reference import Calendar, Communities, Skus
from contracts.world import Reference
from simulate.demand_settings import LeaderSettings
from simulate.goods import Goods
from simulate.observed import observed_listings
from simulate.places import Places, build_places
from simulate.reference import assemble, label
from simulate.settings import SizeSettings, SupplySettings
from simulate.streams import stream
from simulate.supply_settings import HistorySettings
from simulate.volumes import SkuMeasures, Volumes, sum_volumes

log = logging.getLogger(__name__)


def supply_for_history(
    order_lines: pd.DataFrame, *, seed: int = 0, settings: SupplySettings | None = None
) -> Reference:
    """Return a self-consistent reference for orders that came without one; `synthetic` names every table of it.

    Communities are placed on a map and given to the nearest warehouse; SKUs get weights, volumes, costs from the
    price they sold at, and a price band as category; suppliers, floors and vans are scaled to the volumes. Listings
    are what the sales give away (`simulate.observed`). Calendar and stock stay empty: nothing in orders tells them.

    Parameters
    ----------
    order_lines : DataFrame[OrderLines]
        Any history; cancelled lines count as listed, not as volume.

    Raises
    ------
    EmptyInputError
        There are no order lines.
    """
    chosen = settings or SupplySettings()
    assumed = chosen.history
    started = perf_counter()
    lines = OrderLines.check(order_lines)
    if lines.empty:
        raise EmptyInputError("There are no order lines, so there is nothing to scale a supply side to.")
    places = _places(lines, assumed, seed)
    goods = _goods(lines, assumed, chosen.offers.goodwill_share, seed)
    area_of = places.communities.set_index("community_id")["area_id"]
    count = max(3, -(-len(goods.skus) // assumed.skus_per_supplier))
    scaled = chosen.model_copy(update={"offers": chosen.offers.model_copy(update={"suppliers": count})})
    reference = assemble(
        places,
        goods,
        observed_listings(lines, area_of, gap_days=assumed.listing_gap_days),
        Calendar.empty(),
        volumes=_volumes(lines, places, goods),
        planning_day=pd.Timestamp(lines["delivery_date"].max()),
        settings=scaled,
        seed=seed,
    )
    log.info(
        "supply for history: %d order lines -> %d communities, %d SKUs, %d offers in %.1f s",
        len(lines), len(places.communities), len(goods.skus), len(reference.offers), perf_counter() - started,
    )  # fmt: skip
    return label(_without_stock(reference)).check()


def _without_stock(reference: Reference) -> Reference:
    return replace(reference, stock=Stock.empty())


def _places(lines: pd.DataFrame, assumed: HistorySettings, seed: int) -> Places:
    """Return generated places that carry the history's community ids."""
    ids = np.sort(lines["community_id"].unique())
    size = SizeSettings(
        communities=len(ids),
        warehouses=min(assumed.warehouses, len(ids)),
        areas=min(assumed.areas, len(ids)),
        radius_km=assumed.radius_km,
    )
    days = pd.DatetimeIndex(lines["delivery_date"].unique())
    nobody = LeaderSettings(join_share=0.0, leave_share=0.0)
    built = build_places(
        size, nobody, days=days, sigma=0.3, rng=stream(seed, "places"), members_rng=stream(seed, "members")
    )
    named = built.communities.assign(community_id=ids, name=ids, leader_id=None, members=np.nan)
    return replace(built, communities=Communities.check(named))


def _goods(lines: pd.DataFrame, assumed: HistorySettings, goodwill: float, seed: int) -> Goods:
    """Return the history's SKUs with generated weights, zones and costs; prices are the median paid."""
    rng = stream(seed, "goods")
    paid = lines["unit_price_yuan"].where(lines["unit_price_yuan"] > 0)
    price = paid.groupby(lines["sku_id"]).median().sort_index()
    usual = float(np.nanmedian(price)) if price.notna().any() else 1.0
    ids, price_yuan = price.index.to_numpy(), price.fillna(usual).clip(lower=0.01).to_numpy()
    count = len(ids)
    low, high = np.log(assumed.weight_kg)
    weight = np.exp(rng.uniform(low, high, count)).round(3)
    frozen, chilled = assumed.cold_shares[1], assumed.cold_shares[0]
    draw = rng.random(count)
    zone = np.where(draw < frozen, 2, np.where(draw < frozen + chilled, 1, 0))
    band = np.minimum(
        np.argsort(np.argsort(price_yuan, kind="stable")) * assumed.price_bands // count, assumed.price_bands - 1
    )
    cost = np.maximum(price_yuan * assumed.cost_share, 0.005).round(4)
    skus = pd.DataFrame(
        {
            "sku_id": ids,
            "name": ids,
            "category_id": [f"price-band-{b + 1}" for b in band],
            "temperature_zone": np.array(TEMPERATURE_ZONES)[zone],
            "unit": "unit",
            "weight_kg": weight,
            "volume_l": np.maximum((weight * assumed.litres_per_kg).round(3), 0.01),
            "shelf_life_days": float(assumed.shelf_life_days),
            "salvage_yuan": (cost * assumed.salvage_share).round(4),
            "shortage_penalty_yuan": (price_yuan - cost + goodwill * price_yuan).round(4),
        }
    )
    always = np.zeros(count, dtype=np.int64)
    return Goods(
        skus=Skus.check(skus),
        category_index=band,
        list_price_yuan=price_yuan,
        cost_yuan=cost,
        popularity=np.full(count, 1.0 / count),
        units_per_line=np.ones(count),
        first_day=always - 10_000,
        last_day=always + 10_000,
        rotating=always.astype(bool),
    )


def _volumes(lines: pd.DataFrame, places: Places, goods: Goods) -> Volumes:
    """Return units per night, warehouse and SKU of the lines that were not cancelled, summed up."""
    kept = lines[lines["cancelled_at"].isna()]
    if kept.empty:
        raise EmptyInputError("Every order line is cancelled, so there is no volume to scale a supply side to.")
    days = pd.DatetimeIndex(np.sort(lines["delivery_date"].unique()))
    day = days.get_indexer(pd.DatetimeIndex(kept["delivery_date"]))
    community = pd.Index(places.communities["community_id"]).get_indexer(kept["community_id"])
    sku = pd.Index(goods.skus["sku_id"]).get_indexer(kept["sku_id"])
    units = kept["quantity"].to_numpy()
    nights = np.zeros((len(days), len(places.warehouses), len(goods.skus)))
    np.add.at(nights, (day, places.warehouse_index[community], sku), units)
    measures = SkuMeasures(
        goods.skus["weight_kg"].to_numpy(),
        goods.skus["volume_l"].to_numpy(),
        goods.skus["temperature_zone"].map({z: i for i, z in enumerate(TEMPERATURE_ZONES)}).to_numpy(),
    )
    loads = np.zeros((len(days), len(places.communities), 2))
    np.add.at(loads[:, :, 0], (day, community), units * measures.weight_kg[sku])
    np.add.at(loads[:, :, 1], (day, community), units * measures.volume_l[sku])
    return sum_volumes(nights, list(loads), base_of=places.warehouse_index, bases=len(places.warehouses), sku=measures)
