"""What is special on the delivery date itself, and what that makes of the usual share of orders by now.

A listing that sold out or was withdrawn takes no more orders: nothing more comes, and its pace is judged by what was
usual until it closed. A community whose leader opened late is judged by what is usual from its opening on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.reference import Calendar, Listings, Skus
from forecast.book.kinds import days_off, is_promoted
from forecast.book.model import SessionModel
from forecast.book.past import Floats, Ints, codes_of
from forecast.book.rows import Places
from forecast.book.window import OrderWindow

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class DayFacts:
    """What is known of the delivery dates besides orders and forecast; each may be absent.

    Attributes
    ----------
    skus : optional
        Tells categories; needed where categories close at different cutoffs.
    listings : optional
        Tells promotions and, in ``sold_out_at``, listings that sold out or were withdrawn. Later moments than the
        book's are not read.
    calendar : optional
        Tells public holidays.
    openings : optional
        Columns ``delivery_date, community_id, opened_at``: leaders who opened late. Where a community is not named
        its orders tell: a first order when `BookSettings.late_opening_units` units are usual by then was a late start.
    """

    skus: DataFrame[Skus] | None = None
    listings: DataFrame[Listings] | None = None
    calendar: DataFrame[Calendar] | None = None
    openings: pd.DataFrame | None = None


@dataclass(frozen=True)
class Clock:
    """The moment of the book, seen from one delivery date and session.

    Attributes
    ----------
    left : float
        Wall minutes to the cutoff; 0 from the cutoff on.
    """

    moment: pd.Timestamp
    day: pd.Timestamp
    window: OrderWindow
    left: float
    holiday: bool

    @classmethod
    def of(cls, moment: pd.Timestamp, day: pd.Timestamp, window: OrderWindow, facts: DayFacts) -> Clock:
        """Return the clock; an open window has at least one minute left, also when clocks are set back."""
        open_still = moment < window.cutoff_at(day)
        left = max(window.minutes_left(moment, day), 1.0) if open_still else 0.0
        return cls(moment, day, window, left, window.order_day(day) in days_off(facts.calendar))

    def left_at(self, instants: pd.Series) -> Floats:
        """Return the wall minutes left at each instant; an instant later than the book's is the book's."""
        left = self.window.all_minutes_left(instants, pd.Series(self.day, index=instants.index))
        return np.asarray(np.maximum(np.nan_to_num(left, nan=self.left), self.left))


@dataclass(frozen=True)
class UsualToday:
    """Usual shares of the date as of the moment, by area and SKU, and what late communities missed.

    Attributes
    ----------
    area : shape (C,)
        Row of the two tables for each community.
    placed : shape (A, S)
        Share usually confirmed by now, or by the moment the listing closed.
    to_come : shape (A, S)
        Share usually still to come; 0 where the listing has closed.
    closed : shape (A, S)
        The listing has closed.
    late : shape (C,)
        Row of `missed` for each community; 0 for those that opened in time.
    missed : shape (1 + late openings, S)
        Share usually confirmed before the opening.
    """

    area: Ints
    placed: Floats
    to_come: Floats
    closed: NDArray[np.bool_]
    late: Ints
    missed: Floats

    @property
    def is_plain(self) -> bool:
        """Whether all places share one curve, so that nothing has to be added up from below."""
        return len(self.placed) == 1 and len(self.missed) == 1

    @classmethod
    def of(
        cls,
        clock: Clock,
        lessons: SessionModel,
        facts: DayFacts,
        *,
        places: Places,
        sku_ids: pd.Index,
        openings: Openings,
    ) -> UsualToday:
        """Return the shares of a day."""
        shares, code = lessons.shares, lessons.sku_codes(sku_ids)
        weekday = clock.day.day_of_week
        share = shares.at(clock.left, weekday, holiday=clock.holiday)[code]
        listed = _listed(facts.listings, clock, places, sku_ids)
        communities = len(places.ids["community"])
        area, areas = (
            (places.of_community["area"], len(places.ids["area"])) if len(listed) else (np.zeros(communities, int), 1)
        )
        placed = np.tile(share, (areas, 1))
        promoted = listed[listed["promoted"]]
        part = np.zeros(placed.shape)
        part[promoted["area"], promoted["sku"]] = 1.0
        placed = shares.promote(placed, part, clock.left)
        to_come = 1.0 - placed
        closed = listed[listed["closed_at"].notna()]
        gone = np.zeros(placed.shape, bool)
        left_then, number = np.unique(clock.left_at(closed["closed_at"]), return_inverse=True)
        for which, left in enumerate(left_then):
            rows = closed[number == which]
            then = shares.at(float(left), weekday, holiday=clock.holiday)[code]
            placed[rows["area"], rows["sku"]] = then[rows["sku"]]
            gone[rows["area"], rows["sku"]] = True
        to_come[gone] = 0.0
        missed = [np.zeros(len(sku_ids))]
        missed += [shares.at(left, weekday, holiday=clock.holiday)[code] for left in openings.left]
        return cls(area, placed, to_come, gone, openings.of_community, np.stack(missed))

    def by_place(self, table: Floats, of_community: Ints, places: int) -> tuple[Ints, Floats]:
        """Return a table for the places of a coarser level (their communities' mean) and the row of each place."""
        if len(table) == 1:
            return np.zeros(places, np.int64), table
        count = np.bincount(of_community * len(table) + self.area, minlength=places * len(table))
        weight = count.reshape(places, len(table)).astype(np.float64)
        return np.arange(places), (weight / np.maximum(weight.sum(axis=1, keepdims=True), 1.0)) @ table


@dataclass(frozen=True)
class Openings:
    """Communities that opened late.

    Attributes
    ----------
    left : list of float
        Wall minutes left at each late opening, one entry per distinct moment.
    of_community : shape (C,)
        1 + position in `left`; 0 for communities that opened in time.
    """

    left: list[float]
    of_community: Ints

    @classmethod
    def of(
        cls,
        clock: Clock,
        facts: DayFacts,
        *,
        places: Places,
        first_left: Floats,
        usual_by_first: Floats,
        limit: float,
    ) -> Openings:
        """Return late openings: those given, and those a late first order tells of.

        Parameters
        ----------
        first_left : shape (C,)
            Wall minutes left at the community's first order of the date; NaN without one.
        usual_by_first : shape (C,)
            Units usually ordered there by then.
        limit : float
            So many usual units make a first order late.
        """
        ids = places.ids["community"]
        opened = np.where(np.isfinite(first_left) & (usual_by_first >= limit), first_left, np.nan)
        told = facts.openings
        if told is not None and len(told):
            told = told[told["delivery_date"] == clock.day]
            where = codes_of(told["community_id"], ids)
            opened[where[where >= 0]] = clock.left_at(told["opened_at"])[where >= 0]
        if np.isfinite(opened).any():
            _LOG.info("book: %d communities opened late on %s", int(np.isfinite(opened).sum()), clock.day.date())
        late, row = np.unique(opened[np.isfinite(opened)], return_inverse=True)
        of_community = np.zeros(len(ids), np.int64)
        of_community[np.isfinite(opened)] = row + 1
        return cls(late.tolist(), of_community)


def _listed(listings: pd.DataFrame | None, clock: Clock, places: Places, sku_ids: pd.Index) -> pd.DataFrame:
    """Return the date's listings that are promoted or closed by now: ``area, sku, promoted, closed_at``."""
    if listings is None:
        listings = Listings.empty()
    today = listings[listings["delivery_date"] == clock.day].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "area": codes_of(today["area_id"], places.ids["area"]),
            "sku": codes_of(today["sku_id"], sku_ids),
            "promoted": is_promoted(today),
            "closed_at": today["sold_out_at"].where(today["sold_out_at"] <= clock.moment),
        }
    )
    known = (table["area"] >= 0) & (table["sku"] >= 0)
    return table[known & (table["promoted"] | table["closed_at"].notna())]
