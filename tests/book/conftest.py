"""A small city with an evening order peak, made from one seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from contracts.columns import QUANTILE_COLUMNS
from contracts.flow import Forecast, OrderLines
from contracts.reference import Communities, Skus
from contracts.settings import BookSettings, CitySettings
from forecast.book import BookModel, fit_curve

CITY = CitySettings()
DAYS = pd.date_range("2026-01-01", periods=50)
TODAY = DAYS[-1]


@dataclass(frozen=True)
class Town:
    """Reference data, order lines and a fitted model of the small city."""

    communities: pd.DataFrame
    skus: pd.DataFrame
    orders: pd.DataFrame
    forecast: pd.DataFrame
    model: BookModel

    @property
    def today(self) -> pd.Timestamp:
        return TODAY

    @property
    def past(self) -> pd.DataFrame:
        return self.orders[self.orders["delivery_date"] < TODAY]


def clock(text: str, day: pd.Timestamp = TODAY) -> pd.Timestamp:
    """Return a moment of the order day (the day before delivery), city time."""
    return pd.Timestamp(f"{(day - pd.Timedelta(days=1)).date()} {text}", tz=CITY.timezone).tz_convert("UTC")


def make_lines(rng: np.random.Generator, day: pd.Timestamp, count: int, communities: int = 6) -> pd.DataFrame:
    """Return order lines of one delivery date, most of them in the evening."""
    minutes = np.minimum(rng.beta(4, 2, count) * 1380, 1379)
    placed = clock("00:00", day) + pd.to_timedelta(minutes, unit="m")
    gone = rng.random(count) < 0.05
    later = placed + pd.to_timedelta(np.where(gone, 30.0, np.nan), unit="m")
    number = np.arange(count)
    return pd.DataFrame(
        {
            "order_id": [f"{day:%m%d}-{i}" for i in number],
            "line_no": 1,
            "placed_at": placed,
            "delivery_date": day,
            "community_id": [f"c{i}" for i in rng.integers(0, communities, count)],
            "sku_id": rng.choice([f"s{i}" for i in range(5)], count, p=[0.5, 0.2, 0.15, 0.1, 0.05]),
            "quantity": rng.integers(1, 4, count).astype(float),
            "unit_price_yuan": 1.0,
            "cancelled_at": later,
        }
    )


def make_forecast(means: pd.DataFrame, day: pd.Timestamp, issued_at: pd.Timestamp) -> pd.DataFrame:
    """Return forecast rows from columns level, place_id, sku_id, mean."""
    quantiles = dict.fromkeys(QUANTILE_COLUMNS, means["mean"])
    return Forecast.check(means.assign(delivery_date=day, issued_at=issued_at, source="test mean", **quantiles))


@pytest.fixture(scope="session")
def town() -> Town:
    rng = np.random.default_rng(7)
    communities = Communities.check(
        pd.DataFrame(
            {
                "community_id": [f"c{i}" for i in range(6)],
                "name": "community",
                "area_id": ["a1", "a2"] * 3,
                "warehouse_id": ["w1"] * 3 + ["w2"] * 3,
                "latitude": 31.0,
                "longitude": 121.0,
                "window_start": "07:00",
                "window_end": "12:00",
                "service_minutes": 5.0,
            }
        )
    )
    skus = Skus.check(
        pd.DataFrame(
            {
                "sku_id": [f"s{i}" for i in range(5)],
                "name": "goods",
                "category_id": ["k1", "k1", "k2", "k2", "k2"],
                "temperature_zone": "ambient",
                "unit": "bag",
                "weight_kg": 1.0,
                "volume_l": 1.0,
                "shelf_life_days": 3.0,
                "salvage_yuan": 0.0,
                "shortage_penalty_yuan": 1.0,
            }
        )
    )
    orders = pd.concat([make_lines(rng, day, int(rng.poisson(150))) for day in DAYS], ignore_index=True)
    orders = OrderLines.check(orders)
    kept = orders[orders["cancelled_at"].isna() & (orders["delivery_date"] < TODAY)]
    forecast = forecast_of(kept, communities)
    model = fit_curve(
        orders[orders["delivery_date"] < TODAY],
        skus=skus,
        settings=BookSettings(boost_rows=20_000, boost_leaf_rows=100),
        city=CITY,
        communities=communities,
    )
    return Town(communities, skus, orders, forecast, model)


def forecast_of(past: pd.DataFrame, communities: pd.DataFrame) -> pd.DataFrame:
    """Return the plain mean of past days at every level."""
    days = past["delivery_date"].nunique()
    located = past.merge(communities[["community_id", "warehouse_id", "area_id"]], on="community_id")
    parts = []
    for level in ("community", "warehouse", "area"):
        mean = located.groupby([f"{level}_id", "sku_id"])["quantity"].sum().div(days).rename("mean").reset_index()
        parts.append(mean.rename(columns={f"{level}_id": "place_id"}).assign(level=level))
    return make_forecast(pd.concat(parts, ignore_index=True), TODAY, clock("00:00"))


@pytest.fixture(scope="session")
def at() -> Callable[[str], pd.Timestamp]:
    return clock


@pytest.fixture(scope="session")
def lines_of() -> Callable[..., pd.DataFrame]:
    return make_lines
