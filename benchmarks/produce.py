"""Nights of a real vegetable counter: our quantiles and purchase against three rules of thumb and perfect foresight.

python benchmarks/produce.py --data ../shared/datasets/produce --json out.json

Every night of January to June 2022 is planned on the evening before from what was sold until then; the model is trained
again every month. Realised cost of a night and SKU, with q bought and d sold:

* shortage ``margin (d - q)+``: the margin lost. The data have no retail prices, so the margin is a share of the
  wholesale price of the day (``--margin``);
* waste ``wholesale loss (q - d)+``, counted in two ways: ``keeps`` - what is left over is sold the next day but for the
  SKU's loss rate; ``perishes`` - all of it is lost. Each night stands alone, nothing is carried into the next.

Goods are bought in whole kilograms at the day's wholesale price, taken as known on the evening before. A SKU counts as
on sale if it has a price and was sold in the week before (prices go on for weeks after a SKU has left the counter);
nights are planned and judged over those, the same for every method. What was sold is taken as demand: unserved
customers are not in the data.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# benchmarks/forecast.py would hide the package of the same name
sys.path = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]

import numpy as np
import pandas as pd

from contracts.columns import QUANTILE_COLUMNS
from contracts.flow import DailyDemand, OrderBook
from contracts.reference import (
    Communities,
    Lanes,
    Listings,
    Offers,
    Skus,
    Suppliers,
    VehicleTypes,
    Warehouses,
    WarehouseZones,
)
from contracts.settings import CitySettings, ForecastSettings
from contracts.solve import SolveLimits
from contracts.world import Reference
from forecast import Context, DemandModel, predict, train
from optimize.purchase import allocate, check, purchase_data

FIRST = pd.Timestamp("2022-01-01")
PLACE = {"community_id": "C1", "area_id": "A1", "warehouse_id": "W1"}
CITY = CitySettings()
STILL_ON_SALE_DAYS = 7
METHODS = ("ours", "yesterday", "week_before", "mean_rounded_up", "foresight")


@dataclass(frozen=True)
class Counter:
    """The counter's days: ``days`` has a row per SKU and day with ``quantity``, ``wholesale`` yuan and ``on_sale``."""

    days: pd.DataFrame
    skus: Any
    communities: Any
    listings: Any

    def history(self, before: pd.Timestamp) -> Any:
        """Return the demand of the days before one."""
        known = self.days[(self.days["delivery_date"] < before) & (self.days["on_sale"] | (self.days["quantity"] > 0))]
        return DailyDemand.check(known.assign(community_id="C1", price_yuan=known["price_yuan"], censored=False))


def read_counter(folder: Path, *, margin: float) -> Counter:
    """Return the data set as contract tables."""
    sales = pd.read_parquet(folder / "daily_sales.parquet")
    prices = pd.read_parquet(folder / "wholesale_prices.parquet")
    items = pd.read_parquet(folder / "items.parquet")
    days = prices.merge(sales, on=["date", "sku_id"], how="left").merge(items[["sku_id", "loss_rate_pct"]], on="sku_id")
    days = days.rename(columns={"date": "delivery_date", "wholesale_yuan_per_kg": "wholesale"})
    days = days.assign(quantity=days["sold_kg"].fillna(0.0).clip(lower=0.0), loss=days["loss_rate_pct"] / 100.0)
    days = days.assign(price_yuan=(days["wholesale"] * (1.0 + margin)).round(4))
    skus = items.rename(columns={"sku_name": "name"}).assign(
        category_id=items["category_id"].astype(str),
        temperature_zone="ambient",
        unit="kg",
        weight_kg=1.0,
        volume_l=2.0,
        shelf_life_days=1.0,
        salvage_yuan=0.0,
        shortage_penalty_yuan=0.0,
    )
    window = {"window_start": "07:00", "window_end": "22:00", "service_minutes": 5.0}
    place = pd.DataFrame([{**PLACE, "name": "counter", "latitude": 30.0, "longitude": 120.0, **window}])
    days = days.sort_values(["sku_id", "delivery_date"], ignore_index=True)
    sold_on = days["delivery_date"].where(days["quantity"] > 0).groupby(days["sku_id"]).ffill()
    before = sold_on.groupby(days["sku_id"]).shift()
    days = days.assign(on_sale=(days["delivery_date"] - before).dt.days <= STILL_ON_SALE_DAYS)
    listed = days[days["on_sale"] | (days["quantity"] > 0)]
    listed = listed[["delivery_date", "sku_id", "price_yuan"]].assign(
        area_id="A1", list_price_yuan=listed["price_yuan"]
    )
    columns = ["delivery_date", "sku_id", "quantity", "price_yuan", "wholesale", "loss", "on_sale"]
    return Counter(days[columns], Skus.check(skus), Communities.check(place), Listings.check(listed))


