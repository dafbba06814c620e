"""What the history does not show: sold-out days, goods and communities without history - against the town's truth.

    python benchmarks/town_gaps.py --seed 11 --json town_gaps.json

Sold-out cells: sales against true demand before and after recovery. Cold start: some SKUs and communities are taken out
of the history altogether, forecast as new ones, and compared with what was expected of them in truth; the known ones
stand beside them, and the mean of the category in the area as the plain alternative; what was wanted of them is held
against their quantiles, per community and per warehouse. Then by the days a community has been seen: grown ones of
which the history holds the last days only, and the town's real newcomers, which start at a third and fill up.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

import forecast_town  # first: it makes `forecast` the package and not the script beside it
from contracts.flow import DailyDemand
from contracts.world import World
from forecast import Context, Panel, build_history, open_share, predict, train
from forecast.censoring import recovered
from simulate import build_world

DAYS = 3
AGES = (0, 1, 4, 8, 15, 29, 43)
"""Days seen at the moment of the forecast: the first of each class."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--skus", type=int, default=10, help="SKUs withheld")
    parser.add_argument("--communities", type=int, default=5, help="communities withheld")
    parser.add_argument("--trainings", type=int, default=3, help="origins four weeks apart for the ages")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    world = build_world("town", seed=options.seed)
    cold, covered = cold_start(world, skus=options.skus, communities=options.communities, seed=options.seed)
    tables = {
        "sold_out": sold_out(world),
        "cold_start": cold,
        "cold_coverage": covered,
        "by_age": by_age(world, communities=options.communities, trainings=options.trainings, seed=options.seed),
    }
    for table in tables.values():
        print(table.round(3).to_string(index=False), end="\n\n")
    if options.json:
        rows = {name: table.to_dict("records") for name, table in tables.items()}
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def sold_out(world: World) -> pd.DataFrame:
    """Return the bias of sold-out cells by the share of orders that could come: as sold, and recovered two ways."""
    reference = world.reference
    history = build_history(world.order_lines, reference.listings, reference.communities)
    share = open_share(world.order_lines, reference.listings, reference.communities)
    told = Context(reference.skus, reference.communities, open_share=share)
    panel = Panel.from_history(history, told)
    truth = forecast_town.truth_matrix(panel, world, "units")
    cut = panel.censored & np.isfinite(truth)
    open_for = pd.DataFrame({"day": np.nonzero(cut)[0], "series": np.nonzero(cut)[1]})
    open_for["delivery_date"] = panel.days[open_for["day"]]
    places = panel.series.iloc[open_for["series"]].reset_index(drop=True)
    open_for[["area_id", "sku_id"]] = places[["area_id", "sku_id"]]
    shares = open_for.merge(share, on=["delivery_date", "area_id", "sku_id"], how="left")["open_share"].to_numpy()
    known = {
        "as_sold": panel.quantity[cut],
        "usual_level": recovered(panel, Context(reference.skus, reference.communities)).quantity[cut],
        "open_share": recovered(panel, told).quantity[cut],
    }
    rows = []
    for low, high in ((0.0, 1.01), (0.0, 0.5), (0.5, 0.8), (0.8, 1.01)):
        inside = (shares >= low) & (shares < high)
        wanted = truth[cut][inside].sum()
        biases = {name: float(values[inside].sum() / wanted - 1.0) for name, values in known.items()}
        rows.append({"open_from": low, "open_to": min(high, 1.0), "cells": int(inside.sum()), **biases})
    return pd.DataFrame(rows)


