"""Requests with one key: models in, models out, lists as data frames, problems as errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pandas as pd
from pydantic import BaseModel

from api.problems import Problem
from api.rows import wire_frame
from contracts.errors import TuancaiError

M = TypeVar("M", bound=BaseModel)
Asked = Mapping[str, str | int | Sequence[str] | None]
PAGE_ROWS = 10_000
READS = 5
"""Times a list that changes is read before that is an error."""


class ServiceProblemError(TuancaiError):
    """The service answered with a problem; `problem` is its document."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")


class ListChangedError(TuancaiError):
    """A list was never the same from its first page to its last."""


@dataclass(frozen=True)
class Calls:
    """What every part of the client is made of."""

    http: httpx.Client

    def rows(self, path: str, asked: Asked | None = None) -> pd.DataFrame:
        """Return every row of a list, page by page; moments and days come as timestamps.

        A list that grows between two pages would give a row twice, so it is read again from the start.

        Raises
        ------
        ListChangedError
            It had another length each of `READS` times.
        """
        for _ in range(READS):
            rows = self._whole(path, _given(asked))
            if rows is not None:
                return _typed(rows)
        raise ListChangedError(f"{path} changed while it was read, {READS} times; read it again later, or as CSV.")

    def _whole(self, path: str, asked: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Return all rows of a list, or None when it got longer or shorter between two pages."""
        rows: list[dict[str, Any]] = []
        total = None
        while True:
            page = checked(self.http.get(path, params={**asked, "limit": PAGE_ROWS, "offset": len(rows)})).json()
            if total is not None and page["total"] != total:
                return None
            total = page["total"]
            rows += page["items"]
            if len(rows) >= total:
                return rows
            if not page["items"]:
                return None

    def _get(self, path: str, model: type[M], asked: Asked | None = None) -> M:
        return model.model_validate(checked(self.http.get(path, params=_given(asked))).json())

    def _post(
        self, path: str, model: type[M], body: dict[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> M:
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return model.model_validate(checked(self.http.post(path, json=body, headers=headers)).json())

    def _send_file(self, where: str, path: Path, model: type[M], fields: dict[str, str]) -> M:
        with path.open("rb") as file:
            answer = self.http.post(where, files={"file": (path.name, file)}, data=fields)
        return model.model_validate(checked(answer).json())


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame for a request, null for what is absent."""
    wire = wire_frame(frame).astype(object)
    return [{str(k): v for k, v in row.items()} for row in wire.where(wire.notna(), None).to_dict("records")]


def mapped(mapping: str, mapping_rules: str | None) -> dict[str, str]:
    """Return the form fields that say how a file is read."""
    return {"mapping": mapping} | ({} if mapping_rules is None else {"mapping_rules": mapping_rules})


def _given(asked: Asked | None) -> dict[str, Any]:
    return {name: value for name, value in (asked or {}).items() if value is not None}


def checked(answer: httpx.Response) -> httpx.Response:
    """Return a good answer, or raise its problem."""
    if answer.is_success:
        return answer
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        raise ServiceProblemError(Problem.model_validate(answer.json()))
    answer.raise_for_status()
    return answer


def _typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        if name.endswith("_at") or name == "as_of":
            moments = pd.to_datetime(frame[name], utc=True, errors="coerce", format="ISO8601")
            if moments.notna().any() or frame[name].isna().all():  # arrives_at of purchase orders is a clock time
                frame[name] = moments
        elif name in ("delivery_date", "expires_on", "day", "opened_on", "closed_on", "valid_from", "valid_until"):
            frame[name] = pd.to_datetime(frame[name])
    return frame
