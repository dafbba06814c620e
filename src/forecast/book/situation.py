"""What is known at one time of day, for a whole table of SKU x place on one or many days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.book.past import Codes, Floats

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
    whole : mapping of group to (confirmed, usual), each of shape (D, codes of the group)
        Totals of groups that reach beyond these series, when the series are a sample; empty when they are all.
    """

    left: float
    usual: Floats
    rest: Floats
    confirmed: Floats
    lines: NDArray[np.floating[Any]]
    codes: Mapping[str, Codes]
    whole: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)

    def totals(self, values: Floats, group: str) -> Floats:
        """Return the group's total of each day, shape (D, codes of the group)."""
        if group == "series":
            return values
        if group == "city":
            return np.asarray(values.sum(axis=1, keepdims=True))
        code = self.codes[group]
        size = int(code.max(initial=0)) + 1
        if group in self.whole:
            size = self.whole[group][1].shape[1]
        return np.stack([np.bincount(code, weights=day, minlength=size) for day in values])

    def lay_out(self, table: Floats, group: str) -> Floats:
        """Return a group's table by series; of the city it stays one column, which broadcasts."""
        return table if group in ("series", "city") else table[:, self.codes[group]]

    def pace_of(self, group: str, factor: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the group's confirmed units, not below zero, and the units usual by now, shape (D, codes).

        `factor` is what coarser groups already explain; of a sample it is carried over to the whole group.
        """
        usual = self.totals(self.usual if factor is None else self.usual * factor, group)
        if group not in self.whole:
            return np.maximum(self.totals(self.confirmed, group), 0.0), usual
        confirmed, whole = self.whole[group]
        if factor is not None:
            plain = self.totals(self.usual, group)
            whole = whole * np.divide(usual, plain, out=np.ones_like(usual), where=plain > 0)
        return np.maximum(confirmed, 0.0), whole

    def of_days(self, days: NDArray[np.bool_] | slice) -> Situation:
        """Return the situation on some of the days."""
        return Situation(
            self.left,
            self.usual[days],
            self.rest[days],
            self.confirmed[days],
            self.lines[days],
            self.codes,
            {group: (confirmed[days], usual[days]) for group, (confirmed, usual) in self.whole.items()},
        )
