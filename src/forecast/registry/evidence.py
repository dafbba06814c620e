"""Evidence for a promotion: two models on the same rolling windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contracts.errors import InputError
from forecast.backtest_scores import BacktestScores

LEAST_WINDOWS = 3
"""One window is noise, two can agree by chance."""


@dataclass(frozen=True)
class Evidence:
    """Scores of the champion and the challenger, one per rolling window, smaller is better."""

    metric: str
    champion: tuple[float, ...]
    challenger: tuple[float, ...]

    def verdict(self) -> tuple[bool, str]:
        """Return whether the challenger earned promotion, and the sentence that says why.

        It must be better on average and in more than half of at least `LEAST_WINDOWS` windows.

        Examples
        --------
        >>> Evidence("wrmsse", (0.70, 0.72, 0.71), (0.69, 0.70, 0.72)).verdict()
        (True, 'wrmsse 0.7033 against 0.7100, better in 2 of 3 windows')
        """
        windows = len(self.champion)
        if windows != len(self.challenger) or windows < LEAST_WINDOWS:
            return False, f"{windows} and {len(self.challenger)} windows; {LEAST_WINDOWS} common ones are needed"
        ours, theirs = np.asarray(self.challenger), np.asarray(self.champion)
        if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
            return False, f"{self.metric} is missing in a window"
        wins = int((ours < theirs).sum())
        better = bool(ours.mean() < theirs.mean() and wins * 2 > windows)
        return (
            better,
            f"{self.metric} {ours.mean():.4f} against {theirs.mean():.4f}, better in {wins} of {windows} windows",
        )


def evidence_of(
    scores: BacktestScores,
    *,
    champion: str = "champion",
    challenger: str = "challenger",
    level: str = "warehouse",
    metric: str = "pinball",
) -> Evidence:
    """Return the evidence of a backtest; by default the pinball loss of the warehouse totals money is spent on.

    Raises
    ------
    InputError
        The backtest did not score both models.
    """
    whole = scores.scores[(scores.scores["by"] == "all") & (scores.scores["level"] == level)]
    values = {name: whole[whole["model"] == name].sort_values("origin")[metric] for name in (champion, challenger)}
    missing = [name for name, given in values.items() if not len(given)]
    if missing:
        raise InputError(
            f"The backtest has no scores of {missing} at level {level!r}; score both models in one backtest."
        )
    return Evidence(f"{level} {metric}", tuple(map(float, values[champion])), tuple(map(float, values[challenger])))
