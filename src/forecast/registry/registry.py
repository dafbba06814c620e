"""The registry of trained models: log, serve the champion, promote on evidence, roll back."""

from __future__ import annotations

import hashlib
import logging
import pickle
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.errors import ConflictError, ModelError, NotFoundError
from contracts.settings import StorageSettings
from forecast.model import DemandModel
from forecast.registry.door import Door, RegistryDownError
from forecast.registry.evidence import Evidence
from forecast.registry.fitness import check_fitness, method_digest
from forecast.registry.record import CARD, RunRecord, record_of
from forecast.registry.runs import write_run

log = logging.getLogger(__name__)
CHAMPION = "champion"
CHALLENGER = "challenger"
_FILE = "model.pkl"
_DIGEST = "sha256"
_METHOD = "method"
_UNREADABLE = (pickle.UnpicklingError, AttributeError, ImportError, EOFError, LookupError, TypeError, ValueError)
"""What unpickling raises when a class of the file is gone or builds itself otherwise now."""
OTHER_PROGRAM = "trained by another version of the program"
_PREVIOUS = "previous_champion"
_EVIDENCE = "promoted_on"


@dataclass(frozen=True)
class Served:
    """A model as it is handed out.

    Attributes
    ----------
    version : str
        Registered version, as text.
    label : str
        Empty, or the fallback that answered instead of the registry, or that another version of the program trained
        the model; show it with everything made from it.
    """

    model: Any
    version: str
    label: str = ""


