"""Every notebook runs from top to bottom on the tiny world."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))


def test_there_is_a_notebook_to_start_from() -> None:
    """A data scientist's first file exists under its documented name."""
    assert "start_here.py" in [path.name for path in NOTEBOOKS]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each code cell ends without an error, and the notebook shows at least one picture."""
    monkeypatch.setenv("TUANCAI_NOTEBOOK_WORLD", "tiny")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    book = jupytext.read(path)
    NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
