"""Mapping rules that a caller sends along: whatever they say is a report or a problem, never a server error."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from contracts.settings import Settings

DOCUMENTED = create_app(Settings()).openapi()["paths"]["/v1/orders/file"]["post"]["responses"]
HEADER = "order_id,line_no,placed_at,delivery_date,community_id,sku_id,quantity,unit_price_yuan\n"
ROW = "{},1,2026-04-21T02:00:00Z,2026-04-22,C1,S1,{},4.5\n"
STRANGE = st.one_of(
    st.text(max_size=20),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(["", "nan", "1e999", "\u0000", "2026-02-30", "../..", "%00", "9" * 400]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ODD = st.one_of(
    STRANGE,
    JSON,
    st.sampled_from(
        ["hex", "undefined", "(", "(a+)+$", "(?x)a", r"\Z", "a*+", "[[a]", "%Q", "A" * 5000, "\ud800", '"']
    ),
    st.sampled_from([10**30, -1, 0, 1e308, "1e400", True, ["a"] * 3]),
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "name": ODD,
        "file": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("encoding", "separator", "sheet", "header_row"), ODD)
        ),
        "time": st.fixed_dictionaries({}, optional={"timezone": ODD, "formats": st.lists(ODD, max_size=2)}),
        "columns": st.dictionaries(
            st.sampled_from(["sku_id", "quantity", "placed_at"]),
            ODD
            | st.fixed_dictionaries(
                {},
                optional={
                    "from": st.sampled_from(["sku_id", "quantity", "line_no"]),
                    "units": st.dictionaries(st.sampled_from(["箱", "件", "\ud800"]), ODD, max_size=2),
                    **dict.fromkeys(("unit", "factor", "decimals", "case", "blank"), ODD),
                },
            ),
            max_size=2,
        ),
        "constants": st.dictionaries(st.sampled_from(["quantity", "placed_at", "delivery_date", "x"]), ODD, max_size=2),
        "derive": st.dictionaries(
            st.sampled_from(["quantity", "delivery_date", "line_no", "community_id", "placed_at"]),
            st.one_of(
                st.fixed_dictionaries({"rule": st.just("bucket"), "of": st.just(["sku_id"]), "buckets": ODD}),
                st.fixed_dictionaries({"rule": st.just("join"), "of": st.just(["sku_id", "quantity"])}),
                st.fixed_dictionaries({"rule": st.just("number"), "within": st.sampled_from(["sku_id", "x"])}),
                st.fixed_dictionaries({"rule": st.just("delivery_day"), "cutoff": ODD, "extra_days": ODD}),
            ),
            max_size=2,
        ),
        "reject": st.lists(
            st.fixed_dictionaries(
                {"reason": st.just("r"), "when": st.just([])}
                | {
                    "when": st.lists(
                        st.fixed_dictionaries(
                            {"column": st.sampled_from(["sku_id", "quantity", "x"])},
                            optional=dict.fromkeys(("matches", "equals", "below", "missing"), ODD),
                        ),
                        max_size=2,
                    )
                }
            ),
            max_size=1,
        ),
        "cancellations": st.fixed_dictionaries(
            {"match": st.sampled_from([["sku_id"], ["quantity"], ["x"]])},
            optional={"order_id_matches": ODD, "negative_quantity": st.booleans()},
        ),
    },
)


def _workbook() -> bytes:
    packed = io.BytesIO()
    pd.DataFrame([{"order_id": "m", "line_no": 1, "sku_id": "S1", "quantity": "3箱"}] * 2).to_excel(packed, index=False)
    return packed.getvalue()


WORKBOOK = _workbook()


@settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
@given(rules=RULES, suffix=st.sampled_from(["csv", "xlsx"]))
def test_strange_mapping_rules_are_answered_as_documented(copied_once: Any, rules: Any, suffix: str) -> None:
    """Whatever a mapping says, in whatever field, is a report or a problem."""
    line = HEADER + ROW.format("m", "3箱") + ROW.format("C1", "-1")
    body = line.encode() if suffix == "csv" else WORKBOOK
    answer = copied_once.post(
        "/v1/orders/file",
        files={"file": (f"x.{suffix}", body)},
        data={"mapping_rules": json.dumps(rules)},
    )
    assert answer.status_code < 500, answer.text
    assert str(answer.status_code) in DOCUMENTED


@pytest.mark.parametrize(
    "rules",
    [
        {"file": {"encoding": "hex"}},
        {"file": {"encoding": "undefined"}},
        {"file": {"header_row": 10**30}},
        {"cancellations": {"order_id_matches": "(", "match": ["sku_id"]}},
        {"cancellations": {"order_id_matches": "a*+", "match": ["sku_id"]}},
        {"constants": {"quantity": "many"}},
        {"\ud800": 1},
        {"name": "\ud800"},
    ],
)
def test_mapping_rules_that_cannot_work_are_refused(copied_once: Any, rules: Any) -> None:
    """Each was a server error once."""
    body = (HEADER.replace("quantity,", "") if "constants" in rules else HEADER) + ROW.format("m", 3)
    answer = copied_once.post(
        "/v1/orders/file", files={"file": ("x.csv", body.encode())}, data={"mapping_rules": json.dumps(rules)}
    )
    assert answer.status_code == 422, answer.text


def test_a_number_of_thousands_of_digits_is_no_mapping(copied_once: Any) -> None:
    """Python refuses to read it, as JSON and as TOML."""
    for rules in ('{"file": {"header_row": ' + "9" * 5000 + "}}", "[file]\nheader_row = " + "9" * 5000):
        answer = copied_once.post(
            "/v1/orders/file", files={"file": ("x.csv", HEADER.encode())}, data={"mapping_rules": rules}
        )
        assert answer.status_code == 422, answer.text
