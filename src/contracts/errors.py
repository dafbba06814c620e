"""The one error tree: every error Tuancai raises on purpose, each built from facts and composing its own sentence.

::

    TuancaiError
    ├── InputError                what somebody gave us is wrong; they can mend it
    │   ├── ContractError         a table breaks its contract (carries the failure table)
    │   ├── MissingColumnError    a table lacks columns it must have
    │   ├── UnknownReferenceError ids that no reference table knows
    │   ├── MappingError          a column mapping or unit cannot be understood
    │   ├── CorruptFileError      a file cannot be read as what it says it is
    │   ├── EmptyInputError       nothing to work on (an empty day, a history without rows)
    │   └── SettingsError         a setting is unknown or out of range
    ├── StoreError                reading or writing failed; what was there before is still there
    │   ├── StorageFullError      the disk is full
    │   ├── DamagedFileError      a file the store wrote itself is gone or damaged; what was sent is not at fault
    │   ├── NotFoundError         no such plan, model or table
    │   └── ConflictError         the same key with other content
    ├── ModelError                a model is missing, broken or unfit
    └── SolveError                a solver gave no usable answer
        ├── InfeasibleError       no plan satisfies the input; carries the least violation in business words
        └── CheckFailedError      a plan did not survive its own check: our bug, never shown as a plan
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd


def first_keys(keys: Iterable[object], *, shown: int = 5) -> str:
    """Return the first few keys and the count of the rest.

    Examples
    --------
    >>> first_keys(["a", "b", "c"], shown=2)
    "'a', 'b' and 1 more (3 in all)"
    >>> first_keys(["a"])
    "'a'"
    """
    listed = list(keys)
    head = ", ".join(repr(key) for key in listed[:shown])
    rest = len(listed) - shown
    return f"{head} and {rest} more ({len(listed)} in all)" if rest > 0 else head


class TuancaiError(Exception):
    """Root of every error raised on purpose."""


class InputError(TuancaiError):
    """What was given is wrong; the sentence says what was expected, what came and what to do."""


class ContractError(InputError):
    """A table breaks its contract.

    Attributes
    ----------
    table : str
        Name of the contract.
    failures : DataFrame
        One row per broken rule and row: ``row``, ``column``, ``rule``, ``value``.
    """

    def __init__(self, table: str, failures: pd.DataFrame) -> None:
        self.table = table
        self.failures = failures
        rules = [
            f"{column}: {rule} ({len(group)} rows, e.g. {first_keys(group['value'], shown=3)})"
            for (column, rule), group in failures.groupby(["column", "rule"], sort=False)
        ]
        super().__init__(
            f"{table} breaks its contract - {'; '.join(rules)}. "
            f"Mend the rows, or read with {table}.split(...) to keep the good ones."
        )


class MissingColumnError(InputError):
    """A table lacks columns it must have."""

    def __init__(self, table: str, missing: Sequence[str], found: Sequence[str]) -> None:
        self.table = table
        self.missing = tuple(missing)
        self.found = tuple(found)
        super().__init__(
            f"{table} needs column(s) {first_keys(missing)}; found {first_keys(found, shown=12)}. "
            "Name them so, or give their names in the mapping file."
        )


class UnknownReferenceError(InputError):
    """Ids that the reference table they point to does not know."""

    def __init__(self, table: str, column: str, target: str, unknown: Sequence[object]) -> None:
        self.table = table
        self.column = column
        self.target = target
        self.unknown = tuple(unknown)
        super().__init__(f"{table}.{column} points to {target} rows that do not exist: {first_keys(unknown)}.")


class MappingError(InputError):
    """A column mapping, unit or code page cannot be understood."""


class CorruptFileError(InputError):
    """A file cannot be read as what it says it is."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be read: {reason}. Nothing of it was imported.")


class EmptyInputError(InputError):
    """Nothing to work on."""


class SettingsError(InputError):
    """A setting is unknown, unreadable or out of range."""


class StoreError(TuancaiError):
    """Reading or writing failed; what was there before is still there."""


class StorageFullError(StoreError):
    """The disk is full; the write was taken back."""


class DamagedFileError(StoreError):
    """A file the store wrote itself is gone or damaged; what was sent is not at fault and can be sent again."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path}, which the store wrote, cannot be read: {reason}. Nothing was changed. Repeat it; if the file is "
            "lost for good, restore a backup."
        )


class NotFoundError(StoreError):
    """There is no such thing in the store."""

    def __init__(self, kind: str, key: object, *, hint: str = "") -> None:
        self.kind = kind
        self.key = key
        super().__init__(f"There is no {kind} {key!r}.{' ' + hint if hint else ''}")


class ConflictError(StoreError):
    """The same key came again with other content."""


class ModelError(TuancaiError):
    """A model is missing, broken or unfit for the data it was given."""


class SolveError(TuancaiError):
    """A solver gave no usable answer."""


class InfeasibleError(SolveError):
    """No plan satisfies the input; `reasons` says in business words what is short and what would free it."""

    def __init__(self, stage: str, reasons: Sequence[str]) -> None:
        self.stage = stage
        self.reasons = tuple(reasons)
        super().__init__(f"{stage}: no plan satisfies the input. " + " ".join(reasons))


class CheckFailedError(SolveError):
    """A plan did not survive its own solver-free check, so it is not handed out."""

    def __init__(self, stage: str, findings: Sequence[str]) -> None:
        self.stage = stage
        self.findings = tuple(findings)
        super().__init__(f"{stage}: the plan fails its check: {first_keys(findings)}")
