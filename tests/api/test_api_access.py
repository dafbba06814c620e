"""Who may what: every endpoint states a duty, and every role is tried on every endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from fastapi.routing import APIRoute

from api.access import DUTIES, Duty, Holder, Role
from api.problems import ServiceError
from api.routes import ROUTERS
from contracts.errors import StoreError

OPEN = {"/health", "/ready"}
"""Paths that need no key: a load balancer asks them."""


def routes() -> Iterator[APIRoute]:
    """Yield every endpoint of the API."""
    for router in ROUTERS:
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def duty_of(route: APIRoute) -> Duty | None:
    """Return the duty an endpoint states, None if it states none."""
    found = [getattr(d.call, "duty", None) for d in route.dependant.dependencies]
    stated = [duty for duty in found if duty is not None]
    assert len(stated) <= 1
    return stated[0] if stated else None


def concrete(path: str) -> str:
    """Return a path with something in place of its parameters."""
    for name in ("plan_id", "other_id", "job_id", "key_id", "table", "import_id"):
        path = path.replace("{" + name + "}", "none")
    return path


def with_plan(path: str, plan_id: str) -> str:
    """Return a path with a real plan in place of its plan."""
    return concrete(path.replace("{plan_id}", plan_id))


ENDPOINTS = [(method, r.path, duty_of(r)) for r in routes() for method in sorted(r.methods or ())]


def test_every_endpoint_states_its_duty() -> None:
    """No endpoint is open by oversight."""
    assert {path for _, path, duty in ENDPOINTS if duty is None} == OPEN


def test_every_duty_is_somebodys() -> None:
    """Each duty is used by an endpoint and had by the admin; no role but admin has all."""
    assert {duty for _, _, duty in ENDPOINTS} - {None} == set(Duty)
    assert DUTIES[Role.ADMIN] == set(Duty)
    assert all(DUTIES[role] < set(Duty) for role in Role if role is not Role.ADMIN)


@pytest.mark.parametrize(("method", "path", "duty"), [e for e in ENDPOINTS if e[2]], ids=lambda v: str(v))
def test_role_by_endpoint(keys: dict[str, Any], method: str, path: str, duty: Duty) -> None:
    """Without a key 401, without the duty 403, with it anything else."""
    admin = keys["admin"]
    assert admin.client.request(method, concrete(path)).status_code == 401
    for role in Role:
        status = keys[role.value](method, concrete(path)).status_code
        if duty in DUTIES[role]:
            assert status not in (401, 403, 500), (role, status)
        else:
            assert status == 403, role


PLAN_READS = sorted({p for m, p, duty in ENDPOINTS if m == "GET" and "{plan_id}" in p and duty})
OFFICE = ("/v1/jobs", "/v1/jobs/{job_id}", "/v1/jobs/{job_id}/events", "/v1/settings", "/v1/metrics", "/v1/reference")


@pytest.mark.parametrize("path", PLAN_READS)
def test_role_by_endpoint_of_a_real_plan(keys: dict[str, Any], plan_id: str, path: str) -> None:
    """The same with a plan that is there, so that what a role sees of it is worked out: never a server error."""
    duty = next(duty for method, p, duty in ENDPOINTS if (method, p) == ("GET", path))
    for role in Role:
        answer = keys[role.value].get(with_plan(path, plan_id))
        assert (answer.status_code == 403) == (duty not in DUTIES[role]), (role, answer.text)
        assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("path", OFFICE)
def test_a_lead_reads_nothing_of_the_office(keys: dict[str, Any], path: str) -> None:
    """Jobs (with what-if requests), settings, metrics and the state of reference data are not for the floor."""
    assert keys["warehouse_lead"].get(concrete(path)).status_code == 403
    assert keys["warehouse_lead"].get("/v1/me").json()["warehouse_id"] == "W1"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer tc_0_0", "Basic dTpw", "Bearer", ""])
def test_wrong_keys_are_refused(admin: Any, header: str) -> None:
    """A key that was never made opens nothing, and the answer says how to send one."""
    answer = admin.client.get("/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_revoked_key_opens_nothing(admin: Any) -> None:
    """A key works until it is revoked; the list shows it and never the key itself."""
    made = admin.post("/v1/keys", json={"name": "guest", "role": "planner"}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert admin.client.get("/v1/me", headers=headers).json()["role"] == "planner"
    assert admin("DELETE", f"/v1/keys/{made['key_id']}").json()["revoked_at"] is not None
    assert admin.client.get("/v1/me", headers=headers).status_code == 401
    assert made["key"] not in admin.get("/v1/keys").text
    assert admin("DELETE", "/v1/keys/none").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "x", "role": "warehouse_lead"},
        {"name": "x", "role": "planner", "warehouse_id": "W1"},
        {"name": "", "role": "planner"},
        {"name": "x", "role": "king"},
    ],
)
def test_key_without_sense_is_not_made(admin: Any, asked: dict[str, Any]) -> None:
    """A lead without a warehouse, a planner with one, no name or an unknown role is 422."""
    assert admin.post("/v1/keys", json=asked).status_code == 422


def test_warehouse_lead_sees_the_own_warehouse_only(keys: dict[str, Any], plan_id: str) -> None:
    """A lead of W1 gets W1 without asking, and 403 for another; a lead elsewhere sees nothing of W1."""
    lead, admin = keys["warehouse_lead"], keys["admin"]
    for name, column in (
        ("loads", "warehouse_id"),
        ("sorting", "warehouse_id"),
        ("routes", "base_id"),
        ("stops", "base_id"),
    ):
        own = lead.get(f"/v1/plans/{plan_id}/{name}").json()["items"]
        assert {row[column] for row in own} == {"W1"}
        assert lead.get(f"/v1/plans/{plan_id}/{name}", params={column: "W2"}).status_code == 403
    made = admin.post("/v1/keys", json={"name": "far", "role": "warehouse_lead", "warehouse_id": "W9"}).json()
    far = type(admin)(admin.client, made["key"])
    assert far.get(f"/v1/plans/{plan_id}/sorting").json()["total"] == 0
    task = {"warehouse_id": "W1", "temperature_zone": "ambient", "wave": 1, "station": 1, "slot": 1, "sku_id": "S1"}
    report = {"tasks": [task | {"units_done": 1.0}]}
    assert far.post(f"/v1/plans/{plan_id}/sorting/progress", json=report).status_code in (403, 409)


def test_own_bases_rule() -> None:
    """A lead's bases are the own warehouse and the depots it feeds; others see the base they ask for, or all."""
    lead = Holder("k", "n", Role.WAREHOUSE_LEAD, "W1")

    def depots() -> pd.DataFrame:
        return pd.DataFrame({"depot_id": ["D1", "D2", "D3"], "warehouse_id": ["W1", "W2", "W1"]})

    assert lead.own_bases(None, depots) == {"W1", "D1", "D3"}
    assert lead.own_bases("D3", depots) == {"D3"}
    assert Holder("k", "n", Role.PLANNER).own_bases("D2", depots) == {"D2"}
    assert Holder("k", "n", Role.PLANNER).own_bases(None, depots) is None
    for other in ("W2", "D2", "D9"):
        with pytest.raises(ServiceError, match=other):
            lead.own_bases(other, depots)


