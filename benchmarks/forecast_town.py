"""Score the demand model on rolling origins of simulated towns, against the demand that was true.

    python benchmarks/forecast_town.py --seed 11 12 --origins 3 --every 3 --last-day 2026-06-10 2026-10-14

Errors are taken against what was truly wanted, sold-out days included. Coverage is taken twice: on what happened, and
on evenings drawn again: a day's mood moves all series at once, so the seven days of an origin are seven draws, and the
simulator's own law gives as many as one likes of the same days. `stated` is the probability the model itself gives to
its quantile; it differs from the level only for small demand in whole units, where no number of units meets it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
# a neighbour is called forecast.py: without this folder on the path, `forecast` is the package
import forecast

sys.path.append(str(HERE))
import numpy as np
import pandas as pd

from contracts.settings import ForecastSettings
from contracts.world import World
from forecast import Context, Panel, build_history, open_share
from forecast.combination import volume_band
from forecast.expected import expected_units
from forecast.levels import Level
from forecast.members import member
from forecast.scores import coverage, coverage_miss, naive_scale, pinball, rmsse, wape, weighted
from simulate import build_world
from simulate.settings import preset_settings
from town_evenings import Evenings

LEVELS = ("community", "warehouse")
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
BASELINES = ("seasonal_naive", "moving_average")
HORIZON = 7
Days = np.ndarray


class Town:
    """A world as a panel, with the truth in the same shape."""

    def __init__(self, seed: int, last_day: date | None = None) -> None:
        settings = preset_settings("town")
        if last_day is not None:
            settings = settings.model_copy(update={"last_delivery_date": last_day})
        world = build_world(settings, seed=seed)
        reference = world.reference
        history = build_history(world.order_lines, reference.listings, reference.communities)
        share = open_share(world.order_lines, reference.listings, reference.communities)
        self.context = Context(
            reference.skus, reference.communities, reference.listings, reference.calendar, open_share=share
        )
        self.panel = Panel.from_history(history, self.context)
        self.units, self.expected = (truth_matrix(self.panel, world, name) for name in ("units", "expected_units"))
        self.evenings = Evenings(self.panel.series, seed=seed)


def truth_matrix(panel: Panel, world: World, column: str) -> np.ndarray:
    """Return a column of the true demand in the shape of the panel's quantities, NaN where not on sale."""
    truth = world.true_demand
    day = panel.days.get_indexer(pd.DatetimeIndex(truth["delivery_date"]))
    pairs = pd.MultiIndex.from_frame(panel.series[["community_id", "sku_id"]])
    series = pairs.get_indexer(pd.MultiIndex.from_frame(truth[["community_id", "sku_id"]]))
    inside = (day >= 0) & (series >= 0)
    out = np.full(panel.quantity.shape, np.nan)
    out[day[inside], series[inside]] = truth[column].to_numpy()[inside]
    return np.where(np.isfinite(panel.quantity), out, np.nan)


def main() -> None:
    """Run the benchmark."""
    options = _options()
    scores, hits, moods = [], [], []
    for number, seed in enumerate(options.seed):
        town = Town(seed, options.last_day[number % len(options.last_day)] if options.last_day else None)
        for step in reversed(range(options.origins)):
            origin = town.panel.known - 1 - HORIZON * (1 + step * options.every)
            started = time.perf_counter()
            one, hit, mood = score_origin(town, origin, redraws=options.redraws)
            print(
                f"seed {seed}, as of {town.panel.days[origin].date()}: {time.perf_counter() - started:.0f} s",
                flush=True,
            )
            scores += [{"seed": seed, "origin": str(town.panel.days[origin].date()), **row} for row in one]
            hits += [each.assign(origin=f"{seed} {town.panel.days[origin].date()}") for each in hit]
            moods += mood
    table = pd.DataFrame(scores)
    cells = ["level", "band", "quantile"]
    kept = pd.concat(hits).groupby(cells, as_index=False).sum(numeric_only=True)
    errors = pd.concat(hits).groupby(cells)[["rows", "stated", "upto_drawn"]].apply(_standard_error)
    covered = _shares(kept).merge(errors.rename("standard_error").reset_index(), on=cells)
    whole = table.groupby(["level", "model"], as_index=False)[["wape", "bias", "wrmsse", "pinball"]].mean()
    print(table.round(4).to_string(index=False), whole.round(4).to_string(index=False), sep="\n\n")
    print(covered.round(3).to_string(index=False))
    worst = covered.groupby("level")[["miss_drawn", "plain_miss_drawn", "miss_happened"]].max()
    print(worst.round(3).to_string())
    off = np.array(moods).reshape(-1, HORIZON).mean(axis=1)
    print(
        f"total against its expected demand: a day's log error {np.sqrt(np.mean(np.square(moods))):.3f} (rms); an "
        f"origin's {np.sqrt(np.mean(off**2)):.3f} (rms), mean {off.mean():+.3f} +- {off.std() / np.sqrt(len(off)):.3f}"
    )
    if options.json:
        result = {
            "scores": scores,
            "mean": whole.to_dict("records"),
            "coverage": covered.to_dict("records"),
            "worst": worst.reset_index().to_dict("records"),
            "level_errors": off.tolist(),
            "origins": pd.concat(hits).to_dict("records"),
        }
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


