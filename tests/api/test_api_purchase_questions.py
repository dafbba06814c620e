"""Questions about a plan's purchase over the wire: explain and what-if."""

from __future__ import annotations

from typing import Any

import pytest

from api.routes.purchase_questions import PurchaseExplained, WhatIfAnswer


def test_a_purchase_is_explained(admin: Any, plan_id: str) -> None:
    """The parts are there, the rebates by supplier among them, and no input has changed since."""
    found = PurchaseExplained.model_validate(admin.get(f"/v1/plans/{plan_id}/explain").json())
    assert found.stale == []
    assert found.confirmed_yuan > 0
    assert {"supplier_id", "spend_yuan", "next_from_yuan"} <= set(found.rebates[0])


def test_a_what_if_says_what_changes_and_keeps_nothing(admin: Any, plan_id: str) -> None:
    """Half as much demand again costs more; the number of plans stays."""
    before = admin.get("/v1/plans").json()["total"]
    answer = admin.post(f"/v1/plans/{plan_id}/what-if", json={"demand_factor": {"*": 1.5}, "seconds": 5})
    found = WhatIfAnswer.model_validate(answer.json())
    assert found.costs_after["total"] > found.costs_before["total"]
    assert admin.get("/v1/plans").json()["total"] == before


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"without_suppliers": ["nobody"]}, 422),
        ({"price_factor": {"S1": -1}}, 422),
        ({"lock": [["S1", "K1"]]}, 422),
        ({"whatever": 1}, 422),
    ],
)
def test_a_what_if_about_nothing_is_refused(admin: Any, plan_id: str, asked: dict[str, Any], status: int) -> None:
    """An unknown supplier, a negative price, half a line, an unknown word."""
    answer = admin.post(f"/v1/plans/{plan_id}/what-if", json=asked)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_prices_are_for_those_who_may_read_them(keys: dict[str, Any], plan_id: str) -> None:
    """A warehouse lead may not ask what a purchase costs."""
    assert keys["warehouse_lead"].get(f"/v1/plans/{plan_id}/explain").status_code == 403
