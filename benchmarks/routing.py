"""Routing quality against best-known solutions of published instances.

``python benchmarks/routing.py --data ../shared/datasets/routing --set CVRP --seconds 60 --json FILE``

Every instance enters through our own data classes, every plan leaves through our own check, and the cost is the one
that check recomputed. The gap is to the cost of the published routes, recomputed by the same arithmetic.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from contracts.errors import CheckFailedError
from contracts.solve import SolveLimits
from optimize.routing import route
from routing_instances import ROUNDING, Instance, read_instance


def solve(instance: Instance, limits: SolveLimits) -> dict[str, Any]:
    """Return the result row of one instance."""
    started, cpu = time.perf_counter(), time.process_time()
    found: list[str] = []
    cost, note = None, ""
    try:
        plan = route(instance.data, limits=limits)
        cost, note = plan.costs["total"], plan.report.stopped_by
        found = [f"{len(plan.unserved)} stops not served"] if len(plan.unserved) else []
    except CheckFailedError as broken:
        found = list(broken.findings)
    return {
        "name": instance.name,
        "stops": len(instance.data.warehouses[0].stops),
        "cost": None if found else cost,
        "best_known": instance.best_known,
        "published": instance.published,
        "gap": None if found or cost is None else cost / instance.best_known - 1.0,
        "feasible": not found,
        "findings": found[:5],
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "stopped_by": note,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run one set, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/datasets/routing"))
    parser.add_argument("--set", choices=sorted(ROUNDING), default="CVRP", dest="family")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--work", type=int, default=None, help="iterations instead of seconds, for a repeatable run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--names", nargs="*", default=None, help="only these instances")
    parser.add_argument("--limit", type=int, default=None, help="only the first so many")
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args(arguments)
    files = sorted((asked.data / asked.family).glob("*.vrp"))
    if asked.names:
        files = [file for file in files if file.stem in asked.names]
    files = files[: asked.limit]
    if not files:
        print(f"No instances of {asked.family} in {asked.data}: place the routing data set there.", file=sys.stderr)
        return 2
    limits = SolveLimits(seconds=asked.seconds, work=asked.work, seed=asked.seed, workers=asked.workers)
    rows = []
    print(f"{'instance':16} {'cost':>14} {'best known':>14} {'gap':>7} {'seconds':>8}  feasible", flush=True)
    for number, file in enumerate(files, start=1):
        print(f"[{number}/{len(files)}] {file.stem} ...", end="\r", flush=True)
        row = solve(read_instance(file, asked.family), limits)
        rows.append(row)
        gap = "-" if row["gap"] is None else f"{row['gap']:.2%}"
        cost = "-" if row["cost"] is None else f"{row['cost']:.0f}"
        print(
            f"{row['name']:16} {cost:>14} {row['best_known']:>14.0f} {gap:>7} {row['seconds']:8.1f}  {row['feasible']}",
            flush=True,
        )
    gaps = [row["gap"] for row in rows if row["gap"] is not None]
    result = {
        "set": asked.family,
        "seconds": asked.seconds,
        "workers": asked.workers,
        "load_average_at_end": os.getloadavg()[0],
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "mean_gap": sum(gaps) / len(gaps) if gaps else None,
        "worst_gap": max(gaps, default=None),
        "infeasible": sum(not row["feasible"] for row in rows),
        "instances": rows,
    }
    if gaps:
        print(f"mean gap {result['mean_gap']:.2%}, worst {result['worst_gap']:.2%} over {len(gaps)} instances")
    if asked.json is not None:
        asked.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
