"""Load the service as a busy evening does, on loopback, and reconcile every line afterwards.

A city is imported and trained, the service is started as `tuancai serve` starts it (API process and worker process),
plans are asked for one after the other so that one runs all the time, and meanwhile order lines are sent in batches at
a steady rate and readers look at plans, jobs and forecasts. At the end every line sent is counted in the store: none
lost, none twice (a share of the batches is sent a second time on purpose).

    python benchmarks/service.py --seconds 120 --rate 2000 --json service.json
    python benchmarks/service.py --world tiny --seconds 10 --json service.json
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

HERE = str(Path(__file__).parent)
sys.path[:] = [place for place in sys.path if place != HERE]  # benchmarks/forecast.py is not the package `forecast`

from api.rows import wire_frame
from contracts.settings import Settings
from pipeline.desk import PlanningDesk
from simulate import build_world

SERVE = """
import sys
from api.app import run_server
from contracts.settings import Settings
run_server(Settings.model_validate_json(sys.argv[1]))
"""
"""What `tuancai serve` does, with settings that are in no file: a fresh interpreter that loads nothing else."""
BATCH_LINES = 500
REPEATED = 10
"""Every so many batches one is sent again, as a client does that has not heard the answer."""


@dataclass
class Timings:
    """Seconds per call, by what was called, and what did not answer as it should."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def call(self, name: str, send: Callable[[], httpx.Response], *, good: tuple[int, ...] = (200,)) -> httpx.Response:
        """Time a call and note a wrong answer."""
        started = time.perf_counter()
        answer = send()
        self.seconds.setdefault(name, []).append(time.perf_counter() - started)
        if answer.status_code not in good:
            self.wrong.append(f"{name}: {answer.status_code} {answer.text[:200]}")
        return answer

    def summary(self) -> dict[str, dict[str, float]]:
        """Return count and milliseconds at the median, 99 % and worst, by call."""
        return {
            name: {
                "calls": len(times),
                "p50_ms": round(1000 * float(np.quantile(times, 0.5)), 1),
                "p99_ms": round(1000 * float(np.quantile(times, 0.99)), 1),
                "worst_ms": round(1000 * max(times), 1),
            }
            for name, times in self.seconds.items()
        }


