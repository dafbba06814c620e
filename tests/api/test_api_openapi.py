"""The OpenAPI document: complete, with examples that fit their schemas and names a client can use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api.app import create_app
from contracts.settings import Settings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def schemas_with_examples(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield every schema in a document with each of its examples."""
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list) and ("type" in node or "anyOf" in node or "$ref" in node):
            yield from ((node, example) for example in node["examples"])
        if "example" in node and "properties" in node:
            yield node, node["example"]
        for value in node.values():
            yield from schemas_with_examples(value)
    elif isinstance(node, list):
        for value in node:
            yield from schemas_with_examples(value)


def absolute(node: Any) -> Any:
    """Return a schema whose references lead into the whole document."""
    if isinstance(node, dict):
        return {k: f"urn:tuancai:openapi{v}" if k == "$ref" else absolute(v) for k, v in node.items()}
    return [absolute(value) for value in node] if isinstance(node, list) else node


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    """Every example in the document is valid under the schema it stands in."""
    whole = "urn:tuancai:openapi"
    registry: Any = Registry().with_resource(whole, Resource(contents=absolute(document), specification=DRAFT202012))
    found = list(schemas_with_examples(document))
    for schema, example in found:
        jsonschema.Draft202012Validator(absolute(schema), registry=registry).validate(example)
    assert len(found) > 150


def test_every_model_has_an_example_for_every_field(document: dict[str, Any]) -> None:
    """A reader of the document sees a value for each field, or for the whole model."""
    lacking = []
    for name, schema in document["components"]["schemas"].items():
        if "example" in schema or name.startswith(("Body_", "HTTPValidation", "ValidationError")):
            continue
        for field, part in schema.get("properties", {}).items():
            text = str(part)
            if not ("example" in text or "$ref" in text or "enum" in text or "const" in text):
                lacking.append(f"{name}.{field}")
    assert not [f for f in lacking if f.split(".")[0] not in {"PlanSummary", "StageReport", "Problem"}]


def test_operations_are_named_summarised_and_tagged(document: dict[str, Any]) -> None:
    """Operation ids are unique method names; each operation has a summary, a description and a tag."""
    listed = list(operations(document))
    ids = [operation["operationId"] for _, _, operation in listed]
    assert len(set(ids)) == len(ids) >= 40
    for method, path, operation in listed:
        assert re.fullmatch(r"[a-z][a-z_]+", operation["operationId"]), operation["operationId"]
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"], (method, path)


def test_problems_are_documented_as_problem_documents(document: dict[str, Any]) -> None:
    """Every 4xx and 5xx of every operation is a problem document."""
    for method, path, operation in operations(document):
        if path == "/ready":
            continue
        for status, response in operation["responses"].items():
            if status[0] in "45":
                assert "application/problem+json" in response["content"], (method, path, status)
        assert {"401", "403", "404", "422", "500"} <= set(operation["responses"]), (method, path)
