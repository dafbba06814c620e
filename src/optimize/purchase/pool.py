"""Ways to supply each SKU x warehouse (patterns), collected from the searches and priced once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimize.purchase.changes import UNPLANNED
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Floats, Ints
from optimize.purchase.feasible import over_share


class PatternTable(NamedTuple):
    """Patterns sorted by cell, with their entries (offers with cases), as flat arrays for compiled code.

    ``cell_patterns[c]:cell_patterns[c+1]`` are a cell's patterns, ``pattern_entries`` their entries.
    """

    cell_patterns: Ints
    base_yuan: Floats
    units: Floats
    pattern_entries: Ints
    entry_pattern: Ints
    entry_offer: Ints
    entry_cases: Ints
    entry_supplier: Ints
    entry_yuan: Floats
    entry_lane: Ints
    entry_kg: Floats


class Pool:
    """Distinct patterns per cell. A pattern's base cost is goods at list terms, freight per kg, shortage, surplus.

    Rebates, order costs, trucks and limits depend on the other cells and are left out. Patterns that break a largest
    share are not taken in.
    """

    def __init__(self, data: PurchaseData, *, seed: int) -> None:
        self.data = data
        self.cell = data.offers["cell"].to_numpy(np.int64)
        self.first = np.searchsorted(self.cell, np.arange(len(data.cells) + 1)).astype(np.int64)
        draws = np.random.default_rng(seed).integers(1, 2**62, len(self.cell), dtype=np.uint64)
        self._weights = draws * np.uint64(2) + np.uint64(1)
        self._keys = np.zeros(0, dtype=np.uint64)
        self._pattern_keys: list[NDArray[np.uint64]] = []
        self._cells: list[Ints] = []
        self._cases: list[Ints] = []
        self.add(np.zeros(len(self.cell), dtype=np.int64))

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, cases: Ints) -> int:
        """Take in the pattern of every cell of a choice of cases per offer; return how many are new."""
        key = self._key(cases)
        spot = np.searchsorted(self._keys, key)
        known = np.zeros(len(key), dtype=bool)
        inside = spot < len(self._keys)
        known[inside] = self._keys[spot[inside]] == key[inside]
        fresh = np.flatnonzero(~known & self.keeps_shares(cases))
        if not len(fresh):
            return 0
        self._keys = np.union1d(self._keys, key[fresh])
        width = self.first[fresh + 1] - self.first[fresh]
        ends = np.cumsum(width)
        spots = np.repeat(self.first[fresh], width) + np.arange(ends[-1]) - np.repeat(ends - width, width)
        self._pattern_keys.append(key[fresh])
        self._cells.append(fresh)
        self._cases.append(cases[spots])
        return len(fresh)

    def _key(self, cases: Ints) -> NDArray[np.uint64]:
        """Return a 64-bit key of each cell's pattern."""
        weighted = cases.astype(np.uint64) * self._weights
        total = np.concatenate([[np.uint64(0)], np.cumsum(weighted, dtype=np.uint64)])
        key = total[self.first[1:]] - total[self.first[:-1]]
        mixed = key * np.uint64(0x9E3779B97F4A7C15) + np.arange(len(key), dtype=np.uint64) * np.uint64(
            0xBF58476D1CE4E5B9
        )
        return np.asarray(mixed, dtype=np.uint64)

    def locate(self, cases: Ints) -> Ints:
        """Return the position in `table` of each cell's pattern, the empty one where it is not in the pool."""
        cell = np.concatenate(self._cells)
        order = np.argsort(cell, kind="stable")
        keys = np.concatenate(self._pattern_keys)[order]
        by_key = np.argsort(keys, kind="stable")
        wanted = self._key(cases)
        spot = np.minimum(np.searchsorted(keys, wanted, sorter=by_key), len(keys) - 1)
        found = by_key[spot]
        first = np.searchsorted(cell[order], np.arange(len(wanted)))
        return np.where(keys[found] == wanted, found, first).astype(np.int64)

    def same(self, table: PatternTable, chosen: Ints) -> Ints:
        """Return the positions in the pool's table now of patterns chosen in an earlier one."""
        return self.locate(cases_of(table, chosen, offers=len(self.cell)))

    def keeps_shares(self, cases: Ints) -> np.ndarray:
        """Return per cell whether these cases keep every supplier within its largest share."""
        over = over_share(self.data, cases)
        return np.asarray(np.bincount(self.cell, over, minlength=len(self.data.cells)) == 0)

    def table(self) -> PatternTable:
        """Return all patterns, priced."""
        data = self.data
        cell = np.concatenate(self._cells)
        width = self.first[cell + 1] - self.first[cell]
        begin = np.concatenate([[0], np.cumsum(width)])[:-1]
        cases = np.concatenate(self._cases)
        order = np.argsort(cell, kind="stable")
        cell, width, begin = cell[order], width[order], begin[order]
        ends = np.cumsum(width)
        inner = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - width, width)
        cases = cases[np.repeat(begin, width) + inner]
        offer = np.repeat(self.first[cell], width) + inner
        pattern = np.repeat(np.arange(len(cell)), width)
        changes = self._changes_yuan(offer, cases, pattern, len(cell))
        used = cases > 0
        cases, offer, pattern = cases[used], offer[used], pattern[used]
        yuan = goods_of(data, offer, cases)
        extra = cases * data.column("offers", "freight_yuan_per_case")[offer]
        received = cases * data.column("offers", "received_per_case")[offer]
        units = np.bincount(pattern, received, minlength=len(cell)) + data.base_units[cell]
        base = np.bincount(pattern, yuan + extra, minlength=len(cell)) + data.recourse.cost_yuan(units, cell) + changes
        nominal = np.bincount(pattern, cases * data.column("offers", "case_units")[offer], minlength=len(cell))
        return PatternTable(
            cell_patterns=np.searchsorted(cell, np.arange(len(data.cells) + 1)).astype(np.int64),
            base_yuan=base,
            units=np.asarray(nominal, dtype=np.float64),
            pattern_entries=np.searchsorted(pattern, np.arange(len(cell) + 1)).astype(np.int64),
            entry_pattern=pattern,
            entry_offer=offer,
            entry_cases=cases,
            entry_supplier=data.offers["supplier"].to_numpy(np.int64)[offer],
            entry_yuan=yuan,
            entry_lane=data.offers["lane"].to_numpy(np.int64)[offer],
            entry_kg=cases * data.column("offers", "kg_per_case")[offer],
        )

    def _changes_yuan(self, offer: Ints, cases: Ints, pattern: Ints, patterns: int) -> Floats:
        """Return the price of each pattern's lines that differ from the plan before."""
        planned = self.data.offers["previous_cases"].to_numpy(np.int64)[offer]
        changed = (planned != UNPLANNED) & (cases != planned)
        return self.data.settings.change_yuan * np.bincount(pattern, changed, minlength=patterns).astype(np.float64)


