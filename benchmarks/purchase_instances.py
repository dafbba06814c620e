"""Random purchase problems of any size, after the capacitated total-quantity-discount problem.

The idea follows D. Manerba and R. Mansini, "An exact algorithm for the Capacitated Total Quantity Discount Problem",
European Journal of Operational Research 222 (2012): suppliers with limited capacity per product give a rebate on their
whole bill in steps of spend. Added here: warehouses, case packs, minimum cases, order costs and uncertain demand.

Per SKU 3 to 6 suppliers offer at every warehouse: packs of 1 to 24, a quarter with a minimum, capacity 0.5 to 1.6 times
expected demand; prices within 12 % of the SKU's; three rebate levels up to 8 % whose thresholds lie around the
supplier's fair share of the city's spend; order costs 100 to 600 yuan. Demand is normal with a coefficient of variation
of 10 to 40 %, about half of it confirmed.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from contracts.columns import QUANTILE_COLUMNS, QUANTILES
from contracts.flow import OrderBook
from contracts.reference import (
    Communities,
    Lanes,
    Offers,
    PriceBreaks,
    Skus,
    SpendRebates,
    Suppliers,
    VehicleTypes,
    Warehouses,
    WarehouseZones,
)
from contracts.settings import CitySettings, PurchaseSettings
from contracts.world import Reference
from optimize.purchase import PurchaseData, purchase_data

DAY = pd.Timestamp("2026-03-10")
AS_OF = pd.Timestamp("2026-03-09 08:00", tz="UTC")


def make_instance(size: str, *, seed: int, settings: PurchaseSettings | None = None) -> PurchaseData:
    """Return the instance of a size ``SKUs x suppliers x warehouses``, e.g. ``500x30x3``."""
    skus, suppliers, warehouses = (int(part) for part in size.split("x"))
    rng = np.random.default_rng([seed, skus, suppliers, warehouses])
    price = np.exp(rng.uniform(np.log(2.0), np.log(30.0), skus))
    mean = np.exp(rng.uniform(np.log(15.0), np.log(150.0), (skus, 1))) * rng.uniform(0.5, 1.5, (skus, warehouses))
    reference = Reference(
        warehouses=Warehouses.check(_warehouses(warehouses)),
        warehouse_zones=WarehouseZones.check(_zones(warehouses)),
        communities=Communities.empty(),
        skus=Skus.check(_skus(price, rng)),
        suppliers=Suppliers.check(_suppliers(suppliers, rng)),
        offers=(offers := _offers(price, mean, suppliers, rng)),
        lanes=Lanes.check(_lanes(suppliers, warehouses, rng)),
        vehicle_types=VehicleTypes.empty(),
        price_breaks=_breaks(offers, mean, rng),
        spend_rebates=SpendRebates.check(_rebates(offers, price, mean, suppliers, rng)),
    ).check()
    return purchase_data(
        reference,
        OrderBook.check(_book(mean, rng)),
        delivery_date=DAY,
        as_of=AS_OF,
        city=CitySettings(),
        settings=settings or PurchaseSettings(),
    )


def _names(letter: str, count: int) -> list[str]:
    return [f"{letter}{i:04d}" for i in range(count)]


def _warehouses(count: int) -> pd.DataFrame:
    names = _names("W", count)
    return pd.DataFrame({"warehouse_id": names, "name": names, "latitude": 30.0, "longitude": 120.0})


def _zones(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "warehouse_id": _names("W", count),
            "temperature_zone": "ambient",
            "inbound_capacity_units": 1e9,
            "stations": 10,
            "slots_per_station": 50,
            "units_per_worker_hour": 200.0,
            "max_workers": 100,
            "worker_hour_yuan": 25.0,
            "overtime_hour_yuan": 40.0,
            "opens_at": "00:00",
            "closes_at": "06:00",
        }
    )


def _skus(price: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    names = _names("K", len(price))
    return pd.DataFrame(
        {
            "sku_id": names,
            "name": names,
            "category_id": "C",
            "temperature_zone": "ambient",
            "unit": "bag",
            "weight_kg": rng.uniform(0.3, 3.0, len(price)).round(2),
            "volume_l": 1.0,
            "shelf_life_days": 3.0,
            "salvage_yuan": (price * rng.uniform(0.1, 0.5, len(price))).round(2),
            "shortage_penalty_yuan": (price * rng.uniform(1.6, 3.0, len(price))).round(2),
        }
    )


def _suppliers(count: int, rng: np.random.Generator) -> pd.DataFrame:
    names = _names("S", count)
    return pd.DataFrame(
        {
            "supplier_id": names,
            "name": names,
            "order_cost_yuan": rng.uniform(100.0, 600.0, count).round(0),
            "min_order_yuan": 0.0,
            "fill_rate": 1.0,
            "lead_time_hours": 2.0,
            "order_deadline": "20:00-1",
        }
    )


def _lanes(suppliers: int, warehouses: int, rng: np.random.Generator) -> pd.DataFrame:
    pairs = [(s, w) for s in _names("S", suppliers) for w in _names("W", warehouses)]
    lanes = pd.DataFrame(pairs, columns=["supplier_id", "warehouse_id"])
    return lanes.assign(yuan_per_kg=rng.uniform(0.02, 0.15, len(lanes)).round(3), arrives_at="01:00")


def _offers(price: np.ndarray, mean: np.ndarray, suppliers: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for k in range(len(price)):
        sellers = rng.choice(suppliers, size=min(int(rng.integers(3, 7)), suppliers), replace=False)
        packs = rng.integers(1, 25, len(sellers))
        asked = price[k] * rng.uniform(0.88, 1.12, len(sellers))
        for w in range(mean.shape[1]):
            most = np.maximum(np.rint(mean[k, w] * rng.uniform(0.5, 1.6, len(sellers)) / packs), 1).astype(int)
            least = np.where(rng.random(len(sellers)) < 0.25, np.ceil(most * rng.uniform(0.1, 0.5, len(sellers))), 1)
            local = (asked * rng.uniform(0.98, 1.02, len(sellers))).round(2)
            for i, s in enumerate(sellers.tolist()):
                rows.append((f"S{s:04d}", f"K{k:04d}", f"W{w:04d}", packs[i], int(least[i]), most[i], local[i]))
    columns = ["supplier_id", "sku_id", "warehouse_id", "case_units", "min_cases", "max_cases", "unit_price_yuan"]
    frame = pd.DataFrame(rows, columns=columns)
    return Offers.check(frame.assign(discount_kind=rng.choice(["all_units", "incremental"], len(frame))))


def _breaks(offers: pd.DataFrame, mean: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return a price break of 2 to 6 % for a third of the offers with room for one."""
    roomy = offers[(offers["max_cases"] >= 4) & (rng.random(len(offers)) < 1 / 3)]
    start = np.maximum(2, np.rint(roomy["max_cases"] * rng.uniform(0.3, 0.8, len(roomy)))).astype(int)
    cheaper = (roomy["unit_price_yuan"] * rng.uniform(0.94, 0.98, len(roomy))).round(2)
    keys = roomy[["supplier_id", "sku_id", "warehouse_id"]]
    return PriceBreaks.check(keys.assign(from_cases=start, unit_price_yuan=cheaper))


