"""The base of every table contract: `check` raises, `split` gives the good rows and a failure table.

A contract is a pandera model. Before pandera looks at the rules, text and numbers are read strictly: ``"1.5"`` is no
whole number, an infinity is no quantity, a naive timestamp has no instant. Nothing is rounded or dropped quietly.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, cast

import numpy as np
import pandas as pd
import pandera.errors
import pandera.pandas as pa
from pandera.typing import DataFrame

from contracts.cells import kind_of, read_column, shown
from contracts.errors import ContractError, MissingColumnError
from contracts.light import import_without
from contracts.plain import as_it_is, keeps

import_without("pandera.typing.dask", absent="dask")

FAILURE_COLUMNS = ("row", "column", "rule", "value")
_EMPTY: dict[type[Table], Any] = {}
"""Tables without rows, made once per contract."""
_NUMPY_KINDS = {"text": "OTU", "number": "f", "whole": "i", "flag": "b", "instant": "M", "day": "M"}


class Table(pa.DataFrameModel):
    """A long table with fixed column names; subclasses declare columns, rules and `_key`.

    A second row with the same key breaks the rule ``duplicate key``.
    """

    _key: ClassVar[tuple[str, ...]] = ()

    class Config:
        """Columns the contract does not name are left out; the order of columns is the contract's."""

        strict = "filter"
        coerce = False

    @classmethod
    def key(cls) -> tuple[str, ...]:
        """Return the columns that identify a row."""
        return cls._key

    @classmethod
    def column_names(cls) -> tuple[str, ...]:
        """Return the contract's columns in order."""
        return tuple(cls.to_schema().columns)

    @classmethod
    def optional_columns(cls) -> tuple[str, ...]:
        """Return the columns that may be null; an absent one is read as all null."""
        return tuple(name for name, column in cls.to_schema().columns.items() if column.nullable)

    @classmethod
    def empty(cls) -> DataFrame[Self]:
        """Return the table without rows, with the contract's dtypes."""
        if cls not in _EMPTY:
            _EMPTY[cls] = cls.check(pd.DataFrame({name: [] for name in cls.column_names()}))
        return cast("DataFrame[Self]", _EMPTY[cls].copy())

    @classmethod
    def check(cls, frame: pd.DataFrame) -> DataFrame[Self]:
        """Return the table as the contract has it, or raise.

        Raises
        ------
        MissingColumnError
            A required column is absent.
        ContractError
            A row breaks a rule; the error carries the failure table.
        """
        good, failures = cls.split(frame)
        if len(failures):
            raise ContractError(cls.__name__, failures)
        return good

    @classmethod
    def split(cls, frame: pd.DataFrame) -> tuple[DataFrame[Self], pd.DataFrame]:
        """Return the rows that keep the contract, and one failure row per broken rule.

        Returns
        -------
        good : DataFrame[Self], index 0..n-1
        failures : DataFrame
            ``row`` (position in `frame`), ``column``, ``rule``, ``value`` (as text). A row may break several rules.
            Of rows with the same key the first stays and the others are failures.

        Raises
        ------
        MissingColumnError
            A required column is absent, so no row can be judged.
        """
        schema = cls.to_schema()
        missing = [n for n, c in schema.columns.items() if n not in frame.columns and not c.nullable]
        if missing:
            raise MissingColumnError(cls.__name__, missing, [str(c) for c in frame.columns])
        source = frame.reset_index(drop=True)
        columns: dict[str, pd.Series[Any]] = {}
        failures: list[pd.DataFrame] = []
        for name, column in schema.columns.items():
            raw = source[name] if name in source else pd.Series(np.nan, index=source.index, dtype=object)
            read = as_it_is(raw, kind_of(column), nullable=column.nullable)
            if read is not None:
                columns[name] = read
                continue
            columns[name], wrong, rule = read_column(raw, column)
            if wrong.to_numpy(bool).any():  # most columns of most tables are clean: batches come every quarter second
                failures.append(_failure_rows(wrong, name, rule, raw))
        good = typed = pd.DataFrame(columns, index=source.index, copy=False)  # a city's book has six million rows
        if failures:
            good = typed.drop(pd.Index(np.unique(np.concatenate([f["row"].to_numpy(np.int64) for f in failures]))))
        broken = cls._broken_rules(good, schema)
        if broken is not None:
            good = good.drop(pd.Index(broken["row"].unique()))
            failures.append(broken)
        if cls._key:
            again = good.duplicated(list(cls._key))
            if again.any():
                shown = good.loc[again, list(cls._key)].astype(str).agg(" / ".join, axis=1)
                failures.append(_failure_rows(again, "/".join(cls._key), "duplicate key", shown))
                good = good[~again]
        if not failures:
            return cast("DataFrame[Self]", good.reset_index(drop=True)), _NO_FAILURES.copy()
        table = pd.concat(failures, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)
        return cast("DataFrame[Self]", good.reset_index(drop=True)), table

    @classmethod
    def _broken_rules(cls, typed: pd.DataFrame, schema: Any) -> pd.DataFrame | None:
        """Return pandera's findings as failure rows, None without any; positions are `typed`'s index."""
        if _keeps(typed, schema):
            return None
        try:
            schema.validate(typed, lazy=True)
        except pandera.errors.SchemaErrors as found:
            cases = found.failure_cases
            whole = cases[cases["index"].isna()]
            if len(whole):
                raise TypeError(f"{cls.__name__}: contract and reader disagree: {whole.to_dict('records')}") from found
            across = (cases["schema_context"] == "DataFrameSchema").to_numpy()  # a rule over several columns
            rows = pd.DataFrame(
                {
                    "row": cases["index"].astype(np.int64),
                    "column": cases["column"].astype(str).mask(across, "(row)"),
                    "rule": cases["check"].astype(str),
                    "value": cases["failure_case"].astype(str),
                }
            )
            if across.any():
                keys = typed.loc[rows.loc[across, "row"], list(cls._key) or list(typed.columns[:1])]
                rows.loc[across, "value"] = keys.astype(str).agg(" / ".join, axis=1).to_numpy()
            return rows.drop_duplicates(["row", "column", "rule"], ignore_index=True)
        return None


def _keeps(typed: pd.DataFrame, schema: Any) -> bool:
    """Return whether every column is of its kind, no null where none may be, and keeps every one of its rules.

    The same rules as `schema.validate` asks, without what it does to report them; false sends the table there.
    """
    if schema.unique or schema.parsers:
        return False
    for name, column in schema.columns.items():
        cells = typed[name]
        if cells.dtype.kind not in _NUMPY_KINDS[kind_of(column)] or column.unique:
            return False
        if not (column.nullable or not cells.hasnans) or not all(keeps(cells, check) for check in column.checks):
            return False
    return all(bool(check(typed).check_passed) for check in schema.checks)


def _failure_rows(wrong: pd.Series[bool], column: str, rule: str, raw: pd.Series[Any] | None) -> pd.DataFrame:
    rows = wrong.index[wrong.to_numpy(bool)]
    values = [] if raw is None or not len(rows) else shown(raw.loc[rows])
    return pd.DataFrame(
        {
            "row": np.asarray(rows, dtype=np.int64),
            "column": pd.Series([column] * len(rows), dtype="str"),
            "rule": pd.Series([rule] * len(rows), dtype="str"),
            "value": pd.Series(values, dtype="str"),
        }
    )


_NO_FAILURES = _failure_rows(pd.Series(dtype=bool), "", "", None)
