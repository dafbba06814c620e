"""Time and memory of one book update at city scale: 4,000 communities x 1,500 SKUs, 300,000 lines of the evening.

    python benchmarks/book_scale.py --json out.json [--listed 1.0]

Orders are drawn at random (popularity by rank, evening peak); the forecast has a row per community x SKU for the share
``--listed`` of SKUs each community is offered, and the rows of warehouses and areas above them.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # this folder holds a forecast.py too: the package of that name must come first

import argparse
import json
import resource
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd

from contracts.columns import QUANTILE_COLUMNS
from contracts.flow import Forecast, OrderLines
from contracts.reference import Communities, Skus
from contracts.settings import BookSettings, CitySettings
from forecast.book import fit_curve, update_book

CITY = CitySettings()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--communities", type=int, default=4000)
    parser.add_argument("--skus", type=int, default=1500)
    parser.add_argument("--lines", type=int, default=300_000, help="lines of the evening")
    parser.add_argument("--past-lines", type=int, default=40_000, help="lines of each day learned from")
    parser.add_argument("--listed", type=float, default=1.0, help="share of SKUs each community is offered")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    communities, skus = reference(given.communities, given.skus)
    days = pd.date_range("2026-01-01", periods=51)
    past = pd.concat([evening(rng, day, given.past_lines, communities, skus) for day in days[:-1]], ignore_index=True)
    started = perf_counter()
    model = fit_curve(OrderLines.check(past), skus=skus, settings=BookSettings(), city=CITY, communities=communities)
    result = {"fit_seconds": round(perf_counter() - started, 1), "fit_rss_mb": peak()}
    del past
    orders = OrderLines.check(evening(rng, days[-1], given.lines, communities, skus))
    forecast = make_forecast(rng, days[-1], communities, skus, given)
    print(f"{len(forecast):,} forecast rows, {len(orders):,} lines, before the updates {peak():,.0f} MB")
    for time in ("12:00", "18:00", "22:00"):
        at = pd.Timestamp(f"{(days[-1] - pd.Timedelta(days=1)).date()} {time}", tz=CITY.timezone)
        started, worked = perf_counter(), process_time()
        book = update_book(forecast, orders, as_of=at, model=model, communities=communities, city=CITY)
        wall, cpu = round(perf_counter() - started, 1), round(process_time() - worked, 1)
        result |= {f"update_seconds_{time}": wall, f"update_cpu_seconds_{time}": cpu}
        print(f"{time}: {len(book):,} book rows in {wall} s ({cpu} s of CPU), peak {peak():,.0f} MB")
        del book
    result |= {"forecast_rows": len(forecast), "peak_rss_mb": peak()}
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def peak() -> float:
    """Return the largest memory the process has had, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def reference(communities: int, skus: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return communities in 3 warehouses and 3 areas, and SKUs in 12 categories."""
    number, sku = np.arange(communities), np.arange(skus)
    places = pd.DataFrame(
        {
            "community_id": [f"C{i:05d}" for i in number],
            "name": "-",
            "area_id": [f"A{i % 3}" for i in number],
            "warehouse_id": [f"W{i // 7 % 3}" for i in number],
            "latitude": 31.0,
            "longitude": 121.0,
            "window_start": "07:00",
            "window_end": "12:00",
            "service_minutes": 4.0,
        }
    )
    goods = pd.DataFrame(
        {
            "sku_id": [f"S{i:05d}" for i in sku],
            "name": "-",
            "category_id": [f"K{i % 12}" for i in sku],
            "temperature_zone": "ambient",
            "unit": "-",
            "weight_kg": 1.0,
            "volume_l": 1.0,
            "shelf_life_days": 3.0,
            "salvage_yuan": 0.0,
            "shortage_penalty_yuan": 1.0,
        }
    )
    return Communities.check(places), Skus.check(goods)


def popularity(skus: int) -> np.ndarray:
    """Return each SKU's share of the lines."""
    weight = (np.arange(skus) + 5.0) ** -0.75
    return np.asarray(weight / weight.sum())


def evening(
    rng: np.random.Generator, day: pd.Timestamp, lines: int, communities: pd.DataFrame, skus: pd.DataFrame
) -> pd.DataFrame:
    """Return the order lines of one delivery date."""
    placed = np.minimum(rng.beta(4, 2, lines) * 1380, 1379.9)
    opening = (day - pd.Timedelta(days=1)).tz_localize(CITY.timezone).tz_convert("UTC")
    placed_at = (opening + pd.to_timedelta(placed * 60, unit="s")).as_unit("us")
    return pd.DataFrame(
        {
            "order_id": pd.Series(np.char.add(f"{day:%m%d}-", np.arange(lines).astype(str)), dtype="str"),
            "line_no": 1,
            "placed_at": placed_at,
            "delivery_date": day,
            "community_id": communities["community_id"].to_numpy()[rng.integers(0, len(communities), lines)],
            "sku_id": skus["sku_id"].to_numpy()[rng.choice(len(skus), lines, p=popularity(len(skus)))],
            "quantity": rng.integers(1, 3, lines).astype(float),
            "unit_price_yuan": 5.0,
            "cancelled_at": pd.Series(pd.NaT, index=range(lines), dtype="datetime64[us, UTC]"),
        }
    )


def make_forecast(
    rng: np.random.Generator,
    day: pd.Timestamp,
    communities: pd.DataFrame,
    skus: pd.DataFrame,
    given: argparse.Namespace,
) -> pd.DataFrame:
    """Return forecast rows of all levels that add up."""
    offered = rng.random((given.communities, given.skus)) < given.listed
    place, sku = np.nonzero(offered)
    mean = given.lines * 1.5 / given.communities * popularity(given.skus)[sku]
    parts = [("community", communities["community_id"], place, sku, mean)]
    for level in ("warehouse", "area"):
        code, ids = pd.factorize(communities[f"{level}_id"])
        key, inverse = np.unique(code[place] * given.skus + sku, return_inverse=True)
        parts.append((level, pd.Series(ids), key // given.skus, key % given.skus, np.bincount(inverse, weights=mean)))
    issued = (day - pd.Timedelta(days=1)).tz_localize(CITY.timezone).tz_convert("UTC").as_unit("us")
    tables = [
        pd.DataFrame(
            {
                "delivery_date": day,
                "level": level,
                "place_id": ids.take(at).reset_index(drop=True),
                "sku_id": skus["sku_id"].take(item).reset_index(drop=True),
                "issued_at": issued,
                "mean": units,
                **dict.fromkeys(QUANTILE_COLUMNS, units),
                "source": "drawn",
            }
        )
        for level, ids, at, item, units in parts
    ]
    return Forecast.check(pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    main()
