"""The planner's pages and what surrounds every answer: sessions, headers, health, settings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.middleware import Buckets
from api.routes.system import Readiness
from api.serving import NOT_YET
from contracts.errors import StoreError


@pytest.fixture
def browser(admin: Any) -> Iterator[TestClient]:
    """Return a browser logged in with the admin's key, on the shared service."""
    client = TestClient(admin.client.app)
    assert client.post("/login", data={"key": admin.key}, follow_redirects=False).status_code == 303
    yield client
    client.post("/logout")


class Tags(HTMLParser):
    """Collects links and checks that tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_need_a_session(admin: Any, plan_id: str) -> None:
    """Without a session every page leads to the login; a wrong key opens none."""
    client = TestClient(admin.client.app)
    for path in ("/", f"/plans/{plan_id}"):
        answer = client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert client.post("/login", data={"key": "tc_wrong"}).status_code == 401
    assert not client.cookies


def test_plan_page_shows_the_plan_and_its_downloads_work(browser: TestClient, plan_id: str) -> None:
    """The page is whole HTML, names what a planner reads in both languages, and each link answers."""
    listed = browser.get("/").text
    assert plan_id in listed
    page = browser.get(f"/plans/{plan_id}")
    assert page.headers["content-type"].startswith("text/html")
    for words in ("Demand in units", "需求", "Cost in yuan", "Orders per supplier", "采购单", "Routes", "配送路线"):
        assert words in page.text
    tags = Tags()
    tags.feed(page.text)
    assert not tags.open
    assert len(tags.links) > 10
    for link in tags.links:
        assert browser.get(link).status_code == 200, link


def test_session_reads_but_does_not_act(browser: TestClient) -> None:
    """A cookie alone cannot ask for a plan, so that no other page can act through a browser; log out ends it."""
    assert browser.get("/v1/me").json()["role"] == "admin"
    assert browser.post("/v1/reference", json={"seed": 1}).status_code == 401
    browser.post("/logout")
    assert browser.get("/v1/me").status_code == 401


def test_lead_sees_no_prices_on_the_page(keys: dict[str, Any], plan_id: str) -> None:
    """The page follows the role: a warehouse lead sees loads and routes, not what goods cost."""
    client = TestClient(keys["admin"].client.app)
    client.post("/login", data={"key": keys["warehouse_lead"].key})
    page = client.get(f"/plans/{plan_id}").text
    assert "Loads per warehouse" in page
    assert "Orders per supplier" not in page
    assert "Cost in yuan" not in page


def test_unknown_plan_page_is_404(browser: TestClient) -> None:
    """A plan that does not exist is no server error."""
    assert browser.get("/plans/20000101-none").status_code == 404


def test_every_answer_carries_id_and_protection(admin: Any) -> None:
    """A request id, given or made, and the security headers are on good and bad answers alike."""
    for path in ("/health", "/nope", "/v1/me", "/login"):
        answer = admin.client.get(path, headers={"X-Request-ID": "abc-1"})
        assert answer.headers["x-request-id"] == "abc-1"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert admin.client.get("/health", headers={"X-Request-ID": "a b\\n"}).headers["x-request-id"] != "a b\\n"


def test_ready_tells_parts_without_a_key(admin: Any, fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready with a model; ready but told so without one; 503 when the database is away."""
    until = time.monotonic() + 30
    while (model := Readiness.model_validate(admin.client.get("/ready").json()).parts["model"]) == NOT_YET:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert model == "ok: version 1"
    told = fresh.client.get("/ready").json()
    assert told["ready"]
    assert told["parts"]["model"] != "ok"

    def away() -> None:
        raise StoreError("the database is away")

    monkeypatch.setattr(fresh.client.app.state.service.records.database, "reading", away)
    answer = fresh.client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == "the database is away"


def test_settings_are_shown_without_secrets(tmp_path: Any, settings_in: Any) -> None:
    """Passwords in addresses are starred."""
    from api.routes.system import shown_settings

    settings = settings_in(tmp_path, jobs_url="postgresql://me:geheim@db/jobs")
    shown = shown_settings(settings)
    assert "geheim" not in str(shown)
    assert shown["service"]["jobs_url"] == "postgresql://me:***@db/jobs"


def test_bucket_refills_and_forgets() -> None:
    """60 a minute: a burst of 60 passes, the next waits a second; a caller not heard of for long starts anew."""
    buckets = Buckets(per_minute=60, most_callers=2)
    assert [buckets.wait("a", now=0.0) for _ in range(60)] == [0.0] * 60
    assert buckets.wait("a", now=0.0) == pytest.approx(1.0)
    assert buckets.wait("a", now=1.0) == 0.0
    assert buckets.wait("b", now=1.0) == buckets.wait("c", now=1.0) == buckets.wait("a", now=1.0) == 0.0


def test_too_many_requests_are_told_to_wait(tmp_path: Any, settings_in: Any, service_on: Any) -> None:
    """Over the limit is 429 with Retry-After, and health is never limited."""
    with service_on(settings_in(tmp_path, requests_per_minute=3)) as admin:
        answers = [admin.get("/v1/me") for _ in range(5)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert admin.client.get("/health").status_code == 200
