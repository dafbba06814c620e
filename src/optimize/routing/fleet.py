"""Which van drives which duty: the same trips on the cheapest vans there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from optimize.routing.duty import Duty, holds, timetable, whole_yuan
from optimize.routing.territory import Territory

FORBIDDEN_YUAN = 1e15
"""Stands for a van that cannot drive a duty; far above any cost, finite for the assignment solver."""


def on_best_vans(territory: Territory, duties: Sequence[Duty]) -> tuple[Duty, ...]:
    """Return the duties with the same trips on the vans that make them cheapest together.

    An assignment problem (Kuhn 1955): a kind of van with n vans may drive n duties. The search moves stops between
    vans but seldom exchanges the vans of whole duties, which is where mixed fleets and several bases gain.
    """
    kinds = len(territory.vans)
    if kinds < 2 or not duties:
        return tuple(duties)
    yuan = np.full((len(duties), kinds), FORBIDDEN_YUAN)
    for row, duty in enumerate(duties):
        for van in range(kinds):
            moved = Duty(van, duty.trips)
            times = timetable(territory, moved)
            if holds(territory, moved, times):
                yuan[row, van] = whole_yuan(territory, moved, times)
    seats = np.repeat(np.arange(kinds), [min(van.count, len(duties)) for van in territory.vans])
    rows, seat = linear_sum_assignment(yuan[:, seats])
    chosen = seats[seat]
    now = np.array([duty.van for duty in duties])
    if len(rows) < len(duties) or yuan[rows, chosen].sum() >= yuan[np.arange(len(duties)), now].sum() - 1e-9:
        return tuple(duties)
    return tuple(Duty(int(van), duties[int(row)].trips) for row, van in zip(rows, chosen, strict=True))
