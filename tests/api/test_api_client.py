"""The typed client: the same verbs from a program, lists as frames, problems as errors."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from api.client import Client, ServiceProblemError
from contracts.world import World

DAY, EVENING = date(2026, 4, 22), datetime(2026, 4, 21, 10, tzinfo=UTC)


class Bridge(httpx.BaseTransport):
    """Carries the client's requests to the app in this process."""

    def __init__(self, app: TestClient) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = {k: v for k, v in request.headers.items() if k not in ("host", "content-length")}
        answer = self._app.request(request.method, str(request.url), content=request.read(), headers=sent)
        plain = {k: v for k, v in answer.headers.items() if k not in ("content-encoding", "content-length")}
        return httpx.Response(answer.status_code, headers=plain, content=answer.content)


def client_of(asker: Any) -> Client:
    """Return a client with an asker's key."""
    headers = {"Authorization": f"Bearer {asker.key}"}
    return Client(httpx.Client(base_url="http://testserver", headers=headers, transport=Bridge(asker.client)))


def test_plan_from_request_to_table(admin: Any, plan_id: str) -> None:
    """Ask, wait, read: the lists of the plan come as frames with timestamps."""
    service = client_of(admin)
    seen: list[float] = []
    job = service.wait(service.ask_plan(DAY, EVENING), every_s=0.05, told=lambda j: seen.append(j.fraction))
    assert job.outcome is not None
    assert (job.outcome["plan_id"], seen[-1]) == (plan_id, 1.0)
    assert plan_id in {plan.plan_id for plan in service.plans(delivery_date=DAY)}
    assert service.plan(plan_id).summary.plan_id == plan_id
    loads = service.table(plan_id, "loads", warehouse_id="W1")
    assert str(loads["starts_at"].dtype).startswith("datetime64")
    lines = service.table(plan_id, "tables/purchase_lines")
    assert lines["amount_yuan"].sum() == pytest.approx(service.table(plan_id, "suppliers")["amount_yuan"].sum())
    assert service.compare(plan_id, plan_id).lines_changed == 0


def test_demand_is_read_as_frames(admin: Any) -> None:
    """Forecast and order book of the same day agree on what is confirmed plus expected."""
    service = client_of(admin)
    expected = service.forecast(DAY, level="warehouse")
    book = service.order_book(DAY, EVENING, level="warehouse")
    assert set(expected["sku_id"]) == set(book["sku_id"])
    assert (book["final_mean"] - book["confirmed"] - book["remaining_mean"]).abs().max() < 1e-6
    assert (book["as_of"] == pd.Timestamp(EVENING)).all()


def test_orders_are_sent_in_batches_and_again(copied: Any, tiny: World, tmp_path: Path) -> None:
    """1,200 lines are three batches; sent again, or as a file, they change nothing."""
    service = client_of(copied)
    lines = tiny.order_lines.tail(1200)
    lines = lines.assign(order_id="again-" + lines["order_id"])
    first = service.add_orders(lines)
    assert [report.rows_new for report in first] == [500, 500, 200]
    lines.to_parquet(tmp_path / "lines.parquet")
    assert service.import_orders(tmp_path / "lines.parquet").rows_unchanged == 1200


def test_problems_are_errors(admin: Any) -> None:
    """A refusal carries the problem document, and a failed job raises its problem."""
    service = client_of(admin)
    with pytest.raises(ServiceProblemError, match="404") as found:
        service.plan("20000101-none")
    assert found.value.problem.status == 404
    early = service.ask_plan(DAY, datetime(2026, 4, 1, tzinfo=UTC))
    with pytest.raises(ServiceProblemError, match="orders open"):
        service.wait(early, every_s=0.05)
