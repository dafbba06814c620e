"""Ids as names of files and of spreadsheet sheets: safe, and different for different ids."""

from __future__ import annotations

import re


def file_names(ids: list[str]) -> dict[str, str]:
    """Return a safe and different file name for each id.

    Examples
    --------
    >>> file_names(["V01", "a/b", "a:b"])
    {'V01': 'V01', 'a/b': 'a_b', 'a:b': 'a_b-2'}
    """
    names: dict[str, str] = {}
    used: dict[str, int] = {}
    for key in ids:
        plain = re.sub(r"[^\w.-]", "_", key).lstrip(".") or "_"
        used[plain.lower()] = used.get(plain.lower(), 0) + 1
        count = used[plain.lower()]
        names[key] = plain if count == 1 else f"{plain}-{count}"
    return names


def sheet_name(text: str) -> str:
    """Return text as Excel takes it for a sheet: at most 31 characters, none of ``[]:*?/\\``."""
    return re.sub(r"[\[\]:*?/\\]", "_", text)[:31]
