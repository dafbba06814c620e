"""What the service shows a Prometheus server: requests of this process, jobs, stages of the latest plan, imports."""

from __future__ import annotations

import bisect
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping

from api.service import Service

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the histogram's buckets; 0.2-0.3 s is what reads are held to, so the steps are fine there."""
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class RequestCounts:
    """Requests of this process by method, route and status, with a histogram of their seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS_S) + 1))
        self._sums: dict[str, float] = defaultdict(float)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is the pattern, not the path, so that ids do not make new series."""
        with self._lock:
            self._counts[method, route, status] += 1
            self._buckets[route][bisect.bisect_left(BOUNDS_S, seconds)] += 1
            self._sums[route] += seconds

    def lines(self) -> Iterable[str]:
        """Yield the counts in Prometheus' text form."""
        with self._lock:
            counts, buckets, sums = dict(self._counts), {r: list(b) for r, b in self._buckets.items()}, dict(self._sums)
        yield from head("tuancai_requests_total", "counter", "Requests answered by this process.")
        for (method, route, status), count in sorted(counts.items()):
            yield sample("tuancai_requests_total", count, {"method": method, "route": route, "status": str(status)})
        yield from head("tuancai_request_seconds", "histogram", "Seconds until the answer was complete.")
        for route, found in sorted(buckets.items()):
            below = 0
            for bound, count in zip((*BOUNDS_S, "+Inf"), found, strict=True):
                below += count
                yield sample("tuancai_request_seconds_bucket", below, {"route": route, "le": str(bound)})
            yield sample("tuancai_request_seconds_sum", sums[route], {"route": route})
            yield sample("tuancai_request_seconds_count", below, {"route": route})


def head(name: str, kind: str, meaning: str) -> list[str]:
    """Return the lines that introduce a metric."""
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]


def sample(name: str, value: float, labels: Mapping[str, str] | None = None) -> str:
    """Return one sample in Prometheus' text form.

    Examples
    --------
    >>> sample("up", 1, {"role": 'a"b'})
    'up{role="a\\\\"b"} 1'
    """
    told = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in (labels or {}).items())
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def exposition(service: Service, requests: RequestCounts) -> str:
    """Return all metrics as text; what is read from the database is as of now."""
    lines = list(requests.lines())
    lines += head("tuancai_jobs", "gauge", "Jobs by kind and state.")
    lines += [
        sample("tuancai_jobs", count, {"kind": kind, "state": state})
        for (kind, state), count in sorted(service.records.jobs.counts().items())
    ]
    lines += head("tuancai_import_rows", "gauge", "Rows of all imports by table and outcome.")
    for table, accepted, rejected in service.store.import_totals().itertuples(index=False):
        for outcome, rows in (("accepted", accepted), ("rejected", rejected)):
            lines.append(sample("tuancai_import_rows", int(rows), {"table": str(table), "outcome": outcome}))
    plans, total = service.store.plan_page(limit=1)
    lines += [*head("tuancai_plans", "gauge", "Plans in the store."), sample("tuancai_plans", total)]
    if plans:
        lines += head("tuancai_stage_seconds", "gauge", "Seconds of each stage of the latest plan.")
        lines += [sample("tuancai_stage_seconds", s.seconds, {"stage": s.stage}) for s in plans[0].stages]
        lines += head("tuancai_stage_gap", "gauge", "Proven gap of each stage of the latest plan, a fraction.")
        lines += [sample("tuancai_stage_gap", s.gap, {"stage": s.stage}) for s in plans[0].stages if s.gap is not None]
    return "\n".join(lines) + "\n"
