"""Pictures of a backtest: error by level and by lead time, what is gained over the baselines, and calibration."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from contracts.columns import LEVELS, QUANTILE_COLUMNS, QUANTILES
from forecast.backtest_scores import BacktestScores


def backtest_figures(scores: BacktestScores) -> dict[str, bytes]:
    """Return the pictures as PNG by file name."""
    return {
        "error_by_level.png": _png(_error_by_level(scores)),
        "error_by_lead.png": _png(_error_by_lead(scores)),
        "error_by_band.png": _png(_error_by_band(scores)),
        "coverage.png": _png(_coverage(scores)),
    }


def _bands(scores: BacktestScores, level: str) -> dict[str, str]:
    """Return the volume bands seen at a level, from slow to fast sellers, with what people call them."""
    cuts = scores.scores[(scores.scores["by"] == "band") & (scores.scores["level"] == level)]
    settings = next(iter(scores.settings.values()), None)
    borders = settings.volume_bands if settings else ()
    names = {}
    for key in sorted(cuts["group"].unique(), key=int):
        low, high = int(key) - 1, int(key)
        above = f"from {borders[low]:g}" if 0 <= low < len(borders) else ""
        below = f"to {borders[high]:g}" if high < len(borders) else ""
        names[str(key)] = f"{above} {below}".strip() or f"band {key}"
    return names


def _models(scores: BacktestScores) -> list[str]:
    """Return the models, best at the lowest level first."""
    base = scores.summary()
    return list(base[base["level"] == LEVELS[0]].sort_values("wrmsse")["model"])


def _error_by_level(scores: BacktestScores) -> Figure:
    """Weighted scaled error per level and model, with the range over the origins."""
    whole = scores.scores[scores.scores["by"] == "all"]
    models = _models(scores)
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / max(len(models), 1)
    for position, model in enumerate(models):
        own = whole[whole["model"] == model].groupby("level")["wrmsse"].agg(["mean", "min", "max"]).reindex(LEVELS)
        at = np.arange(len(LEVELS)) + (position - (len(models) - 1) / 2) * width
        reach = np.abs(np.vstack([own["mean"] - own["min"], own["max"] - own["mean"]]))
        axes.bar(at, own["mean"], width * 0.92, label=model, color=_colour(position))
        axes.errorbar(at, own["mean"], yerr=reach, fmt="none", ecolor="black", elinewidth=0.8, capsize=2)
    axes.set_xticks(range(len(LEVELS)), LEVELS)
    axes.set_ylabel("WRMSSE (less is better)")
    axes.set_title(f"Error by level, mean and range over {whole['origin'].nunique()} origins")
    axes.legend(fontsize="small", ncols=2)
    return figure


def _error_by_lead(scores: BacktestScores) -> Figure:
    """Absolute error and bias by days ahead at each level."""
    leads = scores.scores[scores.scores["by"] == "lead"].assign(lead=lambda table: table["group"].astype(int))
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots(2, len(LEVELS), sharex=True, sharey="row")
    for column, level in enumerate(LEVELS):
        for position, model in enumerate(_models(scores)):
            own = leads[(leads["level"] == level) & (leads["model"] == model)].groupby("lead")[["wape", "bias"]].mean()
            for row, metric in enumerate(("wape", "bias")):
                axes[row, column].plot(own.index, own[metric], marker="o", ms=3, label=model, color=_colour(position))
        axes[0, column].set_title(level)
        axes[1, column].axhline(0.0, color="grey", linewidth=0.8)
        axes[1, column].set_xlabel("days ahead")
    axes[0, 0].set_ylabel("absolute error / units")
    axes[1, 0].set_ylabel("bias / units")
    axes[0, -1].legend(fontsize="small")
    return figure


def _error_by_band(scores: BacktestScores) -> Figure:
    """Absolute error by volume band at the lowest level."""
    bands = scores.scores[(scores.scores["by"] == "band") & (scores.scores["level"] == LEVELS[0])]
    table = bands.pivot_table(index="group", columns="model", values="wape", aggfunc="mean")
    names = _bands(scores, LEVELS[0])
    table = table.reindex(list(names))
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for position, model in enumerate(_models(scores)):
        axes.plot(range(len(table)), table[model], marker="o", label=model, color=_colour(position))
    axes.set_xticks(range(len(table)), list(names.values()))
    axes.set_ylabel("absolute error / units")
    axes.set_xlabel("units per day and SKU")
    axes.set_title(f"{LEVELS[0]} level, from slow to fast sellers")
    axes.legend(fontsize="small")
    return figure


def _coverage(scores: BacktestScores) -> Figure:
    """Share of demand below and up to each quantile of the full model: the diagonal must run through every bar."""
    models = _models(scores)
    model = "champion" if "champion" in models else models[0]
    bands = scores.coverage[(scores.coverage["model"] == model) & (scores.coverage["by"] == "band")]
    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots(1, len(LEVELS), sharey=True)
    nominal = dict(zip(QUANTILE_COLUMNS, QUANTILES, strict=True))
    for place, level in zip(axes, LEVELS, strict=True):
        own = bands[bands["level"] == level]
        groups = _bands(scores, level)
        for position, (group, name) in enumerate(groups.items()):
            rows = own[own["group"] == group]
            at = rows["quantile"].map(nominal).to_numpy(np.float64) + (position - (len(groups) - 1) / 2) * 0.006
            place.vlines(at, rows["below"], rows["upto"], color=_colour(int(group)), linewidth=3, label=name)
            place.plot(at, rows[["below", "upto"]].mean(axis=1), ".", ms=3, color=_colour(int(group)))
        place.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
        place.set_title(f"{level}: {model}")
        place.set_xlabel("quantile")
        place.legend(fontsize="x-small", title="units per day", title_fontsize="x-small")
    axes[0].set_ylabel("share of demand below ... up to it")
    return figure


def _colour(position: int) -> Any:
    return colormaps["tab10"](position % 10)


def _png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100, metadata={"Software": None})
    return picture.getvalue()
