"""The tutorial on own data: its mapping is valid, its figures are those of the import."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from contracts.flow import OrderLines
from store import Mapping

TEXT = (Path(__file__).parents[2] / "docs" / "tutorial-own-data.md").read_text(encoding="utf-8")


def test_the_mapping_of_the_tutorial_is_valid() -> None:
    """The long example loads, and every column it names is the contract's."""
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    mapping = Mapping.model_validate(tomllib.loads(example))
    assert {*mapping.columns, *mapping.constants, *mapping.derive} <= set(OrderLines.column_names())
    assert mapping.cancellations is not None
    assert len(mapping.reject) == 2


def test_the_figures_of_the_tutorial_add_up() -> None:
    """Rejected rows and units of the table are those of the sentence."""
    rows = re.findall(r"^\| .* \| ([\d,]+) \| (-?[\d,]+) \|$", TEXT, flags=re.MULTILINE)
    counts = [(int(n.replace(",", "")), int(u.replace(",", ""))) for n, u in rows]
    assert sum(n for n, _ in counts) == 6_731
    assert sum(u for _, u in counts) == -165_109
    assert "+ 6,731 rejected" in TEXT
    assert "+ (-165,109) rejected" in TEXT
