"""Linehaul: dividing a depot's goods into truckloads, and when they must be there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.settings import RoutingSettings
from optimize.routing.territory import Territory, Van


def truckloads(goods: pd.DataFrame, trucks: Sequence[Van]) -> pd.DataFrame:
    """Return a depot's goods in parts of whole communities, each at most one truckload.

    First fit decreasing by share of the truck (Johnson 1974) into the largest truck that carries what the depot needs;
    without such a truck everything is one part, and why it cannot be served is said later. A community larger than
    the truck is a part of its own.

    Returns
    -------
    DataFrame
        One row per part: units, load_kg, load_l, chilled, frozen, release_s (its last goods), members (communities).
    """
    chilled, frozen = bool(goods["chilled"].any()), bool(goods["frozen"].any())
    able = [t for t in trucks if (t.carries_chilled or not chilled) and (t.carries_frozen or not frozen)]
    biggest = max(able, key=lambda truck: (truck.capacity_kg, truck.capacity_l), default=None)
    if biggest is None:
        part = np.zeros(len(goods), dtype=np.int64)
    else:
        part = _first_fit(
            goods["load_kg"].to_numpy() / biggest.capacity_kg, goods["load_l"].to_numpy() / biggest.capacity_l
        )
    return (
        goods.assign(part=part, members=goods["stop_id"].where(~goods["is_depot"]))
        .groupby("part", sort=True)
        .agg(
            units=("units", "sum"),
            load_kg=("load_kg", "sum"),
            load_l=("load_l", "sum"),
            chilled=("chilled", "any"),
            frozen=("frozen", "any"),
            release_s=("release_s", "max"),
            members=("members", lambda ids: tuple(ids.dropna())),
        )
        .reset_index(drop=True)
    )


def _first_fit(kg_share: NDArray[np.float64], l_share: NDArray[np.float64]) -> NDArray[np.int64]:
    part = np.zeros(len(kg_share), dtype=np.int64)
    filled: list[tuple[float, float]] = []
    for item in np.argsort(-np.maximum(kg_share, l_share), kind="stable"):
        kg, litres = float(kg_share[item]), float(l_share[item])
        fits = (n for n, (a, b) in enumerate(filled) if a + kg <= 1.0 + 1e-9 and b + litres <= 1.0 + 1e-9)
        number = next(fits, len(filled))
        if number == len(filled):
            filled.append((0.0, 0.0))
        filled[number] = (filled[number][0] + kg, filled[number][1] + litres)
        part[item] = number
    return part


def latest_arrival(depot: Territory | None, goods: pd.DataFrame, *, handling_s: int, trucks: Sequence[Van]) -> int:
    """Return the latest arrival of a truck at a depot with which each of its communities can still be reached alone.

    Goods for the depot itself, and a depot without vans, only need to come within the trucks' shift.
    """
    shift = max((truck.shift_end_s for truck in trucks), default=86_400)
    if depot is None or not len(depot.stops):
        return shift
    there = depot.travel.duration_s[0, depot.first_stop :]
    reach = int((depot.stops.close_s - there).min()) - depot.loading_s - handling_s
    return min(shift, reach)


def aimed_arrival(
    release_s: NDArray[np.int64],
    *,
    latest: int,
    opens: int,
    way_s: int,
    trucks: Sequence[Van],
    vans: Sequence[Van],
    settings: RoutingSettings,
) -> NDArray[np.int64]:
    """Return the wished latest arrival of each part: when the vans' shift starts, or a slack after a direct truck.

    Between the two the later one, and never after `latest` unless even a direct truck comes after it.
    """
    spare = round((settings.depot_unloading_minutes + settings.depot_handling_minutes) * 60.0)
    shift = min((truck.shift_start_s for truck in trucks), default=0)
    direct = np.maximum(np.maximum(release_s, shift) + round(settings.loading_minutes * 60.0) + way_s, opens)
    wish = min((van.shift_start_s for van in vans), default=latest) - spare
    aim = np.maximum(direct + round(settings.linehaul_slack_minutes * 60.0), wish)
    bounded: NDArray[np.int64] = np.where(direct <= latest, np.minimum(aim, latest), latest).astype(np.int64)
    return bounded
