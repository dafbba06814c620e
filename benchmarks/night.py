"""One night of a preset world from the order book to the routes: status, seconds, gap and memory of every stage.

The prior forecast is not what is measured here: it is the mean of the last days per community x SKU with Poisson
quantiles, issued when orders opened, made before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

# benchmarks/forecast.py would hide the package of the same name
HERE = Path(__file__).resolve().parent
sys.path = [place for place in sys.path if Path(place).resolve() != HERE]

import numpy as np
import pandas as pd
from scipy.stats import poisson

from contracts.clock import clock_instant
from contracts.columns import QUANTILE_COLUMNS, QUANTILES
from contracts.flow import DailyDemand, Forecast, OrderLines
from contracts.settings import Settings
from contracts.world import World
from forecast.book import fit_curve
from pipeline.goods import arrivals
from pipeline.homes import homes_of
from pipeline.joint import Goods
from pipeline.models import NightModels
from pipeline.night import NightInput, buy, drive, open_book, share, sort_goods
from pipeline.progress import silent
from simulate import PRESETS, build_world, planning_date

sys.path.append(str(HERE))
from footprint import Footprint

T = TypeVar("T")


def prior_forecast(world: World, day: pd.Timestamp, *, issued_at: pd.Timestamp) -> pd.DataFrame:
    """Return the mean of the past days per level, place and SKU, with Poisson quantiles."""
    past = world.order_lines[world.order_lines["delivery_date"] < day]
    past = past[past["cancelled_at"].isna()]
    days = past["delivery_date"].nunique()
    homes = world.reference.communities.set_index("community_id")
    frames = []
    for level in ("community", "warehouse", "area"):
        place = past["community_id"] if level == "community" else past["community_id"].map(homes[f"{level}_id"])
        units = past.groupby([place.rename("place_id"), "sku_id"], observed=True)["quantity"].sum() / max(days, 1)
        frames.append(units.rename("mean").reset_index().assign(level=level))
    table = pd.concat(frames, ignore_index=True)
    quantiles = poisson.ppf(np.array(QUANTILES), table["mean"].to_numpy()[:, None])
    table[list(QUANTILE_COLUMNS)] = np.maximum(quantiles, 0.0)
    return Forecast.check(table.assign(delivery_date=day, issued_at=issued_at, source="mean of the last days"))


class Stopwatch:
    """Runs stages and keeps what each took."""

    def __init__(self) -> None:
        self.stages: dict[str, dict[str, object]] = {}

    def run(self, name: str, work: Callable[[], T]) -> T:
        """Run a stage; its report, if it has one, is kept too."""
        with Footprint() as cost:
            result = work()
        report = getattr(getattr(result, "routes", result), "report", None)
        self.stages[name] = {
            "status": report.status.value if report else "FEASIBLE",
            "seconds": round(cost.seconds, 2),
            "cpu_seconds": round(cost.cpu_seconds, 2),
            "gap": report.gap if report else None,
            "cost_yuan": report.cost_yuan if report else None,
            "stopped_by": report.stopped_by if report else "",
            "peak_rss_mb": round(cost.peak_mb, 1),
        }
        print(f"{name:10s} {self.stages[name]}", flush=True)
        return result


def main() -> int:
    """Plan the night and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="town")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--days", type=int, default=None, help="Days of history to build (city: default 7).")
    parser.add_argument("--hours-before-cutoff", type=float, default=0.0)
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args()

    settings = Settings()
    city = settings.city
    days = asked.days or (7 if asked.preset.startswith("city") else None)
    preset = PRESETS[asked.preset] if days is None else PRESETS[asked.preset].model_copy(update={"days": days})
    print(f"building {asked.preset} ...", flush=True)
    world = build_world(preset, seed=asked.seed)
    day = planning_date(world)
    opening = clock_instant(city.orders_open, delivery_date=day, timezone=city.timezone)
    cutoff = clock_instant(city.cutoff, delivery_date=day, timezone=city.timezone)
    expected = prior_forecast(world, day, issued_at=opening)
    past = OrderLines.check(world.order_lines[world.order_lines["delivery_date"] < day])
    tonight = OrderLines.check(world.order_lines[world.order_lines["delivery_date"] == day])
    print(f"{len(expected):,} forecast rows, {len(tonight):,} lines that evening; learning arrivals ...", flush=True)
    book_model = fit_curve(
        past, skus=world.reference.skus, settings=settings.book, city=city, communities=world.reference.communities
    )
    night = NightInput(
        reference=world.reference,
        history=DailyDemand.empty(),
        order_lines=tonight,
        models=NightModels(None, book_model, "benchmark"),  # type: ignore[arg-type]
        delivery_date=day,
        as_of=cutoff - pd.Timedelta(hours=asked.hours_before_cutoff),
    )
    del past
    watch, started = Stopwatch(), time.perf_counter()
    book = watch.run("book", lambda: open_book(night, expected, settings, silent))
    bought = watch.run("purchase", lambda: buy(night, book, settings, silent))
    arrived = arrivals(world.reference, bought.lines, delivery_date=day, city=city)
    allotments = watch.run("share", lambda: share(night, book, arrived, settings))
    goods = Goods(allotments, arrived)
    waves = watch.run("sorting", lambda: sort_goods(night, goods, settings, silent))
    if waves.report.status.has_plan:
        together = watch.run("routing", lambda: drive(night, goods, waves, settings, silent))
        routes = together.routes
        print(together.sentence)
        print(routes.unserved.groupby("reason").size().sort_values().tail(5).to_string())
        print(f"{len(routes.trips):,} trips, {len(routes.stops):,} stops, {len(routes.unserved):,} not served")
    else:
        print("no routes:", *waves.report.explanation, sep="\n  ")
    print(watch.run("homes", lambda: homes_of(world.reference, allotments, settings)).sentence)
    result = {
        "preset": asked.preset,
        "seed": asked.seed,
        "communities": len(world.reference.communities),
        "lines": len(tonight),
        "stages": watch.stages,
        "total_seconds": round(time.perf_counter() - started, 1),
        "peak_rss_mb": max(float(stage["peak_rss_mb"]) for stage in watch.stages.values()),
    }
    print({key: value for key, value in result.items() if key != "stages"})
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
