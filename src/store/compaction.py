"""Many small files of a delivery date become one: batches come every quarter second, readers open every file.

The new file is written first and takes the place of the old ones in one transaction, like an import: killed at any
moment, readers see either all old files or the new one. The old files stay on disk until `sweep`, because somebody
may be reading them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from secrets import token_hex

from store.database.import_log import ImportLog, RetiredTwiceError
from store.history import History

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compaction:
    """What a compaction did."""

    days: int
    files_before: int
    files_after: int
    lines: int

    @property
    def sentence(self) -> str:
        """Return it in one sentence."""
        if not self.days:
            return "Every delivery date is in few enough files."
        return f"{self.lines:,} lines of {self.days} dates: {self.files_before:,} files became {self.files_after}."


def compact(history: History, log: ImportLog, *, least_files: int, most_days: int | None = None) -> Compaction:
    """Merge the files of each delivery date that has at least so many, the fullest dates first.

    A date that an import changes meanwhile is left for the next time.

    Raises
    ------
    DamagedFileError
        A file is missing or damaged; its date stays as it is.
    StoreError
        Writing failed; the date stays as it is.
    """
    days = before = after = lines = 0
    for day, files in log.crowded_days(least_files)[:most_days]:
        merged = _merge(history, log, day)
        if merged is not None:
            days, before, after, lines = days + 1, before + files, after + 1, lines + merged
    return Compaction(days, before, after, lines)


def _merge(history: History, log: ImportLog, day: date) -> int | None:
    """Merge one date; return its lines, None when somebody else changed it meanwhile."""
    files = log.files(day, day)
    content = history.read_files(files)  # these and no others: a file that comes meanwhile stays beside
    name = f"compaction-{token_hex(8)}"
    written = history.write(content, name)
    try:
        history.keep_for_readers(file for file, _, _ in files)
        log.replace_files([file for file, _, _ in files], written, by=name)
    except RetiredTwiceError:
        _log.info("compaction of %s gives way to an import", day)
        history.remove(file for file, _, _ in written)
        return None
    except BaseException:
        history.remove(file for file, _, _ in written)
        raise
    _log.info("compaction of %s: %d files, %d lines", day, len(files), len(content))
    return len(content)
