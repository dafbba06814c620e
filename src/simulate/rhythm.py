"""Mean demand: what a perfect forecaster could know beforehand.

The expected order lines of community c for SKU k on delivery date d are

``size_c * ramp_c(d) * taste[c, category(k)] * pair[c, k] * B[d, area(c), k]``

with B the popularity of the SKU times the week, season, weather, feast, price, promotion, novelty, drift and growth
factors of the day. `scale` is set so that the city averages the lines per community that were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import Calendar
from simulate.almanac import days_from_new_year
from simulate.assortment import Assortment
from simulate.catalogue import Category
from simulate.demand_settings import CalendarSettings, DemandSettings, LeaderSettings, RangeSettings
from simulate.goods import Goods
from simulate.places import Places
from simulate.streams import mean_one


@dataclass(frozen=True)
class MeanDemand:
    """Factors of the expected order lines.

    Attributes
    ----------
    base : ndarray, shape (D, A, K)
        Lines of a community of size one, zero where not listed.
    member : ndarray, shape (D, C)
        Size times ramp-up, zero while a leader is not with us.
    taste : ndarray, shape (C, number of categories)
    pair : ndarray of float32, shape (C, K)
    """

    base: np.ndarray
    member: np.ndarray
    taste: np.ndarray
    pair: np.ndarray

    def lines(self, day: int, area: int, communities: np.ndarray, skus: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """Return expected lines of a day, shape (communities, SKUs), float32; `kinds` are the SKUs' categories."""
        mean: np.ndarray = self.taste[np.ix_(communities, kinds)] * self.pair[np.ix_(communities, skus)]
        mean *= self.member[day, communities][:, None].astype(np.float32)
        mean *= self.base[day, area, skus][None].astype(np.float32)
        return mean


def category_factors(
    categories: tuple[Category, ...], calendar: pd.DataFrame, settings: CalendarSettings
) -> np.ndarray:
    """Return the factor of each day and category from weekday, season, weather and feasts, shape (D, G)."""
    days = pd.DatetimeIndex(calendar["day"])
    warm = (calendar["temperature_c"].fillna(15.0).to_numpy() - 15.0) / 10.0
    wet = calendar["rain_mm"].fillna(0.0).to_numpy() / 10.0
    gap = days_from_new_year(days)
    before = np.clip(1.0 + (gap + 2.0) / settings.new_year_before_days, 0.0, 1.0) * (gap < -1)
    quiet = np.where(
        (gap >= -1) & (gap <= 3),
        np.log(settings.new_year_level),
        np.where(
            gap > 3, np.log(settings.new_year_level) * np.clip(1 - (gap - 3) / settings.new_year_back_days, 0, 1), 0
        ),
    )
    feast = calendar["is_holiday"].to_numpy() & (np.abs(gap) > 8)
    event = calendar["event"].isin(["618", "双十一", "双十二"]).to_numpy()
    out = np.empty((len(days), len(categories)))
    for g, kind in enumerate(categories):
        season = kind.season_amplitude * np.cos(
            2 * np.pi * (days.day_of_year.to_numpy() - kind.season_peak_day) / 365.25
        )
        logs = season + kind.heat * warm + kind.rain * wet + kind.new_year * before + quiet
        logs += kind.holiday * feast + settings.event_lift * event
        out[:, g] = np.exp(logs) * np.array(kind.weekly)[days.day_of_week]
    return out


def build_mean_demand(
    goods: Goods,
    places: Places,
    assortment: Assortment,
    calendar: DataFrame[Calendar],
    *,
    categories: tuple[Category, ...],
    demand: DemandSettings,
    range_settings: RangeSettings,
    leaders: LeaderSettings,
    feasts: CalendarSettings,
    rng: np.random.Generator,
) -> MeanDemand:
    """Return the mean demand of a history; `calendar` holds exactly the delivery dates."""
    n, areas, k = assortment.listed.shape
    kind = goods.category_index
    factor = category_factors(categories, calendar, feasts)[:, kind]
    age = np.arange(n)[:, None] - goods.first_day
    novelty = range_settings.launch_lift * np.exp(-np.clip(age, 0, 400) / 7.0)
    weeks = np.cumsum(demand.drift_sigma * rng.standard_normal((n // 7 + 2, k)), axis=0)
    drift = np.clip(weeks, -0.5, 0.5)[np.arange(n) // 7]
    growth = demand.growth * (np.arange(n) - n + 1)[:, None] / 30.0
    elasticity = np.array([c.elasticity for c in categories])[kind]
    usual = goods.list_price_yuan
    base = np.empty((n, areas, k))
    for area in range(areas):
        price = assortment.price_yuan[:, area]
        promoted = price < assortment.list_price_yuan[:, area]
        pull = -elasticity * np.log(price / usual) + range_settings.promotion_lift * promoted
        logs = np.log(goods.popularity) + novelty + drift + growth + pull
        base[:, area] = np.exp(logs) * factor * assortment.listed[:, area]
    age = np.arange(n)[:, None] - places.first_day
    ramp = leaders.first_day + (1 - leaders.first_day) * np.clip(age / leaders.ramp_days, 0, 1)
    here = (age >= 0) & (np.arange(n)[:, None] <= places.last_day)
    member = places.size * ramp * here
    taste = mean_one(rng, demand.taste_sigma, (len(places.size), len(categories)))
    pair = mean_one(rng, demand.pair_sigma, (len(places.size), k)).astype(np.float32)
    scale = demand.lines_per_community / max(1e-12, _lines_per_member(base, member, taste, places, kind))
    return MeanDemand(base * scale, member, taste.astype(np.float32), pair)


def _lines_per_member(
    base: np.ndarray, member: np.ndarray, taste: np.ndarray, places: Places, kind: np.ndarray
) -> float:
    """Return the mean lines per open community and day before scaling (pair factors average one)."""
    total, open_days = 0.0, float((member > 0)[base.any(axis=(1, 2))].sum())
    for area in range(base.shape[1]):
        mine = places.area_index == area
        total += float(((member[:, mine] @ taste[mine])[:, kind] * base[:, area]).sum())
    return total / max(1.0, open_days)
