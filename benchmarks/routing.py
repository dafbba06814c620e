"""Routing quality against best-known solutions of published instances.

``python benchmarks/routing.py --data ../shared/datasets/routing --set CVRP|...|all --seconds 60 --json FILE``

A run that was stopped goes on where it was when it is started again with the same effort and the same ``--json``.

Every instance enters through our own data classes, every plan leaves through our own check, and the cost is the one
that check recomputed. The gap is to the cost of the published routes, recomputed by the same arithmetic.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from contracts.errors import CheckFailedError
from contracts.solve import SolveLimits
from footprint import Footprint
from optimize.routing import route
from routing_instances import ROUNDING, Instance, read_instance


def solve(instance: Instance, limits: SolveLimits) -> dict[str, Any]:
    """Return the result row of one instance."""
    found: list[str] = []
    cost, note = None, ""
    with Footprint() as spent:
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
        "seconds": spent.seconds,
        "cpu_seconds": spent.cpu_seconds,
        "peak_rss_mb": spent.peak_mb,
        "stopped_by": note,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run one set or all, print a table, write JSON after every instance; what the JSON holds already is not run."""
    asked = _asked(arguments)
    families = sorted(ROUNDING) if asked.family == "all" else [asked.family]
    work = [(family, file) for family in families for file in sorted((asked.data / family).glob("*.vrp"))]
    if asked.names:
        work = [(family, file) for family, file in work if file.stem in asked.names]
    work = work[: asked.limit]
    if not work:
        print(f"No instances of {asked.family} in {asked.data}: place the routing data set there.", file=sys.stderr)
        return 2
    limits = SolveLimits(seconds=asked.seconds, work=asked.work, seed=asked.seed, workers=asked.workers)
    effort = limits.model_dump(mode="json", exclude={"gap"})
    rows = _known(asked.json, effort)
    done = {(row["set"], row["name"]) for row in rows}
    print(f"{'set':9} {'instance':16} {'cost':>14} {'best known':>14} {'gap':>7} {'seconds':>8}  feasible", flush=True)
    for number, (family, file) in enumerate(work, start=1):
        if (family, file.stem) in done:
            continue
        print(f"[{number}/{len(work)}] {file.stem} ...", end="\r", flush=True)
        row = {"set": family, **solve(read_instance(file, family), limits), "load_average": os.getloadavg()[0]}
        rows.append(row)
        gap = "-" if row["gap"] is None else f"{row['gap']:.2%}"
        cost = "-" if row["cost"] is None else f"{row['cost']:.0f}"
        print(
            f"{family:9} {row['name']:16} {cost:>14} {row['best_known']:>14.0f} {gap:>7} {row['seconds']:8.1f}  "
            f"{row['feasible']}",
            flush=True,
        )
        _write(asked.json, _result(asked.family, effort, rows))
    result = _result(asked.family, effort, rows)
    _write(asked.json, result)
    for family, figures in result["sets"].items():
        if figures["mean_gap"] is not None:
            print(
                f"{family:9} mean gap {figures['mean_gap']:.2%}, worst {figures['worst_gap']:.2%} over "
                f"{figures['instances']} instances, {figures['infeasible']} infeasible"
            )
    return 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/datasets/routing"))
    parser.add_argument("--set", choices=["all", *sorted(ROUNDING)], default="CVRP", dest="family")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--work", type=int, default=None, help="iterations instead of seconds, for a repeatable run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--names", nargs="*", default=None, help="only these instances")
    parser.add_argument("--limit", type=int, default=None, help="only the first so many")
    parser.add_argument("--json", type=Path, default=None, help="written after each instance; a run goes on from it")
    return parser.parse_args(arguments)


def _known(path: Path | None, effort: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an earlier run with the same effort; none if there is no such file."""
    if path is None or not path.exists():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    if before.get("effort") != effort:
        print(f"{path} was made with {before.get('effort')}, asked is {effort}: starting anew.", file=sys.stderr)
        return []
    rows: list[dict[str, Any]] = before["instances"]
    return rows


def _result(asked: str, effort: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON: figures over everything and per set, then the instances."""
    families = sorted({row["set"] for row in rows})
    return {
        "set": asked,
        "seconds": effort["seconds"],
        "workers": effort["workers"],
        "effort": effort,
        "peak_rss_mb": max((row.get("peak_rss_mb", 0.0) for row in rows), default=0.0),
        **_figures(rows),
        "sets": {family: _figures([row for row in rows if row["set"] == family]) for family in families},
        "instances": rows,
    }


def _figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    gaps = [row["gap"] for row in rows if row["gap"] is not None]
    return {
        "instances": len(rows),
        "mean_gap": sum(gaps) / len(gaps) if gaps else None,
        "worst_gap": max(gaps, default=None),
        "infeasible": sum(not row["feasible"] for row in rows),
    }


def _write(path: Path | None, result: dict[str, Any]) -> None:
    """Write the JSON whole or not at all."""
    if path is not None:
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
