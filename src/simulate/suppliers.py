"""Suppliers and what they quote: offers, price breaks, rebates and lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_minutes, clock_text
from contracts.reference import Lanes, Offers, PriceBreaks, SpendRebates, Suppliers
from simulate.places import numbered
from simulate.supply_settings import OfferSettings

_NAMES = ("绿源", "丰农", "鲜达", "金穗", "海纳", "润泽", "百味", "恒顺", "新禾", "瑞丰", "优选", "嘉禾")


@dataclass(frozen=True)
class Market:
    """The suppliers' side of a reference."""

    suppliers: DataFrame[Suppliers]
    offers: DataFrame[Offers]
    price_breaks: DataFrame[PriceBreaks]
    spend_rebates: DataFrame[SpendRebates]
    lanes: DataFrame[Lanes]


@dataclass(frozen=True)
class Need:
    """What the market must be able to deliver: per SKU (K) and warehouse (W).

    Attributes
    ----------
    mean, peak, usual : ndarray, shape (K, W)
        Units of a night the SKU is sold, of a 99 % night, and averaged over all nights.
    cost_yuan, weight_kg : ndarray, shape (K,)
    kind : ndarray of int, shape (K,)
        Category of the SKU; suppliers are specialists of one to three categories.
    """

    sku_ids: list[str]
    warehouse_ids: list[str]
    mean: np.ndarray
    peak: np.ndarray
    usual: np.ndarray
    cost_yuan: np.ndarray
    weight_kg: np.ndarray
    kind: np.ndarray


def build_market(need: Need, settings: OfferSettings, rng: np.random.Generator) -> Market:
    """Return suppliers with offers for every SKU at every warehouse.

    The offers of a SKU x warehouse together cover its 99 % night with a margin after the suppliers' fill rates, and
    one of them at least can still be ordered at 23:00 or later.
    """
    count = settings.suppliers
    late = np.array([clock_minutes(d) >= -60 for d in settings.deadlines])
    deadline = rng.integers(len(settings.deadlines), size=count)
    sells = _specialities(need.kind, count, rng)
    for kind in range(sells.shape[1]):  # every category has somebody who takes orders at the cutoff
        who = np.flatnonzero(sells[:, kind])
        if late.any() and not late[deadline[who]].any():
            deadline[who[0]] = np.flatnonzero(late)[0]
    fill = rng.uniform(*settings.fill_rate, count).round(3)
    level = np.exp(settings.price_sigma * np.clip(rng.standard_normal(count), -1.5, 1.5))
    rows = _pick_offers(need, sells, late[deadline], settings, rng)
    offers = _terms(rows, need, fill, level, settings, rng)
    value = offers["share"] * need.usual[offers["k"], offers["w"]] * offers["unit_price_yuan"]
    spend = np.bincount(offers["s"], value, minlength=count)
    weight = np.zeros((count, len(need.warehouse_ids)))
    kg = offers["share"] * need.usual[offers["k"], offers["w"]] * need.weight_kg[offers["k"]]
    np.add.at(weight, (offers["s"], offers["w"]), kg)
    ids = numbered("V", count)
    owner = {
        "supplier_id": np.array(ids)[offers["s"]],
        "sku_id": np.array(need.sku_ids)[offers["k"]],
        "warehouse_id": np.array(need.warehouse_ids)[offers["w"]],
    }
    keep = ["case_units", "min_cases", "max_cases", "unit_price_yuan", "discount_kind", "late_price_yuan"]
    table = pd.DataFrame({**owner, **{name: offers[name] for name in [*keep, "late_max_cases"]}})
    clock = [settings.deadlines[d] for d in deadline]
    hours = rng.uniform(*settings.hours_to_ready, count).round(1)
    suppliers = pd.DataFrame(
        {
            "supplier_id": ids,
            "name": [f"{_NAMES[i % len(_NAMES)]}供应商{i + 1}" for i in range(count)],
            "order_cost_yuan": np.maximum(5.0, np.round(rng.uniform(*settings.order_cost_share, count) * spend)),
            "min_order_yuan": np.where(
                rng.random(count) < 0.5, np.round(rng.uniform(*settings.min_order_share, count) * spend, -1), 0.0
            ),
            "max_share": np.where(rng.random(count) < settings.max_share_share, settings.max_share, np.nan),
            "fill_rate": fill,
            "lead_time_hours": hours,
            "order_deadline": clock,
        }
    )
    return Market(
        suppliers=Suppliers.check(suppliers),
        offers=Offers.check(table),
        price_breaks=PriceBreaks.check(_breaks(table, offers, need, settings, rng)),
        spend_rebates=SpendRebates.check(_rebates(ids, spend, settings, rng)),
        lanes=Lanes.check(_lanes(ids, need.warehouse_ids, clock, hours, weight, settings, rng)),
    )


