"""Run every benchmark with the sizes docs/benchmarks.md reports, one JSON each into benchmarks/results/."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
DATASETS = HERE.parent.parent / "shared" / "datasets"

RUNS: dict[str, list[str]] = {
    "book_online_retail": [
        "book.py",
        "--orders",
        str(DATASETS / "online_retail" / "order_lines.parquet"),
        "--map",
        "InvoiceNo=order_id,StockCode=sku_id,Quantity=quantity,InvoiceDate=placed_at,UnitPrice=unit_price_yuan",
        "--drop",
        "order_id=C",
        "--timezone",
        "Europe/London",
        "--snapshots",
        "11:00,13:00,15:00",
        "--test-days",
        "50",
    ],
    "purchase_100": ["purchase.py", "--size", "100x15x2", "--seeds", "0..4", "--seconds", "60"],
    "purchase_500": ["purchase.py", "--size", "500x30x3", "--seeds", "0..4", "--seconds", "60", "--no-plain"],
    "purchase_2000": ["purchase.py", "--size", "2000x80x4", "--seeds", "0..4", "--seconds", "180", "--no-plain"],
    "purchase_produce": ["produce.py", "--data", str(DATASETS / "produce")],
    **{
        f"routing_{name.lower()}": ["routing.py", "--data", str(DATASETS / "routing"), "--set", name, "--seconds", "60"]
        for name in ("MTVRPTWR", "HFVRP", "MDVRPTW", "VRPTW", "CVRP")
    },
    "book_town": [
        "book.py",
        "--orders",
        "simulate:town",
        "--snapshots",
        "12:00,15:00,18:00,21:00",
        "--test-days",
        "50",
    ],
    "book_town_warehouse": [
        "book.py",
        "--orders",
        "simulate:town",
        "--level",
        "warehouse",
        "--snapshots",
        "12:00,15:00,18:00,21:00",
        "--test-days",
        "50",
    ],
    "book_city": ["book_scale.py"],
    "sorting_city": ["sorting.py", "--seeds", "0", "1", "2"],
    "service": ["service.py"],
    "night_city": ["night.py", "--preset", "city"],
    "night_city_direct": ["night.py", "--preset", "city_direct"],
    "night_town": ["night.py", "--preset", "town"],
    "forecast_m5": ["forecast.py", "--data", str(DATASETS / "m5"), "--train-until", "1913"],
}


def main() -> int:
    """Run the chosen benchmarks one after another; return the number that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *RUNS], help="Which; default all.")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    chosen = parser.parse_args()
    chosen.out.mkdir(exist_ok=True)
    failed = 0
    for name in chosen.names or RUNS:
        script, *options = RUNS[name]
        if any(str(DATASETS) in option for option in options) and not DATASETS.is_dir():
            print(f"{name}: skipped, needs the data sets beside the checkout (../shared/datasets)")
            continue
        print(f"== {name}", flush=True)
        done = subprocess.run(
            [sys.executable, str(HERE / script), *options, "--json", str(chosen.out / f"{name}.json")], check=False
        )
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
