"""The book of one delivery date and session: what is usual by now, what is still expected, level above level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.columns import LEVELS
from contracts.errors import InputError
from forecast.book.model import SessionModel
from forecast.book.past import Codes, Floats, Ints
from forecast.book.rows import CLOSED, BookRows, ForecastParts, ForecastRows, Places
from forecast.book.situation import Situation
from forecast.book.today import Clock, DayFacts, Openings, UsualToday


@dataclass(frozen=True)
class Ordered:
    """Order lines placed so far, as codes; a cancelled line has no units."""

    date: Ints
    community: Ints
    sku: Ints
    units: Floats
    placed_at: pd.Series

    def only(self, kept: NDArray[np.bool_]) -> Ordered:
        """Return some of the lines."""
        return Ordered(self.date[kept], self.community[kept], self.sku[kept], self.units[kept], self.placed_at[kept])


@dataclass(frozen=True)
class LevelBook:
    """Rows of a level with the units usual by now, usual from now on, and expected from now on."""

    rows: BookRows
    usual: Floats
    rest: Floats
    remaining: Floats


@dataclass(frozen=True)
class Evening:
    """One delivery date and session as of the moment.

    Attributes
    ----------
    today, skus
        Usual shares, and the SKUs their columns and the rows' codes point to.
    boost_cells : int
        Tables with more rows follow pace alone.
    """

    clock: Clock
    lessons: SessionModel
    places: Places
    skus: pd.Index
    today: UsualToday
    boost_cells: int

    @classmethod
    def of(
        cls,
        clock: Clock,
        lessons: SessionModel,
        facts: DayFacts,
        *,
        parts: ForecastParts,
        places: Places,
        community_rows: ForecastRows,
        ordered: Ordered,
        boost_cells: int,
        late_units: float,
    ) -> Evening:
        """Return the evening of the rows of one date and session."""
        size = len(places.ids["community"])
        opening = first_orders(clock, ordered, size)
        usual = np.bincount(community_rows.place, weights=community_rows.mean, minlength=size)
        city = np.interp(
            -np.nan_to_num(opening, nan=np.inf),
            -lessons.shares.left,
            lessons.shares.by_weekday[clock.day.day_of_week, -1],
            left=0.0,
        )
        openings = Openings.of(
            clock, facts, places=places, first_left=opening, usual_by_first=usual * city, limit=late_units
        )
        today = UsualToday.of(clock, lessons, facts, places=places, sku_ids=parts.skus, openings=openings)
        return cls(clock, lessons, places, parts.skus, today, boost_cells)

    def books(self, forecast: dict[int, ForecastRows], ordered: Ordered) -> dict[str, LevelBook]:
        """Return the book of each level, from the first (finest) upwards."""
        found: dict[str, LevelBook] = {}
        for code, given in forecast.items():
            level = LEVELS[code]
            place_of = self.places.of_community[level]
            rows = BookRows.join(
                given,
                place_of[ordered.community],
                ordered.sku,
                ordered.units,
                skus=len(self.skus),
                places=len(self.places.ids[level]),
            )
            below = found.get("community")
            if below is None:
                usual, rest = self._usual(rows, level)
                found[level] = LevelBook(rows, usual, rest, self._remaining(rows, level, usual, rest))
            else:
                found[level], found["community"] = self._above(rows, level, below)
        return found

    def _usual(self, rows: BookRows, level: str) -> tuple[Floats, Floats]:
        """Return the units usual by now and usual from now on of each row; NaN where there is no forecast."""
        today = self.today
        usual, rest = (rows.mean * self._of_rows(table, rows, level) for table in (today.placed, today.to_come))
        if level == "community" and len(today.missed) > 1:
            late = np.flatnonzero(today.late[rows.place])
            gone = today.missed[today.late[rows.place[late]], rows.sku[late]]
            usual[late] = np.maximum(usual[late] - rows.mean[late] * gone, 0.0)
        return usual, rest

    def _of_rows(self, table: Floats, rows: BookRows, level: str) -> Floats:
        """Return a table of today's by area and SKU for each row; of coarser places it is their communities' mean."""
        if level == "community":
            row_of = self.today.area
        else:
            of_community = self.places.of_community[level]
            row_of, table = self.today.by_place(table, of_community, len(self.places.ids[level]))
        if len(table) == 1:
            return np.asarray(table[0][rows.sku])
        return np.asarray(table.ravel()[row_of[rows.place] * len(self.skus) + rows.sku])

    def _remaining(self, rows: BookRows, level: str, usual: Floats, rest: Floats) -> Floats:
        """Return the units still expected: the level's model, or Gamma-Poisson where there is no forecast.

        An order without a forecast does not speak of anybody's pace, so such rows stand apart; nothing more comes
        where the listing has closed.
        """
        if self.clock.left <= 0:
            return np.zeros(len(rows.mean))
        lessons, code = self.lessons, self.lessons.sku_codes(self.skus)
        known = int(np.searchsorted(np.isnan(rows.mean), True))  # the forecast's rows come first
        sku = code[rows.sku]
        now = Situation(
            left=self.clock.left,
            usual=usual[None, :known],
            rest=rest[None, :known],
            confirmed=rows.confirmed[None, :known],
            lines=rows.lines[None, :known],
            codes={
                "category": lessons.shares.category[sku[:known]],
                "place": rows.place[:known],
                "sku": sku[:known],
            },
        )
        expected: Floats = lessons.levels[level].remainder.expect(now, boost=known <= self.boost_cells)[0]
        if known == len(rows.mean):
            return expected
        alone = slice(known, None)
        share, still = self._usual_shares(rows, level, known)
        communities = np.bincount(self.places.of_community[level])[rows.place[alone]].astype(np.float64)
        more = lessons.usual.remaining(sku[alone], rows.confirmed[alone], share, communities)
        return np.concatenate([expected, np.where(still > 0, more, 0.0)])

    def _usual_shares(self, rows: BookRows, level: str, first: int) -> tuple[Floats, Floats]:
        """Return the shares usual by now and to come of the rows from `first` on."""
        some = BookRows(
            origin=slice(0, 0),
            place=rows.place[first:],
            sku=rows.sku[first:],
            source=rows.source[first:],
            mean=np.ones(len(rows.mean) - first),
            confirmed=rows.confirmed[first:],
            lines=rows.lines[first:],
        )
        return self._usual(some, level)

    def _above(self, rows: BookRows, level: str, below: LevelBook) -> tuple[LevelBook, LevelBook]:
        """Return a level above the communities, and the communities; its remainder is the sum of theirs.

        A warehouse is first expected in its own right - it sees a SKU's pace better than a community can - and its
        communities are scaled to it, so that sums hold.

        Raises
        ------
        InputError
            The forecast expects units at a place none of whose communities it knows.
        """
        skus, place_of, fine = len(self.skus), self.places.of_community[level], below.rows
        size = len(self.places.ids[level]) * skus
        key = rows.keys(skus)
        fine_key = place_of[fine.place] * skus + fine.sku
        known = np.bincount(fine_key, minlength=size) > 0
        orphan = ~known[key] & (rows.mean > 0)
        if orphan.any():
            raise InputError(
                f"The forecast's levels do not add up: {int(orphan.sum())} rows above the communities have none "
                f"below them, e.g. SKU {self.skus[rows.sku[orphan][0]]!r}. Forecast all communities, or one level."
            )
        usual, rest = self._usual_above(rows, level, below, fine_key, size)
        if level == "warehouse":
            own = self._remaining(rows, level, usual, rest)
            below = self._scaled(below, key, np.where(np.isnan(rows.mean), np.nan, own), fine_key, size)
        total = np.bincount(fine_key, weights=below.remaining, minlength=size)
        known[key] = False
        extra = np.flatnonzero(known)
        grown = rows.with_unforecast(extra, skus)
        gap = np.full(len(extra), np.nan)
        remaining: Floats = total[grown.keys(skus)].astype(np.float64)
        book = LevelBook(grown, np.concatenate([usual, gap]), np.concatenate([rest, gap]), remaining)
        return book, below

    def _usual_above(
        self, rows: BookRows, level: str, below: LevelBook, fine_key: Ints, size: int
    ) -> tuple[Floats, Floats]:
        """Return usual units above the communities: by the curve, or, where places differ, as theirs add up."""
        if self.today.is_plain:
            return self._usual(rows, level)
        mean = np.nan_to_num(below.rows.mean, nan=0.0)
        whole = np.bincount(fine_key, weights=mean, minlength=size)
        key = rows.keys(len(self.skus))
        sums = [
            np.bincount(fine_key, weights=np.nan_to_num(part, nan=0.0), minlength=size)[key]
            for part in (below.usual, below.rest)
        ]
        share = [np.divide(part, whole[key], out=np.zeros_like(part), where=whole[key] > 0) for part in sums]
        return rows.mean * share[0], rows.mean * share[1]

    def _scaled(self, below: LevelBook, key: Ints, own: Floats, fine_key: Ints, size: int) -> LevelBook:
        """Return the communities with the remainders of their forecast rows scaled to the warehouses' own."""
        forecast = ~np.isnan(below.rows.mean)
        total = np.bincount(fine_key, weights=np.where(forecast, below.remaining, 0.0), minlength=size)
        aim = np.full(size, np.nan)
        aim[key] = own
        scale = np.divide(aim, total, out=np.ones(size), where=(total > 0) & ~np.isnan(aim))
        scaled = np.where(forecast, below.remaining * scale[fine_key], below.remaining)
        return LevelBook(below.rows, below.usual, below.rest, scaled)

    def sources(self, book: LevelBook, level: str) -> Codes:
        """Return the source codes of a level's rows, those whose listing has closed in all areas marked."""
        if not self.today.closed.any() or self.clock.left <= 0:
            return book.rows.source
        level_closed = self._of_rows(self.today.closed.astype(np.float64), book.rows, level)
        return np.where(level_closed >= 1.0 - 1e-9, CLOSED, book.rows.source)


def first_orders(clock: Clock, ordered: Ordered, communities: int) -> Floats:
    """Return the wall minutes left at each community's first order, shape (C,); NaN without one."""
    first = np.full(communities, -np.inf)
    left = clock.left_at(ordered.placed_at)
    np.maximum.at(first, ordered.community, left)
    return np.where(np.isfinite(first), first, np.nan)
