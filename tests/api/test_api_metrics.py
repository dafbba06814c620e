"""Seen from outside: Prometheus metrics and structured logs."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

import api.examples
import api.metrics
import api.pages.cells
import api.paging
import api.problems
import api.rows
from api.logs import JsonLines
from api.metrics import RequestCounts

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)*\})? -?[0-9.e+-]+$')


def test_metrics_are_prometheus_text_and_count_by_pattern(admin: Any, plan_id: str) -> None:
    """Every line parses; requests are counted under their pattern, jobs under their state."""
    admin.get(f"/v1/plans/{plan_id}/loads.csv")
    text = admin.get("/v1/metrics").text
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(SAMPLE.match(line) for line in samples), [line for line in samples if not SAMPLE.match(line)]
    assert 'tuancai_requests_total{method="GET",route="/v1/plans/{plan_id}/loads",status="200"}' in text
    assert 'tuancai_jobs{kind="plan",state="done"}' in text
    assert 'tuancai_stage_seconds{stage="purchase"}' in text
    assert plan_id not in text


def test_histogram_is_cumulative() -> None:
    """Each bucket holds what is at most its bound; the last holds all."""
    counts = RequestCounts()
    for seconds in (0.001, 0.2, 99.0):
        counts.add("GET", "/x", 200, seconds)
    found = [float(line.split()[-1]) for line in counts.lines() if line.startswith("tuancai_request_seconds_bucket")]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (1, 3)


def test_log_lines_are_json_with_ids() -> None:
    """A line for machines carries the sentence and the facts given beside it."""
    record = logging.LogRecord("api", logging.INFO, "f", 1, "GET %s", ("/v1/plans",), None)
    record.facts = {"request_id": "r1", "status": 200}
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["request_id"], line["status"]) == ("GET /v1/plans", "r1", 200)


@pytest.mark.parametrize(
    "module", [api.examples, api.metrics, api.pages.cells, api.paging, api.problems, api.rows], ids=lambda m: m.__name__
)
def test_examples_in_the_code_hold(module: Any) -> None:
    """Doctests of the service's modules."""
    import doctest

    assert doctest.testmod(module).failed == 0
