"""The nightly schedule: due plans by the city's clock, each asked for once, whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.jobs.schedule import CATCH_UP, due_plans
from contracts.errors import SettingsError
from contracts.settings import Settings

CITY = Settings(service={"plan_at": ("09:00-1", "23:00-1")})
CUTOFF = datetime(2026, 4, 21, 15, tzinfo=UTC)
"""23:00 in Shanghai on the evening before 2026-04-22."""


@pytest.mark.parametrize(
    ("after", "keys"),
    [
        (timedelta(seconds=-1), []),
        (timedelta(0), ["2026-04-22 23:00-1"]),
        (CATCH_UP - timedelta(seconds=1), ["2026-04-22 23:00-1"]),
        (CATCH_UP, []),
        (timedelta(hours=-14), ["2026-04-22 09:00-1"]),
    ],
)
def test_plan_is_due_from_its_moment_until_it_helps_nobody(after: timedelta, keys: list[str]) -> None:
    """Not a second early, and not after the time to catch up."""
    assert [plan.key for plan in due_plans(CITY, now=CUTOFF + after)] == keys


def test_clock_jump_backwards_asks_for_nothing_twice(tmp_path: Any, settings_in: Any, service_on: Any) -> None:
    """A plan asked for once stays asked for, though the clock shows its moment again, and for another asker too."""
    settings = settings_in(tmp_path, plan_at=("23:00-1",))
    with service_on(settings) as admin:
        queue = admin.client.app.state.service.queue
        first = queue.ask_due(settings, now=CUTOFF + timedelta(minutes=1))
        again = queue.ask_due(settings, now=CUTOFF)
        assert [job.request["as_of"] for job in first] == ["2026-04-21T15:00:00+00:00"]
        assert again == []
        assert admin.get("/v1/jobs").json()["items"][0]["requested_by"] == "schedule"


def test_clock_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A wrong clock in the settings is told at the start."""
    from contracts.settings import load_settings

    path = tmp_path / "city.toml"
    path.write_text('[service]\nplan_at = ["evening"]\n')
    with pytest.raises(SettingsError, match="evening"):
        load_settings(path)
