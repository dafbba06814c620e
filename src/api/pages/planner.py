"""The planner's pages: log in, see the plans, read one; and the documentation of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from api.access import COOKIE, Duty, Holder, holder_of, known_holder
from api.asked import PlanId, Running, note, of_bases, own_bases
from api.lead_view import seen_by
from api.pages.cells import cell, city_time, heading
from api.records.keys import SESSION_HOURS
from pipeline import views

router = APIRouter(include_in_schema=False)
TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")
TEMPLATES.env.filters["cell"] = cell
TEMPLATES.env.globals["zip"] = zip
TEMPLATES.env.filters["heading"] = heading
TEMPLATES.env.filters["city_time"] = city_time
SHOWN = 200
"""Rows a page shows of a table; the download has all."""


@router.get("/login", response_class=HTMLResponse)
def login_page(request: Request) -> Response:
    """Show the form that asks for a key."""
    return TEMPLATES.TemplateResponse(request, "login.html", {"wrong": False})


@router.post("/login", response_class=HTMLResponse)
def log_in(request: Request, service: Running, key: Annotated[str, Form(max_length=200)]) -> Response:
    """Open a session for a key that holds."""
    record = service.records.keys.find(key.strip())
    if record is None:
        return TEMPLATES.TemplateResponse(request, "login.html", {"wrong": True}, status_code=401)
    note(request, holder_of(record), "log in", record.key_id)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        COOKIE,
        service.records.keys.open_session(record.key_id),
        max_age=SESSION_HOURS * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
def log_out(request: Request, service: Running) -> Response:
    """End the session."""
    service.records.keys.close_session(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/docs", response_class=HTMLResponse)
def documentation_page(request: Request, service: Running) -> Response:
    """Show the interactive documentation, which reads the OpenAPI document with the session."""
    if _visitor(request, service) is None:
        return RedirectResponse("/login", status_code=303)
    return get_swagger_ui_html(openapi_url="/openapi.json", title="Tuancai API")


@router.get("/openapi.json", response_class=JSONResponse)
def openapi_document(request: Request, _holder: Annotated[Holder, Depends(known_holder)]) -> JSONResponse:
    """Return the OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/", response_class=HTMLResponse)
def plans_page(request: Request, service: Running) -> Response:
    """List the plans and the jobs under way."""
    holder = _visitor(request, service)
    if holder is None:
        return RedirectResponse("/login", status_code=303)
    jobs = service.records.jobs.page(limit=8)[0] if holder.may(Duty.READ_JOBS) else None
    summaries, _ = service.store.plan_page(limit=SHOWN)
    facts = {
        "holder": holder,
        "prices": holder.may(Duty.READ_PRICES),
        "plans": [seen_by(holder, summary) for summary in summaries],
        "jobs": jobs,
        "city": service.settings.city,
    }
    return TEMPLATES.TemplateResponse(request, "plans.html", facts)


@router.get("/plans/{plan_id}", response_class=HTMLResponse)
def plan_page(request: Request, plan_id: PlanId, service: Running) -> Response:
    """Show a plan: demand, costs, orders per supplier, loads, routes, warnings, downloads."""
    holder = _visitor(request, service)
    if holder is None:
        return RedirectResponse("/login", status_code=303)
    facts = {
        "holder": holder,
        "city": service.settings.city,
        "summary": seen_by(holder, service.store.plan_summary(plan_id)),
        "sections": plan_sections(service, plan_id, holder),
        "shown": SHOWN,
    }
    return TEMPLATES.TemplateResponse(request, "plan.html", facts)


def plan_sections(service: Running, plan_id: str, holder: Holder) -> list[dict[str, Any]]:
    """Return the tables of a plan page: title in English and Chinese, rows, where to download; by what the role may."""
    plan, reference = service.plans.plan(plan_id), service.reference_of(plan_id)
    own = holder.own_warehouse(None)
    tables: list[tuple[str, str, pd.DataFrame, str | None]] = []
    if holder.may(Duty.READ_PRICES):
        tables += [
            ("Stages", "阶段", views.stage_view(plan.summary), None),
            ("Demand in units", "需求", views.demand_view(plan), None),
            ("Cost in yuan", "成本", views.cost_view(plan.summary), None),
            ("Orders per supplier", "采购单", views.supplier_view(plan, reference), "purchase-orders"),
            ("Most money at stake", "缺货与剩余风险", views.shortage_view(plan, reference.skus).head(12), "risk"),
        ]
    loads, bases = views.load_view(plan), own_bases(service, holder, plan_id)
    unserved = of_bases(plan.unserved, bases)
    if own is not None:
        loads = loads[loads["warehouse_id"] == own]
    tables += [
        ("Loads per warehouse, zone and wave", "分拣负荷", loads, "loads"),
        ("Routes", "配送路线", of_bases(views.trip_view(plan), bases), "routes"),
    ]
    if len(unserved):
        tables.append(("Not served", "无法配送", unserved, "unserved"))
    zone = service.settings.city.timezone
    return [
        {
            "title": title,
            "chinese": chinese,
            "frame": in_city_time(frame.head(SHOWN), zone),
            "rows": len(frame),
            "link": link,
        }
        for title, chinese, frame, link in tables
    ]


def in_city_time(frame: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """Return a frame with its instants on the city's wall clock."""
    zoned = [column for column in frame.columns if isinstance(frame[column].dtype, pd.DatetimeTZDtype)]
    return frame.assign(**{column: frame[column].dt.tz_convert(timezone) for column in zoned})


def _visitor(request: Request, service: Running) -> Holder | None:
    cookie = request.cookies.get(COOKIE)
    record = service.records.keys.session(cookie) if cookie else None
    if record is None:
        return None
    request.state.holder = holder_of(record)
    return holder_of(record)
