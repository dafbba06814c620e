"""The service as a FastAPI app: `create_app(settings)`, and `run_server(settings)` for the terminal."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.logs import configure_logs
from api.metrics import RequestCounts
from api.middleware import Frontier
from api.pages import pages_router
from api.problems import install_problems
from api.routes import ROUTERS
from api.service import Service
from contracts.settings import Settings, load_settings

if TYPE_CHECKING:
    from pipeline.desk import PlanningDesk

_LOG = logging.getLogger(__name__)
_ABOUT = """Every evening: a city's group-buying orders into purchase orders, sorting loads and delivery routes.

* Every answer that is a list comes as a page of JSON (`limit`, `offset`, `total`), or whole as CSV or XLSX: add
  `.csv` or `.xlsx` to the path, or send an `Accept` header.
* Every error is a problem document (RFC 9457, `application/problem+json`).
* Long work is a job: 202, and `Location` says where to look.
* Days are `2026-03-02`, moments carry their zone (`2026-03-01T18:00:00+08:00`), money is yuan.
"""


def create_app(settings: Settings | None = None, *, desk: PlanningDesk | None = None) -> FastAPI:
    """Return the app; store, registry, queue and worker are opened when it starts, not here.

    Parameters
    ----------
    settings : Settings, optional
        Default: from the environment.
    desk : PlanningDesk, optional
        An open desk to use instead of opening one.
    """
    chosen = settings or load_settings()

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = await run_in_threadpool(lambda: Service.open(chosen, desk=desk))
        try:
            yield
        finally:
            service: Service = app.state.service
            del app.state.service
            await run_in_threadpool(service.close)

    app = FastAPI(
        title="Tuancai",
        version=version("tuancai"),
        description=_ABOUT,
        lifespan=life,
        generate_unique_id_function=_operation_id,
        openapi_url=None,  # `api.pages` serves the document and /docs, for those who have a key
        redoc_url=None,
    )
    app.state.requests = RequestCounts()
    app.add_middleware(Frontier, settings=chosen.service, requests=app.state.requests)
    install_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(pages_router)
    return app


def _operation_id(route: APIRoute) -> str:
    """Name an operation after its function, so that generated clients have readable methods."""
    return route.name


def run_server(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Serve until the process is told to end."""
    configure_logs(settings.service.log_format)
    uvicorn.run(
        create_app(settings),
        host=host or settings.service.host,
        port=port or settings.service.port,
        log_config=None,
        access_log=False,  # `api.middleware` writes one line per request, with its id
        server_header=False,
    )
