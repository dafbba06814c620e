"""Today's pace against the usual one, from the city down to a single SKU x place, each shrunk towards no difference.

With ``c`` units confirmed where ``u`` were usual (after what coarser groups explain), a Gamma prior of mean 1 and shape
``a`` on the group's pace gives the posterior mean ``(c + a) / (u + a)`` (conjugate Gamma-Poisson). Of that pace a part
``carry`` lasts for the rest of the day, because some of it is only orders that came earlier or later:
``remaining = rest * prod over groups of ((c + a) / (u + a)) ** carry``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecast.book.past import Floats
from forecast.book.situation import GROUPS, Situation

_STRENGTHS = (2.0, 8.0, 30.0, 120.0, 480.0)
_CARRIES = (0.0, 0.25, 0.5, 0.75, 1.0)
_CAUTIOUS = (200.0, 0.5)


@dataclass(frozen=True)
class Pace:
    """Shape and carry of each group over the day.

    Attributes
    ----------
    left : shape (K,)
        Wall minutes left, falling.
    strength : shape (K, G)
        Gamma shape in units: pace counts half once this many units were usual.
    carry : shape (K, G)
        Share of the pace, in logs, that lasts for the rest of the day.
    """

    left: Floats
    strength: Floats
    carry: Floats

    @classmethod
    def cautious(cls) -> Pace:
        """Return a mild pace of the city alone, for when there are too few days to learn from."""
        strength = np.full((1, len(GROUPS)), _CAUTIOUS[0])
        carry = np.zeros((1, len(GROUPS)))
        carry[0, 0] = _CAUTIOUS[1]
        return cls(np.zeros(1), strength, carry)

    @classmethod
    def learn(cls, situations: Sequence[Situation], actual: Sequence[Floats]) -> Pace:
        """Return shape and carry per group with the least squared error of the remainder, coarse groups first.

        Times next to each other share their evidence (weights 1, 2, 1; errors relative to additive pickup's).
        """
        times = len(situations)
        left = np.array([now.left for now in situations])
        strength, carry = np.full((times, len(GROUPS)), _STRENGTHS[0]), np.zeros((times, len(GROUPS)))
        factor = [np.ones_like(now.rest) for now in situations]
        base = [float(np.square(now.rest - rest).sum()) + 1e-9 for now, rest in zip(situations, actual, strict=True)]
        for position, group in enumerate(GROUPS):
            loss = np.array(
                [
                    _losses(now, f, rest, group) / b
                    for now, f, rest, b in zip(situations, factor, actual, base, strict=True)
                ]
            )
            padded = np.concatenate([loss[:1], loss, loss[-1:]])
            best = (padded[:-2] + 2.0 * loss + padded[2:]).reshape(times, -1).argmin(axis=1)
            for k, now in enumerate(situations):
                a, rho = _STRENGTHS[best[k] // len(_CARRIES)], _CARRIES[best[k] % len(_CARRIES)]
                strength[k, position], carry[k, position] = a, rho
                factor[k] = factor[k] * _carried(now, factor[k], group, a, rho)
        return cls(left, strength, carry)

    def factor(self, now: Situation) -> Floats:
        """Return what the rest of the day is multiplied with, shape (D, S)."""
        at = float(np.interp(-now.left, -self.left, np.arange(len(self.left), dtype=np.float64)))
        low = int(np.floor(at))
        high, part = min(low + 1, len(self.left) - 1), at - low
        strength = self.strength[low] ** (1.0 - part) * self.strength[high] ** part
        carry = self.carry[low] * (1.0 - part) + self.carry[high] * part
        factor = np.ones_like(now.rest)
        for position, group in enumerate(GROUPS):
            if carry[position] > 0:
                factor *= _carried(now, factor, group, float(strength[position]), float(carry[position]))
        return factor


def _carried(now: Situation, factor: Floats, group: str, strength: float, carry: float) -> Floats:
    """Return the part that lasts of the group's shrunk pace beyond what coarser groups explain, by series."""
    confirmed, usual = now.pace_of(group, factor)
    return now.lay_out(np.asarray(((confirmed + strength) / (usual + strength)) ** carry), group)


def _losses(now: Situation, factor: Floats, actual: Floats, group: str) -> Floats:
    """Return the squared error of each (strength, carry), shape (A, R)."""
    confirmed, usual = now.pace_of(group, factor)
    before = now.rest * factor
    loss = np.empty((len(_STRENGTHS), len(_CARRIES)))
    for i, strength in enumerate(_STRENGTHS):
        quarter = now.lay_out(np.asarray(((confirmed + strength) / (usual + strength)) ** 0.25), group)
        guess = before
        for j in range(len(_CARRIES)):
            loss[i, j] = np.square(guess - actual).sum()
            guess = guess * quarter
    return loss
