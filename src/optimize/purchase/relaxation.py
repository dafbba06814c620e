"""The Lagrangian relaxation: rows that tie SKUs together become prices, every SKU x warehouse is solved exactly.

Relaxed rows and their multipliers, all at least zero:

* an offer is bought at a rebate level only if its supplier opens that level - ``wait`` per offer and level, in yuan;
* the spend at an open level reaches its threshold - ``reward`` per level, yuan back per yuan of goods;
* units fit a zone - ``crowd`` per zone, yuan per unit;
* a supplier's units stay within its share - ``share`` per limited offer, yuan per unit beyond it;
* goods stay within the budget, if there is one - ``purse``, yuan per yuan of goods.

Trucks are paid per kilogram of their capacity, which is their relaxation. Any multipliers give a lower bound on the
cost of every plan: the cells' least costs and each supplier's best level, summed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimize.purchase.compiled import Grid, empty_answers, solve_cells
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.grid import make_grid
from optimize.purchase.model import constant_yuan

Flags = NDArray[np.bool_]
CLOSED_YUAN = 1e9
"""Price of a level that must not be used."""


@dataclass(frozen=True)
class Multipliers:
    """One set of prices: ``wait`` per slot (offer x level), ``reward`` per level, ``crowd`` per zone, ``share``, and
    ``purse`` (one price with a budget, none without)."""

    wait: Floats
    reward: Floats
    crowd: Floats
    share: Floats
    purse: Floats

    def vector(self) -> Floats:
        """Return all of them end to end."""
        return np.concatenate([self.wait, self.reward, self.crowd, self.share, self.purse])

    def like(self, vector: Floats) -> Multipliers:
        """Return the multipliers a vector of the same shape holds."""
        ends = np.cumsum([len(self.wait), len(self.reward), len(self.crowd), len(self.share)])
        return Multipliers(*np.split(vector, ends))


@dataclass(frozen=True)
class Evaluation:
    """What the relaxation says at some prices.

    Attributes
    ----------
    bound : float
        Lower bound on the cost of every plan, if the grid rounds up.
    cases, level : arrays, per offer
        The cells' best answers; level -1 where nothing is bought.
    opened : array of bool, per level
        The suppliers' best levels.
    slope : Multipliers
        Supergradient of the bound.
    """

    bound: float
    cases: Ints
    level: Ints
    opened: Flags
    slope: Multipliers


@dataclass(frozen=True)
class Shares:
    """Rows ``units of the offer - share * units of the cell + locked <= 0``, for offers whose share can bind.

    Offers whose locked lines are beyond their share already are left out: their row only holds if more is ordered.
    """

    offer: Ints
    cell: Ints
    share: Floats
    locked: Floats
    size: Floats
    offer_cell: Ints
    units: Floats

    @classmethod
    def of(cls, data: PurchaseData) -> Shares:
        """Return the rows of a problem."""
        cell, units = data.offers["cell"].to_numpy(np.int64), data.column("offers", "case_units")
        share = data.column("offers", "max_share")
        locked = data.column("offers", "locked_cases") * units - share * data.column("cells", "locked_units")[cell]
        offer = np.flatnonzero((share < 1.0) & (locked <= 0.0))
        size = data.demand.mean[cell[offer]]
        return cls(offer, cell[offer], share[offer], locked[offer], size, cell, units)

    def per_case(self, price: Floats) -> Floats:
        """Return what the rows' prices add to a case of each offer."""
        cells = int(self.offer_cell.max(initial=-1)) + 1
        shared = np.bincount(self.cell, price * self.share, minlength=cells)
        own = np.bincount(self.offer, price, minlength=len(self.units))
        return np.asarray(self.units * (own - shared[self.offer_cell]))

    def over(self, cases: Ints) -> Floats:
        """Return by how many units each row is broken (negative: kept)."""
        bought = cases * self.units
        total = np.bincount(self.offer_cell, bought)
        return np.asarray(bought[self.offer] - self.share * total[self.cell] + self.locked)


