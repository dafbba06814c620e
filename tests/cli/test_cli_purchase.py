"""explain, what-if and compare from a terminal, on the tiny world."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from contracts.errors import InputError

DATE = "2026-04-22"
pytestmark = pytest.mark.slow


def tuancai(folder: Path, *words: str) -> Result:
    """Run a command on a store in one folder."""
    settings = folder / "settings.toml"
    settings.write_text(
        f"[storage]\nurl = 'sqlite:///{folder / 'tuancai.sqlite'}'\n"
        f"history = '{folder / 'history'}'\nmodels = '{folder / 'models'}'\n"
        "[solve]\nrouting_work = 200\nworkers = 1\n[forecast]\nbacktest_origins = 1\n",
        encoding="utf-8",
    )
    return CliRunner().invoke(app, ["--settings", str(settings), *words])


@pytest.fixture(scope="module")
def planned(trained_city: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a folder and the ids of the plans as of 18:00 and 20:00 in it."""
    folder, found = tmp_path_factory.mktemp("purchase") / "city", []
    shutil.copytree(trained_city(backtest_origins=1), folder)
    for moment in ("18:00", "20:00"):
        output = tuancai(folder, "plan", "--date", DATE, "--as-of", moment).output
        named = re.search(rf"Plan ({DATE.replace('-', '')}-\w+) for {DATE}", output)
        assert named is not None, output
        found.append(named[1])
    return folder, found


def test_the_three_verbs_answer(planned: tuple[Path, list[str]]) -> None:
    """Limits, rebates and chance; what more demand would change; two plans beside each other."""
    folder, (first, second) = planned
    explained = tuancai(folder, "explain", first).output
    assert "chance costs" in explained
    assert "Rebates reached" in explained
    more = tuancai(folder, "what-if", first, "--demand", "*=3", "--budget", "100000", "--seconds", "5")
    assert more.exit_code == 0, more.output
    assert "Lines that change" in more.output
    assert "changed_lines" in more.output
    compared = tuancai(folder, "compare", first, second).output
    assert "purchase.goods" in compared
    assert "Lines that change" in compared


@pytest.mark.parametrize("words", [("--price", "S1"), ("--lock", "S1/K1"), ("--demand", "=2")])
def test_half_a_question_is_refused(planned: tuple[Path, list[str]], words: tuple[str, str]) -> None:
    """A factor without a number, half a line, a number without a SKU."""
    folder, (first, _) = planned
    done = tuancai(folder, "what-if", first, *words)
    assert isinstance(done.exception, InputError)
    assert words[1] in str(done.exception)
