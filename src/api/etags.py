"""Entity tags: a short name of an answer's content, so that a station that has it already gets 304 and no body."""

from __future__ import annotations

import hashlib

from fastapi import Request, Response


def entity_tag(*parts: object) -> str:
    """Return a tag of what an answer depends on.

    Examples
    --------
    >>> entity_tag("P1", None) == entity_tag("P1", None), entity_tag("P1", 1) == entity_tag("P1", 2)
    (True, False)
    """
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:20]}"'


def unchanged(request: Request, tag: str) -> Response | None:
    """Return 304 when the caller has the content of a tag already, else None."""
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
    return None
