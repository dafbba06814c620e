from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from contracts.flow import DailyDemand
from contracts.reference import Communities, Skus
from contracts.settings import BoostingSettings, ForecastSettings
from forecast import Context

START = pd.Timestamp("2026-03-02")


def communities(count: int, *, opened: dict[int, str] | None = None) -> pd.DataFrame:
    rows = pd.DataFrame({"community_id": [f"C{i:02d}" for i in range(count)]})
    return rows.assign(
        name=rows["community_id"],
        area_id=[f"A{i % 2}" for i in range(count)],
        warehouse_id=[f"W{i % 3 // 2}" for i in range(count)],
        latitude=31.0,
        longitude=121.0,
        window_start="07:00",
        window_end="12:00",
        service_minutes=5.0,
        opened_on=[pd.Timestamp((opened or {}).get(i, "2020-01-01")) for i in range(count)],
    )


def skus(count: int) -> pd.DataFrame:
    rows = pd.DataFrame({"sku_id": [f"S{i:02d}" for i in range(count)]})
    return rows.assign(
        name=rows["sku_id"],
        category_id=[f"K{i % 2}" for i in range(count)],
        temperature_zone="ambient",
        unit="bag",
        weight_kg=0.5,
        volume_l=1.0,
        shelf_life_days=3.0,
        salvage_yuan=0.1,
        shortage_penalty_yuan=1.0,
    )


def demand(places: int, goods: int, days: int, *, seed: int = 0) -> pd.DataFrame:
    """Poisson sales with a weekday rhythm; every SKU on sale everywhere every day."""
    rng = np.random.default_rng(seed)
    level = rng.lognormal(0.5, 0.8, (1, places, goods))
    rhythm = (1.0 + 0.4 * np.sin(np.arange(days) * 2 * np.pi / 7))[:, None, None]
    units = rng.poisson(level * rhythm)
    day, place, good = np.meshgrid(np.arange(days), np.arange(places), np.arange(goods), indexing="ij")
    return pd.DataFrame(
        {
            "delivery_date": START + pd.to_timedelta(day.ravel(), unit="D"),
            "community_id": [f"C{i:02d}" for i in place.ravel()],
            "sku_id": [f"S{i:02d}" for i in good.ravel()],
            "quantity": units.ravel().astype(float),
            "price_yuan": 5.0,
            "censored": False,
        }
    )


@pytest.fixture(scope="session")
def make_history() -> Callable[..., pd.DataFrame]:
    return lambda *args, **kwargs: DailyDemand.check(demand(*args, **kwargs))


@pytest.fixture(scope="session")
def context() -> Context:
    """Six communities in two areas and two warehouses, four SKUs in two categories."""
    return Context(Skus.check(skus(4)), Communities.check(communities(6)))


@pytest.fixture(scope="session")
def context_of() -> Callable[[int, int], Context]:
    """Return a maker of such contexts of so many communities and SKUs."""
    return lambda places, goods: Context(Skus.check(skus(goods)), Communities.check(communities(places)))


@pytest.fixture(scope="session")
def history() -> pd.DataFrame:
    return DailyDemand.check(demand(6, 4, 70))


@pytest.fixture(scope="session")
def settings() -> ForecastSettings:
    """Small enough for a test: two origins, ten trees."""
    return ForecastSettings(
        horizon_days=3,
        backtest_origins=3,
        boosting=BoostingSettings(trees=10, min_leaf_rows=20, max_rows=5_000, threads=1),
    )


@pytest.fixture(scope="session")
def trained(history: pd.DataFrame, context: Context, settings: ForecastSettings):
    from forecast import train

    return train(history, skus=context.skus, communities=context.communities, settings=settings)


@pytest.fixture(scope="session")
def backend(tmp_path_factory) -> bytes:
    """A fresh MLflow database: building one takes seconds, so the tests share the bytes."""
    from contracts.settings import StorageSettings
    from forecast.registry.door import Door

    folder = tmp_path_factory.mktemp("backend")
    with Door(StorageSettings(models=folder)).client() as client:
        client.search_registered_models()
    return (folder / "mlflow.sqlite").read_bytes()
