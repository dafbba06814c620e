"""One evening of orders: negative-binomial demand, household baskets, arrival times, cancellations, sell-outs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.arrival import Arrivals
from simulate.demand_settings import DemandSettings, RangeSettings
from simulate.goods import Goods
from simulate.places import Places
from simulate.rhythm import MeanDemand
from simulate.streams import mean_one


@dataclass(frozen=True)
class Evening:
    """What was wanted on one evening, line by line (arrays of one length), in order of time.

    Attributes
    ----------
    minute, cancel_minute : float, minutes from midnight of the order day; nan where not cancelled.
    observed : bool, False for lines lost because the listing had sold out.
    sold_out : (area, SKU) position to the minute the listing closed.
    """

    community: np.ndarray
    sku: np.ndarray
    quantity: np.ndarray
    order: np.ndarray
    minute: np.ndarray
    cancel_minute: np.ndarray
    observed: np.ndarray
    sold_out: dict[tuple[int, int], float]


@dataclass(frozen=True)
class City:
    """All an evening is drawn from."""

    goods: Goods
    places: Places
    mean: MeanDemand
    arrivals: Arrivals
    demand: DemandSettings
    range_settings: RangeSettings
    pace_spread: float


def day_shock(demand: DemandSettings, rng: np.random.Generator) -> float:
    """Return the factor all of the city shares on a day; its mean is one.

    A lognormal mood times, on a share of days, a jump up or down by `big_day_log` with equal chance.
    """
    mood = float(mean_one(rng, demand.day_sigma, 1)[0])
    jump = rng.random() < demand.big_day_share
    up = rng.random() < 0.5
    size = np.exp(demand.big_day_log if up else -demand.big_day_log) / np.cosh(demand.big_day_log)
    return mood * (float(size) if jump else 1.0)


def draw_evening(city: City, day: int, *, order_weekday: int, rng: np.random.Generator) -> Evening:
    """Return the orders for the day-th delivery date of the history."""
    goods, demand = city.goods, city.demand
    kinds = int(goods.category_index.max()) + 1
    shock = day_shock(demand, rng)
    shock_sku = mean_one(rng, demand.sku_sigma, len(goods.skus)) * shock
    shock_sku *= mean_one(rng, demand.category_sigma, kinds)[goods.category_index]
    shock_leader = mean_one(rng, demand.leader_sigma, len(city.places.size)).astype(np.float32)
    pace = rng.uniform(-city.pace_spread, city.pace_spread)
    communities, skus = [], []
    for area in range(city.mean.base.shape[1]):
        on_sale = np.flatnonzero(city.mean.base[day, area])
        mine = np.flatnonzero((city.places.area_index == area) & (city.mean.member[day] > 0))
        if not len(on_sale) or not len(mine):
            continue
        lines = city.mean.lines(day, area, mine, on_sale, goods.category_index[on_sale])
        lines *= shock_leader[mine][:, None]
        lines *= shock_sku[on_sale][None].astype(np.float32)
        lines *= rng.standard_gamma(demand.dispersion, lines.shape, dtype=np.float32) / np.float32(demand.dispersion)
        drawn = rng.poisson(lines)
        c, k = np.nonzero(drawn)
        times = drawn[c, k]
        communities.append(np.repeat(mine[c], times))
        skus.append(np.repeat(on_sale[k], times))
    community = np.concatenate(communities) if communities else np.zeros(0, dtype=np.int64)
    sku = np.concatenate(skus) if skus else np.zeros(0, dtype=np.int64)
    quantity = 1 + rng.poisson(goods.units_per_line[sku] - 1.0)
    weights = city.arrivals.day_weights(order_weekday, pace)
    order, minute, sorting = _baskets(community, sku, weights, city, rng)
    community, sku, quantity = community[sorting], sku[sorting], quantity[sorting]
    gone = rng.random(len(sku)) < demand.cancel_rate
    later = minute + rng.beta(1.0, 3.0, len(sku)) * (city.arrivals.cutoff - minute)
    cancel = np.where(gone, np.clip(_seconds(later), minute, city.arrivals.cutoff - 1 / 60), np.nan)
    observed, sold_out = _sell_out(community, sku, quantity, minute, day, city, rng)
    return Evening(community, sku, quantity, order, minute, cancel, observed, sold_out)


def _seconds(minute: np.ndarray) -> np.ndarray:
    whole: np.ndarray = np.floor(minute * 60.0) / 60.0
    return whole


def _baskets(
    community: np.ndarray, sku: np.ndarray, weights: np.ndarray, city: City, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return order numbers and minutes of the lines in order of time, and the permutation that brings them there.

    Lines of one community and one peak are cut at random into baskets; a second line of the same SKU in a basket
    becomes an order of its own (a neighbour), at the same moment.
    """
    n = len(sku)
    peak = (rng.random(n)[:, None] > np.cumsum(weights, axis=1)[city.goods.category_index[sku]][:, :-1]).sum(axis=1)
    mixed = np.lexsort((rng.random(n), peak, community))
    change = np.ones(n, dtype=bool)
    change[1:] = (np.diff(community[mixed]) != 0) | (np.diff(peak[mixed]) != 0)
    change |= rng.random(n) < 1.0 / city.demand.lines_per_order
    basket = np.empty(n, dtype=np.int64)
    basket[mixed] = np.cumsum(change) - 1
    count = int(basket.max()) + 1 if n else 0
    first = np.zeros(count, dtype=np.int64)
    first[basket] = peak
    moment = _seconds(city.arrivals.draw(first, rng.random(count)))
    minute = moment[basket]
    by_sku = np.lexsort((sku, basket))
    again = np.zeros(n, dtype=bool)
    again[by_sku[1:]] = (np.diff(basket[by_sku]) == 0) & (np.diff(sku[by_sku]) == 0)
    basket[again] = count + np.arange(again.sum())
    order = np.lexsort((sku, basket, minute))
    new = np.ones(n, dtype=np.int64)
    new[1:] = np.diff(basket[order]) != 0
    return np.cumsum(new), minute[order], order


def _sell_out(
    community: np.ndarray,
    sku: np.ndarray,
    quantity: np.ndarray,
    minute: np.ndarray,
    day: int,
    city: City,
    rng: np.random.Generator,
) -> tuple[np.ndarray, dict[tuple[int, int], float]]:
    """Return which lines were taken, and when listings closed: when a cap of ordered units was reached.

    Substitution is not modelled: a lost line is lost.
    """
    observed, closed = np.ones(len(sku), dtype=bool), {}
    settings, area = city.range_settings, city.places.area_index[community]
    shape = city.mean.base.shape[1:]
    capped = (rng.random(shape) < settings.sold_out_rate) & (city.mean.base[day] > 0)
    share = rng.uniform(*settings.sold_out_cap, shape)
    flat = area * shape[1] + sku
    grouped = np.argsort(flat, kind="stable")
    for a, k in np.argwhere(capped):
        low, high = np.searchsorted(flat[grouped], (a * shape[1] + k, a * shape[1] + k + 1))
        rows = grouped[low:high]
        mine = np.flatnonzero(city.places.area_index == a)
        one = np.array([k])
        usual = city.mean.lines(day, a, mine, one, city.goods.category_index[one]).sum() * city.goods.units_per_line[k]
        cap = max(1.0, round(share[a, k] * float(usual)))
        total = np.cumsum(quantity[rows])
        full = int(np.searchsorted(total, cap))
        if full < len(rows):
            at = float(minute[rows[full]])
            closed[(int(a), int(k))] = at
            observed[rows[minute[rows] > at]] = False
    return observed, closed
