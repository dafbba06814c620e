"""Where everybody is: warehouses, depots, price areas and communities on a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import Communities, Depots, Warehouses
from simulate.demand_settings import LeaderSettings
from simulate.settings import SizeSettings
from simulate.streams import mean_one

KM_PER_DEGREE = 111.2
_ROADS = (
    "文三",
    "庆春",
    "秋涛",
    "西溪",
    "教工",
    "莫干山",
    "凤起",
    "望江",
    "古墩",
    "天目山",
    "江南",
    "滨盛",
    "东新",
    "石祥",
)
_KINDS = ("花园", "小区", "公寓", "家园", "新村", "苑", "里", "名邸")


@dataclass(frozen=True)
class Places:
    """Places of a city and the arrays the demand model reads.

    Attributes
    ----------
    communities : DataFrame[Communities], C rows
    size : ndarray, shape (C,)
        Relative size, mean one.
    area_index, warehouse_index : ndarray of int, shape (C,)
    first_day, last_day : ndarray of int, shape (C,)
        Position of the first and last delivery date in the history; outside it for those always open.
    """

    warehouses: DataFrame[Warehouses]
    depots: DataFrame[Depots]
    communities: DataFrame[Communities]
    area_ids: list[str]
    size: np.ndarray
    area_index: np.ndarray
    warehouse_index: np.ndarray
    first_day: np.ndarray
    last_day: np.ndarray


def to_degrees(xy_km: np.ndarray, size: SizeSettings) -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude of kilometres north-east of the city's centre."""
    latitude = size.latitude + xy_km[:, 1] / KM_PER_DEGREE
    longitude = size.longitude + xy_km[:, 0] / (KM_PER_DEGREE * np.cos(np.radians(size.latitude)))
    return latitude.round(5), longitude.round(5)


def spread_centres(points: np.ndarray, count: int, rng: np.random.Generator, *, starts: int = 5) -> np.ndarray:
    """Return `count` centres of the points: of several Lloyd runs the one whose largest cluster is smallest."""
    runs = [_lloyd(points, min(count, len(points)), rng) for _ in range(starts if count > 1 else 1)]
    return min(runs, key=lambda centres: int(np.bincount(nearest(points, centres)).max()))


def _lloyd(points: np.ndarray, count: int, rng: np.random.Generator, *, rounds: int = 20) -> np.ndarray:
    """Return centres by Lloyd's algorithm from a k-means++ start."""
    centres = points[[int(rng.integers(len(points)))]]
    while len(centres) < count:
        far = ((points[:, None] - centres[None]) ** 2).sum(-1).min(1) + 1e-12
        centres = np.vstack([centres, points[int(rng.choice(len(points), p=far / far.sum()))]])
    for _ in range(rounds):
        owner = nearest(points, centres)
        centres = np.array([points[owner == i].mean(0) if (owner == i).any() else c for i, c in enumerate(centres)])
    return centres


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the index of each point's nearest centre."""
    index: np.ndarray = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
    return index