def _rebates(
    offers: pd.DataFrame, price: np.ndarray, mean: np.ndarray, suppliers: int, rng: np.random.Generator
) -> pd.DataFrame:
    sku = offers["sku_id"].str[1:].astype(int).to_numpy()
    place = offers["warehouse_id"].str[1:].astype(int).to_numpy()
    rivals = offers.groupby(["sku_id", "warehouse_id"])["supplier_id"].transform("count").to_numpy()
    fair = pd.Series(mean[sku, place] * price[sku] / rivals).groupby(offers["supplier_id"]).sum()
    rows = []
    for s in _names("S", suppliers):
        share = float(fair.get(s, 0.0))
        if share <= 0:
            continue
        rates = np.sort(rng.uniform(0.01, 0.08, 3)).round(3)
        spots = np.sort(rng.uniform(0.4, 2.0, 3))
        rows += [
            (s, round(float(spot) * share, 0) + i, float(rate))
            for i, (spot, rate) in enumerate(zip(spots, rates, strict=True))
        ]
    return pd.DataFrame(rows, columns=["supplier_id", "from_yuan", "rebate_rate"])


def _book(mean: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    skus, warehouses = mean.shape
    center = mean.ravel()
    spread = center * rng.uniform(0.1, 0.4, center.size)
    confirmed = np.floor(center * rng.uniform(0.35, 0.65, center.size))
    scores = np.array([NormalDist().inv_cdf(level) for level in QUANTILES])
    points = np.maximum(center[:, None] + spread[:, None] * scores, confirmed[:, None]).round(3)
    rows = {
        "delivery_date": DAY,
        "level": "warehouse",
        "place_id": np.tile(_names("W", warehouses), skus),
        "sku_id": np.repeat(_names("K", skus), warehouses),
        "as_of": AS_OF,
        "confirmed": confirmed,
        "remaining_mean": center - confirmed,
        "final_mean": center,
        "source": "generated",
    }
    return pd.DataFrame({**rows, **dict(zip(QUANTILE_COLUMNS, points.T, strict=True))})
