"""A champion that cannot serve any more: the new model takes its place, no contest can be held."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.errors import ModelError
from contracts.settings import StorageSettings
from forecast import Registry
from forecast.registry import RunRecord
from pipeline.training import replace_unfit


@dataclass(frozen=True)
class Stored:
    """A model as far as the registry looks at it."""

    figure: float = 1.0


def test_a_champion_that_does_not_fit_the_program_is_replaced_and_a_fit_one_is_not(tmp_path: Path) -> None:
    """After an update the old file lacks a field: it raises, the fresh version serves, and the reason is kept."""
    registry = Registry(StorageSettings(models=tmp_path))
    old = Stored()
    object.__delattr__(old, "figure")
    registry.log(old, record=RunRecord())
    fresh = registry.log(Stored(2.0), record=RunRecord())
    with pytest.raises(ModelError, match="Stored lacks figure"):
        registry.champion()
    assert replace_unfit(registry, fresh)
    assert registry.champion().model == Stored(2.0)
    assert "cannot serve any more" in registry.versions()[0]["promoted_on"]
    later = registry.log(Stored(3.0), record=RunRecord())
    assert not replace_unfit(registry, later)
    assert registry.champion().version == fresh
