"""The typed client: the same verbs from a program, lists as frames, problems as errors."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from fastapi.testclient import TestClient

import api.client
import api.client.calls
from api.app import create_app
from api.client import Client, ListChangedError, ServiceProblemError
from contracts.settings import Settings
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


def test_models_are_scored_and_changed(admin: Any) -> None:
    """A backtest's summary comes as a frame; a promotion that is refused raises its problem."""
    service = client_of(admin)
    job = service.wait(service.backtest(["seasonal_naive"], origins=1, horizon=2), every_s=0.05)
    assert set(service.backtest_table(job.job_id)["level"]) == {"community", "warehouse", "area"}
    for ask, words in ((service.promote, "serves already"), (service.rollback, "nothing to roll back to")):
        with pytest.raises(ServiceProblemError, match=words):
            service.wait(ask(note="a test"), every_s=0.05)


def test_categories_are_read_as_frames(admin: Any) -> None:
    """The sums of the SKU rows, level by level."""
    service = client_of(admin)
    sums = service.forecast_by_category(DAY, level="area").groupby("place_id")["mean"].sum()
    parts = service.forecast(DAY, level="area").groupby("place_id")["mean"].sum()
    assert (sums - parts).abs().max() < 1e-6


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


def test_every_path_of_the_client_is_one_of_the_service() -> None:
    """Each path in the client's code is in the OpenAPI document under the method it is sent with or as a list."""
    document = create_app(Settings()).openapi()["paths"]
    known = {re.sub(r"\{\w+\}", "{}", path) for path in document}
    code = "".join(path.read_text() for path in Path(api.client.__file__).parent.glob("*.py"))
    used = {re.sub(r"\{[^}]+\}", "{}", path) for path in re.findall(r'"(/v1/[^"]*)"', code)} - {"/v1/plans/{}/{}"}
    assert used <= known, used - known
    assert len(used) > 30


def test_the_rest_of_the_desk(copied: Any) -> None:
    """Reference rows with dates, keys, models, imports and the audit log by the client's verbs."""
    service = client_of(copied)
    service.add_reference("suppliers", service.reference("suppliers"))  # given now, not generated
    supplier = service.reference("suppliers").iloc[0]
    name, cost = str(supplier["supplier_id"]), float(supplier["order_cost_yuan"])
    row = {k: v for k, v in service.reference_row("suppliers", [name]).items() if k != "valid_from"}
    dearer = {**row, "order_cost_yuan": cost + 1}
    assert service.put_reference_row("suppliers", [name], dearer, valid_from=DAY).rows_new == 1
    rows = service.reference("suppliers")
    assert str(rows["valid_from"].dtype).startswith("datetime64")
    assert service.reference("suppliers", on=DAY).set_index("supplier_id")["order_cost_yuan"][name] == cost + 1
    assert service.remove_reference_row("suppliers", [name], valid_from=DAY)["order_cost_yuan"] == cost + 1
    assert service.add_reference("suppliers", rows.head(1)).rows_unchanged == 1
    assert len(service.reference_history("suppliers")) >= 2
    made = service.make_key("lead", "warehouse_lead", warehouse_id="W1")
    assert service.me().role == "admin"
    assert service.revoke_key(made.key_id).revoked_at is not None
    assert {"make key", "revoke key"} & set(service.audit()["action"])
    assert service.serving()
    assert service.models()
    assert len(service.imports()) >= 2
    assert len(service.orders(DAY)) > 0
    assert service.failures(str(service.imports().iloc[-1]["import_id"])).empty
    assert service.settings()["city"]["timezone"] == "Asia/Shanghai"


def test_a_plans_life_by_the_client(copied: Any) -> None:
    """Approved, withdrawn, approved, published, pulled and reported on; compared, explained and questioned."""
    service, desk = client_of(copied), copied.client.app.state.service.desk
    asked = service.ask_plan(DAY, EVENING)
    plan_id = desk.plan(pd.Timestamp(DAY).as_unit("us"), pd.Timestamp(EVENING).as_unit("us")).summary.plan_id
    assert service.approve(plan_id).state == "approved"
    assert service.withdraw(plan_id).state == "draft"
    service.approve(plan_id)
    assert service.publish(plan_id).state == service.state(plan_id).state == "published"
    pulled = service.assignments(DAY, warehouse_id="W1")
    assert (pulled.plan_id, len(pulled.tasks) > 0) == (plan_id, True)
    assert service.assignments(DAY, warehouse_id="W1", since=plan_id).tasks == []
    key = ["warehouse_id", "temperature_zone", "wave", "station", "slot", "sku_id"]
    task = service.table(plan_id, "sorting", warehouse_id="W1").head(1)
    version = service.report_progress(plan_id, task[key].assign(units_done=1.0)).version
    assert [one.units_done for one in service.progress(plan_id).tasks] == [1.0]
    assert service.progress(plan_id, since=version).tasks == []
    assert service.line_changes(plan_id, plan_id).empty
    assert service.explain(plan_id).confirmed_yuan > 0
    assert service.papers(plan_id)[:2] == b"PK"
    assert service.jobs(kind="plan")["job_id"].tolist() == [asked.job_id]
    assert service.cancel(asked.job_id).state == "cancelled"


class Growing(httpx.BaseTransport):
    """A list, the newest first, that gets a row before each of the first few requests."""

    def __init__(self, rows: int, *, grows: int) -> None:
        self.rows, self.grows = rows, grows

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.grows:
            self.rows, self.grows = self.rows + 1, self.grows - 1
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        newest_first = [{"row": row} for row in range(self.rows, 0, -1)]
        return httpx.Response(200, json={"items": newest_first[offset : offset + limit], "total": self.rows})


@pytest.mark.parametrize("grows", [0, 1, 2, 5])
def test_a_list_that_grows_while_it_is_read_has_each_row_once(monkeypatch: pytest.MonkeyPatch, grows: int) -> None:
    """Rows pushed onto the next page by a new one are not read twice."""
    monkeypatch.setattr(api.client.calls, "PAGE_ROWS", 3)
    with Client(httpx.Client(base_url="http://s", transport=Growing(10, grows=grows))) as service:
        assert service.rows("/v1/imports")["row"].tolist() == list(range(10 + grows, 0, -1))


def test_a_list_that_never_stands_still_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read a few times, then told; no rows are better than wrong ones."""
    monkeypatch.setattr(api.client.calls, "PAGE_ROWS", 3)
    with (
        Client(httpx.Client(base_url="http://s", transport=Growing(10, grows=10_000))) as service,
        pytest.raises(ListChangedError, match="/v1/imports"),
    ):
        service.rows("/v1/imports")
