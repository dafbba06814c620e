"""The door to numba: exact dynamic programs over cases, one per SKU x warehouse, compiled.

Units received lie on a grid per cell. ``F[i][u]`` is the least cost of at least u grid steps from the first i offers of
the cell; demand is covered surely at the last step, so nothing beyond it is told apart. A linear piece of an offer's
cost over a run of cases is applied by doubling: the best of 2^k cases from the best of 2^(k-1), which costs
log2(cases) passes over the grid, each vectorised; short runs are applied case by case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from optimize.purchase.demand import Floats, Ints

_Function = TypeVar("_Function", bound=Callable[..., Any])

_SHORT_RUN = 12
"""Runs of at most this many cases are applied one by one."""


def compiled(function: _Function) -> _Function:
    """Compile a function without the interpreter lock, cached on disk where a cache can be written."""
    try:
        return numba.njit(cache=True, nogil=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # numba finds no writable place for its cache
        return numba.njit(nogil=True)(function)  # type: ignore[no-any-return]


class Grid(NamedTuple):
    """What does not change while prices do. Offers are sorted by cell, bands and level slots by offer.

    ``cell_offers[c]:cell_offers[c+1]`` are a cell's offers, ``offer_bands`` their bands, ``offer_slots`` one slot per
    rebate level of the offer's supplier, whose first level is ``first_tier``. ``steps_per_case`` may be fractional;
    a sum of cases is rounded with ``rounding`` (0.5 nearest, just below 1 up). ``regret`` holds, from
    ``cell_grid[c]`` on, the regret at each grid step.
    """

    cell_offers: Ints
    cell_grid: Ints
    regret: Floats
    offer_bands: Ints
    offer_slots: Ints
    first_tier: Ints
    steps_per_case: Floats
    rounding: float
    band_from: Ints
    band_to: Ints
    band_fixed: Floats
    band_slope: Floats
    band_side: Floats


@compiled
def _steps(cases: int, per_case: float, rounding: float, last: int) -> int:
    """Return grid steps of some cases, at most the last step."""
    exact = cases * per_case + rounding
    return last if exact >= last else int(exact)


@compiled
def _shift(source: Floats, target: Floats, last: int, steps: int, yuan: float) -> None:
    """Lower the target by taking `steps` more for `yuan`."""
    head = source[0] + yuan
    top = min(steps, last + 1)
    for u in range(top):
        old = target[u]
        target[u] = head if head < old else old
    for u in range(top, last + 1):
        new = source[u - steps] + yuan
        old = target[u]
        target[u] = new if new < old else old


@compiled
def _widen(source: Floats, target: Floats, last: int, steps: int, yuan: float) -> None:
    """Set the target to the better of nothing more and `steps` more for `yuan`."""
    head = source[0] + yuan
    top = min(steps, last + 1)
    for u in range(top):
        old = source[u]
        target[u] = head if head < old else old
    for u in range(top, last + 1):
        new = source[u - steps] + yuan
        old = source[u]
        target[u] = new if new < old else old


@compiled
def _add_offer(
    o: int, grid: Grid, wait: Floats, pay: Floats, extra: Floats, last: int, before: Floats, after: Floats, work: Floats
) -> None:
    """Set `after` to the least costs with offer o, from those without it."""
    after[: last + 1] = before[: last + 1]
    per_case, rounding = grid.steps_per_case[o], grid.rounding
    slots, tier = grid.offer_slots[o], grid.first_tier[o]
    levels = grid.offer_slots[o + 1] - slots
    enough = max(int(np.ceil((last - rounding) / per_case)), 1)
    while _steps(enough, per_case, rounding, last) < last:
        enough += 1
    for b in range(grid.offer_bands[o], grid.offer_bands[o + 1]):
        low, high = grid.band_from[b], grid.band_to[b]
        top = min(high, max(enough, low))
        fixed, slope, side = grid.band_fixed[b], grid.band_slope[b], grid.band_side[b]
        run = top - low + 1
        for t in range(levels):
            start = wait[slots + t] + pay[tier + t] * fixed + side
            rise = pay[tier + t] * slope + extra[o]
            beaten = False
            for k in range(levels):
                other = wait[slots + k] + pay[tier + k] * fixed + side
                climb = pay[tier + k] * slope + extra[o]
                at_low = (other + climb * low) - (start + rise * low)
                at_top = (other + climb * top) - (start + rise * top)
                if k != t and at_low <= 0 and at_top <= 0 and (at_low < 0 or at_top < 0 or k < t):
                    beaten = True
            if rise < 0 and high > top:
                _shift(before, after, last, last + 1, start + rise * high)
            if beaten:
                continue
            if run <= _SHORT_RUN:
                for n in range(low, top + 1):
                    _shift(before, after, last, _steps(n, per_case, rounding, last), start + rise * n)
                continue
            work[0, : last + 1] = before[: last + 1]
            width, held = 1, 0
            while 2 * width <= run:
                _widen(work[held], work[1 - held], last, _steps(width, per_case, rounding, last), rise * width)
                held = 1 - held
                width *= 2
            if run > width:
                rest = run - width
                _widen(work[held], work[1 - held], last, _steps(rest, per_case, rounding, last), rise * rest)
                held = 1 - held
            _shift(work[held], after, last, _steps(low, per_case, rounding, last), start + rise * low)


@compiled
def _best_cases(
    o: int, grid: Grid, wait: Floats, pay: Floats, extra: Floats, last: int, before: Floats, at: int
) -> tuple[int, int, int]:
    """Return cases and level of offer o in the best way to reach step `at`, and the step the earlier offers reach."""
    best, cases, level, rest = before[at], 0, -1, at
    slots, tier = grid.offer_slots[o], grid.first_tier[o]
    for b in range(grid.offer_bands[o], grid.offer_bands[o + 1]):
        low, high = grid.band_from[b], grid.band_to[b]
        for t in range(grid.offer_slots[o + 1] - slots):
            start = wait[slots + t] + pay[tier + t] * grid.band_fixed[b] + grid.band_side[b]
            rise = pay[tier + t] * grid.band_slope[b] + extra[o]
            for n in range(low, high + 1):
                steps = _steps(n, grid.steps_per_case[o], grid.rounding, last)
                left = max(at - steps, 0)
                yuan = before[left] + start + rise * n
                if yuan < best - 1e-12:
                    best, cases, level, rest = yuan, n, t, left
                if steps >= at and rise >= 0:
                    break
    return cases, level, rest


@compiled
def solve_cells(
    first: int,
    end: int,
    grid: Grid,
    wait: Floats,
    pay: Floats,
    extra: Floats,
    value: Floats,
    cases: Ints,
    level: Ints,
) -> None:
    """Solve cells first..end-1 at given prices.

    Parameters
    ----------
    wait : array, one per level slot
        Yuan for using an offer at a level.
    pay : array, one per level
        Share of the goods yuan that is paid at the level.
    extra : array, one per offer
        Yuan per case besides goods.
    value, cases, level : arrays, written
        Least cost per cell; cases per offer and the level they are bought at (-1: none).
    """
    most, longest = 1, 1
    for c in range(first, end):
        most = max(most, grid.cell_offers[c + 1] - grid.cell_offers[c])
        longest = max(longest, grid.cell_grid[c + 1] - grid.cell_grid[c])
    table = np.empty((most + 1, longest))
    work = np.empty((2, longest))
    for c in range(first, end):
        begin, count = grid.cell_offers[c], grid.cell_offers[c + 1] - grid.cell_offers[c]
        origin = grid.cell_grid[c]
        last = grid.cell_grid[c + 1] - origin - 1
        table[0, 0] = 0.0
        table[0, 1 : last + 1] = np.inf
        for i in range(count):
            _add_offer(begin + i, grid, wait, pay, extra, last, table[i], table[i + 1], work)
        least, at = np.inf, 0
        for u in range(last + 1):
            total = table[count, u] + grid.regret[origin + u]
            if total < least:
                least, at = total, u
        value[c] = least
        for i in range(count - 1, -1, -1):
            o = begin + i
            n, t, at = _best_cases(o, grid, wait, pay, extra, last, table[i], at)
            cases[o], level[o] = n, t


def empty_answers(cells: int, offers: int) -> tuple[Floats, Ints, Ints]:
    """Return arrays for `solve_cells` to write."""
    return np.empty(cells), np.zeros(offers, dtype=np.int64), np.zeros(offers, dtype=np.int64)


__all__ = ["Grid", "NDArray", "empty_answers", "solve_cells"]
