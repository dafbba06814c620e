"""Opening the file of a model: only one that was logged, that this program can read and whose parts fit it."""

from __future__ import annotations

import hashlib
import logging
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.errors import ModelError
from forecast.registry.door import RegistryDownError
from forecast.registry.fitness import check_fitness

log = logging.getLogger(__name__)
_UNREADABLE = (pickle.UnpicklingError, AttributeError, ImportError, EOFError, LookupError, TypeError, ValueError)
"""What unpickling raises when a class of the file is gone or builds itself otherwise now."""


def opened(content: bytes, digest: str, what: str) -> Any:
    """Return the pickled model after its digest is proved.

    Raises
    ------
    ModelError
        The file is not the one that was logged, or needs code that is not here.
    """
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(f"The file of {what} is corrupt: its SHA-256 is not the one logged. Promote another version.")
    try:
        model = pickle.loads(content)
    except _UNREADABLE as broken:
        raise ModelError(
            f"{what} cannot be opened with this version of the program: {broken}. Train again with `tuancai train` and "
            "`tuancai promote`, or serve an earlier version with `tuancai rollback`."
        ) from broken
    check_fitness(model, what=what)
    return model


@dataclass(frozen=True)
class LastGood:
    """The last champion handed out, as a plain file in a folder of its own."""

    folder: Path
    name: str

    def keep(self, version: str, content: bytes, digest: str) -> None:
        """Keep the champion, replaced in one step."""
        place = self.folder / f"{version}-{digest}.pkl"
        if place.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(".part")
        fresh.write_bytes(content)
        fresh.replace(place)
        for old in self.folder.glob("*.pkl"):
            if old != place:
                old.unlink()

    def take(self, down: RegistryDownError) -> tuple[str, Any, str]:
        """Return the version kept, its model and the label that says why it answers.

        Raises
        ------
        ModelError
            Nothing was kept, or the file is not what was kept.
        """
        kept = sorted(self.folder.glob("*.pkl"))
        if not kept:
            raise ModelError(f"{down} No earlier champion of {self.name!r} was kept on this machine.") from down
        version, _, digest = kept[-1].stem.partition("-")
        model = opened(kept[-1].read_bytes(), digest, f"the kept {self.name} version {version}")
        label = f"fallback: last good model (version {version}), registry down"
        log.warning("registry: %s", label)
        return version, model, label