def score_origin(
    town: Town, origin: int, *, redraws: int
) -> tuple[list[dict[str, object]], list[pd.DataFrame], list[float]]:
    """Train as of a day, forecast the next seven, and score them; last come the days' log errors of the total."""
    panel, context = town.panel, town.context
    past = panel.known_until(origin + 1)
    ahead = range(1, HORIZON + 1)
    rows = slice(origin + 1, origin + 1 + HORIZON)
    share = context.open_share[context.open_share["delivery_date"] <= panel.days[origin]]
    model = forecast.train(
        past,
        skus=context.skus,
        communities=context.communities,
        listings=context.listings,
        calendar=context.calendar,
        open_share=share,
    )
    truth, listed = town.units[rows], np.isfinite(town.units[rows])
    means = {"champion": expected_units(model, past, model.context, ahead, listed=listed)[0]}
    for name in BASELINES:
        fitted = member(name, ForecastSettings()).fit(past, context)
        means[name] = np.nan_to_num(fitted.forecast(past, context, origins=[origin], horizons=ahead)[0])
    scores = [_score(name, town, mean, truth, past, level) for level in LEVELS for name, mean in means.items()]
    told = np.where(listed, means["champion"], np.nan)
    drawn = [town.evenings.draw(town.expected[rows], origin, number) for number in range(redraws)]
    hits = [_hits(model, Level.of(panel.series, level), told, truth, drawn, level) for level in LEVELS]
    for row, level in zip(scores[:: len(means)], LEVELS, strict=True):
        row["pinball"] = _pinball(model, Level.of(panel.series, level), told, truth, level)
    moods = np.log(np.nansum(told, axis=1) / np.nansum(town.expected[rows], axis=1))
    return scores, hits, moods.tolist()


def _score(name: str, town: Town, mean: Days, truth: Days, past: Panel, level_name: str) -> dict[str, object]:
    level = Level.of(town.panel.series, level_name)
    told, seen = level.total(np.where(np.isfinite(truth), mean, np.nan)), level.total(truth)
    error, bias = wape(told, seen)
    history = level.total(past.quantity)
    scaled = rmsse(told, seen, naive_scale(history))
    weight = np.nansum(history[-28:], axis=0)
    return {"level": level_name, "model": name, "wape": error, "bias": bias, "wrmsse": weighted(scaled, weight)}


def _bounds(model: forecast.DemandModel, level: Level, told: Days, name: str) -> tuple[Days, Days, Days, np.ndarray]:
    mean = level.total(told)
    lead = np.broadcast_to(np.arange(1, HORIZON + 1)[:, None], mean.shape)
    known = np.isfinite(mean)
    spread = model.spreads[name]
    return (
        mean[known],
        spread.quantiles(mean[known], lead[known], QUANTILES),
        spread.stated(mean[known], lead[known], QUANTILES),
        known,
    )


def _pinball(model: forecast.DemandModel, level: Level, told: Days, truth: Days, name: str) -> float:
    _, bounds, _, known = _bounds(model, level, told, name)
    seen = level.total(truth)[known]
    return float(np.mean([pinball(bounds[:, k], seen, nominal) for k, nominal in enumerate(QUANTILES)]))


def _hits(
    model: forecast.DemandModel, level: Level, told: Days, truth: Days, drawn: list[Days], name: str
) -> pd.DataFrame:
    """Return counts per volume band and quantile: rows, below and at most the quantile, happened and drawn again."""
    mean, bounds, stated, known = _bounds(model, level, told, name)
    band = volume_band(mean, model.settings.volume_bands)
    happened = level.total(truth)[known]
    again = [level.total(np.where(np.isfinite(told), evening, np.nan))[known] for evening in drawn]
    rows = []
    for code in np.unique(band):
        here = band == code
        for k, nominal in enumerate(QUANTILES):
            bound, count = bounds[here, k], int(here.sum())
            counts = [[x * count for x in coverage(bound, seen[here])] for seen in (happened, *again)]
            drawn_mean = np.mean(counts[1:], axis=0)
            rows.append((name, code, nominal, count, stated[here, k].sum(), *counts[0], *drawn_mean))
    columns = ["level", "band", "quantile", "rows", "stated", "below", "upto", "below_drawn", "upto_drawn"]
    return pd.DataFrame(rows, columns=columns)


def _shares(kept: pd.DataFrame) -> pd.DataFrame:
    """Return shares instead of counts, and how far they are from what they should be."""
    out = kept.copy()
    shares = ["stated", "below", "upto", "below_drawn", "upto_drawn"]
    out[shares] = out[shares].div(out["rows"], axis=0)
    out["miss_happened"] = (out["upto"] - out["stated"]).abs()
    out["miss_drawn"] = (out["upto_drawn"] - out["stated"]).abs()
    cells = zip(out["below_drawn"], out["upto_drawn"], out["quantile"], strict=True)
    out["plain_miss_drawn"] = [coverage_miss(below, upto, nominal) for below, upto, nominal in cells]
    return out


def _standard_error(cell: pd.DataFrame) -> float:
    """Return the standard error of a cell's drawn miss with origins as draws; NaN for one origin."""
    if len(cell) < 2:
        return float("nan")
    off = cell["upto_drawn"] - cell["stated"]
    around = off - off.sum() / cell["rows"].sum() * cell["rows"]
    return float(np.sqrt((around**2).sum() * len(cell) / (len(cell) - 1)) / cell["rows"].sum())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, nargs="+", default=[11], help="worlds, one per seed")
    parser.add_argument(
        "--last-day", type=date.fromisoformat, nargs="*", help="last delivery date of the worlds, in turn"
    )
    parser.add_argument("--origins", type=int, default=3, help="rolling origins per world")
    parser.add_argument("--every", type=int, default=1, help="weeks between origins")
    parser.add_argument("--redraws", type=int, default=40, help="evenings drawn again per day")
    parser.add_argument("--json", type=Path, help="write the scores here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
