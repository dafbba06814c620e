"""Errors nobody foresaw: the caller gets a problem with the id of the log line, and nothing around it is left out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from api.app import create_app
from api.logs import JsonLines, TextLines
from contracts.errors import StoreError
from contracts.settings import Settings
from store.database import Database


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Return a client of an app without a service, two of whose paths break."""
    app = create_app(Settings())

    @app.get("/v1/broken/{part}")
    def broken(part: str) -> None:
        raise ZeroDivisionError(part)

    @app.get("/v1/half")
    def half(request: Request) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"one"
            raise ZeroDivisionError("two")

        return StreamingResponse(parts())

    return TestClient(app, raise_server_exceptions=False)


def test_an_unforeseen_error_is_a_problem_like_any_other(broken: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """The answer has the id and the protection of every answer; it is counted, has its access line, and its trace."""
    with caplog.at_level(logging.INFO, "api"):
        answer = broken.get("/v1/broken/x", headers={"X-Request-ID": "r-17"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "r-17"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    app: Any = broken.app
    assert 'tuancai_requests_total{method="GET",route="/v1/broken/{part}",status="500"} 1' in list(
        app.state.requests.lines()
    )
    access, error = (record for record in caplog.records if record.name == "api.middleware")
    assert access.getMessage() == "GET /v1/broken/x 500"
    assert error.exc_info is not None
    for record in (access, error):
        assert record.facts["request_id"] == "r-17"  # type: ignore[attr-defined]
        assert "r-17" in TextLines().format(record)
        assert '"request_id": "r-17"' in JsonLines().format(record)
    assert "ZeroDivisionError: x" in TextLines().format(error)


def test_an_answer_that_breaks_off_is_counted_and_logged(broken: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """After the first part there is no other answer to give; the line breaks, and log and metrics have it."""
    with caplog.at_level(logging.INFO, "api"):
        broken.get("/v1/half", headers={"X-Request-ID": "r-18"})
    app: Any = broken.app
    assert any('route="/v1/half"' in line for line in app.state.requests.lines())
    assert [r.levelname for r in caplog.records if r.name == "api.middleware"] == ["INFO", "ERROR"]


def test_foreseen_errors_of_the_service_are_logged_with_the_id(
    fresh: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A 503 has its trace in the log under the request's id."""

    def away(**_page: object) -> None:
        raise StoreError("the database is away")

    monkeypatch.setattr(fresh.client.app.state.service.store, "plan_page", away)
    with caplog.at_level(logging.ERROR, "api"):
        answer = fresh.get("/v1/plans", headers={"X-Request-ID": "r-19"})
    assert answer.status_code == 503
    assert [record.facts["request_id"] for record in caplog.records] == ["r-19"]  # type: ignore[attr-defined]


def test_lines_without_a_request_are_as_they_were() -> None:
    """Only lines of a request end with an id."""
    record = logging.LogRecord("api", logging.INFO, "f", 1, "worker %s", ("w",), None)
    assert TextLines().format(record).endswith("INFO api: worker w")


def test_no_free_connection_is_the_stores_error(tmp_path: Any) -> None:
    """A pool that is used up is told as any other failure of the store (503), not as an unforeseen one."""
    engine = sa.create_engine(
        f"sqlite:///{tmp_path}/x.sqlite", poolclass=sa.pool.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    database = Database(engine)
    with database.reading(), pytest.raises(StoreError, match="No connection"), database.reading():
        pass
    database.close()
