"""Settings of purchase planning."""

from __future__ import annotations

from pydantic import field_validator

from contracts.settings.field import Section, setting


class PurchaseSettings(Section):
    """Purchase planning."""

    budget_yuan: float | None = setting(
        None, unit="yuan per night", reason="Most that is ordered for, locked lines included, before rebates.", ge=0
    )
    ask_again: bool = setting(
        False,
        unit="-",
        reason="True orders less now and the rest at a supplier's later deadline; sorting then sees only what is "
        "ordered already. False buys as if nobody could be asked again.",
    )
    fill_spread: float = setting(
        0.0,
        unit="share of the widest spread, all or nothing",
        reason="How far deliveries scatter round the fill rate r: a standard deviation of so much sqrt(r (1 - r)). "
        "Measure it on delivery notes; 0 counts the mean only.",
        ge=0,
        le=0.9,
    )
    service_levels: dict[str, float] = setting(
        {},
        unit="category_id to chance that a SKU is not short",
        reason="Empty buys at least expected cost; a category named here is bought at least to this chance.",
    )
    carry_shelf_days: float | None = setting(
        None,
        unit="days of shelf life",
        reason="Left-over units of SKUs that keep at least so long go into the next nights; None writes all down.",
        gt=0,
    )
    carry_share: float = setting(
        0.8,
        unit="share of the usual unit cost",
        reason="What a carried unit saves the next nights: not every SKU is listed again.",
        ge=0,
        le=1,
    )
    holding_share_per_night: float = setting(
        0.01, unit="share of the usual unit cost per night", reason="Space, money and breakage of a carried unit.", ge=0
    )
    carry_nights: float = setting(2.0, unit="nights", reason="How long a carried unit waits on average.", ge=0)
    dual_source_units: float | None = setting(
        None,
        unit="expected units",
        reason="SKU x warehouse with at least so much demand are bought from two suppliers; None asks for one.",
        gt=0,
    )
    dual_source_share: float = setting(
        0.8, unit="share", reason="Largest share of one supplier where two are asked for.", gt=0, lt=1
    )
    change_yuan: float = setting(
        5.0,
        unit="yuan per changed line",
        reason="What a phone call costs: a replan changes a line only if it saves more.",
        ge=0,
    )
    whole_model_offers: int = setting(
        400, unit="offers", reason="Up to this many offers the whole PuLP model is solved to proof.", ge=0
    )
    ascent_steps: int = setting(
        600, unit="evaluations", reason="The bound of a large purchase rises little after these many price steps.", ge=1
    )
    dive_rounds: int = setting(
        8, unit="rounds", reason="Rounds in which suppliers are fixed to a rebate level, the clearest first.", ge=1
    )
    dive_steps: int = setting(30, unit="evaluations", reason="Price steps after each round of a dive.", ge=1)
    neighbourhoods: int = setting(
        14,
        unit="dives in a row",
        reason="So many that find nothing cheaper end the search; each frees a seventh of the suppliers.",
        ge=0,
    )
    column_rounds: int = setting(
        6, unit="rounds", reason="Rounds of column generation at fixed rebate levels; later ones find nothing.", ge=0
    )
    polish_kicks: int = setting(
        6, unit="kicks", reason="Local searches after each dive; annealing before them did most.", ge=0
    )

    @field_validator("service_levels")
    @classmethod
    def _chances(cls, value: dict[str, float]) -> dict[str, float]:
        wrong = {category: level for category, level in value.items() if not 0.0 <= level < 1.0}
        if wrong:
            raise ValueError(f"a service level is a chance from 0 to below 1, got {wrong}")
        return value
