from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from forecast.mood import NODES, Mood, chance_of
from forecast.spread import Spread

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
BANDS = ((0.1, 1.0), (1.0, 10.0), (10.0, 100.0), (100.0, 1000.0))


def even(rng: np.random.Generator, series: int) -> np.ndarray:
    """Forecasts of every size between 0.1 and 1,000 as often on a log scale."""
    return np.exp(rng.uniform(np.log(0.1), np.log(1000.0), (1, series)))


def steep(rng: np.random.Generator, series: int) -> np.ndarray:
    """Forecasts by Zipf's law: a few large sellers, ever more small ones."""
    return np.minimum(4.0 * (1.0 + rng.pareto(1.3, (1, series))), 300.0)


def days(
    count: int, series: int, rng: np.random.Generator, sizes: Callable[..., np.ndarray] = even
) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts and demand of days that share a mood of 0.2 in log: days x series."""
    mean = sizes(rng, series) * np.ones((count, 1))
    mood = np.exp(rng.normal(-0.02, 0.2, (count, 1)))
    own = rng.gamma(8.0, 1 / 8.0, mean.shape)
    return mean, rng.poisson(mean * mood * own).astype(float)


def learned(mean: np.ndarray, actual: np.ndarray, *, told_apart: bool) -> Spread:
    lead = np.resize(np.arange(1, 8), len(mean))
    cell = np.broadcast_to(np.arange(len(mean))[:, None], mean.shape).ravel()
    mood = Mood.fit(mean.sum(axis=1), actual.sum(axis=1), lead) if told_apart else None
    long = np.broadcast_to(lead[:, None], mean.shape).ravel()
    return Spread.fit(mean.ravel(), actual.ravel(), long, whole=True, mood=mood, cell=cell)


def misses(spread: Spread, mean: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Share at or below each quantile minus what the spread states, bands x levels."""
    lead = np.broadcast_to(np.resize(np.arange(1, 8), len(mean))[:, None], mean.shape).ravel()
    bounds, stated = (
        each(mean.ravel(), lead, LEVELS).reshape(*mean.shape, -1) for each in (spread.quantiles, spread.stated)
    )
    out = []
    for low, high in BANDS:
        here = (mean >= low) & (mean < high)
        out.append(((actual[:, :, None] <= bounds)[here] - stated[here]).mean(axis=0))
    return np.array(out)


def test_few_days_with_a_mood_are_enough_for_every_band():
    """Fifty-six days: mean miss over worlds below 2 points where plain quantiles miss more; worst cell below 4."""
    told, plain = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        past, new = days(56, 400, rng), days(600, 150, rng)
        told.append(misses(learned(*past, told_apart=True), *new))
        plain.append(misses(learned(*past, told_apart=False), *new))
    told, plain = np.abs(told), np.abs(plain)
    assert told.mean() < 0.01
    assert told.mean(axis=0).max() < 0.02
    assert told.max() < 0.04
    assert told.mean() < 0.75 * plain.mean()


def test_a_steep_law_of_sizes_does_not_tilt_the_quantiles():
    """Where small forecasts are many and large ones few, the large ones' bands are not told from bad days only."""
    found = []
    for seed in range(5):
        rng = np.random.default_rng(100 + seed)
        past, new = days(140, 300, rng, steep), days(600, 150, rng, steep)
        spread = learned(*past, told_apart=True)
        lead = np.broadcast_to(np.resize(np.arange(1, 8), len(new[0]))[:, None], new[0].shape).ravel()
        mean, actual = (each.ravel() for each in new)
        large = mean > 16
        bounds = spread.quantiles(mean[large], lead[large], LEVELS)
        found.append((actual[large, None] <= bounds).mean(axis=0) - np.array(LEVELS))
    assert np.abs(np.mean(found, axis=0)).max() < 0.02, np.round(found, 3)


def test_small_forecasts_do_not_take_the_units_of_the_bin_they_fall_in():
    """Two hundred pairs around two units, none below one: a forecast of 0.3 has nothing at its middle."""
    rng = np.random.default_rng(8)
    mean = rng.uniform(1.0, 3.0, 200)
    lead = np.ones(200, np.int64)
    spread = Spread.fit(mean, rng.poisson(mean).astype(float), lead, whole=True)
    few = np.array([0.05, 0.3, 1.0])
    assert spread.quantiles(few, lead[:3], (0.5, 0.95)).tolist() == pytest.approx(
        scipy.stats.poisson.ppf([[0.5, 0.95]], few[:, None]), abs=1
    )
    assert spread.quantiles(few, lead[:3], (0.5,)).ravel().tolist() == [0.0, 0.0, 1.0]
    stated = spread.stated(few, lead[:3], (0.1,)).ravel()
    assert stated == pytest.approx(np.exp(-few), abs=0.08)


