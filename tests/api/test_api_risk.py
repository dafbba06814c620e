"""The risk table over the wire: outside estimates beside ours, and the plan before."""

from __future__ import annotations

from typing import Any


def test_outside_estimates_stand_beside_ours(admin: Any, plan_id: str) -> None:
    """A given estimate is shown in its row; an unknown SKU and a negative figure are problems."""
    path = f"/v1/plans/{plan_id}/risk"
    row = admin.get(path).json()["items"][0]
    key = {"warehouse_id": row["warehouse_id"], "sku_id": row["sku_id"]}
    answer = admin.post(path, json=[{**key, "units": 7.0}])
    assert answer.status_code == 200
    assert [r["outside_units"] for r in answer.json()["items"] if r["outside_units"] is not None] == [7.0]
    assert admin.post(path, json=[{**key, "sku_id": "nobody", "units": 7.0}]).status_code == 422
    assert admin.post(path, json=[{**key, "units": -1.0}]).status_code == 422


def test_the_first_plan_of_a_date_has_none_before(admin: Any, plan_id: str) -> None:
    """Asked what changed since the plan before, a date's first plan is a clear problem; reasons come in two tongues."""
    date = admin.get(f"/v1/plans/{plan_id}").json()["summary"]["delivery_date"]
    plans = admin.get("/v1/plans", params={"delivery_date": date, "limit": 1000}).json()["items"]
    path = f"/v1/plans/{min(plans, key=lambda plan: plan['as_of'])['plan_id']}/risk"  # other tests plan on this service
    assert admin.get(path, params={"changed_since": "previous"}).status_code == 404
    first = admin.get(path).json()["items"][0]
    assert first["reason"].endswith(".")
    assert first["reason_zh"].endswith("。")
