"""Regular expressions that somebody gives us: read before a row is, and none that a cell could keep busy for ever.

Python's matcher tries every way to divide a text among repeats. A repeat within a repeat, or a choice within one, has
exponentially many ways; n repeats in a row have the n-th power. So the first are refused and the second are few. A cell
of many thousand letters may still take seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]  # the parsed form has no public name
from typing import Annotated, Any

import pandas as pd
from pydantic import AfterValidator

MOST_LETTERS = 500
MOST_REPEATS = 4
_REPEATS = (_parser.MAX_REPEAT, _parser.MIN_REPEAT, _parser.POSSESSIVE_REPEAT)


def checked_pattern(text: str) -> str:
    """Return a regular expression that can be used on any cell.

    Raises
    ------
    ValueError
        It is none, is too long, or could run for ever.

    Examples
    --------
    >>> checked_pattern(r".*运费.*|\\d{4}-\\d{2}")
    '.*运费.*|\\\\d{4}-\\\\d{2}'
    """
    if len(text) > MOST_LETTERS:
        raise ValueError(f"a regular expression of {len(text):,} letters; {MOST_LETTERS} is the most")
    try:
        re.compile(text)
        repeats = sum(1 for _ in _open_repeats(_parser.parse(text), within=False))
        pd.Series(["x"], dtype="str").str.fullmatch(text)  # Arrow reads most patterns in its own way, and some not
    except (re.error, OverflowError, RecursionError, ValueError) as broken:
        raise ValueError(f"{text!r} is no regular expression: {broken}") from broken
    if repeats > MOST_REPEATS:
        raise ValueError(f"{text!r} has {repeats} repeats; a regular expression may have {MOST_REPEATS} at most")
    return text


def _open_repeats(tokens: Any, *, within: bool) -> Iterator[None]:
    """Yield once per repeat whose count is not fixed; refuse one, a choice or a back reference within a repeat."""
    for kind, given in tokens:
        if kind in _REPEATS:
            least, most, inner = given
            if least != most:
                if within:
                    raise ValueError("a repeat within a repeat could run for ever")
                yield
            yield from _open_repeats(inner, within=within or most > 1)
        elif kind is _parser.BRANCH:
            if within:
                raise ValueError("a choice within a repeat could run for ever")
            for choice in given[1]:
                yield from _open_repeats(choice, within=within)
        elif kind is _parser.SUBPATTERN:
            yield from _open_repeats(given[3], within=within)
        elif kind is _parser.ATOMIC_GROUP:
            yield from _open_repeats(given, within=within)
        elif kind in (_parser.ASSERT, _parser.ASSERT_NOT):
            yield from _open_repeats(given[1], within=within)
        elif kind in (_parser.GROUPREF, _parser.GROUPREF_EXISTS):
            raise ValueError("a reference back to a group could run for ever")


Pattern = Annotated[str, AfterValidator(checked_pattern)]