def test_the_mood_of_a_day_to_come_has_mean_one_and_two_equal_sides():
    """Three good days among forty make no forecaster believe that days are good on average."""
    rng = np.random.default_rng(1)
    mood = rng.normal(0.0, 0.1, 40)
    mood[:3] = 0.5
    found = Mood.fit(np.full(40, 100.0), 100.0 * np.exp(mood), np.resize(np.arange(1, 8), 40))
    assert found.nodes.shape[1] == NODES
    np.testing.assert_allclose(np.exp(found.nodes).mean(axis=1), 1.0)
    middle = found.nodes - found.nodes[:, [NODES // 2]]
    np.testing.assert_allclose(middle, -middle[:, ::-1], atol=1e-9)


def test_too_few_days_tell_nothing_apart():
    """Nine days leave the mood at zero: everything stays in the errors themselves."""
    found = Mood.fit(np.full(9, 10.0), np.linspace(5, 20, 9), np.ones(9, np.int64))
    assert not found.nodes.any()
    assert not found.seen.any()


def test_what_a_quantile_of_whole_units_states_is_what_it_holds():
    """Poisson demand of 0.4: the 10 % quantile is zero units and states the 67 % it holds."""
    rng = np.random.default_rng(2)
    mean, lead = np.full(20_000, 0.4), np.ones(20_000, np.int64)
    spread = Spread.fit(mean, rng.poisson(mean).astype(float), lead, whole=True)
    assert spread.quantiles(mean[:1], lead[:1], LEVELS)[0].tolist() == [0, 0, 0, 1, 1, 2]
    stated = spread.stated(mean[:1], lead[:1], LEVELS)[0]
    assert stated[0] == pytest.approx(np.exp(-0.4), abs=0.03)
    assert stated[4] == pytest.approx(np.exp(-0.4) * 1.4, abs=0.03)


def test_a_few_large_series_among_thousands_of_small_ones_have_their_own_size():
    """Ten series of forty units beside three thousand of half a unit: their median is near forty, not near one."""
    rng = np.random.default_rng(5)
    mean = np.concatenate([np.full(30_000, 0.5), np.full(100, 4.0), np.full(60, 40.0)])
    lead = np.ones(len(mean), np.int64)
    spread = Spread.fit(mean, rng.poisson(mean).astype(float), lead, whole=True)
    bounds = spread.quantiles(np.array([0.5, 4.0, 40.0, 80.0]), lead[:4], LEVELS)[:, 2]
    assert bounds.tolist() == pytest.approx([0.0, 4.0, 40.0, 80.0], rel=0.1, abs=0.5)


def test_one_closed_day_is_no_mood():
    """A day that sold a thousandth widens the mood by less than half."""
    rng = np.random.default_rng(6)
    mood = rng.normal(0.0, 0.1, 60)
    lead = np.resize(np.arange(1, 8), 60)
    usual = Mood.fit(np.full(60, 100.0), 100.0 * np.exp(mood), lead).nodes.std(axis=1)
    mood[7] = -7.0
    closed = Mood.fit(np.full(60, 100.0), 100.0 * np.exp(mood), lead).nodes.std(axis=1)
    assert (closed < 1.5 * usual).all()


def test_chance_in_a_small_city_is_no_mood():
    """Twenty SKUs straying each on its own make a day's sum stray; hardly any of it is told for a mood."""
    widths, kept = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        mean = np.full((56, 20), 5.0)
        actual = rng.poisson(mean).astype(float)
        lead = np.resize(np.arange(1, 8), 56)
        sums = mean.sum(axis=1), actual.sum(axis=1)
        plain = Mood.fit(*sums, lead)
        found = Mood.fit(*sums, lead, chance=chance_of(mean, actual))
        widths.append(found.nodes.std(axis=1).mean() / plain.nodes.std(axis=1).mean())
        kept.append(found.seen.std() / plain.seen.std())
    assert np.mean(widths) < 0.4
    assert np.mean(kept) < 0.3


def test_a_mood_stays_a_mood_among_chance():
    """A mood of 0.2 in a small city: its width is found within a fifth, though sums stray by a tenth more."""
    widths = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        mean = np.full((120, 20), 5.0)
        actual = rng.poisson(mean * np.exp(rng.normal(-0.02, 0.2, (120, 1)))).astype(float)
        found = Mood.fit(
            mean.sum(axis=1), actual.sum(axis=1), np.resize(np.arange(1, 8), 120), chance=chance_of(mean, actual)
        )
        widths.append(found.nodes.std(axis=1).mean())
    assert np.mean(widths) == pytest.approx(0.2, rel=0.2)


def test_few_pairs_in_a_wide_bin_do_not_pass_sizes_for_chance():
    """A hundred and fifty Poisson pairs between a half and seven units: at four the band is Poisson's."""
    rng = np.random.default_rng(3)
    mean = np.exp(rng.uniform(np.log(0.5), np.log(7.0), 150))
    lead = np.ones(150, np.int64)
    spread = Spread.fit(mean, rng.poisson(mean).astype(float), lead, whole=True)
    bounds = spread.quantiles(np.array([1.0, 4.0]), lead[:2], (0.1, 0.5, 0.9))
    assert bounds.tolist() == pytest.approx(scipy.stats.poisson.ppf([0.1, 0.5, 0.9], [[1.0], [4.0]]), abs=1)


@pytest.mark.parametrize(
    ("sizes", "asked"),
    [
        (np.concatenate([np.full(12, 1.0), np.geomspace(50.0, 500.0, 228)]), (1.0, 60.0, 100.0, 300.0)),
        (np.append(7.9, np.geomspace(20.0, 90.0, 300)), (3.0, 7.0, 30.0)),
        (np.full(400, 1.2), (0.4, 1.2, 4.0, 10.0)),
        (np.geomspace(30.0, 60.0, 300), (0.5, 5.0, 40.0)),
        (np.concatenate([np.full(30, 1e-3), np.geomspace(0.3, 20.0, 300)]), (1.0, 4.0, 15.0)),
        (np.full(1, 5.0), (0.5, 5.0, 20.0)),
        (np.full(500, 6.9), (2.0, 6.9, 7.9)),
    ],
    ids=["gap", "one small", "all alike", "all large", "forecasts of nothing", "a single pair", "just below eight"],
)
def test_whatever_sizes_were_seen_poisson_demand_has_poisson_bands(sizes: np.ndarray, asked: tuple[float, ...]) -> None:
    """Sizes with a gap, all small, all large, or few: what is told of sizes between and beyond is their own law."""
    mean = np.array(asked)
    lead = np.ones(len(sizes), np.int64)
    found = []
    for seed in range(20):
        actual = np.random.default_rng(seed).poisson(sizes).astype(float)
        if len(sizes) == 1:
            actual[:] = sizes  # one pair tells its bias, and that is all of it
        spread = Spread.fit(sizes, actual, lead, whole=True)
        found.append(spread.quantiles(mean, np.ones(len(mean), np.int64), (0.1, 0.5, 0.9)))
    truth = scipy.stats.poisson.ppf([[0.1, 0.5, 0.9]], mean[:, None])
    slack = 1.0 + (0.5 if len(sizes) > 1 else 2.0) * np.sqrt(mean)[:, None]
    assert (np.abs(np.mean(found, axis=0) - truth) <= slack).all(), np.round(np.mean(found, axis=0) - truth, 1)


def test_demand_far_beyond_the_table_states_all_of_its_chance() -> None:
    """One day in twenty brings 500 units: no probability is lost at the table's end, for small forecasts either."""
    rng = np.random.default_rng(4)
    mean = np.exp(rng.uniform(np.log(0.6), np.log(6.0), 200))
    actual = np.where(rng.random(200) < 0.05, 500.0, rng.poisson(mean))
    spread = Spread.fit(mean, actual, np.ones(200, np.int64), whole=True)
    asked, lead = np.array([0.01, 0.5, 3.0]), np.ones(3, np.int64)
    stated = spread.stated(asked, lead, (0.5, 0.99, 0.995))
    assert (stated >= np.array([0.5, 0.99, 0.995]) - 1e-6).all()
    assert spread.quantiles(asked, lead, (0.5,)).max() <= 6.0


def test_a_closed_day_takes_no_mood_away() -> None:
    """A day that sold a unit strays by all it should have sold; the mood of the other days stays."""
    rng = np.random.default_rng(9)
    mean = np.full((60, 200), 5.0)
    actual = rng.poisson(mean * np.exp(rng.normal(0.0, 0.1, (60, 1)))).astype(float)
    lead = np.resize(np.arange(1, 8), 60)
    widths = []
    for closed in (False, True):
        if closed:
            actual[7], actual[7, 0] = 0.0, 1.0
        sums = mean.sum(axis=1), actual.sum(axis=1)
        widths.append(Mood.fit(*sums, lead, chance=chance_of(mean, actual)).nodes.std(axis=1).mean())
    assert 0.8 * widths[0] < widths[1] < 1.6 * widths[0]