class Registry:
    """Models under one name in MLflow, embedded in ``storage.models`` or on a server.

    The file of a version is a pickle with its SHA-256 beside it: only files this registry wrote are ever opened. Beside
    MLflow the last champion handed out is kept as a plain file, so that a night can be planned when MLflow is down.

    Parameters
    ----------
    storage : StorageSettings
    name : str
        Registered name; models of another kind get another name.
    """

    def __init__(self, storage: StorageSettings, *, name: str = "demand") -> None:
        self.name = name
        self._door = Door(storage)
        self._spare = Path(storage.models) / "last_good" / name

    def log(self, model: Any, *, record: RunRecord | None = None) -> str:
        """Keep a trained model as a run and a new version, alias ``challenger``; return the version.

        The first version becomes champion too: nothing else could serve.

        Raises
        ------
        RegistryDownError
            The registry does not answer; nothing was registered.
        """
        told = record or (record_of(model) if isinstance(model, DemandModel) else RunRecord())
        content = pickle.dumps(model)
        with self._door.client() as client:
            run = write_run(self._door, client, told, name=self.name, folder="model", files={_FILE: content})
            if not client.search_registered_models(f"name = '{self.name}'"):
                client.create_registered_model(self.name)
            made = client.create_model_version(
                self.name,
                source=f"{run.artifact_uri}/model",
                run_id=run.run_id,
                tags={_DIGEST: hashlib.sha256(content).hexdigest(), _METHOD: method_digest()},
            )
            version = str(made.version)
            client.set_registered_model_alias(self.name, CHALLENGER, version)
            if self._alias(client, CHAMPION) is None:
                client.set_registered_model_alias(self.name, CHAMPION, version)
        log.info("registry: %s version %s logged, %d bytes", self.name, version, len(content))
        return version

    def champion(self) -> Served:
        """Return the champion; when the registry is down, the last one handed out, labelled.

        Raises
        ------
        NotFoundError
            No model was ever registered.
        ModelError
            The champion's file is corrupt; or the registry is down and no earlier champion was kept.
        """
        try:
            version = self.version_of(CHAMPION)
            content, tags = self._content(version)
        except RegistryDownError as down:
            return self._last_good(down)
        served = self._served(version, content, tags)
        self._keep(version, content, tags[_DIGEST])
        return served

    def load(self, version: str) -> Served:
        """Return one version.

        Raises
        ------
        NotFoundError, ModelError, RegistryDownError
        """
        return self._served(version, *self._content(version))

    def version_of(self, alias: str) -> str:
        """Return the version an alias points to.

        Raises
        ------
        NotFoundError
            There is none.
        """
        with self._door.client() as client:
            found = self._alias(client, alias)
        if found is None:
            raise NotFoundError("model", f"{self.name}@{alias}", hint="Train one first: tuancai train.")
        return found

    def versions(self) -> list[dict[str, str]]:
        """Return the versions, newest first: ``version, aliases, promoted_on, run_id``."""
        with self._door.client() as client:
            found = client.search_model_versions(f"name = '{self.name}'")
            aliases = self._aliases(client)
        return [
            {
                "version": str(one.version),
                "aliases": ", ".join(sorted(a for a, v in aliases.items() if v == str(one.version))),
                _EVIDENCE: one.tags.get(_EVIDENCE, ""),
                "run_id": one.run_id,
            }
            for one in sorted(found, key=lambda one: -int(one.version))
        ]

    def card(self, version: str) -> str:
        """Return the model card of a version, as Markdown.

        Raises
        ------
        NotFoundError
            There is no such version, or it was registered without a card.
        """
        run_id = self._known(version).run_id
        with self._door.client() as client, tempfile.TemporaryDirectory() as folder:
            files = {item.path for item in client.list_artifacts(run_id, "model")}
            if f"model/{CARD}" in files:
                return Path(client.download_artifacts(run_id, f"model/{CARD}", folder)).read_text(encoding="utf-8")
        raise NotFoundError("model card", f"{self.name} {version}")

    def promote(self, version: str, *, evidence: Evidence) -> str:
        """Make a version champion if the evidence says so; return the sentence of the evidence.

        Raises
        ------
        ConflictError
            The evidence does not favour it; the champion stays.
        NotFoundError
            There is no such version.
        """
        earned, sentence = evidence.verdict()
        if not earned:
            raise ConflictError(f"{self.name} version {version} is not promoted: {sentence}. The champion stays.")
        return self.appoint(version, reason=sentence)

    def appoint(self, version: str, *, reason: str) -> str:
        """Make a version champion for a stated reason, with a way back; return the reason.

        For what no contest can decide: the champion's own method with fresher data, or a model of another kind that
        belongs to a promoted one.

        Raises
        ------
        NotFoundError
            There is no such version.
        """
        self._known(version)
        with self._door.client() as client:
            before = self._alias(client, CHAMPION)
            client.set_model_version_tag(self.name, version, _EVIDENCE, reason)
            if before is not None and before != version:
                client.set_model_version_tag(self.name, version, _PREVIOUS, before)
            client.set_registered_model_alias(self.name, CHAMPION, version)
        log.info("registry: %s version %s is champion after %s: %s", self.name, version, before, reason)
        return reason

    def rollback(self) -> str:
        """Make the champion before this one champion again; return its version.

        Raises
        ------
        ConflictError
            The champion replaced none.
        """
        current = self.version_of(CHAMPION)
        before = self._known(current).tags.get(_PREVIOUS)
        if before is None:
            raise ConflictError(f"{self.name} version {current} replaced no earlier champion: nothing to roll back to.")
        with self._door.client() as client:
            client.set_registered_model_alias(self.name, CHAMPION, before)
        log.info("registry: %s rolled back from version %s to %s", self.name, current, before)
        return str(before)

    def _aliases(self, client: Any) -> dict[str, str]:
        found = client.search_registered_models(f"name = '{self.name}'")
        return {alias: str(version) for alias, version in found[0].aliases.items()} if found else {}

    def _alias(self, client: Any, alias: str) -> str | None:
        return self._aliases(client).get(alias)

    def _known(self, version: str) -> Any:
        with self._door.client() as client:
            found = client.search_model_versions(f"name = '{self.name}'")
        for one in found:
            if str(one.version) == version:
                return one
        raise NotFoundError("model version", f"{self.name} {version}")

    def _served(self, version: str, content: bytes, tags: Mapping[str, str]) -> Served:
        """Return the opened version, labelled when its method is not the one installed."""
        model = _opened(content, tags.get(_DIGEST, ""), f"{self.name} version {version}")
        return Served(model, version, "" if tags.get(_METHOD) == method_digest() else OTHER_PROGRAM)

    def _content(self, version: str) -> tuple[bytes, Mapping[str, str]]:
        found = self._known(version)
        with self._door.client() as client, tempfile.TemporaryDirectory() as folder:
            path = client.download_artifacts(found.run_id, f"model/{_FILE}", folder)
            return Path(path).read_bytes(), found.tags

    def _keep(self, version: str, content: bytes, digest: str) -> None:
        """Keep the champion as a plain file, replaced in one step."""
        place = self._spare / f"{version}-{digest}.pkl"
        if place.exists():
            return
        self._spare.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(".part")
        fresh.write_bytes(content)
        fresh.replace(place)
        for old in self._spare.glob("*.pkl"):
            if old != place:
                old.unlink()

    def _last_good(self, down: RegistryDownError) -> Served:
        kept = sorted(self._spare.glob("*.pkl"))
        if not kept:
            raise ModelError(f"{down} No earlier champion of {self.name!r} was kept on this machine.") from down
        version, _, digest = kept[-1].stem.partition("-")
        model = _opened(kept[-1].read_bytes(), digest, f"the kept {self.name} version {version}")
        label = f"fallback: last good model (version {version}), registry down"
        log.warning("registry: %s", label)
        return Served(model, version, label)


def _opened(content: bytes, digest: str, what: str) -> Any:
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
