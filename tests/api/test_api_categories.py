"""Forecasts by category over the wire: every form of a list, filters, and a lead's own warehouse only."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest

DAY = "2026-04-22"
PATH = "/v1/forecasts/categories"


def rows(asker: Any, **asked: str) -> pd.DataFrame:
    """Return the rows of a page that holds all."""
    answer = asker.get(PATH, params={"delivery_date": DAY, "limit": 10_000, **asked})
    assert answer.status_code == 200, answer.text
    return pd.DataFrame(answer.json()["items"])


def test_sums_agree_with_the_skus_and_quantiles_rise(admin: Any) -> None:
    """Each place x category is the sum of its SKU rows; its quantiles are rising and its own."""
    goods = pd.DataFrame(admin.get("/v1/reference/skus", params={"limit": 1000}).json()["items"])
    parts = pd.DataFrame(admin.get("/v1/forecasts", params={"delivery_date": DAY, "limit": 10_000}).json()["items"])
    parts = parts.assign(category_id=parts["sku_id"].map(goods.set_index("sku_id")["category_id"]))
    key = ["level", "place_id", "category_id"]
    wanted = parts.groupby(key)["mean"].sum()
    found = rows(admin).set_index(key)
    assert len(found) == len(wanted)
    assert (found["mean"] - wanted).abs().max() < 1e-6
    assert (found["q05"] <= found["q50"]).all()
    assert (found["q50"] <= found["q99"]).all()


def test_every_form_of_a_list(admin: Any) -> None:
    """CSV and XLSX by suffix hold the same rows; the same again is a 304; filters choose."""
    params = {"delivery_date": DAY}
    sheet = admin.get(f"{PATH}.csv", params=params)
    table = pd.read_csv(io.StringIO(sheet.text))
    assert len(table) == len(rows(admin))
    book = pd.read_excel(io.BytesIO(admin.get(f"{PATH}.xlsx", params=params).content))
    assert len(book) == len(table)
    first = admin.get(PATH, params=params)
    assert admin.get(PATH, params=params, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    one = table["category_id"].iloc[0]
    assert set(rows(admin, level="area", category_id=one)[["level", "category_id"]].to_numpy()[0]) == {"area", one}
    assert admin.get(PATH, params=params | {"level": "city"}).status_code == 422
    assert rows(admin, place_id="nowhere").empty


def test_a_lead_sees_the_own_warehouse_only(keys: dict[str, Any]) -> None:
    """Rows of W1 at warehouse level, whatever is left out; other levels and warehouses are refused."""
    lead = keys["warehouse_lead"]
    seen = rows(lead)
    assert set(seen["level"]) == {"warehouse"}
    assert set(seen["place_id"]) == {"W1"}
    for more in ({"level": "community"}, {"level": "area"}, {"place_id": "W2"}, {"place_id": "C1"}):
        assert lead.get(PATH, params={"delivery_date": DAY, **more}).status_code == 403
    assert len(rows(keys["planner"])) > len(seen)
    assert lead.get("/v1/forecasts", params={"delivery_date": DAY}).status_code == 403


@pytest.mark.parametrize("day", ["2026-13-01", "", "tomorrow"])
def test_nonsense_is_no_date(admin: Any, day: str) -> None:
    """A date that is none is a 422 with the parameter's name."""
    answer = admin.get(PATH, params={"delivery_date": day})
    assert answer.status_code == 422
    assert "delivery_date" in answer.text
