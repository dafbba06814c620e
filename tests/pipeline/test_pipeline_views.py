"""The order sorting is worked in is pandas' own, however many stations, waves and ids there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pipeline.views import working_order

ORDER = ["warehouse_id", "temperature_zone", "wave", "station", "sku_id", "slot"]
ID = st.text("AB0９仓-", min_size=1, max_size=3)
TASK = st.tuples(
    ID, st.sampled_from(["ambient", "chilled"]), st.integers(1, 10_000), st.integers(1, 10**6), ID, st.integers(1, 9)
)


@effort(deadline=None, max_examples=100)
@given(st.lists(TASK, max_size=40))
def test_the_working_order_is_that_of_a_plain_sort(rows: list[tuple[object, ...]]) -> None:
    """Ties keep the order they came in."""
    tasks = pd.DataFrame(rows, columns=ORDER).astype(
        {"warehouse_id": "str", "temperature_zone": "str", "sku_id": "str", "wave": int, "station": int, "slot": int}
    )
    wanted = tasks.sort_values(ORDER, kind="stable").index.to_numpy()
    np.testing.assert_array_equal(working_order(tasks), wanted)
