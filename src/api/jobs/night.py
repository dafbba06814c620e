"""The stages of a night as durable steps: the input first, then the pipeline's own chain, each kept when finished."""

from __future__ import annotations

from collections.abc import Callable

from contracts.settings import Settings
from pipeline.night import NightInput, Steps, plan_night
from pipeline.plan import NightPlan
from pipeline.progress import Progress


def plan_in_steps(
    gather: Callable[[], NightInput], *, settings: Settings, progress: Progress, step: Steps
) -> NightPlan:
    """Plan a night stage by stage; the input is kept too, so that a job that comes back plans what it began with.

    Parameters
    ----------
    gather
        Reads the night's input from the store.
    step
        Runs and keeps a stage.
    """
    night = step("input", gather)
    return plan_night(night, settings=settings, progress=progress, step=step)
