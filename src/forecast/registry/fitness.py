"""Does a stored model fit the program that is here? Looked into before it serves, so that no library fails mid-night.

A pickle brings back the fields of the day it was written. A field that came or went since, or a table of features that
changed, would show as an error of some library hours later, or as a wrong figure. Both are found here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import forecast
from contracts.errors import ModelError
from forecast.members.boosting import FittedGlobalModel

_NO_METHOD = ("registry", "backtest.py", "backtest_scores.py", "drift.py", "drift_words.py", "promise.py", "scores.py")
"""Parts of the package that judge forecasts and make none."""


def check_fitness(model: Any, *, what: str) -> None:
    """Raise when a model that was unpickled cannot be used by this program.

    Raises
    ------
    ModelError
        A part has other fields than its class has now, or boosted trees expect another number of features.
    """
    for part in _parts(model):
        wrong = _changed_fields(part) or _changed_features(part)
        if wrong:
            raise ModelError(
                f"{what} was trained by another version of the program: {wrong}. Train again with `tuancai train` and "
                "`tuancai promote`, or serve an earlier version with `tuancai rollback`."
            )


@cache
def method_digest() -> str:
    """Return a hash of the source of everything that decides a forecast, as it is installed."""
    root = Path(forecast.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        inside = path.relative_to(root)
        if inside.parts[0] not in _NO_METHOD:
            digest.update(str(inside).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _parts(value: Any) -> Iterator[Any]:
    """Yield the dataclass instances and settings inside a value, from the outside in."""
    if isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type)):
        yield value
        for name in vars(value):
            yield from _parts(vars(value)[name])
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _parts(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _parts(each)


def _changed_fields(part: Any) -> str:
    """Return how the fields of an instance differ from those of its class, empty when they do not."""
    names = type(part).model_fields if isinstance(part, BaseModel) else [each.name for each in fields(part)]
    now, then = set(names), set(vars(part))
    missing, extra = sorted(now - then), sorted(then - now)
    told = [f"lacks {', '.join(missing)}"] if missing else []
    told += [f"has {', '.join(extra)} too much"] if extra else []
    return f"its {type(part).__name__} {' and '.join(told)}" if told else ""


def _changed_features(part: Any) -> str:
    if not isinstance(part, FittedGlobalModel) or part.trees is None:
        return ""
    learned, built = getattr(part.trees, "n_features_in_", None), len(part.spec.names())
    return "" if learned in (None, built) else f"its trees learned from {learned} features, {built} are built now"
