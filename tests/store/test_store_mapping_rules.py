"""Rules of a mapping that somebody sends: what cannot work is refused by name before a row is read."""

from __future__ import annotations

import doctest
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

import store.csv_file
import store.pattern
from contracts.errors import CorruptFileError, MappingError
from store import Mapping, Store, load_mapping, shipped_mappings
from store.pattern import checked_pattern
from store.source_file import FileFormat, read_source


@pytest.mark.parametrize("module", [store.csv_file, store.pattern], ids=lambda m: m.__name__)
def test_examples_in_the_code_hold(module: Any) -> None:
    """Doctests."""
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("rules", "fact"),
    [
        ({"file": {"encoding": "hex"}}, "code page"),
        ({"file": {"encoding": "undefined"}}, "code page"),
        ({"file": {"encoding": "idna"}}, "code page"),
        ({"file": {"encoding": "utf-8\0"}}, "code page"),
        ({"file": {"header_row": 10**30}}, "header_row"),
        ({"file": {"separator": '"'}}, "separates no cells"),
        ({"file": {"separator": "\n"}}, "separates no cells"),
        ({"time": {"timezone": "A" * 5000}}, "time zone"),
        ({"time": {"timezone": "Asia"}}, "time zone"),
        ({"time": {"formats": ["%Q"]}}, "format of dates"),
        ({"columns": {"quantity": {"from": "n", "factor": float("inf")}}}, "factor"),
        ({"columns": {"quantity": {"from": "n", "units": {"箱": 0}}}}, "units"),
        ({"derive": {"delivery_date": {"rule": "delivery_day", "extra_days": 10**30}}}, "extra_days"),
        ({"cancellations": {"order_id_matches": "(", "match": ["sku_id"]}}, "regular expression"),
        ({"cancellations": {"order_id_matches": "(a+)+$", "match": ["sku_id"]}}, "for ever"),
        ({"reject": [{"reason": "r", "when": [{"column": "a", "matches": "(a|aa)+"}]}]}, "for ever"),
    ],
)
def test_rules_that_cannot_work_are_refused(rules: dict[str, Any], fact: str) -> None:
    """Each names the field or what is wrong with it."""
    with pytest.raises(ValidationError, match=fact):
        Mapping.model_validate(rules)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*b?)*",
        "(a|ab)*c",
        r"(.*)\1",
        "a?" * 30,
        "(?:x+x+)+y",
        "a" * 501,
        "(",
        "*",
        "a{99999999999}",
        "(?<=a+)b",
    ],
)
def test_expressions_that_never_end_are_refused(pattern: str) -> None:
    """Repeats and choices within repeats, references back, many repeats, many letters, and what is none."""
    with pytest.raises(ValueError, match=r"regular expression"):
        checked_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"(?i)POST|DOT|gift_.*", r"\d{4}-\d{2}-\d{2}", "^C", ".*(?:运费|押金).*", r"(\d{3}-){2}\d+"],
)
def test_usual_expressions_are_taken(pattern: str) -> None:
    """What mappings are written with, shipped ones among them."""
    assert checked_pattern(pattern) == pattern
    assert all(load_mapping(name).name for name in shipped_mappings())


def test_what_is_taken_is_quick() -> None:
    """The worst of the allowed expressions on a long cell that does not fit takes no noticeable time."""
    cells = pd.Series(["a" * 200 + "\u4e00!"], dtype="str")
    started = time.perf_counter()
    assert not cells.str.fullmatch(checked_pattern(r"\w*a\w*a\w*b")).any()
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("encoding", ["hex", "undefined", "punycode", "utf-7"])
def test_a_codec_is_no_code_page(tmp_path: Path, encoding: str) -> None:
    """The reader itself refuses it too, whoever names it."""
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(MappingError, match=encoding):
        read_source(tmp_path / "x.csv", FileFormat(encoding=encoding))


def test_a_constant_or_derived_quantity_is_read_as_a_number(store: Store, tmp_path: Path) -> None:
    """Text that a rule gives counts like a cell's: a number is one, a word is a row in the failures."""
    (tmp_path / "x.csv").write_text(
        "order_id,line_no,placed_at,delivery_date,community_id,sku_id,unit_price_yuan\n"
        "A1,1,2026-03-01 10:00,2026-03-02,C1,001,5.99\n",
        encoding="utf-8",
    )
    taken = store.import_orders(tmp_path / "x.csv", Mapping(constants={"quantity": "3"}))
    assert (taken.rows_accepted, taken.units_accepted) == (1, 3.0)
    refused = store.import_orders(tmp_path / "x.csv", Mapping(constants={"quantity": "many"}))
    assert (refused.rows_rejected, refused.failures["column"].tolist()) == (1, ["quantity"])


def test_a_name_twice_in_a_file_read_by_row(tmp_path: Path) -> None:
    """A file with a torn row has the same column names as one without."""
    (tmp_path / "x.csv").write_text("a,a,b\n1,2,3\n4,5,6,7\n", encoding="utf-8")
    read = read_source(tmp_path / "x.csv")
    assert read.cells.to_dict("list") == {"a": ["1"], "a.1": ["2"], "b": ["3"]}
    assert len(read.torn) == 1


def test_short_lines_under_a_wide_header_are_refused(tmp_path: Path) -> None:
    """A few bytes per line would be a whole row of cells each in memory."""
    path = tmp_path / "x.csv"
    path.write_text(",".join(f"c{n}" for n in range(20_000)) + "\n" + "1\n" * 5_000, encoding="utf-8")
    with pytest.raises(CorruptFileError, match="50,000,000 cells are the most"):
        read_source(path)
