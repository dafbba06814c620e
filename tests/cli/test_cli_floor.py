"""The verbs of the floor and the dispatcher from a terminal: people, revise, homes, road distances, papers."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from contracts.errors import TuancaiError
from contracts.world import World

DATE = "2026-04-22"
pytestmark = pytest.mark.slow


class Terminal:
    """Runs `tuancai` with the settings of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "settings.toml"
        self.settings.write_text(
            f"[storage]\nurl = 'sqlite:///{folder / 'tuancai.sqlite'}'\n"
            f"history = '{folder / 'history'}'\nmodels = '{folder / 'models'}'\n"
            "[solve]\nrouting_work = 200\nworkers = 1\n[forecast]\nbacktest_origins = 1\n",
            encoding="utf-8",
        )

    def __call__(self, *words: str) -> Result:
        """Run a command; one of our errors is the result's exception."""
        return CliRunner().invoke(app, ["--settings", str(self.settings), *words])


@pytest.fixture(scope="module")
def town(trained_city: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """Return a terminal on a store with the tiny world and a trained model."""
    folder = tmp_path_factory.mktemp("town") / "city"
    shutil.copytree(trained_city(backtest_origins=1), folder)
    return Terminal(folder)


@pytest.fixture(scope="module")
def plan_id(town: Terminal) -> str:
    """Return the id of the plan at the cutoff."""
    done = town("plan", "--date", DATE, "--out", str(town.folder / "out"))
    found = re.search(rf"Plan ({DATE.replace('-', '')}-\w+) for {DATE}", done.output)
    assert found is not None, done.output
    return found[1]


def test_people_and_homes_are_told(town: Terminal, plan_id: str) -> None:
    """Workers at two outcomes, on the screen and in a workbook; what free homes would save in one sentence."""
    path = town.folder / "people.xlsx"
    done = town("people", plan_id, "--out", str(path))
    assert done.exit_code == 0, done.output
    assert "q90" in done.output
    assert set(pd.read_excel(path)["quantile"]) == {"q50", "q90"}
    homes = town("homes", plan_id)
    assert "a night would cost" in " ".join(homes.output.split())
    allotted = pd.read_csv(town.folder / "out" / "tables" / "allotments.csv")
    for words, head in (((), "缺货通知"), (("--english",), "Shortage notice")):
        told = town("notices", plan_id, *words)
        assert told.exit_code == 0, told.output
        assert told.output.count(head) == allotted.loc[allotted["short_units"] > 0, "community_id"].nunique()


def test_a_night_is_revised_from_the_floor_s_form(town: Terminal, plan_id: str) -> None:
    """The exported form filled in, one community cancelled, one late order: a new plan with its papers."""
    form = pd.read_excel(next((town.folder / "out" / "sorting").glob("*-progress.xlsx")))
    names = {str(column).split(" ")[-1]: column for column in form.columns}
    tasks = pd.read_csv(town.folder / "out" / "tables" / "sorting_tasks.csv")
    first = tasks["ends_at"].min()
    key = ["wave", "station", "slot", "sku_id", "temperature_zone"]
    ended = form.rename(columns={names[k]: k for k in key}).merge(tasks[tasks["ends_at"] == first][key], on=key)
    told = ended.rename(columns={k: names[k] for k in key})
    told[names["sorted_units"]] = told[names["units"]]
    told.to_excel(town.folder / "told.xlsx", index=False)
    gone = tasks.loc[tasks["ends_at"] > first, "destination_id"].iloc[-1]
    late = town.folder / "late.csv"
    other = tasks.loc[tasks["destination_id"] != gone].iloc[-1]
    late.write_text(f"社区,商品,件数\n{other['destination_id']},{other['sku_id']},1\n", encoding="utf-8")
    moment = pd.Timestamp(first).tz_convert("Asia/Shanghai").strftime("%H:%M")
    out = town.folder / "revised"
    done = town(
        *("revise", plan_id, "--at", moment, "--progress", str(town.folder / "told.xlsx")),
        *("--cancel", gone, "--late", str(late), "--out", str(out)),
    )
    assert done.exit_code == 0, done.output
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["revises"] == plan_id
    stops = pd.read_csv(out / "tables" / "route_stops.csv")
    assert gone not in set(stops["community_id"])
    assert f"Cancelled: {gone}." in summary["warnings"]


def test_road_distances_are_imported_from_osrm(town: Terminal, plan_id: str) -> None:
    """Places are written in order, the table of that order is imported and counted."""
    places = town.folder / "places.csv"
    assert town("import", "osrm-places", "--out", str(places)).exit_code == 0
    count = len(pd.read_csv(places))
    grid = [[0 if i == j else 1000 + i for j in range(count)] for i in range(count)]
    table = town.folder / "table.json"
    table.write_text(json.dumps({"code": "Ok", "distances": grid, "durations": grid}), encoding="utf-8")
    done = town("import", "osrm", str(table))
    assert done.exit_code == 0, done.output
    assert f"{count * (count - 1)} accepted" in " ".join(done.output.split())


def test_yesterday_s_stops_are_tonight_s_master_routes(town: Terminal, plan_id: str) -> None:
    """The route stops of a plan are imported as they are; a plan made with them says what leaving them cost."""
    done = town("import", "reference", "master_routes", str(town.folder / "out" / "tables" / "route_stops.csv"))
    assert done.exit_code == 0, done.output
    assert "0 rejected" in " ".join(done.output.split())
    again = town("plan", "--date", DATE, "--as-of", "22:00", "--out", str(town.folder / "steady"))
    assert again.exit_code == 0, again.output
    costs = json.loads((town.folder / "steady" / "summary.json").read_text(encoding="utf-8"))["costs_yuan"]
    assert costs["routing.moved"] >= 0.0
    assert sum(yuan for part, yuan in costs.items() if part != "total") == pytest.approx(costs["total"])


def test_english_papers_with_masked_names(town: Terminal, plan_id: str, tiny: World) -> None:
    """--language en and a file of names: the papers are written; a file without names is refused."""
    orders = tiny.order_lines[["order_id"]].drop_duplicates()
    names = town.folder / "names.csv"
    orders.assign(姓名="王小明").to_csv(names, index=False)
    out = town.folder / "english"
    done = town("export", plan_id, "--out", str(out), "--language", "en", "--customers", str(names))
    assert done.exit_code == 0, done.output
    assert (out / "sorting" / "hand_out_sheets.pdf").exists()
    orders.to_csv(names, index=False)
    wrong = town("export", plan_id, "--out", str(out), "--customers", str(names))
    assert isinstance(wrong.exception, TuancaiError)


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("--at", "teatime"), "is no moment"),
        (("--at", "02:00", "--cancel", "C99"), "C99"),
        (("--at", "02:00", "--freeze", "R99"), "R99"),
        (("--at", "02:00", "--late", "absent.csv"), r"absent\.csv"),
    ],
)
def test_what_cannot_be_revised_is_said(town: Terminal, plan_id: str, words: tuple[str, ...], fact: str) -> None:
    """A moment that is none, a community, route or file that is not there."""
    done = town("revise", plan_id, *words)
    assert isinstance(done.exception, TuancaiError), repr(done.exception)
    assert re.search(fact, str(done.exception))