def goods_of(data: PurchaseData, offer: Ints, cases: Ints) -> Floats:
    """Return the goods yuan of positive cases of each listed offer (an offer may be listed often)."""
    first = np.searchsorted(data.bands["offer"], np.arange(len(data.offers) + 1))
    low = data.bands["from_cases"].to_numpy(np.int64)
    yuan = np.full(len(offer), np.inf)
    spot, end = first[offer], first[offer + 1]
    for _ in range(int((np.diff(first)).max(initial=0))):
        live = spot < end
        here = np.where(live, spot, 0)
        fits = live & (cases >= low[here]) & (cases <= data.bands["to_cases"].to_numpy(np.int64)[here])
        rows = here[fits]
        yuan[fits] = (
            data.column("bands", "fixed_yuan")[rows] + data.column("bands", "yuan_per_case")[rows] * cases[fits]
        )
        spot = spot + 1
    return yuan


def entries_of(table: PatternTable, chosen: Ints) -> Ints:
    """Return the entries of the chosen patterns."""
    begin, end = table.pattern_entries[chosen], table.pattern_entries[chosen + 1]
    width = end - begin
    ends = np.cumsum(width)
    inner = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - width, width)
    return np.asarray(np.repeat(begin, width) + inner, dtype=np.int64)


def cases_of(table: PatternTable, chosen: Ints, *, offers: int) -> Ints:
    """Return cases per offer of the chosen patterns."""
    entries = entries_of(table, chosen)
    cases = np.zeros(offers, dtype=np.int64)
    cases[table.entry_offer[entries]] = table.entry_cases[entries]
    return cases
