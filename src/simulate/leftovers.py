"""Stock on the planning date: left-overs with their expiry, and goods due in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import Stock
from simulate.supply_settings import StockSettings


def build_stock(
    mean: np.ndarray,
    *,
    skus: pd.DataFrame,
    warehouse_ids: list[str],
    planning_date: pd.Timestamp,
    settings: StockSettings,
    rng: np.random.Generator,
) -> DataFrame[Stock]:
    """Return lots of some SKUs per warehouse; `mean` (K, W) is a usual night. No lot expires before the delivery."""
    life = np.repeat(skus["shelf_life_days"].to_numpy(), mean.shape[1])
    k, w = np.divmod(np.arange(mean.size), mean.shape[1])
    lasting = life > 20
    held = rng.random(len(k)) < np.where(lasting, settings.stocked_share, settings.fresh_share)
    coming = rng.random(len(k)) < settings.due_in_share
    units = np.ceil(rng.uniform(*settings.nights, (2, len(k))) * mean[k, w])
    rest = np.floor(rng.random(len(k)) * np.maximum(1.0, np.where(lasting, life * 0.7, life - 1.0)))
    full = np.maximum(1.0, life - 1.0)
    rows = []
    for part, days, on_hand, due_in in ((held, rest, units[0], 0.0), (coming, full, 0.0, units[1])):
        lot = np.flatnonzero(part & (mean[k, w] > 0))
        rows.append(
            pd.DataFrame(
                {
                    "warehouse_id": np.array(warehouse_ids)[w[lot]],
                    "sku_id": skus["sku_id"].to_numpy()[k[lot]],
                    "on_hand": on_hand[lot] if isinstance(on_hand, np.ndarray) else on_hand,
                    "due_in": due_in[lot] if isinstance(due_in, np.ndarray) else due_in,
                    "expires_on": planning_date + pd.to_timedelta(days[lot], unit="D").as_unit("us"),
                }
            )
        )
    lots = pd.concat(rows, ignore_index=True).groupby(["warehouse_id", "sku_id", "expires_on"], as_index=False).sum()
    return Stock.check(lots)
