"""Settings of the order book."""

from __future__ import annotations

from contracts.settings.field import Section, setting


class BookSettings(Section):
    """The order book."""

    curve_days: int = setting(84, unit="days", reason="Twelve weeks: a day's pace is seen once a day.", ge=7)
    slot_minutes: int = setting(
        15, unit="minutes", reason="Arrivals change little within a quarter of an hour.", ge=1, le=60
    )
    snapshot_minutes: int = setting(
        60,
        unit="minutes",
        reason="Planners look at the book every hour; between two it is interpolated.",
        ge=15,
        le=240,
    )
    half_life_days: float = setting(
        21.0, unit="days", reason="Habits of ordering change slowly; a month-old day still counts a third.", gt=0
    )
    prior_half_life_days: float = setting(
        14.0, unit="days", reason="Past expectation where no forecast was kept: two weeks follow a season.", gt=0
    )
    warm_days: int = setting(
        14, unit="days", reason="Days before the first snapshot, so that its expectation has a past.", ge=1
    )
    learn_days: int = setting(
        21, unit="days", reason="With fewer warm days the pace is not learned: additive pickup answers.", ge=4
    )
    curve_shrink_lines: float = setting(
        60.0, unit="order lines", reason="A SKU's own curve and its category's weigh the same at this many lines.", gt=0
    )
    day_kind_shrink_days: float = setting(
        5.0,
        unit="days",
        reason="Holidays and promotions move the curve half-way after five days: one day's mood moves it as much.",
        gt=0,
    )
    late_opening_units: float = setting(
        20.0,
        unit="units",
        reason="A first order when so many are usual by then: fewer than one usual day in a hundred starts so late.",
        gt=0,
    )
    usual_shrink_days: float = setting(
        4.0, unit="days", reason="A SKU's own volume and its category's weigh the same at this many days.", gt=0
    )
    band_rows: int = setting(400, unit="snapshot rows", reason="A 99 % quantile rests on at least four rows.", ge=50)
    max_series: int = setting(
        1500,
        unit="SKU x place",
        reason="Bounds memory and time: 84 days x 18 times x 1,500 = 2.3 million cells.",
        ge=100,
    )
    evidence_blocks: int = setting(
        3, unit="blocks", reason="Three quarters of the window are predicted from earlier days only.", ge=1, le=12
    )
    boost_trees: int = setting(60, unit="trees", reason="Flat from 60 on in the town world.", ge=1)
    boost_rate: float = setting(0.07, unit="-", reason="60 small trees at 0.07 correct, they do not memorise.", gt=0)
    boost_leaves: int = setting(8, unit="leaves", reason="Three splits deep; 15 leaves gain 0.1 %.", ge=2)
    boost_leaf_rows: int = setting(500, unit="rows", reason="Remainders are noisy counts.", ge=1)
    boost_l2: float = setting(20.0, unit="-", reason="Shrinks the correction towards none.", ge=0)
    boost_rows: int = setting(100_000, unit="rows", reason="Training rows drawn over all times of day.", ge=1000)
    boost_cells: int = setting(
        1_000_000, unit="SKU x place", reason="Larger tables follow pace alone, to stay within seconds.", ge=0
    )
    threads: int = setting(1, unit="threads", reason="Identical results on any machine.", ge=1)
    count_dispersion: float = setting(
        2.0, unit="-", reason="Gamma shape of demand where nothing is learned yet: variance = r + r^2 / 2.", gt=0
    )
    unknown_units: float = setting(
        1.0, unit="units per day", reason="Expected of a SKU at a community before anything is known of either.", gt=0
    )
    seed: int = setting(0, unit="-", reason="Seed of the sample of series that is learned from.", ge=0)
