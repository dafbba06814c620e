"""The usual share of a day's units that is confirmed with so many minutes to go: the order-arrival curve.

Per weekday for the city, shrunk estimates per category towards it, and per SKU towards its category (a shift of the
log-odds, estimated over all weekdays). Holidays and promotions shift the log-odds too, each shrunk towards no shift.
Net of cancellations, so that ``1 - share`` is what a day still adds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.settings import BookSettings
from forecast.book.kinds import DayKinds
from forecast.book.past import Floats, Ints, PastOrders, snapshot_index

_EDGE = 1e-4
_DAY_MINUTES = 1440.0
_MOST_EXTRA_DAYS = 3


@dataclass(frozen=True)
class UsualShares:
    """Arrival curves over a falling grid of minutes left.

    Attributes
    ----------
    left : shape (T,)
        Wall minutes to the cutoff, falling to 0.
    by_weekday : shape (7, C + 1, T)
        Share confirmed by then, per weekday of the delivery date and category; the last category is the whole city
        and stands for unknown ones.
    category : shape (S + 1,)
        Category code per SKU; the last entry is for unknown SKUs.
    shift : shape (S + 1, T)
        Log-odds a SKU lies above its category.
    holiday, promoted : shape (T,)
        Log-odds a day off lies above other days of its weekday, and a promoted SKU above its own usual.
    """

    left: Floats
    by_weekday: Floats
    category: Ints
    shift: NDArray[np.float32]
    holiday: Floats
    promoted: Floats

    def at(self, minutes_left: float, weekday: int, *, holiday: bool = False) -> Floats:
        """Return the share per SKU code (the last one: unknown SKU), shape (S + 1,); 1 after the cutoff."""
        if minutes_left <= 0:
            return np.ones(len(self.category))
        base = _between(self.by_weekday[weekday], self.left, minutes_left)[self.category]
        more = _between(self.shift, self.left, minutes_left)
        if holiday:
            more = more + _between(self.holiday, self.left, minutes_left)
        return _shifted(base, more)

    def promote(self, share: Floats, part: Floats, minutes_left: float) -> Floats:
        """Return shares where a `part` of the sales is promoted; both of one shape."""
        if minutes_left <= 0 or not part.any():
            return share
        return np.where(part > 0, _shifted(share, part * _between(self.promoted, self.left, minutes_left)), share)

    @classmethod
    def straight(cls, *, open_minutes: int, slot_minutes: int) -> UsualShares:
        """Return orders coming in evenly from opening to cutoff: what is assumed before anything is learned."""
        left = _grid(open_minutes, slot_minutes, 0)
        share = 1.0 - left / open_minutes
        none = np.zeros(len(left))
        return cls(left, np.tile(share, (7, 1, 1)), np.zeros(1, np.int64), none[None, :].astype(np.float32), none, none)

    @classmethod
    def learn(
        cls,
        past: PastOrders,
        *,
        category: Ints,
        open_minutes: int,
        weights: Floats,
        kinds: DayKinds,
        settings: BookSettings,
    ) -> UsualShares:
        """Return the curves of past days; lines of listings that closed early are left out, their evening is missing.

        Parameters
        ----------
        category : shape (S,)
            Category code of each SKU of `past`.
        weights : shape (D,)
            Weight of each day; recent days count more.
        """
        early = np.quantile(past.left, 0.999) - open_minutes
        left = _grid(
            open_minutes, settings.slot_minutes, int(np.clip(np.ceil(early / _DAY_MINUTES), 0, _MOST_EXTRA_DAYS))
        )
        times, categories, skus = len(left), int(category.max(initial=-1)) + 1, len(past.skus)
        weekday, weight = past.weekday[past.day], weights[past.day] * ~kinds.of_lines(kinds.closed, past)
        events = _Events.of(past, left)
        group = weekday * categories + category[past.sku]
        by_group = events.running(group, past.units * weight, 7 * categories).reshape(7, categories, times)
        curves = _shrunk_curves(
            by_group, events.running(group, weight, 7 * categories)[:, -1].reshape(7, categories), settings
        )
        own = events.running(past.sku, weight, skus)
        per_weekday = np.bincount(past.sku * 7 + weekday, weights=weight, minlength=skus * 7).reshape(skus, 7)
        expected = np.einsum("sw,wst->st", per_weekday, curves[:, category])
        strength = settings.curve_shrink_lines
        total = np.maximum(own[:, -1:], 0.0)
        usual = expected / np.maximum(per_weekday.sum(1, keepdims=True), 1e-9)
        mine = (own + strength * usual) / (total + strength)
        shift = np.vstack([_logit(mine) - _logit(usual), np.zeros((1, times))]).astype(np.float32)
        usually = _Usually(curves, category, shift[:-1], past.sku * 7 + weekday)
        holiday, promoted = (
            usually.shift_of(events, past, weight * chosen, settings)
            for chosen in (kinds.holiday[past.day], kinds.of_lines(kinds.promoted, past))
        )
        return cls(left, curves, np.append(category, categories), shift, holiday, promoted)


@dataclass(frozen=True)
class _Events:
    """Slots of the grid at which lines came in and went out again."""

    placed: Ints
    gone: Ints
    times: int

    @classmethod
    def of(cls, past: PastOrders, left: Floats) -> _Events:
        return cls(snapshot_index(past.left, left), snapshot_index(past.cancelled_left, left), len(left))

    def running(self, group: Ints, amount: Floats, groups: int) -> Floats:
        """Return net amounts accumulated over the grid, shape (groups, T)."""
        width = self.times + 1
        came = np.bincount(group * width + self.placed, weights=amount, minlength=groups * width)
        went = np.bincount(group * width + self.gone, weights=amount, minlength=groups * width)
        return np.cumsum((came - went).reshape(groups, width)[:, : self.times], axis=1)


@dataclass(frozen=True)
class _Usually:
    """The curves that lines of given weekday and SKU usually follow; `key` is ``SKU * 7 + weekday`` per line."""

    curves: Floats
    category: Ints
    shift: NDArray[np.float32]
    key: Ints

    def shift_of(self, events: _Events, past: PastOrders, weight: Floats, settings: BookSettings) -> Floats:
        """Return the log-odds by which the weighted lines lie above their usual curve, shape (T,).

        Shrunk by lines as a category's curve is, and by days: the lines of one day share its early or late mood.
        """
        days = len(np.unique(past.day[weight > 0]))
        lines = float(weight.sum())
        if not days:
            return np.zeros(events.times)
        own = events.running(np.zeros_like(past.sku), past.units * weight, 1)[0]
        units = np.bincount(self.key, weights=past.units * weight, minlength=len(self.category) * 7)
        usual = np.zeros(events.times)
        for weekday, by_sku in enumerate(units.reshape(-1, 7).T):
            usual += by_sku @ _shifted(self.curves[weekday, self.category], self.shift)
        part = lines / (lines + settings.curve_shrink_lines * 5) * days / (days + settings.day_kind_shrink_days)
        own_share = np.clip(own / max(own[-1], 1e-9), 0.0, 1.0)
        return part * (_logit(own_share) - _logit(usual / max(float(units.sum()), 1e-9)))


def _shrunk_curves(by_group: Floats, lines: Floats, settings: BookSettings) -> Floats:
    """Return curves per weekday and category, the city last, shape (7, C + 1, T)."""
    city = by_group.sum(axis=(0, 1))
    city = np.clip(city / max(city[-1], 1e-9), 0.0, 1.0)
    day = by_group.sum(axis=1)
    day_curve = _towards(day, lines.sum(axis=1), city[None, :], settings.curve_shrink_lines * 5)
    curves = _towards(by_group, lines, day_curve[:, None, :], settings.curve_shrink_lines * 5)
    return np.concatenate([curves, day_curve[:, None, :]], axis=1)


def _towards(units: Floats, lines: Floats, target: Floats, strength: float) -> Floats:
    """Return each group's own curve, shrunk towards `target` by its number of lines."""
    total = np.maximum(units[..., -1:], 1e-9)
    weight = (lines / (lines + strength))[..., None]
    weight = np.where(units[..., -1:] > 0, weight, 0.0)
    return np.clip(weight * units / total + (1.0 - weight) * target, 0.0, 1.0)


def _grid(open_minutes: int, slot_minutes: int, extra_days: int) -> Floats:
    """Return minutes left, falling from the opening (earlier if orders come days ahead) to 0."""
    first = open_minutes + extra_days * _DAY_MINUTES
    return np.append(np.arange(first, 0.0, -slot_minutes), 0.0)


def _between(curves: NDArray[np.floating], left: Floats, minutes_left: float) -> Floats:
    """Return curves at a moment, linear between grid points along the last axis."""
    at = np.interp(-minutes_left, -left, np.arange(len(left), dtype=np.float64))
    low = int(np.floor(at))
    high, part = min(low + 1, len(left) - 1), at - low
    return np.asarray(curves[..., low] * (1.0 - part) + curves[..., high] * part, dtype=np.float64)


def _shifted(share: Floats, odds: NDArray[np.floating]) -> Floats:
    """Return shares with their log-odds moved; 0 and 1 stay."""
    moved = 1.0 / (1.0 + np.exp(-(_logit(share) + odds)))
    return np.where((share <= 0.0) | (share >= 1.0), share, moved)


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, _EDGE, 1.0 - _EDGE)
    return np.log(inside / (1.0 - inside))
