"""The process that answers is up in seconds: it imports nothing of what plans and trains."""

from __future__ import annotations

import subprocess
import sys
import threading

import pandas as pd
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import api.records.migrate
import store.database.engine
from api.kept import Kept
from api.serving import NOT_YET, ServingModel
from contracts.errors import NotFoundError
from store.database.revisions import newest_revision

HEAVY = ("pipeline.desk", "forecast", "optimize", "simulate", "mlflow", "sklearn", "lightgbm", "statsmodels", "numba",
         "pulp", "pyvrp", "matplotlib", "dbos", "alembic", "openpyxl", "xlsxwriter", "dask", "scipy")  # fmt: skip


@pytest.mark.parametrize("module", ["api.app", "cli.app"])
def test_serving_process_imports_nothing_heavy(module: str) -> None:
    """Importing the app brings in no model, solver or registry: import them in the function that needs them."""
    code = f"import {module}, sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("folder", [store.database.engine.MIGRATIONS, api.records.migrate.MIGRATIONS], ids=str)
def test_newest_revision_is_the_head_of_the_migrations(folder: object) -> None:
    """What is read from file names is what the migration library finds."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision(folder)]  # type: ignore[arg-type]


def test_value_is_made_once_for_all_who_ask() -> None:
    """Four threads that ask at once get one value; another key is another value; failures are not kept."""
    kept: Kept[pd.DataFrame] = Kept(most_bytes=10_000, weigh=lambda frame: 1_000 * len(frame))
    made: list[int] = []
    gate = threading.Event()

    def make() -> pd.DataFrame:
        gate.wait(5)
        made.append(1)
        return pd.DataFrame({"units": [1.0]})

    threads = [threading.Thread(target=lambda: kept.get("a", make)) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert made == [1]
    with pytest.raises(ZeroDivisionError):
        kept.get("b", lambda: pd.DataFrame({"units": [1 / 0]}))
    assert len(kept.get("b", lambda: pd.DataFrame({"units": [2.0, 3.0]}))) == 2


def test_kept_values_stay_within_their_bound() -> None:
    """What was asked for longest ago goes first; what is larger than the bound is never kept."""
    kept: Kept[str] = Kept(most_bytes=10, weigh=len)
    kept.get(1, lambda: "aaaa")
    kept.get(2, lambda: "bbbb")
    kept.get(1, lambda: "lost")
    kept.get(3, lambda: "cccc")
    assert kept.get(1, lambda: "made again") == "aaaa"
    assert kept.get(2, lambda: "new") == "new"
    kept.get(4, lambda: "x" * 11)
    assert kept.get(4, lambda: "y") == "y"


def test_serving_model_is_told_without_waiting() -> None:
    """The first answer comes at once; what the registry says, or why it does not, follows."""
    serving = ServingModel(fresh_s=0.0)
    looked = threading.Event()

    def away() -> str:
        looked.set()
        raise NotFoundError("model", "demand@champion")

    assert serving.state(away) == NOT_YET
    assert looked.wait(5)
    for _ in range(100):
        if (told := serving.state(lambda: "ok: version 1")) != NOT_YET:
            break
        threading.Event().wait(0.01)
    assert "demand@champion" in told or told == "ok: version 1"
