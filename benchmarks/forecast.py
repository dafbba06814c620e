"""Forecast the next 28 days of the M5 panel with the demand model as a city would use it, and score it.

    python benchmarks/forecast.py --data ../shared/datasets/m5 --train-until 1913 --json forecast.json

Stores are communities and price areas, states warehouses, departments categories (`benchmarks/m5/read.py`). The
settings below are the same for every window. With no sales after `--train-until` in the files, scores are null.

Each baseline is a member on its own in a process of its own, two at a time (`peak_rss_mb` holds the panel too): its
forecast as it is, and quantiles from its own rolling errors, learned as the model's are. ETS and Theta are fitted one
series after the other, for a quarter of an hour each: `--baselines seasonal_naive ets theta`.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
# this file is called forecast.py too: without its folder on the path, `forecast` is the package
import forecast

sys.path.append(str(HERE))
import numpy as np
import pandas as pd

from contracts.settings import BoostingSettings, ForecastSettings
from forecast.combination import volume_band
from forecast.expected import expected_units
from forecast.level_spreads import level_spreads
from forecast.levels import Level
from forecast.members import MovingAverage, member
from forecast.rolling import roll, rolling_origins
from forecast.scores import coverage, coverage_miss
from m5.read import HORIZON, M5, read_m5
from m5.score import LEVELS, QUANTILES, Scorer

SETTINGS = ForecastSettings(
    horizon_days=HORIZON,
    train_days=400,
    look_back_days=1_400,
    backtest_origins=4,
    origin_spacing_days=9,
    boosting=BoostingSettings(
        trees=300, leaves=63, learning_rate=0.05, max_rows=2_500_000, origin_stride_days=3, threads=2
    ),
    own_train_days=1_700,
    own_boosting=BoostingSettings(
        trees=300,
        leaves=127,
        learning_rate=0.05,
        min_leaf_rows=30,
        tweedie_power=1.5,
        max_rows=500_000,
        origin_stride_days=2,
        threads=2,
    ),
)
COVERAGE_LEVELS = ("item_store", "item_state")
"""Here: SKU x community and SKU x warehouse."""
BASELINES = ("seasonal_naive", "weekday_mean", "moving_average", "croston", "sba", "tsb")
SLOW = ("ets", "theta")
"""Members fitted series by series: their errors are learned from one origin."""
COVERED = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Quantiles a city plans by: their one-sided coverage is reported."""


