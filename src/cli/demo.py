"""The demo: a simulated town from orders to routes, as of 18:00 and at the cutoff, into one directory."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.context import CityContext, city_of
from cli.data import show_report
from cli.show import console, progress_bar, show_plan, show_table
from contracts.errors import InputError
from contracts.settings import Settings
from store import read_world


def add_commands(app: typer.Typer) -> None:
    """Add the command to the `tuancai` command."""
    app.command()(demo)


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Directory for the store, models and artefacts; made anew.")] = Path("out"),
    preset: Annotated[str, typer.Option(help="tiny or town.")] = "town",
    seed: Annotated[int, typer.Option(help="Same seed, same town, same plan.")] = 0,
) -> None:
    """Plan tomorrow for a simulated town, as of 18:00 and again at the cutoff. 演示。"""
    from pipeline.score import score_book
    from simulate import build_world, planning_date, write_world

    started = time.perf_counter()
    settings = demo_settings(city_of(context).settings, out)
    marker = out / ".tuancai-demo"
    if out.exists() and not marker.is_file() and any(out.iterdir()):
        raise InputError(
            f"{out} holds something else than a demo, and a demo begins by emptying it: choose another --out."
        )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    marker.write_text("Made by `tuancai demo`; the next demo empties this directory.\n", encoding="utf-8")
    city = CityContext(settings)
    timezone = settings.city.timezone

    with progress_bar(f"Build the {preset} world (seed {seed})"):
        write_world(build_world(preset, seed=seed), out / "world", format="parquet")
    with progress_bar("Import it"):
        world = read_world(out / "world")
        report = city.desk.import_world(world)
    show_report(report)
    tomorrow = planning_date(world)
    with progress_bar("Train") as progress:
        training = city.desk.train(progress=progress)
    show_table("Scores on rolling origins", training.scores)
    console.print(training.sentence)

    earlier = None
    for moment in ("18:00", "cutoff"):
        console.rule(f"{tomorrow.date()} as of {moment}")
        with progress_bar(f"Plan as of {moment}") as progress:
            plan = city.desk.plan(tomorrow, city.moment(moment, tomorrow), after=earlier, progress=progress)
        show_plan(plan, world.reference, timezone=timezone)
        show_table(
            "Against the true demand of the town", score_book(plan.order_book, world.true_demand, world.reference)
        )
        city.desk.export(plan, out / moment.replace(":", ""))
        earlier = plan.summary.plan_id
    files = sum(1 for path in out.rglob("*") if path.is_file())
    console.print(f"{files} files in {out}; {time.perf_counter() - started:.0f} s in all.")


def demo_settings(settings: Settings, out: Path) -> Settings:
    """Return the settings with everything kept under the demo's own directory."""
    kept = settings.storage.model_copy(
        update={
            "url": f"sqlite:///{out / 'tuancai.sqlite'}",
            "history": out / "history",
            "models": out / "models",
            "tracking_uri": "",
        }
    )
    return settings.model_copy(update={"storage": kept})
