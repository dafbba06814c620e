"""What can go wrong with a disk, in the words of the error tree."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import CorruptFileError, DamagedFileError, StorageFullError, StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def storing(target: Path | str, *, clean: Path | None = None) -> Iterator[None]:
    """Turn a failed write of `target` into a `StoreError`, and remove the unfinished file `clean`.

    Raises
    ------
    StorageFullError
        The disk, the quota or the largest size of a file is reached.
    StoreError
        The write failed for another reason: no permission, a read-only or broken disk.
    """
    try:
        yield
    except OSError as failed:
        if clean is not None:
            clean.unlink(missing_ok=True)
        if failed.errno in _FULL:
            raise StorageFullError(
                f"The disk is full: {target} was not written and what was there before is unchanged. "
                "Free some space and repeat the command."
            ) from failed
        raise StoreError(f"{target} cannot be written: {failed}. What was there before is unchanged.") from failed


@contextmanager
def reading_own(folder: Path) -> Iterator[None]:
    """Tell damage of files the store wrote into `folder` from damage of files somebody sent.

    Raises
    ------
    DamagedFileError
        A file is missing, damaged or has other rows than were written.
    """
    try:
        yield
    except CorruptFileError as broken:
        raise DamagedFileError(broken.path, broken.reason) from broken
    except FileNotFoundError as lost:
        raise DamagedFileError(str(lost.filename or folder), "it is not there") from lost