class Relaxation:
    """The relaxation of one problem, evaluated at any prices.

    Parameters
    ----------
    workers : int
        Threads that solve cells side by side; the answer does not depend on it.
    """

    def __init__(self, data: PurchaseData, *, workers: int = 1) -> None:
        self.data = data
        self.workers = workers
        self.offer_supplier = data.offers["supplier"].to_numpy(np.int64)
        self.offer_cell = data.offers["cell"].to_numpy(np.int64)
        self.offer_zone = data.offers["zone"].to_numpy(np.int64)
        self.units = data.column("offers", "case_units")
        self.tier_supplier = data.tiers["supplier"].to_numpy(np.int64)
        self.rate = data.column("tiers", "rebate_rate")
        self.suppliers = len(data.suppliers)
        self.has_locked = data.suppliers["has_locked"].to_numpy(bool)
        locked = data.column("suppliers", "locked_yuan")[self.tier_supplier]
        self.missing = np.maximum(data.column("tiers", "from_yuan") - locked, 0.0)
        self.opening = data.column("suppliers", "order_cost_yuan")[self.tier_supplier] - self.rate * locked
        self.first_tier = np.searchsorted(self.tier_supplier, np.arange(self.suppliers))
        levels = np.bincount(self.tier_supplier, minlength=self.suppliers)
        per_offer = levels[self.offer_supplier]
        self.offer_slots = np.concatenate([[0], np.cumsum(per_offer)]).astype(np.int64)
        self.slot_offer = np.repeat(np.arange(len(data.offers)), per_offer)
        self.slot_tier = (np.arange(len(self.slot_offer)) - self.offer_slots[self.slot_offer]) + self.first_tier[
            self.offer_supplier[self.slot_offer]
        ]
        self.room = np.maximum(data.column("zones", "capacity_units") - data.column("zones", "taken_units"), 0.0)
        self.limited = Shares.of(data)
        left = data.budget_left_yuan
        self.purse = np.full(1 if np.isfinite(left) else 0, left)
        self.constant = constant_yuan(data) + self._locked_trucks()
        self.extra = self._extra()
        self.most_reward = self._most_reward()

    def _truck_price(self) -> Floats:
        capacity = self.data.column("lanes", "truck_capacity_kg")
        return np.where(np.isfinite(capacity), self.data.column("lanes", "truck_yuan") / capacity, 0.0)

    def _locked_trucks(self) -> float:
        return float((self._truck_price() * self.data.column("lanes", "locked_kg")).sum())

    def _extra(self) -> Floats:
        """Return yuan per case besides goods: freight, its part of a truck, less the salvage of what it brings."""
        data = self.data
        truck = self._truck_price()[data.offers["lane"].to_numpy(np.int64)]
        salvage = data.column("cells", "salvage_yuan")[self.offer_cell]
        return np.asarray(
            data.column("offers", "freight_yuan_per_case")
            + truck * data.column("offers", "kg_per_case")
            - salvage * data.column("offers", "received_per_case")
        )

    def _most_reward(self) -> Floats:
        """Return the reward per level beyond which some case of the supplier would be free: no useful price."""
        bands = self.data.bands
        offer = bands["offer"].to_numpy(np.int64)
        margin = 1.0 + self.extra[offer] / bands["yuan_per_case"].to_numpy(np.float64)
        least = np.full(self.suppliers, 1.0)
        np.minimum.at(least, self.offer_supplier[offer], margin)
        return np.asarray(np.maximum(least[self.tier_supplier] - self.rate - 1e-6, 0.0), dtype=np.float64)

    def start(self) -> Multipliers:
        """Return prices to begin with: each supplier's order cost spread over its offers, no rewards."""
        offers = np.maximum(np.bincount(self.offer_supplier, minlength=self.suppliers), 1)
        share = self.data.column("suppliers", "order_cost_yuan") / offers
        return Multipliers(
            wait=share[self.offer_supplier[self.slot_offer]],
            reward=np.zeros(len(self.rate)),
            crowd=np.zeros(len(self.room)),
            share=np.zeros(len(self.limited.offer)),
            purse=np.zeros(len(self.purse)),
        )

    def scale(self) -> Multipliers:
        """Return what one yuan of each multiplier's row is worth against a yuan of waiting, for a step in all at once.

        A reward acts on a whole threshold, a crowd price on a whole zone; a third of their size proved best in trials.
        """
        return Multipliers(
            wait=np.ones(len(self.slot_offer)),
            reward=0.3 * np.maximum(self.missing, 1.0),
            crowd=0.3 * np.maximum(self.room, 1.0),
            share=np.maximum(self.limited.size, 1.0),
            purse=0.3 * np.maximum(self.purse, 1.0),
        )

    def most(self) -> Multipliers:
        """Return the highest useful multipliers."""
        return Multipliers(
            wait=np.full(len(self.slot_offer), np.inf),
            reward=self.most_reward,
            crowd=np.full(len(self.room), np.inf),
            share=np.full(len(self.limited.offer), np.inf),
            purse=np.full(len(self.purse), np.inf),
        )

    def evaluate(self, prices: Multipliers, grid: Grid, *, allowed: Flags | None = None) -> Evaluation:
        """Return bound, answers and supergradient at some prices; levels not `allowed` are closed."""
        wait, pay = prices.wait, 1.0 - self.rate - prices.reward + prices.purse.sum()
        if allowed is not None:
            wait = np.where(allowed[self.slot_tier], wait, CLOSED_YUAN)
        extra = self.extra + self.units * prices.crowd[self.offer_zone] + self.limited.per_case(prices.share)
        value, cases, level = self._cells(grid, wait, pay, extra)
        opened, levels_value = self._levels(prices, allowed)
        bound = self.constant + float(value.sum()) + levels_value - float((prices.crowd * self.room).sum())
        bound += float((prices.share * self.limited.locked).sum()) - float((prices.purse * self.purse).sum())
        used = level >= 0
        slot = self.offer_slots[:-1][used] + level[used]
        slope_wait = -opened[self.slot_tier].astype(np.float64)
        slope_wait[slot] += 1.0
        goods = self.data.goods_yuan(cases)
        spend = np.bincount(self.slot_tier[slot], weights=goods[used], minlength=len(self.rate))
        bought = np.bincount(self.offer_zone, weights=cases * self.units, minlength=len(self.room))
        slope = Multipliers(
            wait=slope_wait,
            reward=self.missing * opened - spend * (self.missing > 0),
            crowd=np.asarray(bought - self.room, dtype=np.float64),
            share=self.limited.over(cases),
            purse=goods.sum() - self.purse,
        )
        return Evaluation(bound, cases, level, opened, slope)

    def _levels(self, prices: Multipliers, allowed: Flags | None) -> tuple[Flags, float]:
        """Return each supplier's best level, and their value summed."""
        waits = np.bincount(self.slot_tier, weights=prices.wait, minlength=len(self.rate))
        worth = self.opening + prices.reward * self.missing - waits
        if allowed is not None:
            worth = np.where(allowed, worth, np.inf)
        best = np.minimum.reduceat(worth, self.first_tier)
        open_it = (best < 0) | self.has_locked
        opened = np.zeros(len(worth), dtype=bool)
        for s in np.flatnonzero(open_it & np.isfinite(best)).tolist():
            end = self.first_tier[s + 1] if s + 1 < self.suppliers else len(worth)
            opened[self.first_tier[s] + int(np.argmin(worth[self.first_tier[s] : end]))] = True
        return opened, float(worth[opened].sum())

    def _cells(self, grid: Grid, wait: Floats, pay: Floats, extra: Floats) -> tuple[Floats, Ints, Ints]:
        cells = len(self.data.cells)
        value, cases, level = empty_answers(cells, len(self.data.offers))
        if self.workers <= 1 or cells < 64:
            solve_cells(0, cells, grid, wait, pay, extra, value, cases, level)
            return value, cases, level
        cuts = np.searchsorted(grid.cell_grid, np.linspace(0, grid.cell_grid[-1], 4 * self.workers + 1)[1:-1])
        ends = [0, *cuts.tolist(), cells]
        with ThreadPoolExecutor(self.workers) as pool:
            for task in [
                pool.submit(solve_cells, a, b, grid, wait, pay, extra, value, cases, level) for a, b in pairwise(ends)
            ]:
                task.result()
        return value, cases, level

    def grid(self, *, most_steps: int, upward: bool) -> Grid:
        """Return a grid of at most so many steps per cell where exact is finer; `upward` makes bounds valid."""
        return make_grid(self.data, self.offer_slots, self.first_tier, most_steps=most_steps, upward=upward)
