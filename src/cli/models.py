"""Commands about models: train, forecast, models, promote, rollback. Their scores: `cli.scores`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.markdown import Markdown

from api import model_changes
from cli.context import city_of, day_of
from cli.reference import records_of, terminal_name
from cli.show import console, progress_bar, show_table
from store import export_table


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the `tuancai` command."""
    for command in (train, promote, rollback, models, forecast):
        app.command()(command)


def train(
    context: typer.Context,
    until: Annotated[str | None, typer.Option(help="Last delivery date to learn from.")] = None,
) -> None:
    """Train the demand and book models, score them on rolling origins, register them. 训练模型。"""
    city = city_of(context)
    with progress_bar("Train") as report:
        training = city.desk.train(until=day_of(until) if until else None, progress=report)
    show_table("Scores on rolling origins", training.scores)
    console.print(training.sentence)


def promote(context: typer.Context) -> None:
    """Let the challenger serve if rolling origins say it is better. 上线挑战模型。"""
    desk = city_of(context).desk
    with progress_bar("Contest on rolling origins") as report, records_of(context) as records:
        sentence = model_changes.promote(desk, records.audit, by=terminal_name(), progress=report)
    console.print(sentence)


def rollback(context: typer.Context) -> None:
    """Let the pair of models before this one serve again: demand and order book together. 回滚模型。"""
    desk = city_of(context).desk
    with records_of(context) as records:
        console.print(model_changes.roll_back(desk, records.audit, by=terminal_name()))


def models(
    context: typer.Context,
    card: Annotated[str | None, typer.Option(help="Show the card of this demand model version instead.")] = None,
) -> None:
    """List the registered models, or show a model's card. 模型列表。"""
    registries = city_of(context).desk.registries
    if card is not None:
        console.print(Markdown(registries.demand.card(card)))
        return
    from pipeline.promotion import listed_models

    show_table("Demand models", pd.DataFrame(listed_models(registries)))
    show_table("Order book models", pd.DataFrame(registries.book.versions())[["version", "aliases", "decision"]])


def forecast(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="First delivery date.")],
    days: Annotated[int, typer.Option(help="Delivery dates.", min=1)] = 1,
    categories: Annotated[
        bool, typer.Option("--by-category", help="Sums per category, with quantiles of the sums' own errors.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write to this CSV, XLSX or Parquet file.")] = None,
) -> None:
    """Forecast demand per SKU, or category, at community, warehouse and area level. 需求预测。"""
    desk = city_of(context).desk
    by_sku = desk.forecast(day_of(date), days=days)
    made: pd.DataFrame = desk.by_category(by_sku) if categories else by_sku
    if out is not None:
        export_table(made, out)
        console.print(f"{len(made):,} rows in {out}")
    top = made[made["level"] == "warehouse"].sort_values("mean", ascending=False)
    show_table("Warehouse level, largest first", top.drop(columns=["level", "issued_at"]), most=15)
