"""A trained tiny city for the pipeline's tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from contracts.settings import Settings
from contracts.world import World
from pipeline.desk import PlanningDesk
from pipeline.plan import NightPlan


def desk_settings(folder: Path) -> Settings:
    """Return settings that keep everything under a folder."""
    return Settings(
        storage={  # type: ignore[arg-type]
            "url": f"sqlite:///{folder / 'tuancai.sqlite'}",
            "history": folder / "history",
            "models": folder / "models",
        }
    )


@pytest.fixture(scope="session")
def tomorrow(tiny: World) -> pd.Timestamp:
    """Return the delivery date the tiny world is planned for."""
    from simulate import planning_date

    return planning_date(tiny)


@pytest.fixture(scope="session")
def desk(trained_city: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> PlanningDesk:
    """Return a desk with the tiny world imported and models trained."""
    folder = tmp_path_factory.mktemp("desk") / "city"
    shutil.copytree(trained_city(), folder)
    return PlanningDesk.open(desk_settings(folder))


@pytest.fixture(scope="session")
def brief(desk: PlanningDesk) -> Settings:
    """Return the desk's settings with a short search for routes, where it does not matter how good they are."""
    return desk.settings.model_copy(update={"solve": desk.settings.solve.model_copy(update={"routing_work": 100})})


@pytest.fixture(scope="session")
def evening_plan(desk: PlanningDesk, tomorrow: pd.Timestamp) -> NightPlan:
    """Return the plan as of 18:00 on the evening before."""
    return desk.plan(tomorrow, tomorrow.tz_localize("Asia/Shanghai").tz_convert("UTC") - pd.Timedelta(hours=6))


@pytest.fixture(scope="session")
def cutoff_plan(desk: PlanningDesk, tomorrow: pd.Timestamp, evening_plan: NightPlan) -> NightPlan:
    """Return the plan at the cutoff, after the evening plan's orders were sent."""
    moment = tomorrow.tz_localize("Asia/Shanghai").tz_convert("UTC") - pd.Timedelta(hours=1)
    return desk.plan(tomorrow, moment, after=evening_plan.summary.plan_id)
