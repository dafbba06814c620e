"""How neighbours behave: demand, promotions, weather, leaders, arrivals. Every assumption of the orders is here."""

from __future__ import annotations

from contracts.settings.field import Section, setting


class DemandSettings(Section):
    """Mean demand and its noise."""

    lines_per_community: float = setting(
        50.0, unit="order lines per community and evening", reason="A leader's group of some 200 households.", gt=0
    )
    zipf: float = setting(0.75, unit="exponent", reason="Popularity by rank within a category; 1 is the city-size law.")
    community_sigma: float = setting(0.45, unit="log", reason="Large estates order three times what small ones do.")
    taste_sigma: float = setting(0.25, unit="log", reason="Neighbourhoods differ in what categories they like.")
    pair_sigma: float = setting(0.45, unit="log", reason="A leader pushes some SKUs and not others.")
    drift_sigma: float = setting(0.05, unit="log per week", reason="SKUs slowly come into and go out of fashion.")
    growth: float = setting(0.015, unit="log per 30 days", reason="A growing city, but slowly.")
    day_sigma: float = setting(0.13, unit="log", reason="Mood of the city on a day, shared by all and visible early.")
    big_day_share: float = setting(0.05, unit="share of days", reason="A viral post or a storm every three weeks.")
    big_day_log: float = setting(0.45, unit="log, up or down", reason="Half as much again, or a third less.")
    category_sigma: float = setting(0.08, unit="log", reason="A rival's offer moves one category on a day.")
    sku_sigma: float = setting(0.20, unit="log", reason="A SKU's picture or place in the chat on a day.")
    leader_sigma: float = setting(0.20, unit="log", reason="How busy a leader is on a day.")
    dispersion: float = setting(
        3.0, unit="negative-binomial shape", reason="Lines of a cell: variance m + m^2/3.", gt=0
    )
    lines_per_order: float = setting(2.4, unit="lines", reason="A household's basket.", ge=1)
    cancel_rate: float = setting(0.03, unit="share of lines", reason="Changed minds before the cutoff.", ge=0, lt=1)


class RangeSettings(Section):
    """What is listed: new SKUs, delisted ones, rotation, prices, promotions, selling out."""

    new_share: float = setting(0.12, unit="share of SKUs", reason="A range renews itself twice a year.", ge=0, le=1)
    delisted_share: float = setting(0.08, unit="share of SKUs", reason="Slow sellers go.", ge=0, le=1)
    launch_lift: float = setting(0.4, unit="log on the first day", reason="Curiosity; gone after about two weeks.")
    rotating_share: float = setting(0.25, unit="share of SKUs", reason="Listed some days a week only.", ge=0, le=1)
    rotating_listed: float = setting(0.45, unit="share of days", reason="Three days in seven.", gt=0, le=1)
    area_gap_share: float = setting(0.05, unit="share of SKU x area", reason="Not every area sells everything.", ge=0)
    area_price_sigma: float = setting(0.02, unit="log", reason="Rents differ a little between areas.", ge=0)
    price_step_sigma: float = setting(0.03, unit="log per 14 days", reason="List prices follow the market.", ge=0)
    promotion_rate: float = setting(0.025, unit="starts per SKU x area and day", reason="About one a month.", ge=0)
    promotion_days: tuple[int, int] = setting((2, 6), unit="days", reason="A weekend to a week.")
    promotion_depth: tuple[float, float] = setting((0.08, 0.2), unit="share of list price", reason="Seen in apps.")
    promotion_lift: float = setting(0.15, unit="log", reason="Pinned in the chat, beyond the price itself.")
    sold_out_rate: float = setting(0.03, unit="share of SKU x area x days", reason="Suppliers cap what they promise.")
    sold_out_cap: tuple[float, float] = setting(
        (0.5, 1.2), unit="share of expected units", reason="The cap at which such a listing closes."
    )
    price_step_yuan: float = setting(0.1, unit="yuan", reason="Prices are asked in tenths.", gt=0)


class LeaderSettings(Section):
    """Leaders who join and leave."""

    join_share: float = setting(0.12, unit="share of communities", reason="Joined within the history.", ge=0, le=1)
    leave_share: float = setting(0.06, unit="share of communities", reason="Left within the history.", ge=0, le=1)
    first_day: float = setting(0.35, unit="share of full size", reason="A new group starts small.", gt=0, le=1)
    ramp_days: int = setting(30, unit="days", reason="It takes a month to fill a chat group.", ge=1)
    members_mean: float = setting(
        180.0, unit="people", reason="A full chat group holds 200 to 500, most are not.", gt=0
    )
    buying_sigma: float = setting(0.3, unit="log", reason="What one member buys differs between estates.", ge=0)


class CalendarSettings(Section):
    """Holidays and weather. Demand answers to the forecast people see when they order."""

    new_year_before_days: int = setting(12, unit="days", reason="Stocking up starts after the Little New Year.")
    new_year_level: float = setting(0.3, unit="factor", reason="Eve to third day: families are away or stocked.", gt=0)
    new_year_back_days: int = setting(14, unit="days", reason="Life is back by the Lantern Festival.", ge=1)
    new_year_closed_days: int = setting(
        0, unit="days from Lunar New Year's Day", reason="No deliveries at all on these days.", ge=0, le=7
    )
    event_lift: float = setting(0.18, unit="log", reason="Shopping festivals such as 双十一.")
    temperature_mean_c: float = setting(17.0, unit="degrees C", reason="Lower Yangtze, yearly mean.")
    temperature_swing_c: float = setting(12.0, unit="degrees C", reason="Half the difference of July and January.")
    temperature_sigma_c: float = setting(3.0, unit="degrees C", reason="Day to day, correlated 0.7.", ge=0)
    wet_share: float = setting(0.35, unit="share of days", reason="Lower Yangtze.", ge=0, le=1)
    rain_mean_mm: float = setting(9.0, unit="mm on a wet day", reason="Lower Yangtze.", ge=0)


class ArrivalSettings(Section):
    """When orders come: a mixture of four truncated normals per weekday and category (see `simulate.arrival`)."""

    peaks: tuple[str, ...] = setting(
        ("09:30", "12:30", "20:10", "22:10"),
        unit="HH:MM of the order day",
        reason="Morning break, lunch, after dinner, last call before the cutoff.",
    )
    sigmas: tuple[float, ...] = setting(
        (75.0, 50.0, 65.0, 40.0), unit="minutes", reason="Lunch is short, the morning is long."
    )
    weights: tuple[float, ...] = setting(
        (0.15, 0.17, 0.45, 0.23), unit="share of lines", reason="A third is ordered by 18:00."
    )
    weekend_day_factor: float = setting(1.3, unit="factor", reason="Off days: more orders before the evening.", gt=0)
    pace_spread: float = setting(
        0.25,
        unit="share",
        reason="A day's early share moves up or down by up to this much, zero on average.",
        ge=0,
        lt=1,
    )
