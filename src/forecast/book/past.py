"""Past delivery dates as compact arrays, and snapshots of them: what the book showed at each time of each day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.flow import OrderLines
from forecast.book.window import OrderWindow

Ints = NDArray[np.int64]
Codes = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PastOrders:
    """Order lines of past delivery dates, one array element per line.

    Attributes
    ----------
    days : DatetimeIndex, shape (D,)
        Delivery dates with at least one line, rising; a day without any order is a closed day, not a zero.
    communities, skus : Index
        Ids the codes below point to.
    day, community, sku : int arrays, shape (n,)
    units : float array, shape (n,)
    left, cancelled_left : float arrays, shape (n,)
        Wall minutes left to the cutoff when the line was placed / cancelled (-inf: never cancelled before the cutoff).
    """

    days: pd.DatetimeIndex
    communities: pd.Index
    skus: pd.Index
    day: Ints
    community: Ints
    sku: Ints
    units: Floats
    left: Floats
    cancelled_left: Floats

    @classmethod
    def read(
        cls, order_lines: DataFrame[OrderLines], *, window: OrderWindow, as_of: pd.Timestamp | None, days: int
    ) -> PastOrders:
        """Return the last `days` delivery dates whose cutoff has passed at `as_of`.

        Without `as_of` the last order placed says how far the stream reaches. Lines placed after their cutoff never
        counted and are left out.
        """
        lines = order_lines
        known_until = lines["placed_at"].max() if as_of is None else as_of
        dates = pd.DatetimeIndex(lines["delivery_date"].unique()).sort_values()
        past = dates[[window.cutoff_at(day) <= known_until for day in dates]] if len(dates) else dates
        lines = lines[lines["delivery_date"].isin(past[-days:])]
        lines = lines[lines["placed_at"] <= window.cutoffs_at(lines["delivery_date"])]
        left = window.all_minutes_left(lines["placed_at"], lines["delivery_date"])
        gone = window.all_minutes_left(lines["cancelled_at"], lines["delivery_date"])
        gone = np.where(np.isnan(gone) | (gone < 0), -np.inf, gone)
        day, found = pd.factorize(lines["delivery_date"], sort=True)
        community, communities = pd.factorize(lines["community_id"], sort=True)
        sku, skus = pd.factorize(lines["sku_id"], sort=True)
        return cls(
            days=pd.DatetimeIndex(found),
            communities=pd.Index(communities),
            skus=pd.Index(skus),
            day=day.astype(np.int64),
            community=community.astype(np.int64),
            sku=sku.astype(np.int64),
            units=lines["quantity"].to_numpy(np.float64),
            left=np.maximum(left, 0.0),
            cancelled_left=np.minimum(gone, left),
        )

    @property
    def weekday(self) -> Ints:
        """Return the weekday of each delivery date, Monday 0, shape (D,)."""
        return self.days.day_of_week.to_numpy(np.int64)

    def of_communities(self, kept: NDArray[np.bool_]) -> PastOrders:
        """Return the lines of some communities; codes and days stay."""
        rows = kept[self.community]
        return PastOrders(
            self.days,
            self.communities,
            self.skus,
            self.day[rows],
            self.community[rows],
            self.sku[rows],
            self.units[rows],
            self.left[rows],
            self.cancelled_left[rows],
        )


@dataclass(frozen=True)
class Snapshots:
    """What the book showed at each snapshot time of each past day, for D days, S series (SKU x place), K times.

    Attributes
    ----------
    left : shape (K,)
        Wall minutes left to the cutoff, falling; the last is 0, so ``[..., -1]`` is the final.
    place, sku : shape (S,)
        Codes of each series.
    units, gross, lines : float32, shape (D, S, K)
        Units confirmed (net of cancellations), units ever placed, lines ever placed, by then.
    """

    days: pd.DatetimeIndex
    left: Floats
    place: Ints
    sku: Ints
    units: NDArray[np.float32]
    gross: NDArray[np.float32]
    lines: NDArray[np.float32]

    @classmethod
    def of(cls, past: PastOrders, *, place_of_community: Ints, left: Floats) -> Snapshots:
        """Return the snapshots of every SKU x place that was ever ordered."""
        skus = max(len(past.skus), 1)
        keys, series = np.unique(place_of_community[past.community] * skus + past.sku, return_inverse=True)
        shape = (len(past.days), len(keys), len(left))
        cell = past.day * shape[1] + series
        placed, gone = snapshot_index(past.left, left), snapshot_index(past.cancelled_left, left)
        gross = _running(cell, placed, past.units, shape)
        return cls(
            days=past.days,
            left=left,
            place=keys // skus,
            sku=keys % skus,
            units=gross - _running(cell, gone, past.units, shape),
            gross=gross,
            lines=_running(cell, placed, np.ones_like(past.units), shape),
        )

    def only(self, kept: NDArray[np.bool_]) -> Snapshots:
        """Return the snapshots with nothing in the days x series that are not kept, shape (D, S)."""
        if kept.all():
            return self
        units, gross, lines = (table * kept[:, :, None] for table in (self.units, self.gross, self.lines))
        return Snapshots(self.days, self.left, self.place, self.sku, units, gross, lines)


def codes_of(values: pd.Series, known: pd.Index) -> Ints:
    """Return the position of each value in `known`, -1 where it is not there; each distinct value is looked up once."""
    code, found = pd.factorize(values)
    return np.asarray(known.get_indexer(pd.Index(found))[code], dtype=np.int64)


def snapshot_index(minutes_left: Floats, left: Floats) -> Ints:
    """Return the first snapshot that sees something that happened with `minutes_left` to go; ``len(left)`` if none.

    Examples
    --------
    >>> snapshot_index(np.array([200.0, 120.0, 1.0, -np.inf]), np.array([120.0, 60.0, 0.0])).tolist()
    [0, 0, 2, 3]
    """
    return np.searchsorted(-left, -minutes_left, side="left").astype(np.int64)


def _running(cell: Ints, slot: Ints, amount: Floats, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return amounts accumulated over the snapshots, shape (D, S, K); a slot past the last is never seen."""
    days, series, times = shape
    seen = slot < times
    flat = np.bincount(cell[seen] * times + slot[seen], weights=amount[seen], minlength=days * series * times)
    return np.cumsum(flat.reshape(shape), axis=2).astype(np.float32)
