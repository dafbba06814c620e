"""The remainder: additive pickup, pace and boosting, weighed per time of day by what each was worth on past days.

Evidence is rolling: the window is cut into blocks of days, and each later block is predicted from the blocks before it.
The weights minimise the squared error of that evidence, so that where pace and boosting teach nothing the answer is
additive pickup itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from contracts.settings import BookSettings
from forecast.book.boosting import Boosting, features_of
from forecast.book.pace import Pace
from forecast.book.past import Floats
from forecast.book.situation import Situation

_STEPS = 4
_WEIGHTS = np.array([w for w in product(range(_STEPS + 1), repeat=3) if sum(w) == _STEPS]) / _STEPS
_SURE = 2.0
"""Standard errors by which a combination must beat additive pickup to be preferred to it."""


@dataclass(frozen=True)
class Remainder:
    """Members and their weights.

    Attributes
    ----------
    left : shape (K,)
        Wall minutes left, falling.
    weights : shape (K, 3)
        Of additive pickup, pace and boosting; each row sums to 1.
    """

    pace: Pace
    boosting: Boosting | None
    left: Floats
    weights: Floats

    @classmethod
    def additive(cls) -> Remainder:
        """Return plain additive pickup."""
        return cls(Pace.cautious(), None, np.zeros(1), np.array([[1.0, 0.0, 0.0]]))

    @property
    def name(self) -> str:
        """Return what answers, for the book's ``source``."""
        labels = ("additive pickup", "pace", self.boosting.name if self.boosting else "")
        return " + ".join(label for label, used in zip(labels, self.weights.max(axis=0) > 0, strict=True) if used)

    def expect(self, now: Situation, *, boost: bool = True) -> Floats:
        """Return the units still expected, shape (D, S); without `boost` its weight goes to the pace."""
        at = float(np.interp(-now.left, -self.left, np.arange(len(self.left), dtype=np.float64)))
        low = int(np.floor(at))
        part = at - low
        weights = self.weights[low] * (1.0 - part) + self.weights[min(low + 1, len(self.left) - 1)] * part
        if not boost:
            weights = np.array([weights[0], weights[1] + weights[2], 0.0])
        return np.asarray(_members(self.pace, self.boosting, now, skip=weights == 0) @ weights)

    @classmethod
    def learn(
        cls, situations: Sequence[Situation], actual: Sequence[Floats], settings: BookSettings, *, boost: bool
    ) -> tuple[Remainder, NDArray[np.bool_], list[Floats]]:
        """Learn the members and their weights from past days.

        Parameters
        ----------
        situations, actual
            Per time of day, all past days; actual remainders of shape (D, S).
        boost
            Whether boosting is a member.

        Returns
        -------
        model
        held_out : shape (D,)
            Days that were predicted from earlier days only.
        evidence
            Per time, the predictions of those days.
        """
        days = len(actual[0])
        left = np.array([now.left for now in situations])
        starts = np.linspace(0, days, settings.evidence_blocks + 2).astype(int)[1:]
        held_out = np.arange(days) >= starts[0]
        parts: list[list[Floats]] = [[] for _ in situations]
        for start, end in pairwise(starts):
            pace, boosting = _fit(situations, actual, slice(0, start), settings, boost=boost)
            for k, now in enumerate(situations):
                parts[k].append(_members(pace, boosting, now.of_days(slice(start, end))))
        members = [np.concatenate(part) for part in parts]
        weights = _weigh(
            members, [rest[held_out] for rest in actual], _WEIGHTS if boost else _WEIGHTS[_WEIGHTS[:, 2] == 0]
        )
        pace, boosting = _fit(situations, actual, slice(0, days), settings, boost=boost)
        evidence = [member @ weight for member, weight in zip(members, weights, strict=True)]
        return cls(pace, boosting, left, weights), held_out, evidence


def _fit(
    situations: Sequence[Situation], actual: Sequence[Floats], days: slice, settings: BookSettings, *, boost: bool
) -> tuple[Pace, Boosting | None]:
    past, rests = [now.of_days(days) for now in situations], [rest[days] for rest in actual]
    pace = Pace.learn(past, rests)
    if not boost:
        return pace, None
    rng = np.random.default_rng(settings.seed)
    each = max(settings.boost_rows // len(past), 1)
    rows, targets, exposures = [], [], []
    for now, rest in zip(past, rests, strict=True):
        paced = now.rest * pace.factor(now)
        drawn = rng.permutation(rest.size)[:each]
        rows.append(features_of(now, paced)[drawn])
        targets.append(rest.ravel()[drawn])
        exposures.append(paced.ravel()[drawn])
    return pace, Boosting.learn(np.concatenate(rows), np.concatenate(targets), np.concatenate(exposures), settings)


def _members(pace: Pace, boosting: Boosting | None, now: Situation, *, skip: NDArray[np.bool_] | None = None) -> Floats:
    """Return additive pickup, pace and boosting, shape (D, S, 3); skipped members are left at additive pickup."""
    wanted = np.ones(3, bool) if skip is None else ~skip
    paced = now.rest * pace.factor(now) if wanted[1:].any() else now.rest
    boosted = paced
    if boosting is not None and wanted[2]:
        boosted = paced * boosting.factor(features_of(now, paced)).reshape(paced.shape)
    return np.stack([now.rest, paced, boosted], axis=-1)


def _weigh(members: Sequence[Floats], actual: Sequence[Floats], choices: Floats) -> Floats:
    """Return the choice of weights per time with the least squared error; neighbouring times share their evidence.

    Additive pickup stays unless the days agree that the choice is better: the mean gain per day must exceed
    `_SURE` standard errors of the daily gains.
    """
    loss = np.stack([_daily_losses(member, rest, choices) for member, rest in zip(members, actual, strict=True)])
    padded = np.concatenate([loss[:1], loss, loss[-1:]])
    shared = (padded[:-2] + 2.0 * loss + padded[2:]) / 4.0
    best = shared.sum(axis=1).argmin(axis=1)
    plain = int(np.flatnonzero(choices[:, 0] == 1.0)[0])
    weights = np.empty((len(best), 3))
    for k, choice in enumerate(best):
        gain = shared[k, :, plain] - shared[k, :, choice]
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
        weights[k] = choices[choice if gain.mean() > _SURE * error else plain]
    return weights


def _daily_losses(member: Floats, actual: Floats, choices: Floats) -> Floats:
    """Return the squared error of each day and choice relative to additive pickup's, shape (D, W)."""
    off = member - actual[..., None]
    products = np.einsum("dsi,dsj->dij", off, off)
    error = np.einsum("wi,dij,wj->dw", choices, products, choices)
    return np.asarray(error / max(float(products[:, 0, 0].mean()), 1e-9))