def main() -> None:
    """Run the benchmark."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    data = read_m5(options.data, item_share=options.item_share)
    result = benchmark(data, options.train_until, trees=options.trees, threads=options.threads, seed=options.seed)
    means = result.pop("forecast")
    if options.forecast_out:
        table = data.series[["item_id", "store_id"]].copy()
        for day in range(HORIZON):
            table[f"F{day + 1}"] = means[day]
        table.to_parquet(options.forecast_out, index=False)
    _write(result, options.json)
    if result["wrmsse"] is not None:
        asked = [(options.data, options.item_share, options.train_until, name) for name in options.baselines]
        result["baselines"] = {}
        with ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
            for name, scores in zip(options.baselines, processes.map(baseline, asked), strict=True):
                result["baselines"][name] = scores  # type: ignore[index]
                print(f"{name}: {scores['wrmsse']:.4f}, {scores['seconds']:.0f} s", flush=True)
                _write(result, options.json)
    print(json.dumps({key: value for key, value in result.items() if key != "coverage"}, indent=1))


def _write(result: dict[str, object], path: Path | None) -> None:
    if path:
        path.write_text(json.dumps(result, indent=1), encoding="utf-8")


def benchmark(
    data: M5,
    until: int,
    *,
    trees: int | None = None,
    threads: int | None = None,
    seed: int = SETTINGS.seed,
) -> dict[str, object]:
    """Train as of day `until`, forecast 28 days, score what the files know of them."""
    changes = {key: value for key, value in (("trees", trees), ("threads", threads)) if value}
    settings = SETTINGS.model_copy(update={"boosting": SETTINGS.boosting.model_copy(update=changes), "seed": seed})
    panel = data.panel(until)
    past = panel.last_days(settings.train_days + settings.look_back_days)
    started = time.perf_counter()
    model = forecast.train(
        past,
        skus=data.context.skus,
        communities=data.context.communities,
        calendar=data.context.calendar,
        area_events=data.context.area_events,
        settings=settings,
        groupings=LEVELS,
    )
    trained = time.perf_counter()
    horizons = range(1, HORIZON + 1)
    means, _ = expected_units(model, past, data.context, horizons)
    means = np.nan_to_num(means)
    spread = _Spread.told(model.spreads, panel, means)
    done = time.perf_counter()
    result: dict[str, object] = {
        "train_until": until,
        "forecast": means,
        "train_seconds": trained - started,
        "predict_seconds": done - trained,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "settings": settings.model_dump(),
        "combination": [model.combination.label(band) for band in range(len(settings.volume_bands) + 1)],
        "own_levels": {one.name: one.worth for one in model.own_levels},
        "recent_bias": {"taken_off": len(model.recent_bias.factor) > 0, "gain": model.recent_bias.gain},
        "add_up": _add_up(panel.series, means),
        **dict.fromkeys(("wrmsse", "levels", "wspl", "coverage", "baselines")),
    }
    actual = data.units[until : until + HORIZON]
    if len(actual) == HORIZON:
        actual = np.nan_to_num(actual)
        result |= _scores(panel, means, spread, actual)
    return result


def baseline(asked: tuple[Path, float, int, str]) -> dict[str, object]:
    """Score one member on its own: data, share of items, last known day, name."""
    folder, item_share, until, name = asked
    data = read_m5(folder, item_share=item_share)
    panel = data.panel(until)
    settings = SETTINGS.model_copy(update={"backtest_origins": 1}) if name in SLOW else SETTINGS
    one, horizons = member(name, settings), range(1, HORIZON + 1)
    started = time.perf_counter()
    told = one.fit(panel, data.context).forecast(panel, data.context, origins=[panel.known - 1], horizons=horizons)[0]
    seconds = time.perf_counter() - started
    origins = rolling_origins(panel, settings)
    rolled = roll(panel, data.context, members=[one], origins=origins, horizons=tuple(horizons))
    spreads = level_spreads(panel, rolled, rolled.forecasts[one.name], LEVELS, whole=True)
    answered = np.isfinite(told)
    usual = MovingAverage().forecast(panel, data.context, origins=[panel.known - 1], horizons=horizons)[0]
    means = np.nan_to_num(np.where(answered, told, usual))
    actual = np.nan_to_num(data.units[until : until + HORIZON])
    status = Path("/proc/self/status").read_text()  # getrusage would begin with the peak of the process that started us
    return {
        "seconds": seconds,
        "with_spread_seconds": time.perf_counter() - started,
        "peak_rss_mb": int(status.split("VmHWM:")[1].split()[0]) / 1024,
        "answered": float(answered.mean()),
        **_scores(panel, means, _Spread.told(spreads, panel, means), actual),
    }


@dataclass(frozen=True)
class _Spread:
    """Quantiles of a forecast: the competition's at all levels, and those a city plans by with what is stated."""

    official: dict[str, np.ndarray]
    covered: dict[str, np.ndarray]
    stated: dict[str, np.ndarray]

    @classmethod
    def told(cls, spreads: Mapping[str, Any], panel: forecast.Panel, means: np.ndarray) -> _Spread:
        """Return the quantiles of means by each level's spread."""
        return cls(
            {name: _quantiles(spreads[name], panel, means, name, QUANTILES) for name in LEVELS},
            {name: _quantiles(spreads[name], panel, means, name, COVERED) for name in COVERAGE_LEVELS},
            {name: _quantiles(spreads[name], panel, means, name, COVERED, stated=True) for name in COVERAGE_LEVELS},
        )


def _quantiles(
    spread: Any,
    panel: forecast.Panel,
    means: np.ndarray,
    name: str,
    levels: tuple[float, ...],
    *,
    stated: bool = False,
) -> np.ndarray:
    """Return one level's quantiles, 28 x sums x len(levels), or the probability the model gives to staying within."""
    level = Level.by(panel.series, LEVELS[name])
    total = level.total(means)
    lead = np.repeat(np.arange(1, HORIZON + 1), level.size)
    answer = (spread.stated if stated else spread.quantiles)(total.ravel(), lead, levels)
    return answer.reshape(HORIZON, level.size, len(levels))


