"""Which models serve: a challenger takes over on evidence of rolling origins, and a way back leads to the pair before.

A demand model and an order book model serve together. What serves with what is written on the demand model's version,
and so is every decision: promoted, refused or rolled back, by whom and on which figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.errors import ConflictError
from contracts.settings import Settings
from forecast import DemandModel, Evidence, Served, evidence_of
from forecast.partition import placed
from forecast.registry import LEAST_WINDOWS, promise_evidence
from forecast.registry.registry import CHALLENGER, CHAMPION, PROMOTED_ON, SERVED_WITH, TRAINED_WITH
from forecast.rolling import LEAST_DAYS
from pipeline.progress import Progress, silent
from pipeline.training import Registries, backtest_models, closed_days, note_pair, replace_unfit
from store import Store

_JOB = "changed_by_job."
"""Head of the tag on a demand version that says which job let it serve: that job never does it a second time."""
STALE_DAYS = 28
"""Days between two trainings from which the later one takes over without common windows: the range of goods and the
habits of four weeks ago are no longer what is sold, and a label says that no contest was held."""


@dataclass(frozen=True)
class Asked:
    """A job that asks for a change.

    Attributes
    ----------
    job : str
        Its id; it is kept with the version that it lets serve.
    version : str
        The demand version that was to serve when the job was asked for.
    """

    job: str
    version: str

    def done(self, registries: Registries) -> bool:
        """Return whether the job let its version serve before, whatever serves now."""
        return _JOB + self.job in registries.demand.tags(self.version)

    def note(self, registries: Registries) -> None:
        """Write down that the job let its version serve."""
        registries.demand.tag(self.version, _JOB + self.job, CHAMPION)


def promote_challenger(
    store: Store,
    registries: Registries,
    settings: Settings,
    *,
    by: str = "",
    asked: Asked | None = None,
    progress: Progress = silent,
) -> str:
    """Let the challenger serve, with the order book model trained with it, if it earned it; say why.

    Other settings than the champion's: both are trained as of the same past days, on windows that share no day, and the
    challenger must be better (`Evidence.verdict`). The champion's own settings with fresher data: no earlier origin can
    tell the two apart, so it must not be worse beyond noise on the delivery dates that both trainings put to rolling
    origins (`Evidence.not_worse`). Where they share too few, see `_without_common_windows`. A champion whose file does
    not fit the program any more is replaced.

    Parameters
    ----------
    by : str
        Who asks, for the record.
    asked : Asked, optional
        The job that asks.

    Raises
    ------
    NotFoundError
        There is no challenger.
    ConflictError
        The evidence does not favour it; the champion stays, and the refusal is on record. Or another model was trained
        since the job was asked for.
    """
    version = registries.demand.version_of(CHALLENGER)
    if asked and version != asked.version:
        raise ConflictError(
            f"Demand model {asked.version} was the challenger when this was asked for, now {version} is: ask again."
        )
    if version == registries.demand.version_of(CHAMPION):
        book = registries.demand.tags(version).get(TRAINED_WITH)
        if book and book != registries.book.version_of(CHAMPION):  # a promotion was cut off between the two
            return with_book(registries, by=by)
        raise ConflictError(f"Demand model {version} serves already; train another one first.")
    progress("models", 0.0)
    challenger: DemandModel = registries.demand.load(version).model
    note_pair(registries)
    if replace_unfit(registries.demand, version):
        return with_book(registries, by=by, asked=asked)
    champion = registries.demand.champion()
    if challenger.settings == champion.model.settings:
        earned, sentence = _fresher(champion, challenger)
    else:
        earned, sentence = contest(store, champion.model, challenger, settings, progress=progress).verdict()
    if not earned:
        raise registries.demand.refused(version, sentence, by=by)
    progress("registry", 0.95)
    registries.demand.appoint(version, reason=sentence, by=by)
    return with_book(registries, by=by, asked=asked)


def contest(
    store: Store, champion: DemandModel, challenger: DemandModel, settings: Settings, *, progress: Progress = silent
) -> Evidence:
    """Return the evidence of both models' settings, trained as of the same past days; no two windows share a day.

    As many windows as the history holds, at most `forecast.backtest_origins`. Their spacing is no multiple of 7, so
    that a lead time meets several weekdays.

    Raises
    ------
    ConflictError
        The history is too short for `LEAST_WINDOWS` of them.
    """
    horizon = settings.forecast.horizon_days
    apart = max(settings.forecast.origin_spacing_days, horizon)
    apart += apart % 7 == 0
    days = closed_days(store, settings)
    held = (days[-1] - days[0]).days + 1 if days else 0
    windows = min(settings.forecast.backtest_origins, (held - horizon - LEAST_DAYS) // apart + 1)
    if windows < LEAST_WINDOWS:
        raise ConflictError(
            f"The history of {held} days holds {max(windows, 0)} windows of {horizon} days that share none; "
            f"{LEAST_WINDOWS} are needed to tell the challenger's settings from the champion's. The champion stays."
        )
    progress(f"contest on {windows} windows", 0.05)
    spaced = settings.forecast.model_copy(update={"origin_spacing_days": apart})
    entrants = {CHAMPION: champion.settings, CHALLENGER: challenger.settings}
    scores = backtest_models(
        store,
        {name: placed(own, settings.forecast.by_area) for name, own in entrants.items()},
        origins=windows,
        horizon=horizon,
        settings=settings.model_copy(update={"forecast": spaced}),
        progress=lambda step, fraction: progress(step, 0.05 + 0.9 * fraction),
    )
    return evidence_of(scores)


def _fresher(champion: Served, challenger: DemandModel) -> tuple[bool, str]:
    """Return whether a later training of the champion's settings takes over, and why."""
    old: DemandModel = champion.model
    span = f"{old.trained_until.date()} to {challenger.trained_until.date()}"
    if challenger.trained_until < old.trained_until:
        return False, f"the champion's settings, learned until an earlier day ({span})"
    if challenger.trained_until == old.trained_until and not champion.label:
        return False, f"the champion's settings, learned until the same day ({old.trained_until.date()})"
    evidence = promise_evidence(old.promise, challenger.promise, window_days=old.settings.horizon_days)
    if len(evidence.champion) < LEAST_WINDOWS:
        return _without_common_windows(old, challenger, span)
    earned, figures = evidence.not_worse()
    verdict = "not worse beyond noise" if earned else "worse beyond noise"
    return earned, f"the champion's settings, learned until later ({span}): {verdict} on common days, {figures}"