def scatter(count: int, size: SizeSettings, rng: np.random.Generator) -> np.ndarray:
    """Return points, km from the centre: half in a dense core, half in suburbs around a handful of hubs."""
    hubs = rng.normal(0.0, size.radius_km * 0.55, (max(3, min(30, count // 20)), 2))
    core = rng.normal(0.0, size.radius_km * 0.35, (count, 2))
    suburb = hubs[rng.integers(len(hubs), size=count)] + rng.normal(0.0, size.radius_km * 0.12, (count, 2))
    inside = rng.random(count) < 0.5
    return np.where(inside[:, None], core, suburb)


def numbered(prefix: str, count: int) -> list[str]:
    """Return ids ``prefix`` + running number, as wide as needed, at least two digits.

    Examples
    --------
    >>> numbered("W", 2)
    ['W01', 'W02']
    """
    width = max(2, len(str(count)))
    return [f"{prefix}{i:0{width}d}" for i in range(1, count + 1)]


def build_places(
    size: SizeSettings,
    leaders: LeaderSettings,
    *,
    days: pd.DatetimeIndex,
    sigma: float,
    rng: np.random.Generator,
    members_rng: np.random.Generator,
) -> Places:
    """Return the places of a generated city. Communities hang on the nearest depot or warehouse."""
    count = size.communities
    xy = scatter(count, size, rng)
    base_xy = spread_centres(xy, size.warehouses, rng)
    area_index = nearest(xy, spread_centres(xy, size.areas, rng))
    latitude, longitude = to_degrees(base_xy, size)
    warehouse_ids = numbered("W", len(base_xy))
    warehouses = pd.DataFrame({"warehouse_id": warehouse_ids, "latitude": latitude, "longitude": longitude})
    warehouses["name"] = [f"{i + 1}号中心仓" for i in range(len(base_xy))]
    warehouse_index = nearest(xy, base_xy)
    depots: pd.DataFrame = Depots.empty()
    depot_of: list[str] | None = None
    if size.depots:
        depot_xy = spread_centres(xy, size.depots, rng)
        depot_index, fed_by = nearest(xy, depot_xy), nearest(depot_xy, base_xy)
        latitude, longitude = to_degrees(depot_xy, size)
        ids = numbered("D", len(depot_xy))
        depots = pd.DataFrame({"depot_id": ids, "latitude": latitude, "longitude": longitude, "opens_at": "03:30"})
        depots["warehouse_id"] = [warehouse_ids[w] for w in fed_by]
        depots["name"] = [f"{i + 1}号网格仓" for i in range(len(ids))]
        warehouse_index, depot_of = fed_by[depot_index], [ids[d] for d in depot_index]
    first, last, opened, closed = _memberships(count, leaders, days, rng)
    starts = rng.choice(["06:30", "07:00", "07:30"], count, p=[0.25, 0.55, 0.2])
    ends = rng.choice(["11:00", "12:00", "13:00"], count, p=[0.2, 0.6, 0.2])
    relative = mean_one(rng, sigma, count)
    latitude, longitude = to_degrees(xy, size)
    ids = numbered("C", count)
    communities = pd.DataFrame(
        {
            "community_id": ids,
            "name": [_name(i) for i in range(count)],
            "area_id": [f"A{a + 1:02d}" for a in area_index],
            "warehouse_id": [warehouse_ids[w] for w in warehouse_index],
            "depot_id": depot_of,
            "latitude": latitude,
            "longitude": longitude,
            "window_start": starts,
            "window_end": ends,
            "service_minutes": np.clip(np.round(4.0 + 3.0 * relative), 4, 15),
            "leader_id": ["L" + i[1:] for i in ids],
            "opened_on": opened,
            "closed_on": closed,
            "members": _members(relative, leaders, members_rng),
        }
    )
    return Places(
        warehouses=Warehouses.check(warehouses),
        depots=Depots.check(depots),
        communities=Communities.check(communities),
        area_ids=numbered("A", size.areas),
        size=relative,
        area_index=area_index,
        warehouse_index=warehouse_index,
        first_day=first,
        last_day=last,
    )


def _members(relative: np.ndarray, leaders: LeaderSettings, rng: np.random.Generator) -> np.ndarray:
    """Return the people each leader's group is for: as many as the community buys, but for how much each one buys."""
    buying = mean_one(rng, leaders.buying_sigma, len(relative))
    members: np.ndarray = np.clip(np.round(leaders.members_mean * relative / buying), 5, None)
    return members


def _memberships(
    count: int, leaders: LeaderSettings, days: pd.DatetimeIndex, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, pd.Series, pd.Series]:
    """Return first and last position in the history, and the dates; always-open communities have no dates."""
    n = len(days)
    first, last = np.full(count, -10_000), np.full(count, n)
    draw, when = rng.random(count), rng.random(count)
    joins = draw < leaders.join_share
    leaves = ~joins & (draw < leaders.join_share + leaders.leave_share)
    first[joins] = (when[joins] * 0.9 * n).astype(int) + 1
    last[leaves] = (n * 0.2 + when[leaves] * 0.75 * n).astype(int)
    first, last = np.minimum(first, n - 1), np.maximum(last, 0)
    opened = pd.Series(pd.NaT, index=range(count), dtype="datetime64[us]")
    closed = opened.copy()
    opened[joins] = days[first[joins]]
    left = last < n
    closed[left] = days[last[left]]
    return first, last, opened, closed


def _name(i: int) -> str:
    road, kind = _ROADS[i % len(_ROADS)], _KINDS[(i // len(_ROADS)) % len(_KINDS)]
    block = i // (len(_ROADS) * len(_KINDS))
    return f"{road}{kind}" + (f"{block + 1}期" if block else "")