def _specialities(kind: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return who sells which category, shape (suppliers, G); each has at least three sellers if there are three."""
    kinds = int(kind.max()) + 1
    pull = np.bincount(kind, minlength=kinds) / len(kind)
    sells = np.zeros((count, kinds), dtype=bool)
    for supplier in range(count):
        sells[supplier, supplier % kinds] = True
        sells[supplier, rng.choice(kinds, size=min(kinds, 2), replace=False, p=0.5 * pull + 0.5 / kinds)] = True
    for g in range(kinds):
        lack = min(3, count) - int(sells[:, g].sum())
        if lack > 0:
            sells[rng.permutation(np.flatnonzero(~sells[:, g]))[:lack], g] = True
    return sells


def _pick_offers(
    need: Need, sells: np.ndarray, late: np.ndarray, settings: OfferSettings, rng: np.random.Generator
) -> np.ndarray:
    """Return rows (supplier, SKU, warehouse): per SKU a few suppliers, most of them at every warehouse."""
    low, high = settings.offers
    rows: list[tuple[int, int, int]] = []
    for k, kind in enumerate(need.kind):
        able = rng.permutation(np.flatnonzero(sells[:, kind]))
        chosen = able[: int(rng.integers(low, high + 1))]
        if not late[chosen].any() and late[able].any():
            chosen[0] = able[late[able]][0]
        must = {int(chosen[0]), *(int(s) for s in chosen[late[chosen]][:1]), *(int(s) for s in chosen[:low])}
        for w in range(len(need.warehouse_ids)):
            here = [int(s) for s in chosen if int(s) in must or rng.random() < 0.8]
            rows += [(s, k, w) for s in here]
    return np.array(rows, dtype=np.int64)


def _terms(
    rows: np.ndarray,
    need: Need,
    fill: np.ndarray,
    level: np.ndarray,
    settings: OfferSettings,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return the offers' columns; `share` is the part of the night a supplier would expect."""
    s, k, w = rows.T
    n = len(rows)
    mean, peak = np.maximum(need.mean[k, w], 0.2), np.maximum(need.peak[k, w], 1.0)
    cases = np.sort(np.array(settings.case_units))
    largest = np.searchsorted(cases, settings.case_nights * mean, side="right")
    pack = cases[np.minimum((rng.random(n) * np.maximum(1, largest)).astype(int), len(cases) - 1)]
    nights = rng.uniform(*settings.capacity_nights, n)
    group = k * len(need.warehouse_ids) + w
    groups = len(need.sku_ids) * len(need.warehouse_ids)
    together = np.bincount(group, nights * fill[s], minlength=groups)[group]
    nights = nights * np.maximum(1.0, settings.capacity_margin / together)
    most = np.maximum(2, np.ceil(nights * peak / pack)).astype(np.int64)
    asks = rng.random(n) < settings.moq_share
    least = np.where(asks, np.ceil(rng.uniform(*settings.moq_nights, n) * mean / pack), 0).astype(np.int64)
    least = np.where(asks, np.maximum(least, 2), 0)
    price = np.maximum(need.cost_yuan[k] * level[s] * np.exp(0.02 * rng.standard_normal(n)), 0.002).round(4)
    late = rng.random(n) < settings.late_share
    late_price = (price * (1.0 + rng.uniform(*settings.late_premium, n))).round(4)
    return {
        "s": s,
        "k": k,
        "w": w,
        "share": nights / np.bincount(group, nights, minlength=groups)[group],
        "case_units": pack,
        "min_cases": np.minimum(least, most),
        "max_cases": most,
        "unit_price_yuan": price,
        "discount_kind": np.where(rng.random(n) < 0.5, "all_units", "incremental"),
        "late_price_yuan": np.where(late, late_price, np.nan),
        "late_max_cases": np.where(late, np.maximum(1, np.ceil(settings.late_nights * mean / pack)), np.nan),
    }


def _breaks(
    table: pd.DataFrame, offers: dict[str, np.ndarray], need: Need, settings: OfferSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Return one or two price breaks for most offers, where the case count leaves room for them."""
    n = len(table)
    usual = need.mean[offers["k"], offers["w"]] / offers["case_units"]
    quotes = rng.random(n) < settings.break_share
    ladder = rng.random(n) < 0.5
    cut = rng.uniform(*settings.break_cut, (2, n))
    first = np.maximum(np.ceil(rng.uniform(0.3, 0.7, n) * usual), np.maximum(2, offers["min_cases"] + 1))
    second = np.maximum(np.ceil(rng.uniform(0.8, 1.2, n) * usual), first + 1)
    owner = ["supplier_id", "sku_id", "warehouse_id"]
    one = table.loc[quotes & (first <= offers["max_cases"]), owner]
    one = one.assign(from_cases=first[one.index], unit_price_yuan=(offers["unit_price_yuan"] * (1 - cut[0]))[one.index])
    two = table.loc[quotes & ladder & (second <= offers["max_cases"]), owner]
    lower = offers["unit_price_yuan"] * (1 - cut[0]) * (1 - cut[1])
    two = two.assign(from_cases=second[two.index], unit_price_yuan=lower[two.index])
    both = pd.concat([one, two], ignore_index=True)
    both["unit_price_yuan"] = both["unit_price_yuan"].clip(lower=0.01).round(4)
    ordered: pd.DataFrame = both.sort_values([*owner, "from_cases"], ignore_index=True)
    return ordered


def _rebates(ids: list[str], spend: np.ndarray, settings: OfferSettings, rng: np.random.Generator) -> pd.DataFrame:
    gives = np.flatnonzero(rng.random(len(ids)) < settings.rebate_share)
    rows = []
    for s in gives:
        start = rng.uniform(0.6, 0.9) * spend[s]
        for tier, rate in enumerate(settings.rebate_rates):
            amount = max(10.0 * (tier + 1), float(np.ceil(start * (1 + 0.5 * tier) / 10) * 10))
            rows.append((ids[s], amount, rate))
    return pd.DataFrame(rows, columns=["supplier_id", "from_yuan", "rebate_rate"])


def _lanes(
    ids: list[str],
    warehouse_ids: list[str],
    deadlines: list[str],
    hours: np.ndarray,
    weight: np.ndarray,
    settings: OfferSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return a lane per supplier and warehouse; goods arrive after deadline, preparation and drive."""
    s = np.repeat(np.arange(len(ids)), len(warehouse_ids))
    w = np.tile(np.arange(len(warehouse_ids)), len(ids))
    per_kg = rng.uniform(*settings.freight_yuan_per_kg, len(s)).round(3)
    by_truck = rng.random(len(s)) < settings.truck_lane_share
    truck_kg = np.maximum(50.0, np.round(weight[s, w] * settings.truck_fill, -1))
    drive = rng.integers(*settings.drive_minutes, len(s))
    ready = np.array([clock_minutes(deadlines[i]) + hours[i] * 60 for i in s])
    arrive = np.maximum(clock_minutes(settings.earliest_arrival), np.ceil((ready + drive) / 5) * 5)
    return pd.DataFrame(
        {
            "supplier_id": np.array(ids)[s],
            "warehouse_id": np.array(warehouse_ids)[w],
            "yuan_per_kg": np.where(by_truck, 0.0, per_kg),
            "truck_capacity_kg": np.where(by_truck, truck_kg, np.nan),
            "truck_yuan": np.where(by_truck, np.maximum(5.0, np.round(truck_kg * per_kg * 0.9)), np.nan),
            "arrives_at": [clock_text(int(m)) for m in arrive],
        }
    )
