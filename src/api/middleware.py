"""Around every request: an id, security headers, limits, `.csv`/`.xlsx` suffixes, and an answer whatever breaks."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections import OrderedDict

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import RequestCounts
from api.problems import Problem, problem_response, unforeseen
from contracts.settings import ServiceSettings

_LOG = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_SUFFIX = re.compile(r"^(/v1/.+)\.(json|csv|xlsx)$")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
        b"frame-ancestors 'none'; base-uri 'none'",
    ),
)
HUNG_UP = 499
"""What logs and metrics call it when the caller goes away before the request is whole; nobody gets it as an answer."""
_DOCS = ("/docs", "/redoc")
"""The interactive OpenAPI pages load their scripts from elsewhere, so the content policy is not theirs."""


class Frontier:
    """Pure ASGI middleware; one object so that the order of its parts is visible in one place."""

    def __init__(self, app: ASGIApp, *, settings: ServiceSettings, requests: RequestCounts) -> None:
        self._app = app
        self._requests = requests
        self._most_bytes = settings.body_limit_mb * 1_000_000
        self._buckets = Buckets(per_minute=settings.requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        path = scope["path"]
        seen: dict[str, int] = {}
        broken: Exception | None = None
        begun = False

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                extra = [(n, v) for n, v in _HEADERS if n not in present and not (n[:4] == b"cont" and _is_docs(path))]
                message["headers"] = [*message["headers"], *extra, (b"x-request-id", request_id.encode())]
            await send(message)

        refused = self._refusal(scope, headers, request_id)
        if refused is not None:
            await refused(scope, receive, answer)
        else:
            found = _SUFFIX.match(path) if scope["method"] in ("GET", "HEAD") else None
            if found:
                scope = {**scope, "path": found[1], "raw_path": found[1].encode(), "tuancai.form": found[2]}
            try:
                await self._app(scope, self._counted(receive), answer)
            except ClientDisconnect:
                seen.setdefault("status", HUNG_UP)
            except Exception as error:  # noqa: BLE001  # told to the caller, counted and logged with its trace below
                broken, begun = error, "status" in seen
                if not begun:
                    await problem_response(unforeseen(path, request_id))(scope, receive, answer)
        seconds = time.perf_counter() - started
        status, route = seen.get("status", 500), getattr(scope.get("route"), "path", "none")
        self._requests.add(scope["method"], route, status, seconds)
        facts = {
            "request_id": request_id,
            "method": scope["method"],
            "path": path,
            "status": status,
            "seconds": round(seconds, 4),
            "key_id": getattr(scope["state"].get("holder"), "key_id", ""),
        }
        _LOG.info("%s %s %s", scope["method"], path, status, extra={"facts": facts})
        if broken is not None:
            _LOG.error("%s %s failed unexpectedly", scope["method"], path, exc_info=broken, extra={"facts": facts})
            if begun:
                raise broken  # a line that breaks off is the only way left to tell that the answer is not whole

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes], request_id: str) -> ASGIApp | None:
        path = scope["path"]
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._most_bytes:
            most = self._most_bytes // 1_000_000
            problem = Problem(
                type="urn:tuancai:problem:too-large",
                title="The body is too large",
                status=413,
                detail=f"Bodies may hold {most} MB (service.body_limit_mb). Send smaller parts.",
                instance=path,
                request_id=request_id,
            )
            return problem_response(problem)
        client = scope.get("client")  # by address, because whoever makes up keys would get a new bucket with each
        wait = self._buckets.wait(client[0] if client else "unknown") if path.startswith("/v1/") else 0.0
        if wait > 0:
            problem = Problem(
                type="urn:tuancai:problem:too-many-requests",
                title="Too many requests",
                status=429,
                detail=f"Wait {wait:.1f} s; the limit is service.requests_per_minute = {self._buckets.per_minute}.",
                instance=path,
                request_id=request_id,
            )
            return problem_response(problem, headers={"retry-after": str(int(wait) + 1)})
        return None

    def _counted(self, receive: Receive) -> Receive:
        """Count a body while it is read, because not every body says its length."""
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most_bytes:
                raise HTTPException(413)  # this one passes through FastAPI's reading and becomes a problem document
            return message

        return counted


class Buckets:
    """A token bucket per caller: bursts of a minute's worth, refilled evenly; the callers heard least are forgotten."""

    def __init__(self, *, per_minute: int, most_callers: int = 10_000) -> None:
        self.per_minute = per_minute
        self._most = most_callers
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str, *, now: float | None = None) -> float:
        """Take one token; return the seconds to wait if there is none."""
        at = time.monotonic() if now is None else now
        tokens, since = self._left.pop(caller, (float(self.per_minute), at))
        tokens = min(self.per_minute, tokens + (at - since) * self.per_minute / 60)
        enough = tokens >= 1
        self._left[caller] = (tokens - 1 if enough else tokens, at)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return 0.0 if enough else (1 - tokens) * 60 / self.per_minute


def _is_docs(path: str) -> bool:
    return path.startswith(_DOCS)
