"""Puts places, goods and volumes together into a full reference with a supply side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import Calendar, Listings
from contracts.world import Reference
from simulate.fleet import build_fleet
from simulate.floors import build_floors
from simulate.goods import Goods
from simulate.leftovers import build_stock
from simulate.places import Places
from simulate.settings import SupplySettings
from simulate.streams import stream
from simulate.suppliers import Need, build_market
from simulate.volumes import Volumes

GENERATED = (
    "warehouses",
    "warehouse_zones",
    "depots",
    "communities",
    "skus",
    "suppliers",
    "offers",
    "price_breaks",
    "spend_rebates",
    "lanes",
    "vehicle_types",
    "listings",
    "calendar",
    "stock",
)
"""Tables a simulated reference labels as synthetic; empty ones are left out."""


def assemble(
    places: Places,
    goods: Goods,
    listings: DataFrame[Listings],
    calendar: DataFrame[Calendar],
    *,
    volumes: Volumes,
    planning_day: pd.Timestamp,
    settings: SupplySettings,
    seed: int,
) -> Reference:
    """Return the reference of a city, its supply side scaled to `volumes`; every table is labelled synthetic."""
    warehouse_ids = places.warehouses["warehouse_id"].tolist()
    depot_ids = places.depots["depot_id"].tolist()
    need = Need(
        sku_ids=goods.skus["sku_id"].tolist(),
        warehouse_ids=warehouse_ids,
        mean=volumes.mean,
        peak=volumes.peak,
        usual=volumes.usual,
        cost_yuan=goods.cost_yuan,
        weight_kg=goods.skus["weight_kg"].to_numpy(),
        kind=goods.category_index,
    )
    market = build_market(need, settings.offers, stream(seed, "market"))
    destinations = np.bincount(places.warehouse_index, minlength=len(warehouse_ids))
    fed_by = places.depots["warehouse_id"].tolist()
    trunk = {w: [i for i, source in enumerate(fed_by) if source == w] for w in warehouse_ids}
    reference = Reference(
        warehouses=places.warehouses,
        warehouse_zones=build_floors(
            volumes.zone_nights, destinations, warehouse_ids=warehouse_ids, settings=settings.floor
        ),
        communities=places.communities,
        skus=goods.skus,
        suppliers=market.suppliers,
        offers=market.offers,
        lanes=market.lanes,
        vehicle_types=build_fleet(
            volumes,
            base_ids=depot_ids or warehouse_ids,
            trunk={w: depots for w, depots in trunk.items() if depots},
            settings=settings.fleet,
        ),
        listings=listings,
        depots=places.depots,
        price_breaks=market.price_breaks,
        spend_rebates=market.spend_rebates,
        calendar=calendar,
        stock=build_stock(
            volumes.mean,
            skus=goods.skus,
            warehouse_ids=warehouse_ids,
            planning_date=planning_day,
            settings=settings.stock,
            rng=stream(seed, "stock"),
        ),
    )
    return label(reference)


def label(reference: Reference) -> Reference:
    """Return the reference with every filled, generated table named in `synthetic`."""
    filled = {name for name, table in reference.tables() if len(table)}
    return replace(reference, synthetic=tuple(name for name in GENERATED if name in filled))
