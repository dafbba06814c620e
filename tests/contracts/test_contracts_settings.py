"""Settings: every one documented, the sources in the stated order, mistakes named."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.describe import describe_settings, settings_of
from contracts.errors import SettingsError
from contracts.settings import ForecastSettings, Settings, load_settings


def test_every_setting_has_a_unit_and_a_reason() -> None:
    """A number without a reason is a magic number."""
    for section in Settings.model_fields.values():
        for name, field in settings_of(section.annotation):
            assert field.description, name
            assert field.json_schema_extra["unit"], name


def test_a_section_inside_a_section_is_described_too() -> None:
    """docs/settings.md names nested settings with a dot."""
    names = [name for name, _ in settings_of(ForecastSettings)]
    assert "boosting.trees" in names
    assert "| `boosting.trees` |" in describe_settings()


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stated order of the sources, within one section."""
    file = tmp_path / "city.toml"
    file.write_text('[city]\nname = "杭州"\ncutoff = "22:00-1"\n', encoding="utf-8")
    monkeypatch.setenv("TUANCAI_CITY__CUTOFF", "22:30-1")
    loaded = load_settings(file)
    assert (loaded.city.name, loaded.city.cutoff, loaded.city.timezone) == ("杭州", "22:30-1", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('[city]\ntimezone = "Mars/Olympus"', "city.timezone"),
        ("[travel]\nspeed_kmh = 0", "travel.speed_kmh"),
        ("[travle]\nspeed_kmh = 9", "travle"),
        ("[city]\ncutoff = '25:00'", "city.cutoff"),
        ("[city", "cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, fact: str) -> None:
    """Misspelt, out of range, or no TOML at all."""
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=fact):
        load_settings(file)


def test_settings_cannot_be_changed_after_loading() -> None:
    """Frozen: nobody turns a knob behind another's back."""
    with pytest.raises(ValueError, match="frozen"):
        load_settings().city.cutoff = "20:00-1"  # type: ignore[misc]