def main() -> None:
    """Run the load and print what came of it."""
    asked = arguments()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="tuancai-load-") as place:
        folder = Path(place)
        settings = settings_in(folder, asked.url)
        console.print(f"world {asked.world}: build, import, train ...")
        world = build_world(asked.world, seed=0)
        desk = PlanningDesk.open(settings)
        desk.import_world(world)
        desk.train()
        day = pd.Timestamp(world.order_lines["delivery_date"].max())
        before = len(desk.store.order_lines())
        process = subprocess.Popen([sys.executable, "-c", SERVE, settings.model_dump_json()])
        try:
            ready_s = wait_until_ready(settings, process)
            outcome = load(settings, world.order_lines, day, asked)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        kept = desk.store.order_lines()
        outcome |= {"ready_seconds": round(ready_s, 2), "world": asked.world}
        outcome["lines_in_store"] = len(kept) - before
        outcome["lines_lost"] = outcome["lines_sent"] - outcome["lines_in_store"]
        outcome["lines_doubled"] = int(kept.duplicated(["order_id", "line_no"]).sum())
        outcome["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    show(console, outcome)
    if asked.json:
        asked.json.write_text(json.dumps(outcome, indent=2), encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", default="town", help="simulated city: tiny or town")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to load")
    parser.add_argument("--rate", type=float, default=2000.0, help="order lines per second")
    parser.add_argument("--readers", type=int, default=4, help="threads that read")
    parser.add_argument("--url", default="", help="SQLAlchemy URL; default SQLite in a temporary folder")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


def settings_in(folder: Path, url: str) -> Settings:
    """Return settings that keep everything in a folder, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(
        storage={
            "url": url or f"sqlite:///{folder}/tuancai.sqlite",
            "history": folder / "history",
            "models": folder / "models",
        },
        service={
            "port": port,
            "work": folder / "work",
            "admin_key_file": folder / "admin.key",
            "requests_per_minute": 1_000_000,
        },
    )


def wait_until_ready(settings: Settings, process: subprocess.Popen[bytes]) -> float:
    """Return the seconds from the start of the process until it answers."""
    started = time.perf_counter()
    while time.perf_counter() - started < 120 and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{settings.service.port}/ready", timeout=10).status_code == 200:
                return time.perf_counter() - started
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the service did not become ready within two minutes")


def load(settings: Settings, lines: pd.DataFrame, day: pd.Timestamp, asked: argparse.Namespace) -> dict[str, object]:
    """Ask for a plan, send lines at the rate, read beside it; return the figures."""
    key = settings.service.admin_key_file.read_text(encoding="utf-8").strip()
    address = f"http://127.0.0.1:{settings.service.port}"
    headers = {"Authorization": f"Bearer {key}"}
    timings, ended = Timings(), threading.Event()
    evening = (day - pd.Timedelta(hours=6)).tz_localize(settings.city.timezone)
    with httpx.Client(base_url=address, headers=headers, timeout=60) as http:
        plan = {"delivery_date": str(day.date()), "as_of": evening.isoformat()}
        first = http.post("/v1/plans", json=plan).json()
        while http.get(f"/v1/jobs/{first['job_id']}").json()["ended_at"] is None:
            time.sleep(0.2)  # a finished plan for the readers, before the load begins
        plan_id = http.get(f"/v1/jobs/{first['job_id']}").json()["outcome"]["plan_id"]
        jobs: list[dict[str, object]] = []
        threads = [
            threading.Thread(target=read, args=(address, headers, plan_id, first["job_id"], timings, ended))
            for _ in range(asked.readers)
        ]
        threads.append(threading.Thread(target=keep_planning, args=(address, headers, plan, evening, jobs, ended)))
        for thread in threads:
            thread.start()
        sent, behind_s, seconds = send(http, lines[lines["delivery_date"] == day], timings, asked)
        ended.set()
        for thread in threads:
            thread.join()
    return {
        "lines_sent": sent,
        "seconds": round(seconds, 1),
        "lines_per_second": round(sent / seconds),
        "behind_seconds": round(behind_s, 2),
        "plans_under_load": jobs,
        "wrong_answers": timings.wrong[:20],
        "calls": timings.summary(),
        "read_p99_ms": round(
            1000 * float(np.quantile([s for n, t in timings.seconds.items() if n != "POST orders" for s in t], 0.99)), 1
        ),
    }


def send(
    http: httpx.Client, day_lines: pd.DataFrame, timings: Timings, asked: argparse.Namespace
) -> tuple[int, float, float]:
    """Send batches at the rate; return lines sent (repeats not counted), the worst delay, and the seconds it took."""
    sample = wire_frame(day_lines.sample(BATCH_LINES, replace=True, random_state=0)).astype(object)
    rows = sample.where(sample.notna(), None).to_dict("records")
    every_s, started, sent, behind = BATCH_LINES / asked.rate, time.perf_counter(), 0, 0.0
    with Progress() as bars:
        task = bars.add_task("order lines", total=asked.rate * asked.seconds)
        number = 0
        while (now := time.perf_counter() - started) < asked.seconds:
            due = number * every_s
            behind = max(behind, now - due)
            time.sleep(max(due - now, 0))
            batch = {"lines": [row | {"order_id": f"load-{number}-{i}", "line_no": 1} for i, row in enumerate(rows)]}
            for _ in range(2 if number % REPEATED == 0 else 1):
                timings.call("POST orders", lambda b=batch: http.post("/v1/orders", json=b))  # type: ignore[misc]
            sent += BATCH_LINES
            number += 1
            bars.update(task, completed=sent)
    return sent, behind, time.perf_counter() - started


def keep_planning(
    address: str,
    headers: dict[str, str],
    plan: dict[str, object],
    evening: pd.Timestamp,
    jobs: list[dict[str, object]],
    ended: threading.Event,
) -> None:
    """Ask for a plan as of a minute later whenever the last one has ended; note how each stands at the end."""
    with httpx.Client(base_url=address, headers=headers, timeout=60) as http:
        while not ended.is_set():
            as_of = (evening + pd.Timedelta(minutes=1 + len(jobs))).isoformat()
            job_id = http.post("/v1/plans", json=plan | {"as_of": as_of}).json()["job_id"]
            while (job := http.get(f"/v1/jobs/{job_id}").json())["ended_at"] is None and not ended.wait(0.5):
                pass
            jobs.append({name: job[name] for name in ("state", "stage", "started_at", "ended_at")})


def read(
    address: str, headers: dict[str, str], plan_id: str, job_id: str, timings: Timings, ended: threading.Event
) -> None:
    """Read what planners and stations read, about twenty times a second per reader."""
    paths = {
        "GET plan": f"/v1/plans/{plan_id}",
        "GET job": f"/v1/jobs/{job_id}",
        "GET plans": "/v1/plans",
        "GET purchase orders": f"/v1/plans/{plan_id}/purchase-orders",
        "GET sorting": f"/v1/plans/{plan_id}/sorting?limit=500",
        "GET stops": f"/v1/plans/{plan_id}/stops",
        "GET coverage": f"/v1/plans/{plan_id}/coverage?limit=500",
    }
    with httpx.Client(base_url=address, headers=headers, timeout=60) as http:
        while not ended.is_set():
            for name, path in paths.items():
                timings.call(name, lambda p=path: http.get(p))  # type: ignore[misc]
                time.sleep(0.05)


def show(console: Console, outcome: dict[str, object]) -> None:
    """Print the figures as tables."""
    table = Table("call", "calls", "p50 ms", "p99 ms", "worst ms", title="Calls under load", title_justify="left")
    for name, row in outcome["calls"].items():  # type: ignore[attr-defined]
        table.add_row(name, *(str(row[column]) for column in ("calls", "p50_ms", "p99_ms", "worst_ms")))
    console.print(table)
    for name in ("lines_sent", "lines_per_second", "lines_lost", "lines_doubled", "behind_seconds", "read_p99_ms",
                 "ready_seconds", "peak_rss_mb", "plans_under_load", "wrong_answers"):  # fmt: skip
        console.print(f"{name}: {outcome[name]}")


if __name__ == "__main__":
    main()
