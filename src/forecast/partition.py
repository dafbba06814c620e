"""Partition by area: members that learn from many series, or slowly, learn and forecast each price area on its own.

Per area: the boosted model, ETS and Theta - fitted on the area's series, rolled and asked on them. Pooled as ever:
the combination, the spread of every level, and the sums forecast in their own right, because a warehouse serves
several areas and weights want many rows. Where an area is worked on (`partition_cluster`) changes no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.errors import EmptyInputError
from contracts.flow import OutsideEstimates
from contracts.settings import ForecastSettings
from forecast.context import Context
from forecast.panel import Panel
from forecast.partition_cluster import HERE, run_parts

if TYPE_CHECKING:  # the members know this file
    from forecast.members.protocol import Fitted, Forecasts, Member
    from forecast.model import DemandModel

PARTITIONED = ("lightgbm", "ets", "theta")
"""Members worth sending away; the others pass once over the matrix, which costs less than sending it."""


@dataclass(frozen=True)
class ByArea:
    """A member that is fitted once per area.

    An area that is too young to learn from has no answer; the other members then answer for it, labelled.
    """

    member: Member
    place: str = HERE

    @property
    def name(self) -> str:
        """Return the member's name."""
        return self.member.name

    def fit(self, panel: Panel, context: Context) -> FittedByArea:
        """Return the member fitted to each area of the panel.

        Raises
        ------
        EmptyInputError
            Not one area has enough history.
        """
        columns = areas(panel)
        parts = [(self.member, *_slice(panel, context, area, own)) for area, own in columns.items()]
        fitted = dict(zip(columns, run_parts(self.place, _fitted, parts), strict=True))
        found = {area: one for area, one in fitted.items() if not isinstance(one, str)}
        if not found:
            raise EmptyInputError(f"No area has enough history: {next(iter(fitted.values()))}")
        usual, _ = Counter(one.name for one in found.values()).most_common(1)[0]
        return FittedByArea({area: one for area, one in found.items() if one.name == usual}, self.place)


@dataclass(frozen=True)
class FittedByArea:
    """A fitted member per area.

    Attributes
    ----------
    parts : mapping of area to fitted member
        Areas whose fit fell back to another name than most are left out: their answer would carry the wrong label.
    place : str
        Where forecasts are made; not kept with a stored model.
    """

    parts: Mapping[str, Fitted]
    place: str = field(default=HERE, compare=False)

    @property
    def name(self) -> str:
        """Return the members' common name."""
        return next(iter(self.parts.values())).name

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return each area's forecasts; NaN in areas without a part."""
        columns = {area: own for area, own in areas(panel).items() if area in self.parts}
        asked = [
            (self.parts[area], *_slice(panel, context, area, own), tuple(origins), tuple(horizons))
            for area, own in columns.items()
        ]
        out = np.full((len(origins), len(horizons), panel.width), np.nan, np.float32)
        for own, answer in zip(columns.values(), run_parts(self.place, _forecast, asked), strict=True):
            out[:, :, own] = answer
        return out

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what is kept: where it ran is no part of what was learned."""
        return FittedByArea, (dict(self.parts),)


def areas(panel: Panel) -> dict[str, NDArray[np.int64]]:
    """Return the columns of each area of a panel, areas in order."""
    found = panel.series.groupby("area_id", sort=True).indices
    return {str(area): np.asarray(own, np.int64) for area, own in found.items()}


def relocated(model: DemandModel, place: str) -> DemandModel:
    """Return the model with its partitioned members forecasting at a place, see `run_parts`."""
    moved = {
        name: replace(one, place=place or HERE) if isinstance(one, FittedByArea) else one
        for name, one in model.members.items()
    }
    return replace(model, members=moved)


def method_of(settings: ForecastSettings) -> ForecastSettings:
    """Return the settings without the place: partitioned or not is a method, where the parts are worked on is none."""
    return settings.model_copy(update={"by_area": HERE}) if settings.by_area else settings


def placed(settings: ForecastSettings, place: str) -> ForecastSettings:
    """Return settings of a model, its areas worked on at a place; a model of the whole city stays one."""
    return settings.model_copy(update={"by_area": place or HERE}) if settings.by_area else settings


def _slice(panel: Panel, context: Context, area: str, columns: NDArray[np.int64]) -> tuple[Panel, Context]:
    """Return an area's panel and context, nothing of the others."""
    own = replace(
        panel,
        series=panel.series.iloc[columns].reset_index(drop=True),
        quantity=panel.quantity[:, columns],
        censored=panel.censored[:, columns],
        price=panel.price[:, columns],
        list_price=panel.list_price[:, columns],
    )
    places = context.communities[context.communities["area_id"] == area].reset_index(drop=True)

    def here(table: pd.DataFrame) -> Any:
        return table[table["area_id"] == area].reset_index(drop=True)

    return own, replace(
        context,
        communities=places,
        listings=here(context.listings),
        area_events=here(context.area_events),
        open_share=here(context.open_share),
        outside=OutsideEstimates.empty(),  # no partitioned member reads them
    )


def _fitted(member: Member, panel: Panel, context: Context) -> Fitted | str:
    """Return the fitted member, or why the area has too little history."""
    try:
        return member.fit(panel, context)
    except EmptyInputError as short:
        return str(short)


def _forecast(
    fitted: Fitted, panel: Panel, context: Context, origins: tuple[int, ...], horizons: tuple[int, ...]
) -> Forecasts:
    return fitted.forecast(panel, context, origins=origins, horizons=horizons)
