from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from contracts.world import World
from simulate import build_world


@pytest.fixture(scope="session")
def tiny() -> World:
    return build_world("tiny")


@pytest.fixture(scope="session")
def town() -> World:
    return build_world("town")


@pytest.fixture(scope="session")
def fingerprint():
    """Return a function that hashes every table of a world."""

    def of(world: World) -> str:
        digest = hashlib.sha256()
        flow = [("lines", world.order_lines), ("truth", world.true_demand), ("curve", world.arrival_curve)]
        for name, table in [*world.reference.tables(), *flow]:
            digest.update(name.encode())
            digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
        return digest.hexdigest()

    return of


@pytest.fixture
def small_history() -> pd.DataFrame:
    """Twenty days, three communities, four SKUs; S4 is sold on two days only, one line is cancelled."""
    days = pd.date_range("2026-03-01", periods=20, freq="D")
    rows = []
    for i, day in enumerate(days):
        for community in ("C1", "C2", "C3"):
            for sku, price in (("S1", 2.0), ("S2", 10.0), ("S3", 25.0)):
                rows.append((f"O{i}-{community}", day, community, sku, float(1 + i % 3), price))
        if i in (0, 19):
            rows.append((f"X{i}", day, "C1", "S4", 5.0, 8.0))
    lines = pd.DataFrame(rows, columns=["order_id", "day", "community_id", "sku_id", "quantity", "unit_price_yuan"])
    placed = (lines["day"] - pd.Timedelta(hours=4)).dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC")
    cancelled = placed.where(lines.index == 0)
    return lines.assign(
        line_no=lines.groupby("order_id").cumcount() + 1,
        placed_at=placed,
        delivery_date=lines["day"],
        cancelled_at=cancelled,
    ).drop(columns="day")
