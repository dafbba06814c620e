"""What traits tell of goods and places without a past: an oracle's law is found, chance is not believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from contracts.reference import Communities
from forecast import Panel
from forecast.features import Features, FeatureSpec
from forecast.likeness import LEAST_KNOWN, RANGE, from_traits


def _world(count: int, leaning: float, seed: int, noise: float = 0.3):
    rng = np.random.default_rng(seed)
    trait, peers = rng.normal(3.0, 0.7, count), rng.integers(0, 4, count)
    ratio = np.exp(leaning * (trait - 3.0)) * rng.gamma(1 / noise**2, noise**2, count)
    return trait[:, None], ratio / ratio.mean(), peers


@pytest.mark.parametrize("leaning", [-0.8, 0.6])
def test_a_law_is_found(leaning):
    """What was left out of the lessons is told within a tenth of the law that made it."""
    trait, ratio, peers = _world(400, leaning, seed=3)
    known = np.where(np.arange(400) < 300, ratio, np.nan)
    told = from_traits(trait, known, np.ones(400), peers)[300:]
    law = np.exp(leaning * (trait[300:, 0] - 3.0))
    inside = (law > 0.4) & (law < 2.5)
    assert np.abs(np.log(told / law * law.mean() / told.mean()))[inside].mean() < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_chance_is_not_believed(seed):
    """A trait that has nothing to do with sales leaves a new one at its peers' mean, within what chance does."""
    trait, ratio, peers = _world(60, 0.0, seed=seed, noise=1.0)
    told = from_traits(trait, np.where(np.arange(60) < 40, ratio, np.nan), np.ones(60), peers)
    assert np.abs(np.log(told[40:])).mean() < 0.25


def test_the_mean_of_the_known_is_kept():
    """Told for those that taught, the weighted mean is theirs: no level is made or lost."""
    trait, ratio, peers = _world(50, 0.7, seed=1)
    weight = np.random.default_rng(2).uniform(1, 28, 50)
    told = from_traits(trait, ratio, weight, peers)
    assert np.average(told, weights=weight) == pytest.approx(np.average(ratio, weights=weight), rel=1e-3)


def test_what_is_not_told_is_the_mean_and_nothing_is_taken_further_than_seen():
    """An unknown trait says 1 or so; the most expensive one of all counts as the most expensive one known."""
    trait, ratio, peers = _world(100, -1.0, seed=5, noise=0.01)
    trait = np.vstack([trait, [[np.nan], [trait.max()], [trait.max() + 9.0]]])
    known, peers = np.append(ratio, [np.nan] * 3), np.append(peers, [0, 0, 0])
    told = from_traits(trait, known, np.ones(103), np.zeros(103, np.int64))
    assert told[100] == pytest.approx(1.0, abs=0.35)  # the law is convex: the mean's law is below the mean
    assert told[101] == pytest.approx(told[102])
    assert told[101] < 0.5


@effort(deadline=None, max_examples=40)
@given(st.integers(0, 30), st.floats(0.01, 100.0), st.integers(0, 1000))
def test_any_units_of_traits_tell_the_same(count, factor, seed):
    """Grams or kilograms, few or many: finite, positive, within the range, and the same in any unit."""
    rng = np.random.default_rng(seed)
    traits, ratio = rng.normal(0, 1, (count + 1, 2)), rng.gamma(1.0, 1.0, count + 1)
    ratio[rng.random(count + 1) < 0.3] = np.nan
    one, two = (
        from_traits(traits + shift, ratio, np.ones(count + 1), np.zeros(count + 1, np.int64))
        for shift in (0.0, np.log(factor))
    )
    assert ((one >= RANGE[0]) & (one <= RANGE[1])).all()
    np.testing.assert_allclose(one, two, rtol=1e-3)
    if np.isfinite(ratio).sum() < LEAST_KNOWN:
        assert (one == 1.0).all()


def test_a_new_community_starts_from_the_people_in_its_group(make_history, context_of, settings):
    """Sizes go with groups: an unseen community of a big group starts above the mean, of a small one below."""
    told = context_of(24, 4)
    size = np.exp(np.linspace(-0.9, 0.9, 24))
    places = told.communities.assign(members=np.round(150 * size))
    told = replace(told, communities=Communities.check(places))
    panel = Panel.from_history(make_history(24, 4, 80), told)
    quantity = panel.quantity * size[panel.series["community_id"].str[1:].astype(int)].astype(np.float32)
    new = panel.series["community_id"].isin(["C01", "C22"]).to_numpy()
    quantity[:, new] = np.nan
    base = {}
    for name, context in (("told", told), ("untold", replace(told, communities=places.assign(members=np.nan)))):
        known = replace(panel, quantity=quantity)
        base[name] = Features(known, context, FeatureSpec.fit(known, context, settings)).base(79)
    small, big = ((panel.series["community_id"] == name).to_numpy() for name in ("C01", "C22"))
    area = [panel.series.loc[here, "area_id"].iloc[0] for here in (small, big)]
    assert base["told"][big].sum() > 1.5 * base["untold"][big].sum(), area
    assert base["told"][small].sum() < 0.75 * base["untold"][small].sum(), area
    np.testing.assert_allclose(base["told"][~new], base["untold"][~new], rtol=0.05)


def test_a_new_sku_starts_from_goods_of_its_price(make_history, context_of, settings):
    """Cheap goods sell more here: an unseen cheap SKU starts above the category's mean, an expensive one below."""
    told = context_of(3, 40)
    panel = Panel.from_history(make_history(3, 40, 60), told, days_ahead=7)
    number = panel.series["sku_id"].str[1:].astype(int).to_numpy()
    cost = np.exp(np.linspace(-1.0, 1.0, 40))[number]
    price = np.broadcast_to(8.0 * cost, panel.price.shape).astype(np.float32).copy()
    quantity = np.full(panel.quantity.shape, 1.0, np.float32) * (4.0 / cost).astype(np.float32)
    new = np.isin(number, (3, 36))
    quantity[:, new], price[: panel.known, new] = np.nan, np.nan
    known = replace(panel, quantity=quantity, price=price, list_price=np.full_like(price, np.nan))
    base = Features(known, told, FeatureSpec.fit(known, told, settings)).base(59)
    usual = np.array(
        [base[~new & (panel.series["category_id"] == kind).to_numpy()].mean() for kind in panel.series["category_id"]]
    )
    assert (base[number == 3] > 1.3 * usual[number == 3]).all()
    assert (base[number == 36] < 0.75 * usual[number == 36]).all()
