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

from contracts.errors import ConflictError, NotFoundError
from contracts.settings import StorageSettings
from forecast.model import DemandModel
from forecast.registry.door import Door, RegistryDownError
from forecast.registry.evidence import Evidence
from forecast.registry.fitness import method_digest
from forecast.registry.opening import LastGood, opened
from forecast.registry.record import CARD, RunRecord, record_of
from forecast.registry.runs import write_run

log = logging.getLogger(__name__)
CHAMPION = "champion"
CHALLENGER = "challenger"
_FILE = "model.pkl"
_DIGEST = "sha256"
_METHOD = "method"
OTHER_PROGRAM = "trained by another version of the program"
_PREVIOUS = "previous_champion"
PROMOTED_ON = "promoted_on"
_DECISION = "decision"
TRAINED_WITH, SERVED_WITH = "trained_with", "served_with"
"""Tags of a version: the version of another registry that was trained, or served last, together with it."""


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
        self._spare = LastGood(Path(storage.models) / "last_good" / name, name)

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
            version, model, label = self._spare.take(down)
            return Served(model, version, label)
        served = self._served(version, content, tags)
        self._spare.keep(version, content, tags[_DIGEST])
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
        """Return the versions, newest first: ``version, aliases, promoted_on, decision, run_id`` and the two tags.

        ``decision`` is the last word on the version: promoted, refused or rolled back, by whom and on which figures.
        """
        with self._door.client() as client:
            found = client.search_model_versions(f"name = '{self.name}'")
            aliases = self._aliases(client)
        return [
            {
                "version": str(one.version),
                "aliases": ", ".join(sorted(a for a, v in aliases.items() if v == str(one.version))),
                **{tag: one.tags.get(tag, "") for tag in (PROMOTED_ON, _DECISION, TRAINED_WITH, SERVED_WITH)},
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

    def promote(self, version: str, *, evidence: Evidence, by: str = "") -> str:
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
            raise self.refused(version, sentence, by=by)
        return self.appoint(version, reason=sentence, by=by)

    def refused(self, version: str, sentence: str, *, by: str = "") -> ConflictError:
        """Write down that a version was not promoted, and return the error that says so."""
        self.decided(version, f"not promoted: {sentence}", by=by)
        return ConflictError(f"{self.name} version {version} is not promoted: {sentence}. The champion stays.")

    def appoint(self, version: str, *, reason: str, by: str = "") -> str:
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
            client.set_model_version_tag(self.name, version, PROMOTED_ON, reason)
            if before is not None and before != version:
                client.set_model_version_tag(self.name, version, _PREVIOUS, before)
            client.set_registered_model_alias(self.name, CHAMPION, version)
        self.decided(version, f"promoted: {reason}", by=by)
        log.info("registry: %s version %s is champion after %s: %s", self.name, version, before, reason)
        return reason

    def rollback(self, *, by: str = "") -> str:
        """Make the champion before this one champion again; return its version.

        Raises
        ------
        ConflictError
            The champion replaced none.
        """
        before = self.former()
        self.restore(before, by=by)
        return before

    def former(self) -> str:
        """Return the version the champion replaced.

        Raises
        ------
        ConflictError
            It replaced none.
        """
        current = self.version_of(CHAMPION)
        before = self._known(current).tags.get(_PREVIOUS)
        if before is None:
            raise ConflictError(f"{self.name} version {current} replaced no earlier champion: nothing to roll back to.")
        return str(before)

    def restore(self, version: str, *, by: str = "") -> None:
        """Let a version serve that served before, and write down on both versions who took the other back.

        Raises
        ------
        NotFoundError
            There is no such version.
        """
        self._known(version)
        current = self.version_of(CHAMPION)
        with self._door.client() as client:
            client.set_registered_model_alias(self.name, CHAMPION, version)
        if current != version:
            self.decided(current, f"rolled back to version {version}", by=by)
        self.decided(version, f"serves again in place of version {current}", by=by)
        log.info("registry: %s rolled back from version %s to %s", self.name, current, version)

    def decided(self, version: str, sentence: str, *, by: str = "") -> None:
        """Write the last word on a version down, with who said it."""
        self.tag(version, _DECISION, sentence + (f" (by {by})" if by else ""))

    def tag(self, version: str, name: str, text: str) -> None:
        """Write a word on a version down, e.g. `SERVED_WITH`."""
        with self._door.client() as client:
            client.set_model_version_tag(self.name, version, name, text)

    def tags(self, version: str) -> Mapping[str, str]:
        """Return what is written on a version.

        Raises
        ------
        NotFoundError
            There is no such version.
        """
        tags: Mapping[str, str] = self._known(version).tags
        return tags

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
        model = opened(content, tags.get(_DIGEST, ""), f"{self.name} version {version}")
        return Served(model, version, "" if tags.get(_METHOD) == method_digest() else OTHER_PROGRAM)

    def _content(self, version: str) -> tuple[bytes, Mapping[str, str]]:
        found = self._known(version)
        with self._door.client() as client, tempfile.TemporaryDirectory() as folder:
            path = client.download_artifacts(found.run_id, f"model/{_FILE}", folder)
            return Path(path).read_bytes(), found.tags
