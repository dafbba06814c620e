"""Score the order book against its baselines on past days of any file of order lines.

For each of the last ``--test-days`` delivery dates and each snapshot of the order day, every method says how many units
each SKU x place will have at the cutoff, from the same prior forecast and the same orders so far. The prior is a plain
weekday-aware moving average of earlier days. Models are fitted on days before the day they answer for. Scored are SKU x
places that were ordered on at least ``--active-share`` of the days before the test.

    python benchmarks/book.py --orders order_lines.parquet --snapshots 11:00,13:00,15:00 --test-days 50 --json out.json
    python benchmarks/book.py --orders simulate:town --snapshots 12:00,15:00,18:00,21:00

A raw export is read with a mapping of its columns, and what it lacks is filled in (see ``book_orders.py``):

    --map InvoiceNo=order_id,StockCode=sku_id,Quantity=quantity,InvoiceDate=placed_at,UnitPrice=unit_price_yuan
    --drop order_id=C
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # this folder holds a forecast.py too: the package of that name must come first

import argparse
import json
import resource
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import Progress

from book_orders import OrderSource, read_source
from contracts.clock import clock_instant
from contracts.columns import QUANTILE_COLUMNS, QUANTILES
from contracts.flow import Forecast
from contracts.settings import BookSettings
from forecast.book import BookModel, DayFacts, OrderWindow, fit_curve, update_book
from forecast.book.kinds import DayKinds, PastBook
from forecast.book.past import PastOrders, Snapshots
from forecast.book.usual import walking_mean

METHODS = ("ours", "no_book", "prior_floored", "confirmed_only", "additive_pickup", "multiplicative_pickup")


@dataclass(frozen=True)
class Test:
    """Prior and final units of every day, and which series are scored."""

    days: pd.DatetimeIndex
    first: int
    place: np.ndarray
    sku: np.ndarray
    prior: np.ndarray
    final: np.ndarray


def main() -> None:
    """Run the benchmark from the command line."""
    given = arguments()
    source = read_source(given)
    started = perf_counter()
    test = prepare(source, test_days=given.test_days, active_share=given.active_share)
    print(
        f"{len(source.orders):,} order lines, {len(test.days)} days, {len(test.sku):,} SKU x place scored on "
        f"{len(test.days) - test.first} days, cutoff {source.city.cutoff} {source.city.timezone}"
    )
    snapshots = score(source, test, times=given.snapshots.split(","), refit_days=given.refit_days)
    for snapshot in snapshots:
        show(snapshot)
    result = {
        "snapshots": snapshots,
        "rows": len(test.sku) * (len(test.days) - test.first),
        "seconds": round(perf_counter() - started, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    gain = [1 - s["methods"]["ours"]["rmse"] / s["methods"]["additive_pickup"]["rmse"] for s in snapshots]
    print(f"\nours against additive pickup, RMSE: {np.mean(gain):+.1%} lower on average, worst {min(gain):+.1%}")
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", required=True, help="Parquet or CSV of order lines, or simulate:town")
    parser.add_argument("--snapshots", default="11:00,13:00,15:00", help="times of the order day")
    parser.add_argument("--test-days", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="seed of a simulated world")
    parser.add_argument(
        "--listings", action="store_true", help="prior and book know a simulated world's listings and holidays"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--communities", type=Path, help="table of communities; needed for --level warehouse or area")
    parser.add_argument(
        "--level", choices=["community", "warehouse", "area"], default="community", help="what a place is"
    )
    parser.add_argument("--active-share", type=float, default=0.2, help="a pair is scored if ordered on so many days")
    parser.add_argument("--refit-days", type=int, default=10, help="test days between two fits")
    parser.add_argument("--timezone", help="zone of the clock times (default: the city's)")
    parser.add_argument("--max-quantity", type=float, default=200.0, help="larger lines are left out (agreed by hand)")
    parser.add_argument("--map", default="", help="column renames: File=contract,...")
    parser.add_argument("--drop", default="", help="leave out rows whose column starts with a text: column=text")
    return parser.parse_args()


def prepare(source: OrderSource, *, test_days: int, active_share: float) -> Test:
    """Return final units and the prior of each day and scored series."""
    window = OrderWindow.of(source.city)
    past = PastOrders.read(source.orders, window=window, as_of=source.until, days=100_000)
    first = len(past.days) - test_days
    if first < 30:
        sys.exit(f"{len(past.days)} delivery dates are too few for {test_days} test days and 30 to learn from.")
    place_of = source.place_codes(past.communities)
    finals = Snapshots.of(past, place_of_community=place_of, left=np.zeros(1))
    units = finals.units[:, :, 0].astype(np.float64)
    listed = None
    if source.listings is not None:
        kinds = DayKinds.read(past, PastBook(source.orders, source.skus, source.communities, source.listings), window)
        listed = kinds.of_series(kinds.listed, place_of, finals.place, finals.sku) > 0
    prior = walking_mean(units, past.weekday, half_life_days=BookSettings().prior_half_life_days, listed=listed)
    active = (units[:first] > 0).mean(axis=0) >= active_share
    return Test(
        days=past.days,
        first=first,
        place=source.place_ids(past.communities)[finals.place[active]],
        sku=past.skus.to_numpy()[finals.sku[active]],
        prior=np.nan_to_num(prior[:, active], nan=0.0),
        final=units[:, active],
    )


def score(source: OrderSource, test: Test, *, times: list[str], refit_days: int) -> list[dict[str, Any]]:
    """Return the scores per snapshot."""
    answers: dict[str, list[dict[str, np.ndarray]]] = {time: [] for time in times}
    model: BookModel | None = None
    with Progress(transient=True) as progress:
        for number in progress.track(range(test.first, len(test.days)), description="days"):
            day = test.days[number]
            if model is None or (number - test.first) % refit_days == 0:
                opening = clock_instant(source.city.orders_open, delivery_date=day, timezone=source.city.timezone)
                model = fit_curve(
                    source.orders,
                    skus=source.skus,
                    settings=BookSettings(),
                    city=source.city,
                    communities=source.communities,
                    listings=source.listings,
                    calendar=source.calendar,
                    as_of=opening,
                )
            for time in times:
                answers[time].append(answer(source, test, number, time, model))
    return [scored(time, answers[time], test.final[test.first :]) for time in times]


def answer(source: OrderSource, test: Test, number: int, time: str, model: BookModel) -> dict[str, np.ndarray]:
    """Return what each method says of one day at one snapshot, and our quantiles."""
    day, prior = test.days[number], test.prior[number]
    at = clock_instant(source.clock(time), delivery_date=day, timezone=source.city.timezone)
    forecast = Forecast.check(
        pd.DataFrame(
            {
                "delivery_date": day,
                "level": source.level,
                "place_id": test.place,
                "sku_id": test.sku,
                "issued_at": at,
                "mean": prior,
                **dict.fromkeys(QUANTILE_COLUMNS, prior),
                "source": "moving average",
            }
        )
    )
    book = update_book(
        forecast,
        source.orders_of(day),
        as_of=at,
        model=model,
        communities=source.communities,
        city=source.city,
        facts=DayFacts(source.skus, source.listings, source.calendar),
    ).iloc[: len(forecast)]
    confirmed = book["confirmed"].to_numpy()
    left = OrderWindow.of(source.city).minutes_left(at, day)
    learned, _ = model.session(source.city.cutoff)
    share = learned.shares.at(left, day.day_of_week)[learned.sku_codes(pd.Index(test.sku))]
    return {
        "ours": book["final_mean"].to_numpy(),
        "no_book": prior,
        "prior_floored": np.maximum(prior, confirmed),
        "confirmed_only": confirmed,
        "additive_pickup": confirmed + prior * (1.0 - share),
        "multiplicative_pickup": np.where(share > 0.01, confirmed / np.maximum(share, 0.01), prior),
        "quantiles": book[list(QUANTILE_COLUMNS)].to_numpy(),
    }


def scored(time: str, answers: list[dict[str, np.ndarray]], final: np.ndarray) -> dict[str, Any]:
    """Return the scores of one snapshot; a method without quantiles is scored as if all of them were its mean."""
    methods = {}
    for method in METHODS:
        mean = np.stack([day[method] for day in answers])
        quantiles = mean[:, :, None] if method != "ours" else np.stack([day["quantiles"] for day in answers])
        off, level = final[:, :, None] - quantiles, np.array(QUANTILES)
        daily = covered(off, quantiles)
        methods[method] = {
            "rmse": float(np.sqrt(np.square(mean - final).mean())),
            "wape": float(np.abs(mean - final).sum() / final.sum()),
            "bias": float((mean - final).sum() / final.sum()),
            "pinball": float(np.maximum(level * off, (level - 1.0) * off).mean()),
            "coverage": dict(zip(QUANTILE_COLUMNS, daily.mean(axis=0).tolist(), strict=True)),
            "coverage_error": dict(zip(QUANTILE_COLUMNS, standard_error(daily).tolist(), strict=True)),
            "coverage_at_most": by_quantile(off <= 1e-9),
            "coverage_below": by_quantile(off < -1e-9),
        }
    confirmed = float(np.stack([day["confirmed_only"] for day in answers]).sum() / final.sum())
    return {"at": time, "confirmed_share": confirmed, "methods": methods}


def by_quantile(covers: np.ndarray) -> dict[str, float]:
    """Return the share of rows each quantile covers."""
    return dict(zip(QUANTILE_COLUMNS, (covers.mean(axis=(0, 1)) * np.ones(8)).tolist(), strict=True))


def covered(off: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return each day's one-sided coverage, shape (D, 8), by the probability integral transform for counts.

    Where several quantiles are one value (what is confirmed is often the final), that value holds a lump of
    probability. A final on the lump counts as covered by quantile ``p`` in proportion, ``(p - low) / (high - low)``,
    with the lump reaching half-way to the levels around it. ``coverage_below`` and ``coverage_at_most`` count such
    finals as never and always covered. Source: Czado, Gneiting and Held (2009), Biometrics 65.
    """
    if quantiles.shape[2] == 1:
        return (off <= 1e-9).mean(axis=1) * np.ones(8)
    level = np.array([0.0, *QUANTILES, 1.0])
    below, above = off < -1e-9, off <= 1e-9
    first, last = (~above).sum(axis=2, keepdims=True), (~below).sum(axis=2, keepdims=True)
    low = np.where(first > 0, (level[first] + level[np.minimum(first + 1, 9)]) / 2.0, 0.0)
    high = (level[last] + level[np.minimum(last + 1, 9)]) / 2.0
    part = np.clip((np.array(QUANTILES) - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
    return np.where(above & ~below, part, below).mean(axis=1)


def standard_error(daily: np.ndarray) -> np.ndarray:
    """Return the standard error of the days' mean: the rows of a day share its mood, so days are what is counted."""
    return np.asarray(daily.std(axis=0, ddof=1) / np.sqrt(len(daily)))


def show(snapshot: dict[str, Any]) -> None:
    """Print one snapshot's table."""
    print(f"\n{snapshot['at']}  confirmed {snapshot['confirmed_share']:.1%}")
    print(f"  {'method':<22}{'RMSE':>9}{'WAPE':>9}{'bias':>9}{'pinball':>9}   coverage {' '.join(QUANTILE_COLUMNS)}")
    for method, scores in snapshot["methods"].items():
        shown = " ".join(f"{value:.2f}" for value in scores["coverage"].values())
        plain = f"{scores['rmse']:>9.3f}{scores['wape']:>9.1%}{scores['bias']:>+9.1%}{scores['pinball']:>9.3f}"
        print(f"  {method:<22}{plain}            {shown if method == 'ours' else ''}")


if __name__ == "__main__":
    main()
