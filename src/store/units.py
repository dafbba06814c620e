"""Numbers as people write them: ``3斤``, ``1.2万``, ``¥12.50``, ``１，２００``, ``5%`` - read exactly or refused.

Sums are done in decimal, so ``1.2万`` is 12,000 and not 12,000.000000000002. A unit of another kind (litres where
kilograms belong) is refused, never taken as a bare number.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite

import pandas as pd

from contracts.errors import MappingError

_POWERS = {"百": 100, "千": 1000, "k": 1000, "万": 10_000, "w": 10_000, "亿": 100_000_000}
_SIZES = {  # kind: words with how many base units each is; base: kg, l, yuan, m, s, unit, case, share, degree
    "mass": "kg 1 公斤 1 千克 1 斤 0.5 市斤 0.5 两 0.05 g 0.001 克 0.001 吨 1000 t 1000",
    "volume": "l 1 升 1 公升 1 ml 0.001 毫升 0.001 m3 1000 立方 1000 立方米 1000 方 1000",
    "money": "元 1 块 1 yuan 1 rmb 1 cny 1 ¥ 1 角 0.1 毛 0.1 分 0.01",
    "length": "m 1 米 1 km 1000 公里 1000 千米 1000 里 500 mm 0.001 毫米 0.001",
    "time": "s 1 秒 1 min 60 分钟 60 分 60 h 3600 小时 3600 时 3600 d 86400 天 86400 日 86400",
    "count": "件 1 个 1 份 1 盒 1 袋 1 瓶 1 包 1 只 1 支 1 台 1 人 1 趟 1 units 1 unit 1 pcs 1 pc 1 ea 1",
    "cases": "箱 1 件 1 case 1 cases 1",
    "share": "% 0.01",
    "degrees": "° 1 度 1 °c 1",
}
_UNITS: dict[str, dict[str, str]] = {
    kind: dict(zip(words.split()[::2], words.split()[1::2], strict=True)) for kind, words in _SIZES.items()
}
_NUMBER = re.compile(
    r"^([+-]?)(\d+(?:\.\d*)?|\.\d+|\d{1,3}(?:,\d{3})+(?:\.\d*)?)\s*([百千万亿kw]?)\s*([^\d\s,.+-]\S*)?$"
)
_PER = {"公斤": "kg", "千克": "kg", "公里": "km", "小时": "hour", "h": "hour"}
_BASE_OF = {"_minutes": "60", "_hours": "3600", "_days": "86400", "_mm": "0.001"}


@dataclass(frozen=True)
class NumberReading:
    """How the numbers of one column are read.

    Attributes
    ----------
    unit : str or None
        What a number without a unit word is in; None: the contract's unit.
    sale_unit : str or None
        Only for order quantities: goods are sold by this unit of mass or volume, e.g. kg.
    units : dict
        More unit words, and how many contract units one is: ``{"箱": 12}``.
    factor : float
        Multiplies every number.
    decimals : int or None
        Digits kept after the factor.
    """

    column: str
    unit: str | None = None
    sale_unit: str | None = None
    units: dict[str, float] = field(default_factory=dict)
    factor: float = 1.0
    decimals: int | None = None


def number_kind(column: str) -> str:
    """Return what a contract column measures, from its name.

    Examples
    --------
    >>> [number_kind(c) for c in ("weight_kg", "yuan_per_kg", "quantity", "min_cases", "fill_rate", "lead_time_hours")]
    ['mass', 'money', 'count', 'cases', 'share', 'time']
    """
    if column.endswith("_yuan") or column.startswith("yuan_per"):
        return "money"
    ends = {"_kg": "mass", "_l": "volume", "distance_m": "length", "_mm": "length", "_cases": "cases"}
    ends |= {"duration_s": "time", "_minutes": "time", "_hours": "time", "_days": "time"}
    ends |= {"_rate": "share", "share": "share", "tude": "degrees", "_c": "degrees"}
    return next((kind for end, kind in ends.items() if column.endswith(end)), "count")


def read_numbers(cells: pd.Series, how: NumberReading) -> tuple[pd.Series, pd.Series]:
    """Return the numbers of a column in its contract unit, and per unreadable cell the rule it broke.

    Returns
    -------
    numbers : Series of float64, NaN where empty or unreadable
    broken : Series of str, only the unreadable rows

    Raises
    ------
    MappingError
        The column's stated unit is unknown or of another kind.
    """
    bare = _unit_size(how.unit, how) if how.unit else Decimal(1)
    null = cells.isna() if cells.dtype.kind in "iuf" else cells.isna() | (cells.astype(str).str.strip() == "")
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    numbers = numbers.where(numbers.abs() < float("inf"))
    words = cells[numbers.isna() & ~null].astype(str)
    scale = bare * Decimal(repr(how.factor))
    if scale != 1:
        plain = numbers.dropna().unique()
        numbers = numbers.map({value: float(Decimal(repr(float(value))) * scale) for value in plain})
    read: dict[str, float] = {}
    wrong: dict[str, str] = {}
    for text in words.unique():
        try:
            number = float(_read_words(text, how, bare) * Decimal(repr(how.factor)))
        except ValueError as refused:
            wrong[text] = str(refused)
            continue
        if isfinite(number):
            read[text] = number
        else:  # more digits than any quantity has; as infinity it would spoil every sum
            wrong[text] = "a finite number"
    if len(words):
        numbers.loc[words.index] = words.map(read).astype("float64")
    if how.decimals is not None:
        numbers = numbers.round(how.decimals)
    return numbers, words.map(wrong).dropna().astype("str")


def _read_words(text: str, how: NumberReading, bare: Decimal) -> Decimal:
    plain = unicodedata.normalize("NFKC", text).strip().casefold().replace("￥", "¥")
    if number_kind(how.column) == "money":
        plain = plain.removeprefix("¥").strip()
    found = _NUMBER.match(plain)
    if found is None:
        raise ValueError("a number")
    sign, digits, power, word = (part or "" for part in found.groups())
    value = Decimal(sign + digits.replace(",", ""))
    if power and power + word in _known(how):  # 千克 is a unit, not a thousand 克
        power, word = "", power + word
    return value * _POWERS.get(power, 1) * (_unit_size(word, how) if word else bare)


def _known(how: NumberReading) -> dict[str, str]:
    """Return the unit words that fit the column, with their size in base units."""
    known = dict(_UNITS[number_kind(how.column)])
    if how.sale_unit:
        known |= next((words for words in _UNITS.values() if how.sale_unit.casefold() in words), {})
    return known | {_word(word): repr(size) for word, size in how.units.items()}


def _word(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold().replace("￥", "¥")


def _unit_size(text: str, how: NumberReading) -> Decimal:
    """Return how many of the column's contract units one `text` is."""
    own = {_word(word): size for word, size in how.units.items()}
    if _word(text) in own:
        return Decimal(repr(own[_word(text)]))
    name, _, per = _word(text).partition("/")
    known = _known(how)
    if name not in known:
        kinds = [kind for kind, words in _UNITS.items() if name in words]
        measured = f"measures {' or '.join(kinds)}" if kinds else "is unknown"
        raise WrongUnitError(f"unit {text!r} {measured}; {how.column} takes {', '.join(list(known)[:8])}")
    if per and per not in _UNITS["count"] and not how.column.endswith(f"per_{_PER.get(per, per)}"):
        raise WrongUnitError(f"unit {text!r}: {how.column} is not per {per!r}; say in the mapping what it is worth")
    if how.sale_unit:
        return Decimal(known[name]) / Decimal(known.get(_word(how.sale_unit), "1"))
    base = next((Decimal(size) for end, size in _BASE_OF.items() if how.column.endswith(end)), Decimal(1))
    return Decimal(known[name]) / base


def known_unit(text: str) -> bool:
    """Return whether a word is a unit at all, of whatever kind.

    Examples
    --------
    >>> known_unit("斤"), known_unit("必填")
    (True, False)
    """
    return any(_word(text).partition("/")[0] in words for words in _UNITS.values())


class WrongUnitError(MappingError, ValueError):
    """A unit that does not belong: the mapping's fault when stated there, the row's fault in a cell."""
