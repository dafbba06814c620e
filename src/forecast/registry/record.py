"""What a run keeps beside the model: settings, scores, tables, figures and a card in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from forecast.model import DemandModel
from forecast.registry.figure import score_figure

CARD = "model_card.md"


@dataclass(frozen=True)
class RunRecord:
    """Everything about a training that is worth reading later.

    Attributes
    ----------
    params : mapping of name to text
        Settings and the fingerprint of the data.
    metrics : mapping of name to values
        One value per rolling window, oldest first.
    tables : mapping of file name to DataFrame
        Written as CSV.
    texts : mapping of file name to text
        Such as the model card.
    figures : mapping of file name to PNG
    """

    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, bytes] = field(default_factory=dict)


def record_of(model: DemandModel) -> RunRecord:
    """Return the record of a demand model: its settings, data fingerprint, scores per window, and card."""
    params = {
        "data_fingerprint": model.fingerprint,
        "trained_until": str(model.trained_until.date()),
        "series": str(len(model.last_level)),
        "members": ", ".join(model.combination.used()),
        **{f"settings.{name}": str(value) for name, value in flat(model.settings.model_dump()).items()},
    }
    metrics = {
        f"{name}.{metric}": tuple(float(value) for value in group.sort_values("origin")[metric])
        for name, group in model.scores.groupby("member")
        for metric in ("wape", "bias", "rmse")
    }
    return RunRecord(
        params=params,
        metrics=metrics,
        tables={"rolling_scores.csv": model.scores},
        texts={CARD: model_card(model)},
        figures={"rolling_scores.png": score_figure(model.scores)},
    )


def model_card(model: DemandModel) -> str:
    """Return the model card: what it learned from, who answers for what, how good it was on rolling origins."""
    lines = [
        "# Demand model",
        "",
        f"- Learned from {len(model.last_level)} series up to {model.trained_until.date()}, "
        f"data {model.fingerprint[:12]}.",
        f"- Forecasts {model.settings.horizon_days} days ahead; whole units: {'yes' if model.whole else 'no'}.",
        f"- {model.fallback or 'No fallback.'}",
        "",
        "## Who answers, by forecast units per day",
        "",
    ]
    borders = model.settings.volume_bands
    names = [f"below {borders[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(borders))]
    names.append(f"{borders[-1]:g} and more")
    lines += [f"- {name}: {model.combination.label(code)}" for code, name in enumerate(names)]
    lines += ["", "## What is done to the answers", "", *_treatments(model)]
    lines += [
        "",
        "## Rolling origins, community level",
        "",
        "| member | WAPE | bias | RMSE | windows |",
        "|---|---|---|---|---|",
    ]
    for member, group in model.scores.groupby("member"):
        mean = group[["wape", "bias", "rmse"]].mean()
        lines.append(f"| {member} | {mean['wape']:.3f} | {mean['bias']:+.3f} | {mean['rmse']:.3f} | {len(group)} |")
    lines += [
        "",
        "## Limits",
        "",
        "- Prices and listings of the days ahead are taken as planned; a plan that changes changes demand.",
        "- Quantiles are those of the rolling origins; a shock they never saw is outside them.",
    ]
    return "\n".join(lines) + "\n"


def _treatments(model: DemandModel) -> list[str]:
    """Return one line per thing that happens between the members' answers and the forecast."""
    drawn = [f"{one.name} (worth {one.worth:.2f})" for one in model.own_levels]
    bias = model.recent_bias
    tried = "too few origins to try" if np.isnan(bias.gain) else f"would have saved {100 * bias.gain:+.1f} % at worst"
    taken = f"taken off in {len(bias.factor)} categories of areas" if len(bias.factor) else "left as it is"
    return [
        f"- Drawn to sums forecast in their own right: {', '.join(drawn) or 'none, none helped'}.",
        f"- Bias of the newest forecasts: {taken}; {tried} (squared error of an origin's sums).",
        f"- Without a past, an SKU's level is known to a log spread of {model.unsure.goods:.2f}, a community's of "
        f"{model.unsure.places:.2f}: their quantiles are wider by that.",
    ]


def flat(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return nested settings as one level of dotted names.

    Examples
    --------
    >>> flat({"seed": 0, "boosting": {"trees": 10}})
    {'seed': 0, 'boosting.trees': 10}
    """
    out: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{name}.")
        else:
            out[f"{prefix}{name}"] = value
    return out
