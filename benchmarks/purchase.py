"""How good and how fast purchase plans are: cost, proven bound, gap, and two practices on the same instance.

python benchmarks/purchase.py --size 500x30x3 --seed 1 --seconds 60 --json out.json
python benchmarks/purchase.py --size 500x30x3 --seeds 0..4 --seconds 60 --json out.json   (a process per seed)
python benchmarks/purchase.py --world DIR --json out.json
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from contracts.errors import InputError
from contracts.flow import OrderBook
from contracts.settings import CitySettings
from contracts.solve import SolveLimits, relative_gap
from contracts.world import REFERENCE_TABLES, Reference
from optimize.purchase import PurchaseData, allocate, check, purchase_data
from purchase_instances import make_instance
from purchase_practices import cheapest_price, plain_milp


def read_purchase_world(directory: Path) -> PurchaseData:
    """Return the purchase problem of a directory of contract tables; it needs ``order_book`` besides the reference."""
    tables: dict[str, Any] = {}
    for name, contract in {**REFERENCE_TABLES, "order_book": OrderBook}.items():
        for ending, read in ((".parquet", pd.read_parquet), (".csv", pd.read_csv)):
            path = directory / f"{name}{ending}"
            if path.exists():
                tables[name] = contract.check(read(path))
                break
        else:
            tables[name] = contract.empty()
    book = tables.pop("order_book")
    book = book[book["level"] == "warehouse"]
    if not len(book):
        raise InputError(f"{directory} has no order_book.csv or order_book.parquet with warehouse rows.")
    last = book["delivery_date"].max()
    book = book[book["delivery_date"] == last]
    return purchase_data(
        Reference(**tables).check(), book, delivery_date=last, as_of=book["as_of"].max(), city=CitySettings()
    )


def measure(data: PurchaseData, *, seconds: float, seed: int, workers: int, practices: bool) -> dict[str, Any]:
    """Return the figures of one instance."""
    started, busy = time.perf_counter(), time.process_time()
    plan = allocate(data, limits=SolveLimits(seconds=seconds, seed=seed, gap=1e-4, workers=workers))
    spent, busy = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    found: dict[str, Any] = {
        "status": str(plan.report.status),
        "cost": plan.costs["total"],
        "bound": plan.report.bound_yuan,
        "gap": relative_gap(plan.costs["total"], plan.report.bound_yuan),
        "seconds": spent,
        "cpu_seconds": busy,
        "peak_rss_mb": peak,
        "violations": len(check(data, plan)),
        "stopped_by": plan.report.stopped_by,
        "cells": len(data.cells),
        "offers": len(data.offers),
        "lines": len(plan.lines),
        "costs": plan.costs,
        "practices": {"cheapest_price": cheapest_price(data)},
    }
    if practices:
        print(f"plain model, up to {seconds:.0f} s ...", flush=True)
        found["practices"]["plain_milp"] = plain_milp(data, seconds=seconds)
    return found


def every_seed(given: argparse.Namespace) -> None:
    """Run each seed in a process of its own, print a table and write all figures as one list."""
    first, last = (int(part) for part in given.seeds.split(".."))
    rows = []
    for seed in range(first, last + 1):
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            options = ["--size", given.size, "--seed", str(seed), "--seconds", str(given.seconds)]
            options += ["--workers", str(given.workers), "--json", file.name]
            plain = ["--no-plain"] if given.no_plain else []
            subprocess.run([sys.executable, __file__, *options, *plain], check=True, stderr=subprocess.DEVNULL)
            rows.append(json.loads(Path(file.name).read_text(encoding="utf-8")))
    heads = f"{'seed':>4}{'cost':>14}{'gap':>9}{'seconds':>9}{'CPU':>7}"
    print(heads + f"{'MB':>7}{'broken':>8}{'cheapest':>10}{'plain gap':>11}")
    for row in rows:
        extra = row["practices"]["cheapest_price"]["cost"] / row["cost"] - 1.0
        plain = row["practices"].get("plain_milp", {}).get("gap")
        shown = "-" if plain is None else f"{plain:.2%}"
        print(
            f"{row['seed']:>4}{row['cost']:>14,.0f}{row['gap']:>9.3%}{row['seconds']:>9.1f}{row['cpu_seconds']:>7.0f}"
            f"{row['peak_rss_mb']:>7.0f}{row['violations']:>8}{extra:>10.1%}{shown:>11}"
        )
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def main() -> None:
    """Read the arguments, measure, print a table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--size", help="SKUs x suppliers x warehouses, e.g. 100x15x2, 500x30x3, 2000x80x4")
    source.add_argument("--world", type=Path, help="directory of contract tables with an order_book")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", help="FIRST..LAST: one process per seed, and a table of all")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-plain", action="store_true", help="leave the plain model out (it takes --seconds again)")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.seeds:
        every_seed(given)
        return
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    data = make_instance(given.size, seed=given.seed) if given.size else read_purchase_world(given.world)
    found = measure(data, seconds=given.seconds, seed=given.seed, workers=given.workers, practices=not given.no_plain)
    found = {"size": given.size, "world": str(given.world or ""), "seed": given.seed, "limit": given.seconds, **found}
    print(f"{'':16}{'cost':>16}{'bound':>16}{'gap':>9}{'seconds':>10}")
    for name, row in {"allocate": found, **found["practices"]}.items():
        figures = [row["cost"], row["bound"]]
        shown = "".join(f"{'-' if f is None else format(f, ',.0f'):>16}" for f in figures)
        gap = "-" if row["gap"] is None else f"{row['gap']:.2%}"
        print(f"{name:16}{shown}{gap:>9}{row['seconds']:>10.1f}")
    print(f"{found['violations']} violations, {found['peak_rss_mb']:.0f} MB, stopped by {found['stopped_by']}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
