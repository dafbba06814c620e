"""Large problems by their structure: raise the bound, dive to rebate levels, combine patterns, search around.

The steps and what each is for:

1. climb - prices for the rows that tie SKUs together; a proven bound (`ascent`);
2. dive - a rebate level for each supplier (`dive`);
3. master - one pattern per SKU x warehouse so that the levels are reached, in PuLP and HiGHS (`master`);
4. polish - local search at exact costs (`polish`);
5. neighbourhoods - free a seventh of the suppliers, repeat 2 to 4, keep what is cheaper; until many in a row are not.

Work is counted in evaluations of the relaxation; with a work limit the answer does not depend on the clock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from contracts.solve import SolveLimits
from optimize.purchase.ascent import Climb, Pace, climb
from optimize.purchase.combine import combine
from optimize.purchase.costs import price_out
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Ints
from optimize.purchase.dive import CLOSED, dive
from optimize.purchase.exchange import make_terms
from optimize.purchase.feasible import broken_yuan
from optimize.purchase.found import Found, lowered
from optimize.purchase.polish import polish
from optimize.purchase.pool import Pool, cases_of
from optimize.purchase.relaxation import Multipliers, Relaxation
from optimize.purchase.solver import SOLVER, Effort

_log = logging.getLogger(__name__)
SEARCH_STEPS = 512
"""Grid steps per SKU x warehouse while prices are searched."""
PROOF_STEPS = 8192
"""Grid steps for the bound that is handed out, if that gives no more than `PROOF_POINTS` in all."""
PROOF_POINTS = 4_000_000
"""Bounds memory and the time of a pass at city size; the bound stays valid, only a little less tight."""
POOL_PATTERNS = 100_000
"""Patterns looked at (most are known already) while the first climb fills the pool."""
FREED_SHARE = 1.0 / 7.0
WORTH_ANOTHER = 1e-5
"""Share of the cost a dive has to save to count as progress."""


@dataclass
class Structured:
    """One structured search; `run` does the steps in order."""

    data: PurchaseData
    limits: SolveLimits
    starts: Sequence[Ints]
    started: float = field(default_factory=time.perf_counter)
    made: int = 0
    best: Ints | None = None
    cost: float = np.inf
    bound: float = -np.inf

    def run(self) -> Found:
        """Return the best plan found, a proven bound and what ended the search."""
        data, settings = self.data, self.data.settings
        for cases in self.starts:
            self._keep(cases)
        self.relaxation = Relaxation(data, workers=self.limits.workers)
        self.grid = self.relaxation.grid(most_steps=SEARCH_STEPS, upward=False)
        fine = min(PROOF_STEPS, max(SEARCH_STEPS, PROOF_POINTS // max(len(data.cells), 1)))
        self.proof_grid = self.relaxation.grid(most_steps=fine, upward=True)
        self.pool = Pool(data, seed=self.limits.seed)
        self.terms = make_terms(data)
        self.rng = np.random.default_rng(self.limits.seed)
        if self.best is not None:
            self.pool.add(self.best)
        steps = self._affordable(settings.ascent_steps, share=0.45)
        top = self._climb(self.relaxation.start(), Pace(steps=steps, collect=self._collect(steps)), until=0.45)
        if self._done():
            return self._answer()
        everyone = np.ones(self.relaxation.suppliers, dtype=bool)
        none = np.full(self.relaxation.suppliers, CLOSED, dtype=np.int64)
        pace = Pace(self._affordable(settings.dive_steps, share=0.2 / settings.dive_rounds), 0.3, 0.003, 8, 20)
        self._dive(top, everyone, none, rounds=settings.dive_rounds, pace=pace, until=0.65)
        dives = in_vain = 0
        while in_vain < settings.neighbourhoods and not self._done():
            before = self.cost
            self._neighbourhood(top, pace)
            dives += 1
            in_vain = 0 if before - self.cost > WORTH_ANOTHER * abs(self.cost) else in_vain + 1
            if dives % 4 == 0 and not self._done():
                top = self._climb(
                    top.prices, Pace(steps=pace.steps * 2, length=0.1, above=0.003, collect=10), until=1.0
                )
        return self._answer()

    def _climb(self, start: Multipliers, pace: Pace, *, until: float) -> Climb:
        """Climb within the pace and until a share of the seconds is gone."""
        top = climb(self.relaxation, self.grid, start, pace=pace, pool=self.pool, expired=lambda: self._expired(until))
        self.made += top.steps + 1
        self.bound = max(self.bound, self.relaxation.evaluate(top.prices, self.proof_grid).bound)
        _log.info("climb: %d steps, bound %.2f, %.1f s", top.steps, self.bound, self._seconds())
        return top

    def _collect(self, steps: int) -> int:
        """Return how many late steps feed the pool: few where there are many cells, whose patterns fill it anyway."""
        return int(np.clip(POOL_PATTERNS // max(len(self.data.cells), 1), 40, steps))

    def _neighbourhood(self, top: Climb, pace: Pace) -> None:
        """Free a seventh of the suppliers, the others keep the level their spend has reached."""
        relaxation = self.relaxation
        levels = self._levels_of_best()
        count = max(int(np.ceil(relaxation.suppliers * FREED_SHARE)), 2)
        freed = np.zeros(relaxation.suppliers, dtype=bool)
        freed[self.rng.permutation(relaxation.suppliers)[:count]] = True
        self._dive(top, freed, levels, rounds=3, pace=pace)

    def _dive(
        self, top: Climb, free: np.ndarray, levels: Ints, *, rounds: int, pace: Pace, until: float = 0.85
    ) -> None:
        levels, last = dive(
            self.relaxation,
            self.grid,
            top,
            free=free,
            levels=levels,
            rounds=rounds,
            pace=pace,
            pool=self.pool,
            expired=lambda: self._expired(until),
        )
        self.made += rounds * pace.steps
        table, begin, evaluations = combine(
            self.relaxation,
            self.grid,
            self.pool,
            self.terms,
            levels,
            last.prices,
            rounds=self.data.settings.column_rounds,
            effort=lambda: Effort(seconds=max(0.8 * self._left(), 0.5), gap=1e-4, nodes=20, seed=self.limits.seed),
            expired=lambda: self._expired(until),
        )
        self.made += evaluations
        kicks = self.data.settings.polish_kicks
        settled, _ = polish(self.data, table, self.terms, begin, kicks=kicks, rng=self.rng, expired=self._expired)
        self._keep(cases_of(table, settled, offers=len(self.data.offers)))
        _log.info("dive: %d patterns, cost %.2f, %.1f s", len(self.pool), self.cost, self._seconds())

    def _levels_of_best(self) -> Ints:
        """Return the level each supplier's spend has reached in the best plan."""
        relaxation, data = self.relaxation, self.data
        levels = np.full(relaxation.suppliers, CLOSED, dtype=np.int64)
        if self.best is None:
            return levels
        goods = data.goods_yuan(self.best)
        spend = np.bincount(relaxation.offer_supplier, goods, minlength=relaxation.suppliers)
        used = (spend > 0) | relaxation.has_locked
        for t, s in enumerate(relaxation.tier_supplier.tolist()):
            if used[s] and (spend[s] >= relaxation.missing[t] - 0.005 or levels[s] == CLOSED):
                levels[s] = t
        return levels

    def _keep(self, cases: Ints) -> None:
        cost = price_out(self.data, cases)["total"] + broken_yuan(self.data, cases)
        if cost < self.cost - 1e-9:
            self.best, self.cost = cases, cost

    def _answer(self) -> Found:
        stopped = "seconds" if self._left() <= 0 else "work"
        if self._gap() <= self.limits.gap:
            stopped = "gap"
        return Found(cases=self.best, bound=lowered(self.data, self.bound), stopped_by=stopped, solver=SOLVER)

    def _gap(self) -> float:
        return (self.cost - self.bound) / max(abs(self.cost), 1e-12)

    def _done(self) -> bool:
        return self._expired() or self._gap() <= self.limits.gap

    def _seconds(self) -> float:
        return time.perf_counter() - self.started

    def _left(self) -> float:
        return self.limits.seconds * 0.92 - self._seconds()

    def _expired(self, share: float = 1.0) -> bool:
        late = self._seconds() >= share * 0.92 * self.limits.seconds
        return late or (self.limits.work is not None and self.made >= self.limits.work)

    def _affordable(self, steps: int, *, share: float) -> int:
        """Return how many evaluations fit a share of the limits, judged by one evaluation."""
        begun = time.perf_counter()
        self.relaxation.evaluate(self.relaxation.start(), self.grid)
        begun = time.perf_counter()
        self.relaxation.evaluate(self.relaxation.start(), self.grid)
        each = time.perf_counter() - begun
        most = steps if self.limits.work is None else min(steps, int(share * self.limits.work))
        return max(min(most, int(share * max(self._left(), 0.0) / max(each, 1e-6))), 2)
