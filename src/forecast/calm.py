"""What passes is taken out of the history before anything is learned, and multiplied back into forecasts.

The feast's season (`Feast`), young communities' growth (`Ramp`), promotions (`Promotions`), curiosity about new goods
(`launches`): each is measured on what the ones before it left. What remains is the level that models extrapolate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.context import Context
from forecast.feast import Feast
from forecast.launches import launches
from forecast.members.outside import OutsideEstimate
from forecast.members.protocol import Forecasts
from forecast.panel import Panel
from forecast.promotions import Lift, Promotions
from forecast.ramp import Ramp


@dataclass(frozen=True)
class Passing:
    """What a training history told of promotions and new goods; a model keeps it, for its trees learned without them.

    Attributes
    ----------
    lift : Lift
    curiosity : float64, by age in days
    """

    lift: Lift
    curiosity: NDArray[np.float64]


@dataclass(frozen=True)
class Calm:
    """A history without what passes.

    Attributes
    ----------
    panel : Panel
        Quantities as if it were no feast, all communities were grown, all prices list prices and no SKU new.
    exceptional : bool, D
        Days of a feast's season that matters here.
    passing : Passing
        What promotions and curiosity were taken to be.
    """

    panel: Panel
    exceptional: NDArray[np.bool_]
    passing: Passing
    _factors: tuple[Feast | Ramp | Promotions, ...]

    @classmethod
    def of(cls, panel: Panel, context: Context, passing: Passing | None = None) -> Calm:
        """Return the calm history of a panel.

        Feast and growth are measured on its known days; promotions and curiosity too, unless they are known: `passing`.
        """
        feast = Feast.measured(panel)
        panel = feast.calm(panel)
        ramp = Ramp.measured(panel, context)
        panel = ramp.calm(panel)
        promotions = Promotions.of(panel, Lift.learned(panel) if passing is None else passing.lift)
        panel = promotions.calm(panel)
        curiosity = launches(panel, None if passing is None else passing.curiosity)
        known = Passing(promotions.lift, curiosity.reached)
        return cls(curiosity.calm(panel), feast.exceptional, known, (feast, ramp, promotions, curiosity))

    def at(self, row: int) -> NDArray[np.float64]:
        """Return what a calm forecast of a day of the panel is multiplied by, one factor per series."""
        return np.asarray(np.prod([factor.at(row) for factor in self._factors], axis=0), np.float64)

    def answers(
        self, told: Mapping[str, Forecasts], origins: Sequence[int], horizons: Sequence[int]
    ) -> dict[str, Forecasts]:
        """Return members' forecasts, origins x horizons x series, all of calm units.

        What somebody else expects is real units, promotion and feast included; the members' own answers are calm.
        """
        name = OutsideEstimate().name
        if name not in told:
            return dict(told)
        course = np.stack([[self.at(origin + lead) for lead in horizons] for origin in origins])
        told_calm = told[name] / np.where(course > 0, course, np.nan)
        return {**told, name: told_calm.astype(np.float32)}
