"""The models of this machine for whoever asks: listed, added from a disk, tried.

Called by ``workstation models``, ``prelabelling.py`` and the window. What they run on is in ``model_devices.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workstation.app.bare_models import Told, id_of, of_file, of_folder
from workstation.app.folders import models_folder
from workstation.app.known_models import OUTSIDE, TEXT_TASK, fileless_models, picture_family
from workstation.app.model_devices import tried_once
from workstation.app.spacy_folders import is_spacy_folder, spacy_manifest
from workstation.core.errors import DataError
from workstation.prelabel.api import FoundBox, Pixels
from workstation.prelabel.manifest import MANIFEST
from workstation.prelabel.providers import known_devices, provider_called
from workstation.prelabel.recipes import recipes
from workstation.prelabel.shelf import Prove, Shelf, ShelvedModel
from workstation.prelabel.worker import CPU, Worker
from workstation.store.yaml import dump_yaml, load_yaml


def models_shelf(folder: Path | None = None) -> Shelf:
    """The models folder of this machine, or another one."""
    return Shelf(folder or models_folder(), lambda data, path: load_yaml(data, source=path), dump_yaml)


def model_rows(shelf: Shelf) -> list[dict[str, Any]]:
    """Every model that is there, damaged ones with why; those that need no file; then what can be installed."""
    good, bad = shelf.models()
    rows: list[dict[str, Any]] = [
        {
            "model": each.manifest.id, "state": "there", "task": each.manifest.task.value,
            "family": each.manifest.family, "licence": each.manifest.license or "not stated",
            "note": each.manifest.license_note, "from": each.manifest.origin, "folder": str(each.folder),
            "labels": len(each.manifest.labels), "sha256": each.manifest.weights_sha256,
        }
        for each in good
    ]  # fmt: skip
    rows += [{"model": each.folder.name, "state": "damaged", "note": each.reason} for each in bad]
    there = {each.manifest.id for each in good}
    rows += [
        {
            "model": name, "state": "plug-in" if each.manifest.family in (OUTSIDE, TEXT_TASK) else "built in",
            "task": each.manifest.task.value, "family": each.manifest.family, "licence": each.manifest.license,
            "note": each.manifest.license_note, "from": each.manifest.origin, "labels": len(each.manifest.labels),
        }
        for name, each in fileless_models().items() if name not in there
    ]  # fmt: skip
    rows += [
        {
            "model": name, "state": "licence in doubt" if each.in_doubt else "to install",
            "task": each.manifest.task.value, "family": each.manifest.family, "licence": each.manifest.license,
            "note": each.manifest.license_note, "from": each.manifest.origin, "size": f"{each.size_mb} MB",
        }
        for name, each in recipes().items() if name not in there
    ]  # fmt: skip
    return rows


# --- adding ---------------------------------------------------------------------------------------------------------


def add(
    path: Path, shelf: Shelf, *, model_id: str = "", family: str = "", task: str = "",
    labels: Sequence[str] = (), licence: str = "", prove: Prove | None = None,
) -> ShelvedModel:  # fmt: skip
    """Take onto the shelf what ``path`` is: a folder with a ``model.yaml``, a spaCy folder, a bare ONNX file or a
    folder of those that belong together. Files are copied. ``prove`` may refuse it, as ``Tried`` does."""
    told = Told(model_id=model_id, family=family, task=task, labels=tuple(labels), licence=licence)
    if path.name == MANIFEST:
        return add(path.parent, shelf, prove=prove)
    if not path.is_dir():
        return shelf.put(of_file(path, told), {"model": path}, prove=prove)
    if (path / MANIFEST).exists():
        found = shelf.read(path)
        shelf.check(found)
        files = {role: found.file(role) for role in found.manifest.files}
        return shelf.put(found.manifest, files, prove=prove)
    manifest, files = spacy_manifest(path, model_id or id_of(path)) if is_spacy_folder(path) else of_folder(path, told)
    return shelf.put(manifest, files, prove=prove)


class Tried:
    """Runs what is to be taken in once, on the processor, and keeps in words what came of it. What does not run, or
    answers what cannot be read, is refused; what only lacks something in its ``model.yaml`` says so in ``words``."""

    def __init__(self) -> None:
        self.words = ""

    def __call__(self, model: ShelvedModel) -> None:
        try:
            verdict = tried_once(model)
        except DataError as problem:
            self.words = f"it cannot run yet: {problem}"
            return
        self.words = "" if verdict is None else verdict.words


# --- trying ---------------------------------------------------------------------------------------------------------


def try_on(model: ShelvedModel, pictures: Sequence[Pixels], provider: str = CPU) -> list[list[FoundBox]]:
    """What a picture model finds in pictures."""
    known_devices([provider], ())
    family = picture_family(model.manifest.family)
    with Worker(model.file(), provider=provider_called(provider)) as worker:
        found = []
        for picture in pictures:
            prepared = family.prepare(model.manifest.card, [picture])
            found += family.decode(model.manifest.card, worker.run(prepared.feeds), prepared)
    return found
