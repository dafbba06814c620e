"""What is known at one time of day, for a whole table of SKU x place on one or many days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.book.past import Floats, Ints

GROUPS = ("city", "category", "place", "sku", "series")
"""Whose pace of today is compared with the usual one, from the coarsest to the row itself."""


@dataclass(frozen=True)
class Situation:
    """D days by S series (SKU x place) at one time of day.

    Attributes
    ----------
    left : float
        Wall minutes left to the cutoff.
    usual : shape (D, S)
        Units usually confirmed by now: forecast of the day times the usual share.
    rest : shape (D, S)
        Units usually still to come: forecast times what is left of the share. Additive pickup.
    confirmed, lines : shape (D, S)
        Units confirmed (net of cancellations) and order lines placed so far.
    codes : mapping of group to int array, shape (S,)
        Which category, place and SKU each series belongs to.
    """

    left: float
    usual: Floats
    rest: Floats
    confirmed: Floats
    lines: Floats
    codes: Mapping[str, Ints]

    def sums(self, values: Floats, group: str) -> Floats:
        """Return the group's total of each day, laid out by series, shape (D, S)."""
        if group == "series":
            return values
        if group == "city":
            return np.broadcast_to(values.sum(axis=1, keepdims=True), values.shape)
        code = self.codes[group]
        return np.stack([np.bincount(code, weights=day)[code] for day in values])

    def of_days(self, days: NDArray[np.bool_] | slice) -> Situation:
        """Return the situation on some of the days."""
        return Situation(
            self.left, self.usual[days], self.rest[days], self.confirmed[days], self.lines[days], self.codes
        )
