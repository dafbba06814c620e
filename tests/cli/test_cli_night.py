"""The verbs from a terminal, on the tiny world: what a planner types, and what comes back when it is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from contracts.errors import TuancaiError

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
def town(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """Return a terminal on a store with the tiny world, imported from CSV files, and a trained model."""
    made = Terminal(tmp_path_factory.mktemp("town"))
    world = str(made.folder / "world")
    for words in (("world", "build", "tiny", "--out", world), ("import", "world", world), ("train",)):
        done = made(*words)
        assert done.exit_code == 0, done.output
    return made


@pytest.fixture(scope="module")
def plan_id(town: Terminal) -> str:
    """Return the id of the plan as of 18:00."""
    done = town("plan", "--date", DATE, "--as-of", "18:00", "--out", str(town.folder / "out"))
    assert done.exit_code == 0, done.output
    found = re.search(rf"Plan ({DATE.replace('-', '')}-\w+) for {DATE}", done.output)
    assert found is not None, done.output
    return found[1]


def test_importing_a_world_twice_changes_nothing(town: Terminal) -> None:
    """The second import accepts every row and finds every one there already."""
    done = town("import", "world", str(town.folder / "world"))
    assert done.exit_code == 0
    assert re.search(r"\(0 new, 0 changed, 4,\d{3} there already\) \+ 0 rejected", " ".join(done.output.split()))


def test_a_plan_says_what_a_planner_wants_to_read(town: Terminal, plan_id: str) -> None:
    """Demand, costs, suppliers, loads, routes and the synthetic label are all on the screen."""
    shown = town("show", plan_id).output
    for heading in ("Stages", "Cost in yuan", "Demand in units", "Orders per supplier", "Loads per", "Routes"):
        assert heading in shown
    assert "Synthetic" in shown
    assert "PROVED" in shown


def test_the_artefacts_hold_the_plan(town: Terminal, plan_id: str) -> None:
    """The supplier workbooks' lines sum to the plan's rounded lines, and every table is a CSV."""
    out = town.folder / "out"
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    lines = pd.read_csv(out / "tables" / "purchase_lines.csv")
    assert summary["plan_id"] == plan_id
    total = 0.0
    for path in (out / "purchase_orders").glob("*.xlsx"):
        sheet = openpyxl.load_workbook(path)["合计 total"]
        total += list(sheet.iter_rows(values_only=True))[-1][-1]
    assert total == pytest.approx(lines["amount_yuan"].sum(), abs=1e-9)
    assert len(list((out / "tables").glob("*.csv"))) == 13
    assert (out / "routes" / "map.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("orders",), "Purchase lines"),
        (("orders", "--supplier", "V1"), "case_units"),
        (("sorting", "--warehouse", "W1", "--zone", "chilled"), "chilled"),
        (("loads",), "workers"),
        (("routes", "--warehouse", "W1"), "Stops"),
    ],
)
def test_each_pull_answers(town: Terminal, plan_id: str, words: tuple[str, ...], expected: str) -> None:
    """Orders by supplier, assignments by warehouse and zone, loads, routes."""
    done = town(words[0], plan_id, *words[1:])
    assert done.exit_code == 0, done.output
    assert expected in done.output


def test_a_second_plan_builds_on_the_first(town: Terminal, plan_id: str) -> None:
    """At the cutoff the sent lines are locked; both plans are listed."""
    done = town("plan", "--date", DATE, "--as-of", "cutoff", "--after", plan_id)
    assert done.exit_code == 0, done.output
    listed = town("plans").output
    assert listed.count("FEASIBLE") + listed.count("PROVED") >= 2


def test_a_rerun_gives_the_same_plan(town: Terminal, plan_id: str) -> None:
    """Same input, same seed: the same plan."""
    done = town("rerun", plan_id)
    assert done.exit_code == 0
    assert "came out identical" in done.output


def test_a_forecast_by_category_is_the_sum_of_its_skus(town: Terminal) -> None:
    """The same total per level, with a row per place and category."""
    by_sku, by_category = town.folder / "sku.csv", town.folder / "category.csv"
    assert town("forecast", "--date", DATE, "--out", str(by_sku)).exit_code == 0
    done = town("forecast", "--date", DATE, "--by-category", "--out", str(by_category))
    assert done.exit_code == 0, done.output
    parts, sums = pd.read_csv(by_sku), pd.read_csv(by_category)
    assert not sums.duplicated(["delivery_date", "level", "place_id", "category_id"]).any()
    apart = parts.groupby("level")["mean"].sum() - sums.groupby("level")["mean"].sum()
    assert apart.abs().max() < 1e-2


def test_a_forecast_is_written_to_a_workbook(town: Terminal) -> None:
    """Every level is in the file, and the communities sum to the warehouse."""
    path = town.folder / "forecast.xlsx"
    assert town("forecast", "--date", DATE, "--out", str(path)).exit_code == 0
    sums = pd.read_excel(path).groupby("level")["mean"].sum()
    assert sums["community"] == pytest.approx(sums["warehouse"], rel=1e-6)


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("show", "nothing"), "nothing"),
        (("plan", "--date", "22.04.2026"), "is no date"),
        (("plan", "--date", DATE, "--as-of", "teatime"), "is no moment"),
        (("plan", "--date", DATE, "--as-of", DATE), "is no moment"),
        (("demo", "--preset", "tiny", "--out", "."), "something else than a demo"),
        (("plan", "--date", DATE, "--after", "nothing"), "nothing"),
        (("plan", "--date", "2031-01-01", "--as-of", "18:00"), "Import newer orders"),
        (("import", "orders", "absent.csv"), r"absent\.csv"),
        (("import", "world", "absent"), "absent"),
        (("promote",), "champion|serves already"),
        (("rollback",), "roll back"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(town: Terminal, words: tuple[str, ...], fact: str) -> None:
    """A wrong word gives one of our errors that names it, never a traceback of somebody else's."""
    done = town(*words)
    assert done.exit_code != 0
    assert isinstance(done.exception, TuancaiError), repr(done.exception)
    assert re.search(fact, str(done.exception))


def test_a_bad_row_in_an_order_file_stops_no_good_one(town: Terminal, tmp_path: Path) -> None:
    """A negative quantity and an unknown SKU are rejected with their rule; the good line is in; the count agrees."""
    rows = pd.DataFrame(
        {
            "订单号": ["x1", "x2", "x3"],
            "行号": [1, 1, 1],
            "下单时间": ["2026-04-21 12:00"] * 3,
            "送达日期": [DATE] * 3,
            "自提点": ["C1", "C1", "C1"],
            "商品编码": ["S1", "S1", "S99"],
            "数量": [2, -1, 1],
            "单价": [3, 3, 3],
        }
    )
    path = tmp_path / "orders.csv"
    rows.to_csv(path, index=False, encoding="gbk")
    done = town("import", "orders", str(path))
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "3 rows read = 1 accepted" in said
    assert "2 rejected" in said