def quantities(counter: Counter, model: DemandModel, day: pd.Timestamp, *, margin: float) -> pd.DataFrame:
    """Return the night's SKUs with what each method buys, in whole kilograms, for both ways to count waste."""
    evening = day.tz_localize(CITY.timezone).tz_convert("UTC") - pd.Timedelta(minutes=90)
    known = counter.history(day)
    context = Context(counter.skus, counter.communities, counter.listings)
    ahead = predict(model, known, delivery_dates=[day], issued_at=evening, levels=("community",), context=context)
    ahead = ahead.set_index("sku_id")
    tonight = counter.days[(counter.days["delivery_date"] == day) & counter.days["on_sale"]].set_index(
        "sku_id", drop=False
    )
    tonight = tonight[tonight.index.isin(ahead.index)]
    found = {
        "yesterday": _sold(counter, day, 1),
        "week_before": _sold(counter, day, 7),
        "mean_rounded_up": ahead["mean"],
    }
    for name, units in found.items():
        tonight[name] = np.ceil(units.reindex(tonight.index).fillna(0.0) - 1e-9)
    for waste in ("keeps", "perishes"):
        data = night_problem(counter, tonight, ahead.loc[tonight.index], day, evening, margin=margin, waste=waste)
        plan = allocate(data, limits=SolveLimits(seconds=20.0, gap=1e-4))
        wrong = check(data, plan)
        if wrong:
            raise RuntimeError(f"{day.date()}: {wrong[:3]}")
        bought = plan.lines.set_index("sku_id")["units"]
        tonight[f"ours_{waste}"] = bought.reindex(tonight.index).fillna(0.0)
    return tonight


def _sold(counter: Counter, day: pd.Timestamp, days_before: int) -> pd.Series:
    past = counter.days[counter.days["delivery_date"] == day - pd.Timedelta(days=days_before)]
    return past.set_index("sku_id")["quantity"]


def night_problem(
    counter: Counter, tonight: pd.DataFrame, ahead: pd.DataFrame, day: pd.Timestamp, evening: pd.Timestamp, **terms: Any
) -> Any:
    """Return the purchase problem of a night: one wholesale market, one counter, kilograms."""
    lost = tonight["wholesale"] * (tonight["loss"] if terms["waste"] == "keeps" else 1.0)
    skus = counter.skus[counter.skus["sku_id"].isin(tonight.index)].set_index("sku_id", drop=False)
    skus = skus.assign(
        salvage_yuan=(tonight["wholesale"] - lost).reindex(skus.index),
        shortage_penalty_yuan=(tonight["wholesale"] * terms["margin"]).reindex(skus.index),
    )
    key = {"supplier_id": "market", "warehouse_id": "W1"}
    offers = tonight[["sku_id"]].assign(
        **key, case_units=1, min_cases=0, max_cases=100_000, unit_price_yuan=tonight["wholesale"]
    )
    supplier = {"order_cost_yuan": 0.0, "min_order_yuan": 0.0, "fill_rate": 1.0, "lead_time_hours": 1.0}
    zone = {"inbound_capacity_units": 1e9, "stations": 1, "slots_per_station": 10, "units_per_worker_hour": 100.0}
    shift = {"max_workers": 5, "worker_hour_yuan": 25.0, "overtime_hour_yuan": 40.0, "closes_at": "05:00"}
    reference = Reference(
        warehouses=Warehouses.check(
            pd.DataFrame([{"warehouse_id": "W1", "name": "counter", "latitude": 30, "longitude": 120}])
        ),
        warehouse_zones=WarehouseZones.check(
            pd.DataFrame([{"warehouse_id": "W1", "temperature_zone": "ambient", "opens_at": "00:00", **zone, **shift}])
        ),
        communities=counter.communities,
        skus=Skus.check(skus.reset_index(drop=True)),
        suppliers=Suppliers.check(
            pd.DataFrame([{"supplier_id": "market", "name": "market", "order_deadline": "23:00-1", **supplier}])
        ),
        offers=Offers.check(offers.assign(discount_kind="all_units")),
        lanes=Lanes.check(pd.DataFrame([{**key, "yuan_per_kg": 0.0, "arrives_at": "04:00"}])),
        vehicle_types=VehicleTypes.empty(),
    )
    rows = ahead.reset_index()[["sku_id", "delivery_date", "mean", *QUANTILE_COLUMNS]]
    book = rows.assign(
        level="warehouse",  # its only community is the counter, whose quantiles know each SKU's volume
        place_id="W1",
        as_of=evening,
        confirmed=0.0,
        remaining_mean=rows["mean"],
        final_mean=rows["mean"],
        source="forecast",
    )
    return purchase_data(reference, OrderBook.check(book), delivery_date=day, as_of=evening, city=CITY)


