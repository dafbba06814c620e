from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast import Context, Panel
from forecast.ramp import Ramp, reached_by_age

START = pd.Timestamp("2026-03-02")
DAYS, PLACES, GOODS = 120, 16, 4
FIVE = {1: 20, 4: 31, 6: 45, 9: 52, 12: 60}
"""Communities that joined, and on which day of the history."""


def communities(like: pd.DataFrame, count: int, *, opened: dict[int, int]) -> pd.DataFrame:
    """Communities of two areas; those `opened` have the day of the history they opened on, the others none."""
    days = [START + pd.Timedelta(days=opened[i]) if i in opened else pd.NaT for i in range(count)]
    return like.iloc[[i % 2 for i in range(count)]].assign(
        community_id=[f"C{i:02d}" for i in range(count)], opened_on=pd.to_datetime(pd.Series(days)).to_numpy()
    )


def town(
    plain: Context, joined: dict[int, int], *, told: bool = True, first: float = 0.35, seed: int = 0
) -> tuple[Panel, Context]:
    """A town in which communities `joined` on some day at `first` of their size and took thirty days to fill."""
    rng = np.random.default_rng(seed)
    context = Context(plain.skus, communities(plain.communities, PLACES, opened=joined if told else {}))
    mood = rng.lognormal(0.0, 0.2, (DAYS, 1, 1))
    size = rng.lognormal(0.0, 0.4, (1, PLACES, 1))
    start = np.array([joined.get(place, -1000) for place in range(PLACES)])[None, :, None]
    age = np.arange(DAYS)[:, None, None] - start
    ramp = first + (1 - first) * np.clip(age / 30, 0, 1)
    units = rng.poisson(8.0 * mood * size * ramp * np.ones((1, 1, GOODS))).astype(float)
    day, place, good = np.nonzero(np.broadcast_to(age >= 0, units.shape))
    history = pd.DataFrame(
        {
            "delivery_date": START + pd.to_timedelta(day, unit="D"),
            "community_id": [f"C{i:02d}" for i in place],
            "sku_id": [f"S{i:02d}" for i in good],
            "quantity": units[day, place, good],
            "price_yuan": 5.0,
            "censored": False,
        }
    )
    return Panel.from_history(history, context), context


@pytest.mark.parametrize("told", [True, False])
def test_growth_is_learned_from_those_who_joined(told, context):
    """Five newcomers tell the ramp within a sixth, by their opening day or by the day they were first seen."""
    panel, town_context = town(context, FIVE, told=told)
    ramp = Ramp.measured(panel, town_context)
    age = np.array([3, 10, 17, 24, 31])
    truth = 0.35 + 0.65 * np.clip(age / 30, 0, 1)
    np.testing.assert_allclose(ramp.reached[age], truth, rtol=0.17)
    assert ramp.reached[-1] == 1.0


def test_a_calmed_newcomer_stands_at_its_grown_size_from_the_start(context):
    """Divided by what it had reached, the first weeks' mean is that of the later weeks within a tenth."""
    panel, town_context = town(context, FIVE)
    calm = Ramp.measured(panel, town_context).calm(panel)
    new = panel.series["community_id"].isin(["C01", "C04", "C06"]).to_numpy()
    others = np.nanmean(calm.quantity[:, ~new], axis=1)
    relative = calm.quantity[46:][:, new].mean(axis=1) / others[46:]
    assert relative[:20].mean() == pytest.approx(relative[34:].mean(), rel=0.12)
    old = panel.series["community_id"].isin(["C00", "C02"]).to_numpy()
    np.testing.assert_array_equal(calm.quantity[:, old], panel.quantity[:, old])


def test_newcomers_that_start_full_have_no_ramp(context):
    """Communities that join at their whole size are not expected to grow."""
    panel, town_context = town(context, FIVE, first=1.0)
    reached = Ramp.measured(panel, town_context).reached
    np.testing.assert_allclose(reached, 1.0, atol=0.15)


def test_without_newcomers_nothing_changes(context):
    """A town nobody joined: no growth, and the panel itself comes back."""
    panel, town_context = town(context, {})
    ramp = Ramp.measured(panel, town_context)
    assert not ramp.matters
    assert ramp.calm(panel) is panel
    np.testing.assert_array_equal(ramp.reached, 1.0)
    np.testing.assert_array_equal(ramp.at(DAYS + 3), 1.0)


def test_new_to_us_is_not_new(context):
    """A community that no history knows is grown, unless its opening day says that it opens now."""
    panel, _ = town(context, FIVE)
    wider = Context(context.skus, communities(context.communities, PLACES + 2, opened=FIVE | {PLACES + 1: DAYS - 1}))
    rows = pd.DataFrame({"community_id": ["C16", "C17"], "sku_id": "S00"})
    series = wider.places(
        pd.concat([panel.series["community_id"], rows["community_id"]]),
        pd.concat([panel.series["sku_id"], rows["sku_id"]]),
    )
    blank = np.full((DAYS, 2), np.nan, np.float32)
    more = Panel(
        panel.days,
        series,
        np.hstack([panel.quantity, blank]),
        np.hstack([panel.censored, np.zeros(blank.shape, bool)]),
        np.hstack([panel.price, blank]),
        np.hstack([panel.list_price, blank]),
    )
    share = Ramp.measured(more, wider).at(DAYS)
    assert share[-2] == 1.0
    assert share[-1] < 0.6


def test_one_wild_newcomer_cannot_multiply_forecasts_without_bound():
    """Sales that fall to a thousandth, or come from nothing, move a first week threefold or to a tenth at most."""
    peers = np.full((60, 1), 1e-3)
    for first, later in ((1000.0, 1.0), (1.0, 1000.0)):
        units = np.full((60, 1), later)
        units[10:17] = first
        reached = reached_by_age((units, peers), np.array([10]), weeks=3, caution=0.0)
        assert reached.min() >= 0.1
        assert reached.max() <= 3.0
        assert reached[-1] == 1.0
