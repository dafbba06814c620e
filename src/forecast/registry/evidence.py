"""Evidence for a promotion: two models on the same rolling windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.errors import InputError
from forecast.backtest_scores import BacktestScores

LEAST_WINDOWS = 3
"""One window is noise, two can agree by chance."""
CHANCE = 2.0
"""Standard errors of the mean difference within which two models of one method count as equally good."""


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

    def not_worse(self) -> tuple[bool, str]:
        """Return whether the challenger is not worse beyond noise, and the sentence that says why.

        For a model of the champion's own method with fresher data, which nobody expects to be better on days that both
        know: it must only show that its training did not go wrong. Windows are the sample; they may not share a day.

        Examples
        --------
        >>> Evidence("WAPE", (0.20, 0.22, 0.21), (0.21, 0.21, 0.22)).not_worse()
        (True, 'WAPE 0.2133 against 0.2100 in 3 windows, a difference of +0.0033 with a standard error of 0.0067')
        """
        ours, theirs = np.asarray(self.challenger), np.asarray(self.champion)
        windows = min(len(ours), len(theirs))
        if len(ours) != len(theirs) or windows < LEAST_WINDOWS:
            return False, f"{windows} common windows; {LEAST_WINDOWS} are needed"
        if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
            return False, f"{self.metric} is missing in a window"
        worse = float((ours - theirs).mean())
        error = float((ours - theirs).std(ddof=1) / np.sqrt(windows))
        return worse <= CHANCE * error + 1e-12, (
            f"{self.metric} {ours.mean():.4f} against {theirs.mean():.4f} in {windows} windows, a difference of "
            f"{worse:+.4f} with a standard error of {error:.4f}"
        )


def promise_evidence(
    champion: pd.DataFrame, challenger: pd.DataFrame, *, window_days: int, level: str = "warehouse"
) -> Evidence:
    """Return the evidence of what two trainings found on the delivery dates that both put to rolling origins.

    Rolling origins lie closer together than their horizon is long, so a date is forecast from several origins: its
    errors are put together and it counts once. The dates are then cut into windows of `window_days` that share none;
    WAPE per window, all lead times together.

    Parameters
    ----------
    champion, challenger : DataFrame
        Day errors, see `forecast.promise`.
    """
    named = {"champion": champion, "challenger": challenger}
    days = [_by_day(errors, level).add_suffix(f"_{who}") for who, errors in named.items()]
    both = days[0].join(days[1], how="inner").sort_index()
    if both.empty:
        return Evidence(f"{level} WAPE", (), ())
    both["window"] = (both.index.max() - both.index).days // window_days
    full = both[2 * both.groupby("window")["window"].transform("size") > window_days]
    sums = full.groupby("window").sum().sort_index(ascending=False)
    shares = [sums[f"absolute_{who}"] / sums[f"units_{who}"] for who in named]
    return Evidence(f"{level} WAPE", *(tuple(float(value) for value in share) for share in shares))


def _by_day(errors: pd.DataFrame, level: str) -> pd.DataFrame:
    own = errors[errors["level"] == level]
    return own.groupby("delivery_date")[["absolute", "units"]].sum()


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
