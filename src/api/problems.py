"""Errors as problem documents (RFC 9457): one table from our error tree to a status, a type and its extra facts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pandas as pd
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from contracts.errors import (
    CheckFailedError,
    ConflictError,
    ContractError,
    CorruptFileError,
    EmptyInputError,
    InfeasibleError,
    InputError,
    MappingError,
    MissingColumnError,
    ModelError,
    NotFoundError,
    SettingsError,
    SolveError,
    StorageFullError,
    StoreError,
    TuancaiError,
    UnknownReferenceError,
)

_LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
SHOWN_FAILURES = 20
"""Failure rows a problem document carries; `failures_total` says how many there are."""


class FailureRow(BaseModel):
    """One broken rule of one input row."""

    row: int = Field(description="Position in what was sent, from 0.", examples=[3])
    column: str = Field(examples=["quantity"])
    rule: str = Field(examples=["greater_than(0)"])
    value: str = Field(description="What came, as text.", examples=["-2.0"])


class Problem(BaseModel):
    """A problem document (RFC 9457). Kinds of problems add facts of their own, such as `failures`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Kind of the problem, a stable name.", examples=["urn:tuancai:problem:contract"])
    title: str = Field(description="The kind in words.", examples=["Rows break their contract"])
    status: int = Field(description="HTTP status.", examples=[422])
    detail: str = Field(
        description="What was expected, what came, what to do.",
        examples=["OrderLines breaks its contract - quantity: greater_than(0) (1 rows, e.g. '-2.0')."],
    )
    instance: str = Field(description="Path of the request, or of the job that failed.", examples=["/v1/orders"])
    request_id: str | None = Field(default=None, description="Also in the log.", examples=["5f0c9a1e6b2d4c7f"])
    failures: list[FailureRow] | None = Field(default=None, description=f"First {SHOWN_FAILURES} failing rows.")
    fields: list[dict[str, str]] | None = Field(default=None, description="Fields of the request that are wrong.")
    failures_total: int | None = Field(default=None, description="Failing rows in all.", examples=[1])


