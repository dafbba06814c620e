"""Iterated local search: lean the search towards or away from some suppliers, let it settle, keep what is cheaper."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.exchange import State, Terms, descend, state_of, state_yuan
from optimize.purchase.pool import PatternTable

LEANING_SHARE = 0.15
"""Share of suppliers a kick leans on."""
LEAN_YUAN = 0.03
"""Standard deviation of the lean, yuan per yuan of goods: the size of a rebate step."""
SWEEPS = 30


def polish(
    data: PurchaseData,
    table: PatternTable,
    terms: Terms,
    chosen: Ints,
    *,
    kicks: int,
    rng: np.random.Generator,
    expired: Callable[[], bool],
) -> tuple[Ints, float]:
    """Return a choice of patterns at most as dear, and its cost as `state_yuan` counts it."""
    state = state_of(data, table, chosen)
    cells = len(chosen)
    descend(rng.permutation(cells), table, terms, state, SWEEPS)
    best, cost = state.chosen.copy(), state_yuan(table, terms, state)
    for _ in range(kicks):
        if expired():
            break
        leaning = rng.random(len(data.suppliers)) < LEANING_SHARE
        lean = np.where(leaning, rng.normal(0.0, LEAN_YUAN, len(leaning)), 0.0)
        trial: State = state_of(data, table, best)
        descend(rng.permutation(cells), table, terms._replace(lean_yuan=lean), trial, 3)
        descend(rng.permutation(cells), table, terms, trial, SWEEPS)
        yuan = state_yuan(table, terms, trial)
        if yuan < cost - 1e-6:
            best, cost = trial.chosen.copy(), yuan
    return best, cost
