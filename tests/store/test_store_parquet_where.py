"""Rows of some orders are found in many files, most of which are not read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.parquet import read_parquets, write_parquet

IDS = st.lists(st.text(alphabet="aé团0~", min_size=1, max_size=3), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(files=st.lists(IDS, min_size=1, max_size=4), wanted=st.lists(st.sampled_from(["a", "团", "~0", "é", "none"])))
def test_a_filtered_read_is_a_whole_read_that_was_filtered(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]], wanted: list[str]
) -> None:
    """Whatever the ids: letters beyond ASCII sort in a footer as they do here, absent ids find nothing."""
    folder, paths = tmp_path_factory.mktemp("where"), []
    for number, ids in enumerate(files):
        paths.append(folder / f"{number}.parquet")
        frame = pd.DataFrame({"order_id": pd.array(ids, dtype="str"), "place": range(len(ids))})
        write_parquet(frame, paths[-1])
    whole = read_parquets(paths)
    found = read_parquets(paths, where=("order_id", wanted))
    expected = whole[whole["order_id"].isin(wanted)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)


def test_files_whose_footer_excludes_the_orders_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty files with consecutive orders one is read for an order of its range."""
    paths = [tmp_path / f"{number}.parquet" for number in range(50)]
    for number, path in enumerate(paths):
        ids = [f"o{10 * number + place:06d}" for place in range(10)]
        write_parquet(pd.DataFrame({"order_id": pd.array(ids, dtype="str")}), path)
    read: list[int] = []
    whole = pq.ParquetFile.read

    def counted(file: pq.ParquetFile, *given: object, **named: object) -> object:
        read.append(1)
        return whole(file, *given, **named)

    monkeypatch.setattr(pq.ParquetFile, "read", counted)
    assert read_parquets(paths, where=("order_id", ["o000123"]))["order_id"].tolist() == ["o000123"]
    assert len(read) == 1
