"""Expected units of every series of a panel on days ahead, and who says so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.calm import Calm
from forecast.combination import volume_band
from forecast.context import Context
from forecast.levels import Level
from forecast.members import MovingAverage
from forecast.members.protocol import Forecasts
from forecast.model import DemandModel
from forecast.own_right import OWN_LEVELS, drawn_to_sums, summed_panel, unremembered, whole_sums
from forecast.panel import Panel


def expected_units(
    model: DemandModel,
    panel: Panel,
    context: Context,
    horizons: Sequence[int],
    *,
    listed: NDArray[np.bool_] | None = None,
) -> tuple[Forecasts, NDArray[np.object_]]:
    """Return means and sources, horizons x series, as of the last known day of the panel.

    What passes (a feast, a promotion, what is new) is left out and multiplied back in (`Calm`). Parts are drawn to the
    sums forecast in their own right, over the series `listed` (horizons x series, default all), and what the newest
    forecasts missed by is taken off where that was earned (`recent_bias`). Horizons beyond the
    trained one, and series that the leading member has no answer for, are answered by the moving average, labelled.
    NaN where that has none either.
    """
    origin = panel.known - 1
    calm = Calm.of(panel, context, model.passing)
    panel = calm.panel
    longest = model.settings.horizon_days
    within = [lead for lead in horizons if model.fallback or lead <= longest]
    beyond = MovingAverage()
    means = beyond.forecast(panel, context, origins=[origin], horizons=horizons)[0]
    sources = np.empty(means.shape, object)
    for position, lead in enumerate(horizons):
        sources[position] = f"fallback: {beyond.name}, {lead} days ahead is beyond the trained {longest}"
    if within:
        told = {
            name: model.members[name].forecast(panel, context, origins=[origin], horizons=within)
            for name in model.combination.used()
        }
        answers = {name: answer[0] for name, answer in calm.answers(told, [origin], within).items()}
        leading = model.combination.members[0]
        band = volume_band(answers[leading], model.settings.volume_bands)
        bands = range(len(model.settings.volume_bands) + 1)
        corrected = ", recent bias taken off" if len(model.recent_bias.factor) else ""
        labels = np.array([model.fallback or model.combination.label(code) + corrected for code in bands], object)
        inside = [position for position, lead in enumerate(horizons) if lead in within]
        silent = ~np.isfinite(answers[leading])
        mixed = np.where(silent, means[inside], model.combination.mixed(answers, band))
        seen = np.isfinite(mixed) if listed is None else np.isfinite(mixed) & listed[inside]
        drawn = drawn_to_sums(mixed, _own_forecasts(model, panel, context, within, mixed, seen), seen)
        means[inside] = np.where(silent, drawn, drawn * model.recent_bias.of(panel.series))
        sources[inside] = np.where(silent, f"fallback: {beyond.name}, {leading} has no answer", labels[band])
    course = np.stack([calm.at(origin + lead) for lead in horizons])
    return (means * course).astype(np.float32), sources


def _own_forecasts(
    model: DemandModel,
    panel: Panel,
    context: Context,
    horizons: Sequence[int],
    parts: Forecasts,
    listed: NDArray[np.bool_],
) -> dict[str, tuple[Level, NDArray[np.float64], float]]:
    out = {}
    origin = panel.known - 1
    unknown = unremembered(panel, [origin])
    for one in model.own_levels:
        level = Level.by(panel.series, OWN_LEVELS[one.name], name=one.name)
        summed = summed_panel(panel, level)
        forecast = one.fitted.forecast(summed, context, origins=[origin], horizons=horizons)[0]
        out[one.name] = (level, whole_sums(forecast, level, parts, unknown, listed), one.worth)
    return out