def test_own_warehouse_rule() -> None:
    """The rule itself: others see what they ask for, a lead the own warehouse or an error."""
    lead = Holder("k", "n", Role.WAREHOUSE_LEAD, "W1")
    assert lead.own_warehouse(None) == lead.own_warehouse("W1") == "W1"
    assert Holder("k", "n", Role.PLANNER).own_warehouse("W2") == "W2"
    with pytest.raises(ServiceError, match="W2"):
        lead.own_warehouse("W2")


def test_first_admin_key_is_made_once_and_private(fresh: Any, tmp_path: Any, settings_in: Any, service_on: Any) -> None:
    """The first start writes one key that only its owner can read; the next start makes none."""
    path = tmp_path / "admin.key"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    with service_on(settings_in(tmp_path)) as again:
        assert again.key == before.strip()
        assert again.get("/v1/keys").json()["total"] == 1


def test_a_key_that_cannot_be_kept_is_not_made(tmp_path: Any, settings_in: Any, service_on: Any) -> None:
    """Where the file cannot be written the start fails, and the next one makes the key."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    settings = settings_in(tmp_path, admin_key_file=blocked / "admin.key")
    with pytest.raises(StoreError, match=r"admin_key_file"), service_on(settings):
        pass
    blocked.unlink()
    with service_on(settings) as admin:
        assert admin.get("/v1/keys").json()["total"] == 1


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc", "/docs/oauth2-redirect"])
def test_the_documentation_is_for_those_with_a_key(admin: Any, path: str) -> None:
    """Without one the document is 401 and its page leads to the login, as docs/service.md says."""
    answer = admin.client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("location")) in ((401, None), (303, "/login"), (404, None))
    assert "/v1/plans" not in answer.text
    assert path != "/openapi.json" or "/v1/plans" in admin.get(path).json()["paths"]


def test_audit_log_tells_who_did_what(admin: Any, plan_id: str) -> None:
    """Asking for the plan and making keys are in the log with request ids."""
    entries = admin.get("/v1/audit", params={"limit": 1000}).json()["items"]
    assert {"make first admin key", "ask for plan"} <= {entry["action"] for entry in entries}
    assert all(entry["request_id"] for entry in entries if entry["action"] == "ask for plan")
