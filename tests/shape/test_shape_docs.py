"""Shape of the project: generated pages are current, every module, public class and function says what it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from contracts.describe import describe_data, describe_settings

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize(("page", "text"), [("data", describe_data), ("settings", describe_settings)])
def test_generated_pages_are_current(page: str, text: object) -> None:
    """docs/data.md and docs/settings.md are what the code says."""
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == text(), (
        f"run: python -m contracts.describe {page} > docs/{page}.md"
    )


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_public_names_are_documented(module: Path) -> None:
    """A module, a public class and a public function begin with a sentence."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "module docstring"
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_no_file_has_a_name_that_says_nothing() -> None:
    """utils, helpers, common, misc, base and manager are no names from the trade."""
    empty = {"utils", "helpers", "common", "misc", "base", "manager"}
    assert not [m for m in MODULES if m.stem in empty]
