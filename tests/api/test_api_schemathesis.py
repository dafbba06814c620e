"""schemathesis against the OpenAPI document: no server error, no undocumented status, type or shape of an answer."""

from __future__ import annotations

import os
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from contracts.settings import Settings

EXAMPLES = int(os.environ.get("TUANCAI_SCHEMATHESIS_EXAMPLES", "3"))
"""Requests per operation beside the documented example; raise it for a longer look."""
_CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}, "generation": {"mode": "all"}})
SCHEMA = schemathesis.openapi.from_dict(create_app(Settings()).openapi(), config=_CONFIG)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
REQUEST = ("method", "url", "headers", "files", "data", "json", "params", "auth", "cookies")
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@SCHEMA.parametrize()
@BOUNDED
def test_answers_are_as_documented(case: Any, copied_once: Any) -> None:
    """Every operation, by its example and by generated requests, right and wrong ones, with an admin's key."""
    headers = {"Authorization": f"Bearer {copied_once.key}"}
    sent = case.as_transport_kwargs(base_url="http://testserver", headers=headers)
    raw = requests.Request(**{name: value for name, value in sent.items() if name in REQUEST}).prepare()
    answer = copied_once.client.request(raw.method, raw.url, headers=raw.headers, content=raw.body)
    case.validate_response(answer, checks=CHECKS)