def _add_up(series: pd.DataFrame, means: np.ndarray) -> float:
    """Return the largest difference between the total and the sum of any other level."""
    total = means.sum(axis=1, dtype=np.float64)
    sums = [Level.by(series, keys).total(means).sum(axis=1) for keys in LEVELS.values()]
    return float(max(np.abs(part - total).max() / total.max() for part in sums))


def _scores(panel: forecast.Panel, means: np.ndarray, spread: _Spread, actual: np.ndarray) -> dict[str, object]:
    recent = slice(panel.known - HORIZON, panel.known)
    sales = np.nansum(panel.quantity[recent] * panel.price[recent], axis=0)
    scorer = Scorer(panel.quantity, sales, panel.series)
    levels = scorer.wrmsse(means, actual)
    spl = {name: scorer.level_spl(name, bounds, actual) for name, bounds in spread.official.items()}
    return {
        "wrmsse": float(np.mean(list(levels.values()))),
        "levels": levels,
        "wspl": float(np.mean(list(spl.values()))),
        "spl_levels": spl,
        "bias": float(means.sum() / actual.sum() - 1),
        "coverage": _coverage(panel, spread.covered, spread.stated, means, actual),
    }


def _coverage(panel, quantiles, stated, means, actual) -> dict[str, object]:  # type: ignore[no-untyped-def]
    """Return shares below and at or below each quantile per level and volume band, and two misses.

    `miss` counts ties both ways; `miss_stated` compares with the probability the model gives to staying within the
    quantile, which for a few whole units is more than the nominal level. `se` is the standard error of `upto`.
    """
    out: dict[str, object] = {}
    for name, bounds in quantiles.items():
        level = Level.by(panel.series, LEVELS[name])
        truth, bands = level.total(actual), volume_band(level.total(means), SETTINGS.volume_bands)
        for band in np.unique(bands):
            inside = bands == band
            for position, nominal in enumerate(COVERED):
                below, upto = coverage(bounds[:, :, position][inside], truth[inside])
                out.setdefault(name, {}).setdefault(f"band_{band}", {})[f"q{nominal}"] = {  # type: ignore[attr-defined]
                    "below": below,
                    "upto": upto,
                    "stated": float(stated[name][:, :, position][inside].mean()),
                    "miss": coverage_miss(below, upto, nominal),
                    "miss_stated": abs(upto - float(stated[name][:, :, position][inside].mean())),
                    "rows": int(inside.sum()),
                    "se": _standard_error(truth <= bounds[:, :, position], inside),
                }
    return out


def _standard_error(hit: np.ndarray, inside: np.ndarray) -> float:
    """Return the standard error of the share of hits, days x sums: days and sums each stray as a whole.

    Clustered two ways (Cameron, Gelbach and Miller 2011): the days' part, the sums' part, less the cells'.
    """
    apart = np.where(inside, hit - hit[inside].mean(), 0.0)
    variance = (apart.sum(axis=1) ** 2).sum() + (apart.sum(axis=0) ** 2).sum() - (apart**2).sum()
    return float(np.sqrt(max(variance, (apart**2).sum())) / inside.sum())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the M5 files")
    parser.add_argument("--train-until", type=int, default=1913, help="last day known")
    parser.add_argument("--json", type=Path, help="write the scores here")
    parser.add_argument("--forecast-out", type=Path, help="write item_id, store_id, F1..F28 here (Parquet)")
    parser.add_argument("--item-share", type=float, default=1.0, help="share of the items, for a quick look")
    parser.add_argument("--trees", type=int, help="other number of trees, for a quick look")
    parser.add_argument("--threads", type=int, help="threads of the boosted model")
    parser.add_argument("--seed", type=int, default=SETTINGS.seed)
    parser.add_argument("--baselines", nargs="*", default=BASELINES, help="members scored beside the model")
    return parser.parse_args()


if __name__ == "__main__":
    main()