def _without_common_windows(old: DemandModel, fresh: DemandModel, span: str) -> tuple[bool, str]:
    """Decide by age, labelled: a young city has no rolling origins yet, an old champion none that are shared."""
    if not len(fresh.promise) and len(old.promise):
        return False, f"it has no rolling origins ({fresh.fallback}), and the champion has"
    if not len(old.promise):
        return (
            True,
            f"without a contest: the champion has no rolling origins to hold it against ({old.fallback}; {span})",
        )
    days = (fresh.trained_until - old.trained_until).days
    if days >= STALE_DAYS:
        return True, f"without a contest: the champion's training is {days} days older, at least {STALE_DAYS} ({span})"
    return False, (
        f"the champion's settings, {days} days fresher, share fewer than {LEAST_WINDOWS} windows of rolling origins "
        f"with it; from {STALE_DAYS} days on age decides ({span})"
    )


def with_book(registries: Registries, *, by: str = "", asked: Asked | None = None) -> str:
    """Let the order book model trained with the serving demand model serve too; return what happened."""
    if asked:
        asked.note(registries)
    version = registries.demand.version_of(CHAMPION)
    tags = registries.demand.tags(version)
    book = tags.get(TRAINED_WITH) or registries.book.version_of(CHALLENGER)
    if book != registries.book.version_of(CHAMPION):
        registries.book.appoint(book, reason=f"trained with demand model {version}", by=by)
    note_pair(registries)
    reason = tags.get(PROMOTED_ON) or "no earlier model served"
    return f"Demand model {version} serves now, with order book model {book}: {reason}."


def roll_back(registries: Registries, *, by: str = "", asked: Asked | None = None) -> str:
    """Let the pair that served before this one serve again; return what happened in one sentence.

    Both files are opened before anything changes. Of a demand model that served under an older program nobody wrote
    down with which order book model; then that one stays, and the sentence says so.

    Raises
    ------
    ConflictError
        The champion replaced none.
    ModelError
        A file of the pair is broken or does not fit the program: both models stay as they are.
    """
    demand = registries.demand.former()
    serving = registries.book.version_of(CHAMPION)
    book = registries.demand.tags(demand).get(SERVED_WITH)
    for registry, version in ((registries.demand, demand), (registries.book, book or serving)):
        registry.load(version)
    if book and book != serving:
        registries.book.restore(book, by=by)
    try:
        registries.demand.restore(demand, by=by)
    except Exception:  # the demand model may have changed all the same, only the word on it is missing
        if book and book != serving and registries.demand.version_of(CHAMPION) != demand:
            registries.book.restore(serving, by="the service, because the demand model could not be rolled back")
        raise
    if asked:
        asked.note(registries)
    note_pair(registries)
    return _back(demand, book, serving)


def complete_roll_back(registries: Registries, *, by: str = "", asked: Asked | None = None) -> str:
    """Finish a rollback that was cut off after the demand model had changed; return what happened."""
    if asked:
        asked.note(registries)
    demand, serving = (one.version_of(CHAMPION) for one in (registries.demand, registries.book))
    book = registries.demand.tags(demand).get(SERVED_WITH)
    if book and book != serving:
        registries.book.restore(book, by=by)
    note_pair(registries)
    return _back(demand, book, serving)


def _back(demand: str, book: str | None, serving: str) -> str:
    """Return the sentence of a rollback: the pair, or that nobody wrote down which order book model belongs to it."""
    if book is None:
        return (
            f"Demand model {demand} serves again. Which order book model served with it was not written down then: "
            f"{serving} stays."
        )
    return f"Demand model {demand} and order book model {book} serve again, as they did together."


def listed_models(registries: Registries) -> list[dict[str, Any]]:
    """Return the demand versions, newest first, with the ``book_version`` each serves, served or was trained with."""
    rows: list[dict[str, Any]] = []
    for one in registries.demand.versions():
        serves = CHAMPION in one["aliases"].split(", ")
        book = registries.book.version_of(CHAMPION) if serves else one[SERVED_WITH] or one[TRAINED_WITH]
        kept = {name: text for name, text in one.items() if name not in (SERVED_WITH, TRAINED_WITH)}
        rows.append({**kept, "book_version": book})
    return rows
