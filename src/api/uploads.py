"""Uploaded files: streamed to a file of our own name, and the mapping that goes with them."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import UploadFile
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from contracts.errors import CorruptFileError, MappingError, StorageFullError
from store import Mapping, load_mapping, shipped_mappings

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")


@contextmanager
def kept_upload(upload: UploadFile) -> Iterator[Path]:
    """Keep an upload in a temporary folder under a plain form of its name while it is read.

    Raises
    ------
    MappingError
        The name's suffix is not one we can read.
    StorageFullError
        The disk is full.
    CorruptFileError
        The file cannot be read.
    """
    given = Path(upload.filename or "").name
    suffix = Path(given).suffix.lower()
    if suffix not in SUFFIXES:
        raise MappingError(
            f"{given or 'the upload'!r} cannot be read: expected a name ending in {', '.join(SUFFIXES)}."
        )
    plain = re.sub(r"[^\w.-]+", "_", given)[-100:]
    with tempfile.TemporaryDirectory(prefix="tuancai-upload-") as folder:
        path = Path(folder) / plain
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(upload.file, file, 1 << 20)
        except OSError as full:
            raise StorageFullError(f"The upload could not be kept: {full}. Nothing was imported.") from full
        try:
            yield path
        except OSError as broken:  # a reader's word for a file that is not what its name says
            raise CorruptFileError(plain, str(broken)) from broken


async def keep_body(parts: AsyncIterator[bytes], path: Path) -> None:
    """Keep a body on disk while it comes, part by part.

    Raises
    ------
    StorageFullError
        The disk is full.
    """
    try:
        with path.open("wb") as file:
            async for part in parts:
                await run_in_threadpool(file.write, part)
    except OSError as full:
        raise StorageFullError(f"The upload could not be kept: {full}. Nothing was imported.") from full


def read_mapping(name: str, rules: str | None) -> Mapping:
    """Return a shipped mapping by name, or the one given as TOML or JSON text.

    Raises
    ------
    MappingError
        No such mapping, or the text is no mapping.
    """
    if rules is None:
        if name not in shipped_mappings():  # a path would let a caller read the server's files
            raise MappingError(f"There is no mapping {name!r}; shipped are {', '.join(shipped_mappings())}.")
        return load_mapping(name)
    try:
        given = json.loads(rules) if rules.lstrip().startswith("{") else tomllib.loads(rules)
        json.dumps(given, ensure_ascii=False, default=str).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as broken:  # neither syntax, or a number of thousands of digits
        raise MappingError(f"mapping_rules is neither TOML nor a JSON object: {broken}") from broken
    try:
        return Mapping.model_validate({"name": "inline", **given})
    except ValidationError as wrong:
        facts = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors())
        raise MappingError(f"mapping_rules is wrong - {facts}. See docs/tutorial-own-data.md.") from wrong
