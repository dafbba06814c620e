"""Reference data from a terminal: rows with dates imported, shown for a date, removed, and written down."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from api.records import Records
from cli.app import app
from contracts.errors import NotFoundError
from contracts.settings import load_settings

HEADER = "供应商,名称,下单成本,起送金额,满足率,提前期,截单时间,生效日期,失效日期"
OLD, NEW = "S1,果园,5,0,1,2,18:00-1,,", "S1,果园,9,0,1,2,18:00-1,2026-04-20,2026-04-30"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Return a settings file of an empty store."""
    path = tmp_path / "settings.toml"
    path.write_text(
        f"[storage]\nurl = 'sqlite:///{tmp_path / 'tuancai.sqlite'}'\nhistory = '{tmp_path / 'history'}'\n"
        f"models = '{tmp_path / 'models'}'\n",
        encoding="utf-8",
    )
    return path


def test_a_table_from_import_to_removal(settings: Path, tmp_path: Path) -> None:
    """A Chinese price list with dates: the row that holds on a date is shown, an export has all, one row goes."""
    (tmp_path / "s.csv").write_text("\n".join((HEADER, OLD, NEW)) + "\n", encoding="utf-8")

    def tuancai(*words: str) -> str:
        done = CliRunner().invoke(app, ["--settings", str(settings), *words])
        if done.exception is not None:
            raise done.exception
        return done.output

    assert "2 rows read = 2 accepted (2 new" in tuancai("import", "reference", "suppliers", str(tmp_path / "s.csv"))
    out = tmp_path / "all.csv"
    assert "2 rows in" in tuancai("reference", "show", "suppliers", "--out", str(out))
    assert pd.read_csv(out)["valid_until"].tolist()[1] == "2026-04-30"
    for on, cost in (("2026-04-19", "5"), ("2026-04-20", "9")):
        tuancai("reference", "show", "suppliers", "--on", on, "--out", str(out))
        assert pd.read_csv(out)["order_cost_yuan"].tolist() == [float(cost)]
    assert "2026-04-20" in tuancai("reference", "remove", "suppliers", "S1", "--valid-from", "2026-04-20")
    with pytest.raises(NotFoundError):
        tuancai("reference", "remove", "suppliers", "S1", "--valid-from", "2026-04-20")
    records = Records.open(load_settings(settings).storage)
    log = records.audit.entries(subject="suppliers")
    assert log["action"].tolist() == ["remove reference row", "import reference file"]
    assert log["key_id"].str.startswith("terminal ").all()
    assert [facts["new"] for facts in log["facts"].tolist()] == [0, 2]
    records.close()
