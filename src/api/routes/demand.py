"""Demand: forecasts of a delivery date, and the order book as of a moment."""

from __future__ import annotations

from typing import Annotated, Literal

import pandas as pd
from fastapi import APIRouter, Query, Request, Response

from api.access import DemandReader, Role, SortingReader
from api.asked import AsOf, DeliveryDate, Running, as_day, as_instant
from api.paging import Page, list_answer, list_responses
from api.problems import PROBLEM_RESPONSES, ServiceError
from api.rows import row_model
from contracts.flow import CategoryForecast, Forecast, OrderBook

router = APIRouter(prefix="/v1", tags=["demand"], responses=PROBLEM_RESPONSES)
ForecastRow = row_model("ForecastRow", Forecast)
CategoryForecastRow = row_model("CategoryForecastRow", CategoryForecast)
OrderBookRow = row_model("OrderBookRow", OrderBook)
Level = Annotated[
    Literal["community", "warehouse", "area"] | None, Query(description="Of one level.", examples=["warehouse"])
]
Place = Annotated[str | None, Query(description="Of one community, warehouse or area.", examples=["W1"])]
Category = Annotated[str | None, Query(description="Of one category.", examples=["leaf"])]
Sku = Annotated[str | None, Query(description="Of one SKU.", examples=["K001"])]


@router.get("/forecasts", summary="Forecast of a delivery date", responses=list_responses(ForecastRow))
def list_forecasts(
    request: Request,
    _holder: DemandReader,
    service: Running,
    delivery_date: DeliveryDate,
    page: Page,
    level: Level = None,
    place_id: Place = None,
    sku_id: Sku = None,
) -> Response:
    """Forecast a delivery date from what was known when its orders opened, with the model that serves."""
    rows = chosen(service.demand.forecast(as_day(delivery_date)), level=level, place_id=place_id, sku_id=sku_id)
    return list_answer(request, rows, page, name=f"forecast-{delivery_date}")


@router.get(
    "/forecasts/categories",
    summary="Forecast of a delivery date by category",
    responses=list_responses(CategoryForecastRow),
)
def list_category_forecasts(
    request: Request,
    holder: SortingReader,
    service: Running,
    delivery_date: DeliveryDate,
    page: Page,
    level: Level = None,
    place_id: Place = None,
    category_id: Category = None,
) -> Response:
    """Forecast what each place will want of each category; quantiles are those of the sums' own errors.

    A warehouse lead sees the own warehouse's rows. 422 while the serving model has no rolling origins to take the
    errors from.
    """
    if holder.role is Role.WAREHOUSE_LEAD:
        if level not in (None, "warehouse"):
            raise ServiceError(403, "forbidden", "A warehouse lead sees the forecast of the own warehouse only.")
        level, place_id = "warehouse", holder.own_warehouse(place_id)
    rows = chosen(
        service.demand.categories(as_day(delivery_date)), level=level, place_id=place_id, category_id=category_id
    )
    return list_answer(request, rows, page, name=f"forecast-by-category-{delivery_date}")


@router.get("/order-book", summary="Order book as of a moment", responses=list_responses(OrderBookRow))
def list_order_book(
    request: Request,
    _holder: DemandReader,
    service: Running,
    delivery_date: DeliveryDate,
    as_of: AsOf,
    page: Page,
    level: Level = None,
    place_id: Place = None,
    sku_id: Sku = None,
) -> Response:
    """Return what is ordered, what is still expected until the cutoff, and their sum's spread."""
    book = service.demand.order_book(as_day(delivery_date), as_instant(as_of))
    rows = chosen(book, level=level, place_id=place_id, sku_id=sku_id)
    return list_answer(request, rows, page, name=f"order-book-{delivery_date}")


def chosen(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """Return the rows whose columns have the wanted values; None asks for any."""
    for column, value in wanted.items():
        if value is not None:
            frame = frame[frame[column] == value]
    return frame.reset_index(drop=True)
