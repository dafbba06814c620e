"""Order lines into the history, each exactly once, with the books that prove it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import fsum
from pathlib import Path
from secrets import token_hex
from time import perf_counter

import pandas as pd

from contracts.errors import StoreError
from store.cancellations import PART_STEP
from store.database.engine import RacedError
from store.database.import_log import HistoryChange, ImportLog, RetiredTwiceError
from store.familiar import CONFLICT, NEW, OLDER, UNCHANGED, UPDATED, compare
from store.history import COLUMNS, File, History
from store.order_rows import OrderRows, Recalls
from store.parquet import write_parquet
from store.report import ImportReport, count_rules
from store.taking_back import TakenBack, take_back
from store.tidy import failure_rows, failure_table

_log = logging.getLogger(__name__)
_ATTEMPTS = 5  # each lost race means that another import went through, so five in a row are rare


@dataclass(frozen=True)
class Origin:
    """Where order lines come from, and the id of the key that brought them, if any."""

    source: str
    sha256: str = ""
    mapping: str = ""
    by: str = ""


@dataclass(frozen=True)
class _Judged:
    """Order rows with the status of each line, and the rows that turned out to be in conflict.

    `files` are the ones that were looked at. Whoever takes the place of `replaced` replaces some of exactly these: when
    one of them is replaced by somebody else first, all of this is out of date.
    """

    back: TakenBack
    status: pd.Series[str]
    replaced: pd.DataFrame
    files: list[File] = field(default_factory=list)

    @property
    def rows(self) -> OrderRows:
        """The order rows, those in conflict among the failures."""
        return self.back.rows


class Intake:
    """Takes order lines in: keys compared, files written, then made visible in one transaction."""

    def __init__(self, history: History, log: ImportLog, now: Callable[[], datetime]) -> None:
        self._history = history
        self._log = log
        self._now = now

    def take(self, rows: OrderRows, origin: Origin) -> ImportReport:
        """Take the lines in and return the books; nothing is visible unless all of it is.

        Raises
        ------
        StoreError
            The disk or the database failed, or other imports of the same orders kept getting in first.
        """
        started = perf_counter()
        for _ in range(_ATTEMPTS):
            try:
                report = self._attempt(rows, origin, started)
            except (RacedError, RetiredTwiceError):
                continue
            _log.info(
                "import %s: %d rows in, %d accepted, %.2f s",
                origin.source,
                report.rows_read,
                report.rows_accepted,
                report.seconds,
            )
            return report
        raise StoreError(
            f"{origin.source}: other imports of the same orders got in first {_ATTEMPTS} times; repeat it."
        )

    def _attempt(self, rows: OrderRows, origin: Origin, started: float) -> ImportReport:
        import_id = token_hex(8)
        judged = self._judge(rows)
        lines, status = judged.rows.lines, judged.status
        taken = lines[status.isin([NEW, UPDATED]).to_numpy()]
        report = _books(judged, origin, import_id)
        earlier = self._log.earlier(origin.sha256, "order_lines") if origin.sha256 else None
        if earlier is not None:
            report = replace(report, notes=(*report.notes, f"the same file was imported before as {earlier}"))
        written: list[str] = []
        try:
            if len(report.failures):
                name = f"_failures/{import_id}.parquet"
                written.append(name)
                write_parquet(report.failures, self._history.folder / name)
                report = replace(report, failures_path=self._history.folder / name)
            change = self._write(taken, judged, import_id)
            if judged.rows.recalls is not None:
                cancelled = self._cancelled(judged.rows.lines, judged.rows.recalls)
                change = replace(change, owners=_owners(judged, judged.rows.recalls), cancelled=cancelled)
            written.extend(file for file, _, _ in change.files)
            report = replace(report, seconds=perf_counter() - started)
            self._history.keep_for_readers(change.retired)
            self._log.record(report, change, at=self._now(), by=origin.by)
        except Exception:
            self._history.remove(written)
            raise
        return report

    def _judge(self, rows: OrderRows) -> _Judged:
        """Compare with what is there; families in conflict become failures, the first stays."""
        back = take_back(rows, self._log, self._history)
        rows, lines = back.rows, back.rows.lines
        keys = self._log.known_keys(lines["order_id"].unique())
        if keys.empty:
            return _Judged(back, pd.Series(NEW, index=lines.index, dtype="str"), lines.iloc[:0])
        orders = keys["order_id"].drop_duplicates().tolist()
        files = self._history.files_of(keys["delivery_date"])
        familiar = compare(lines, self._history.read_orders(files, orders))
        clash = familiar.status == CONFLICT
        if not clash.any():
            return _Judged(back, familiar.status, familiar.replaced, files)
        shown = lines.loc[clash, "order_id"] + " line " + lines.loc[clash, "line_no"].astype(str)
        shown.index = pd.Index(lines.loc[clash, "order_row"])
        shown = shown[~shown.index.duplicated()]
        cancels = lines.loc[clash & (lines["cancel_row"] >= 0)].drop_duplicates("cancel_row")
        more = pd.Series(cancels["order_id"].to_numpy(), index=pd.Index(cancels["cancel_row"]), dtype="str")
        values = pd.concat([shown, more])
        rule = pd.Series("conflict: the same line is there with other content, which stays", index=values.index)
        failures = failure_table([rows.failures, failure_rows(rule, "order_id/line_no", values)])
        kept = replace(rows, lines=lines[~clash].reset_index(drop=True), failures=failures)
        kept_back = replace(back, rows=kept)
        return _Judged(kept_back, familiar.status[~clash].reset_index(drop=True), familiar.replaced, files)

    def _cancelled(self, lines: pd.DataFrame, recalls: Recalls) -> pd.DataFrame:
        """Return the cancellation rows that were matched for the first time, each with the line it takes from."""
        done = lines[lines["cancel_row"] >= 0]
        digests = recalls.rows["cancellation"].reindex(done["cancel_row"])
        found = pd.DataFrame(
            {
                "cancellation": digests.to_numpy(),
                "order_id": done["order_id"].to_numpy(),
                "line_no": (done["line_no"] % PART_STEP).to_numpy(),
            }
        )
        return found[~found["cancellation"].isin(self._log.cancelled_before(found["cancellation"]).index)]

    def _write(self, taken: pd.DataFrame, judged: _Judged, import_id: str) -> HistoryChange:
        if taken.empty:
            return HistoryChange()
        content, replaced = taken[list(COLUMNS)], judged.replaced
        retired: tuple[str, ...] = ()
        if len(replaced):  # days with changed lines are written anew: what stays there and what comes
            days = set(replaced["delivery_date"].dt.date)
            files = [file for file in judged.files if file[1] in days]
            there = self._history.read_files(files)  # these and no others: a file that comes meanwhile stays beside
            gone = pd.MultiIndex.from_frame(replaced[["order_id", "line_no"]])
            stays = there[~pd.MultiIndex.from_frame(there[["order_id", "line_no"]]).isin(gone)]
            content, retired = pd.concat([stays, content]), tuple(file for file, _, _ in files)
        keys = taken[["order_id", "line_no", "delivery_date"]]
        held = pd.MultiIndex.from_frame(replaced[["order_id", "line_no"]])
        fresh = keys[~pd.MultiIndex.from_frame(keys[["order_id", "line_no"]]).isin(held)]
        return HistoryChange(self._history.write(content, import_id), retired, fresh)


def _books(judged: _Judged, origin: Origin, import_id: str) -> ImportReport:
    """Return the books, or raise when they do not balance: then nothing is written."""
    rows, status = judged.rows, judged.status
    lines, units = rows.lines, rows.units
    rejected = pd.Index(rows.failures["row"].unique())
    accepted = units.index.difference(rejected)
    elsewhere, already = judged.back.elsewhere, judged.back.already
    foreign = lines["order_row"] < 0
    own = lines[~foreign] if foreign.any() else lines
    cancels = lines["cancel_row"] >= 0
    by_row = pd.concat(
        [
            pd.Series(status[own.index].to_numpy(), index=own["order_row"]),
            pd.Series(status[cancels].to_numpy(), index=lines.loc[cancels, "cancel_row"]),
            *([pd.Series(UNCHANGED, index=list(already), dtype="str")] if already else []),
        ]
    )
    counts = by_row[~by_row.index.duplicated()].value_counts()
    units_accepted, units_rejected = fsum(units.loc[accepted]), fsum(units.loc[rejected])
    open_units = fsum(own.loc[own["cancel_row"] < 0, "quantity"]) - elsewhere
    report = ImportReport(
        import_id=import_id,
        table="order_lines",
        source=origin.source,
        sha256=origin.sha256,
        mapping=origin.mapping,
        rows_read=len(units),
        rows_accepted=len(accepted),
        rows_rejected=len(rejected),
        rows_new=int(counts.get(NEW, 0)),
        rows_updated=int(counts.get(UPDATED, 0)),
        rows_unchanged=int(counts.get(UNCHANGED, 0) + counts.get(OLDER, 0)),
        units_read=_tidy(fsum(units)),
        units_accepted=_tidy(units_accepted),
        units_rejected=_tidy(units_rejected),
        units_ordered=_tidy(fsum(own["quantity"])),
        units_cancelled=_tidy(fsum(own.loc[own["cancel_row"] >= 0, "quantity"]) + elsewhere),
        notes=rows.notes + _older_note(int(counts.get(OLDER, 0))),
        rules=count_rules(rows.failures, units),
        failures=rows.failures,
    )
    known_rows = report.rows_new + report.rows_updated + report.rows_unchanged
    slack = 1e-6 * (1.0 + float(units.abs().sum()))
    if known_rows != report.rows_accepted or abs(open_units - units_accepted) > slack:
        raise StoreError(
            f"{origin.source}: the books do not balance - {report.rows_accepted} rows accepted, {known_rows} accounted "
            f"for; {units_accepted} units accepted, {open_units} in lines. Nothing was imported; please report this."
        )
    return report


def _owners(judged: _Judged, recalls: Recalls) -> pd.DataFrame:
    """Return what new lines share with their cancellations, where that is not in the lines themselves."""
    owners, lines = recalls.owners, judged.rows.lines
    new = lines[(judged.status == NEW).to_numpy() & lines["order_row"].isin(owners.index).to_numpy()]
    new = new.drop_duplicates("order_row")
    found = new[["order_id", "line_no", "delivery_date"]].assign(line_no=new["line_no"] % PART_STEP)
    return found.assign(owner=owners.loc[new["order_row"]].to_numpy())


def _older_note(rows: int) -> tuple[str, ...]:
    if not rows:
        return ()
    return (f"{rows} rows are an older view of lines that are cancelled in the store; they stay cancelled",)


def _tidy(units: float) -> float:
    return round(units, 6)


def failures_file(folder: Path, import_id: str) -> Path:
    """Return where the failure table of an import is kept."""
    return folder / "_failures" / f"{import_id}.parquet"