def realised(night: pd.DataFrame, *, margin: float, waste: str) -> dict[str, tuple[float, float]]:
    """Return each method's shortage and waste yuan on a night."""
    under = margin * night["wholesale"]
    over = night["wholesale"] * (night["loss"] if waste == "keeps" else 1.0)
    low = np.floor(night["quantity"])
    up = (over * (low + 1.0 - night["quantity"])) < (under * (night["quantity"] - low))
    bought = {name: night[name] for name in METHODS[1:4]}
    bought |= {"ours": night[f"ours_{waste}"], "foresight": low + up}
    return {
        name: (
            float((under * (night["quantity"] - units).clip(lower=0.0)).sum()),
            float((over * (units - night["quantity"]).clip(lower=0.0)).sum()),
        )
        for name, units in bought.items()
    }


def main() -> None:
    """Plan every night, print the costs and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="directory with daily_sales.parquet and the others")
    parser.add_argument("--margin", type=float, default=0.5, help="margin as a share of the wholesale price")
    parser.add_argument("--nights", type=int, default=1_000, help="stop after so many nights")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    counter = read_counter(given.data, margin=given.margin)
    days = sorted(d for d in counter.days["delivery_date"].unique() if d >= FIRST)[: given.nights]
    started, month, model = time.process_time(), None, None
    totals = {waste: {name: np.zeros(2) for name in METHODS} for waste in ("keeps", "perishes")}
    for day in map(pd.Timestamp, days):
        if day.month != month:
            month = day.month
            model = train(
                counter.history(day),
                skus=counter.skus,
                communities=counter.communities,
                listings=counter.listings[counter.listings["delivery_date"] < day],
                settings=ForecastSettings(horizon_days=1),
                city=CITY,
            )
            print(f"{day.date()}: trained, {time.process_time() - started:.0f} s of CPU", flush=True)
        night = quantities(counter, model, day.as_unit("us"), margin=given.margin)
        for waste, sums in totals.items():
            for name, yuan in realised(night, margin=given.margin, waste=waste).items():
                sums[name] += yuan
    report = {waste: summed(sums) for waste, sums in totals.items()}
    report = {"margin": given.margin, "nights": len(days), "cpu_seconds": time.process_time() - started, **report}
    for waste in totals:
        print(f"\nleft-overs {waste}: ours {report[waste]['saved']:.1%} below the best rule of thumb")
        print(f"{'':18}{'shortage':>12}{'waste':>12}{'total yuan':>12}{'above foresight':>17}")
        for name, row in report[waste]["methods"].items():
            shown = f"{row['shortage']:>12,.0f}{row['waste']:>12,.0f}{row['total']:>12,.0f}"
            print(f"{name:18}{shown}{row['total'] - report[waste]['methods']['foresight']['total']:>17,.0f}")
    if given.json:
        given.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


def summed(sums: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return each method's yuan and how far ours lies below the best rule of thumb."""
    methods = {
        name: {"shortage": float(yuan[0]), "waste": float(yuan[1]), "total": float(yuan.sum())}
        for name, yuan in sums.items()
    }
    best = min(methods[name]["total"] for name in METHODS[1:4])
    return {"methods": methods, "saved": 1.0 - methods["ours"]["total"] / best}


if __name__ == "__main__":
    main()