def cold_start(world: World, *, skus: int, communities: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return WAPE and bias against the expected units of goods and places the model never saw, and of those it did;
    and the shares of wanted units at or below their quantiles."""
    reference = world.reference
    rng = np.random.default_rng(seed)
    new_skus = set(rng.choice(reference.skus["sku_id"], skus, replace=False))
    new_places = set(rng.choice(reference.communities["community_id"], communities, replace=False))
    history = build_history(world.order_lines, reference.listings, reference.communities)
    last = history["delivery_date"].max() - pd.Timedelta(days=DAYS)
    withheld = history["sku_id"].isin(new_skus) | history["community_id"].isin(new_places)
    past = DailyDemand.check(history[~withheld & (history["delivery_date"] <= last)].reset_index(drop=True))
    now = Context(reference.skus, reference.communities)
    rows = _forecast(world, past, last, levels=("community", "warehouse"))
    table = rows[rows["level"] == "community"].drop(columns="level")
    table["plain"] = _category_means(past, table, now)
    kinds = {
        "new SKU": table["sku_id"].isin(new_skus) & ~table["community_id"].isin(new_places),
        "new community": table["community_id"].isin(new_places) & ~table["sku_id"].isin(new_skus),
        "both new": table["community_id"].isin(new_places) & table["sku_id"].isin(new_skus),
    }
    kinds["known"] = ~np.logical_or.reduce(list(kinds.values()))
    whole = rows[rows["level"] == "warehouse"]
    covered = {("community", kind): table[here] for kind, here in kinds.items()}
    covered |= {("warehouse", "new SKU"): whole[whole["sku_id"].isin(new_skus)]}
    covered |= {("warehouse", "known"): whole[~whole["sku_id"].isin(new_skus)]}
    shares = [{"level": level, "kind": kind, **_covered(part)} for (level, kind), part in covered.items()]
    return pd.DataFrame([_row(kind, table[here]) for kind, here in kinds.items()]), pd.DataFrame(shares)


def _covered(rows: pd.DataFrame) -> dict[str, float]:
    """Return rows and the shares of wanted units at or below each quantile (ties count)."""
    names = ("q05", "q10", "q50", "q90", "q95")
    return {"rows": len(rows)} | {name: float((rows["units"] <= rows[name]).mean()) for name in names}


def by_age(world: World, *, communities: int, trainings: int, seed: int) -> pd.DataFrame:
    """Return WAPE and bias against expected units by the days a community was seen, for grown ones and newcomers."""
    reference = world.reference
    history = build_history(world.order_lines, reference.listings, reference.communities)
    places = reference.communities.set_index("community_id")
    rng = np.random.default_rng(seed)
    grown = rng.permutation(places.index[places["opened_on"].isna() & places["closed_on"].isna()])
    tables = []
    for step in range(trainings):
        last = history["delivery_date"].max() - pd.Timedelta(days=DAYS + 28 * step)
        kept = {name: AGES[i % 4] for i, name in enumerate(grown[: 2 * communities])}  # seen 0, 1, 4, 8 days
        first = last - pd.to_timedelta(history["community_id"].map(kept) - 1, unit="D")
        past = history[(history["delivery_date"] <= last) & ~(history["delivery_date"] < first)]
        table = _forecast(world, DailyDemand.check(past.reset_index(drop=True)), last)
        seen = past.groupby("community_id")["delivery_date"].min()
        age = (last - table["community_id"].map(seen)).dt.days.add(1).fillna(0)
        joined = table["community_id"].map(places["opened_on"]).notna()
        table["kind"] = np.where(table["community_id"].isin(kept), "grown", np.where(joined, "newcomer", "known"))
        table["seen_days"] = np.where(
            table["kind"] == "known", AGES[-1], np.array(AGES)[np.searchsorted(AGES, age, "right") - 1]
        )
        tables.append(table)
    rows = []
    for (kind, days), table in pd.concat(tables).groupby(["kind", "seen_days"]):
        wanted, error = table["expected_units"].sum(), table["mean"] - table["expected_units"]
        rows.append(
            {
                "kind": kind,
                "seen_days_from": days,
                "communities": table["community_id"].nunique(),
                "rows": len(table),
                "wape": float(error.abs().sum() / wanted),
                "bias": float(error.sum() / wanted),
            }
        )
    return pd.DataFrame(rows)


def _forecast(
    world: World, past: pd.DataFrame, last: pd.Timestamp, *, levels: tuple[str, ...] = ("community",)
) -> pd.DataFrame:
    """Return the forecast of the next days beside expected and wanted units, trained on the past as given."""
    reference = world.reference
    now = Context(reference.skus, reference.communities, reference.listings, reference.calendar)
    model = train(past, skus=now.skus, communities=now.communities, listings=now.listings, calendar=now.calendar)
    dates = [last + pd.Timedelta(days=step) for step in range(1, DAYS + 1)]
    issued = last.tz_localize("Asia/Shanghai").tz_convert("UTC")
    rows = predict(model, past, delivery_dates=dates, issued_at=issued, levels=levels, context=now)
    wanted = world.true_demand.merge(reference.communities[["community_id", "warehouse_id"]], on="community_id")
    tables = []
    for level in levels:
        place = f"{level}_id"
        key = ["delivery_date", place, "sku_id"]
        truth = wanted.groupby(key, as_index=False)[["expected_units", "units"]].sum()
        tables.append(rows[rows["level"] == level].rename(columns={"place_id": place}).merge(truth, on=key))
    return pd.concat(tables, ignore_index=True)


def _category_means(past: pd.DataFrame, table: pd.DataFrame, context: Context) -> pd.Series:
    recent = past[past["delivery_date"] > past["delivery_date"].max() - pd.Timedelta(days=28)]
    kind = context.skus.set_index("sku_id")["category_id"]
    area = context.communities.set_index("community_id")["area_id"]
    mean = recent["quantity"].groupby([recent["community_id"].map(area), recent["sku_id"].map(kind)]).mean()
    key = pd.MultiIndex.from_arrays([table["community_id"].map(area), table["sku_id"].map(kind)])
    return pd.Series(mean.reindex(key).to_numpy(), table.index)


def _row(kind: str, table: pd.DataFrame) -> dict[str, object]:
    wanted = table["expected_units"].sum()
    out: dict[str, object] = {
        "kind": kind,
        "rows": len(table),
        "labelled": float(table["source"].str.startswith("fallback").mean()),
        "units_per_row": float(table["expected_units"].mean()),
    }
    for name, column in (("model", "mean"), ("category_mean", "plain")):
        error = table[column] - table["expected_units"]
        out |= {f"{name}_wape": float(error.abs().sum() / wanted), f"{name}_bias": float(error.sum() / wanted)}
    return out


if __name__ == "__main__":
    main()