class ServiceError(TuancaiError):
    """A request the service refuses for a reason of its own: who asks, how often, how much."""

    def __init__(self, status: int, kind: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.kind = kind
        self.headers = dict(headers or {})
        super().__init__(detail)


_KINDS: tuple[tuple[type[TuancaiError], int, str, str], ...] = (
    (ContractError, 422, "contract", "Rows break their contract"),
    (MissingColumnError, 422, "missing-column", "Columns are missing"),
    (UnknownReferenceError, 422, "unknown-reference", "Ids point to rows that do not exist"),
    (MappingError, 422, "mapping", "The column mapping cannot be understood"),
    (CorruptFileError, 400, "corrupt-file", "The file cannot be read"),
    (EmptyInputError, 422, "empty-input", "There is nothing to work on"),
    (SettingsError, 500, "settings", "A setting of the service is wrong"),
    (InputError, 422, "input", "The input is wrong"),
    (NotFoundError, 404, "not-found", "There is no such thing"),
    (ConflictError, 409, "conflict", "The same key with other content"),
    (StorageFullError, 507, "storage-full", "The disk is full"),
    (StoreError, 503, "store", "The store cannot be read or written just now"),
    (ModelError, 503, "model", "No fit model serves"),
    (InfeasibleError, 422, "infeasible", "No plan satisfies the input"),
    (CheckFailedError, 500, "check-failed", "A plan did not survive its own check"),
    (SolveError, 500, "solve", "The solver gave no usable answer"),
    (TuancaiError, 500, "internal", "Something is wrong with the service"),
)
"""First match wins, so children stand before their parents."""

_MEANING = {
    404: "there is no such path.",
    405: "this path does not have that method.",
    413: "the body is larger than service.body_limit_mb allows. Send smaller parts.",
}
_FACTS = ("table", "missing", "found", "column", "target", "unknown", "path", "kind", "key", "reasons", "findings")


def failure_rows(failures: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the first failure rows as plain values."""
    shown = failures[["row", "column", "rule", "value"]].head(SHOWN_FAILURES)
    return [
        {"row": int(row), "column": str(column), "rule": str(rule), "value": str(value)}
        for row, column, rule, value in shown.itertuples(index=False)
    ]


def problem_of(error: TuancaiError, *, instance: str) -> Problem:
    """Return the problem document of an error of ours.

    Examples
    --------
    >>> problem_of(NotFoundError("plan", "P1"), instance="/v1/plans/P1").status
    404
    """
    if isinstance(error, ServiceError):
        title = HTTPStatus(error.status).phrase
        return Problem(
            type=f"urn:tuancai:problem:{error.kind}",
            title=title,
            status=error.status,
            detail=str(error),
            instance=instance,
        )
    status, kind, title = next((s, k, t) for family, s, k, t in _KINDS if isinstance(error, family))
    facts: dict[str, Any] = {name: _plain(getattr(error, name)) for name in _FACTS if hasattr(error, name)}
    if isinstance(error, ContractError):
        facts |= {"failures": failure_rows(error.failures), "failures_total": len(error.failures)}
    return Problem(
        type=f"urn:tuancai:problem:{kind}", title=title, status=status, detail=str(error), instance=instance, **facts
    )


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [str(item) for item in value[:SHOWN_FAILURES]]
    return str(value)


def unforeseen(instance: str, request_id: str) -> Problem:
    """Return the problem document of an error nobody foresaw."""
    return Problem(
        type="urn:tuancai:problem:internal",
        title="Something is wrong with the service",
        status=500,
        detail="An error nobody foresaw; the log has it under the request id.",
        instance=instance,
        request_id=request_id,
    )


def problem_response(problem: Problem, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a problem document as a response."""
    return JSONResponse(
        problem.model_dump(exclude_none=True), problem.status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def _answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    known = problem.model_copy(update={"request_id": getattr(request.state, "request_id", None)})
    return problem_response(known, headers=headers)


def install_problems(app: FastAPI) -> None:
    """Make every error of an app a problem document; what nobody foresaw is `api.middleware`'s."""

    @app.exception_handler(TuancaiError)
    def ours(request: Request, error: TuancaiError) -> JSONResponse:
        problem = problem_of(error, instance=request.url.path)
        if problem.status >= 500:
            facts = {"request_id": getattr(request.state, "request_id", "")}
            _LOG.error(
                "%s %s failed: %s", request.method, request.url.path, error, exc_info=error, extra={"facts": facts}
            )
        return _answer(request, problem, getattr(error, "headers", None))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [
            {
                "field": ".".join(map(str, e["loc"])),
                "rule": e["msg"],
                "value": repr(e.get("input"))[:200],
            }
            for e in error.errors()
        ]
        detail = "; ".join(f"{e['field']}: {e['rule']} (got {e['value']})" for e in wrong[:5])
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        return _answer(
            request,
            Problem(
                type="urn:tuancai:problem:request",
                title="The request does not have the asked form",
                status=422,
                detail=detail + more,
                instance=request.url.path,
                fields=wrong[:SHOWN_FAILURES],
            ),
        )

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        problem = Problem(
            type=f"urn:tuancai:problem:http-{error.status_code}",
            title=phrase,
            status=error.status_code,
            detail=f"{request.method} {request.url.path}: {_MEANING.get(error.status_code, error.detail)}",
            instance=request.url.path,
        )
        return _answer(request, problem, error.headers)


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "model": Problem,
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, description in (
        (400, "The request or file cannot be read"),
        (401, "No valid key was given"),
        (403, "The key's role may not do this"),
        (404, "There is no such thing"),
        (406, "The asked form is not offered"),
        (409, "The same key with other content, or a state that forbids this"),
        (413, "The body is too large"),
        (415, "The body's media type is not one that is read"),
        (422, "The input is wrong; the document says where"),
        (429, "Too many requests; Retry-After says when"),
        (500, "Something is wrong with the service"),
        (503, "The store or the model cannot serve just now"),
        (507, "The disk is full; nothing was written"),
    )
}
"""Problems any endpoint may answer with, for the OpenAPI document."""
