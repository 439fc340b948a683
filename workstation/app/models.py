"""The models of this machine for whoever asks: listed, added from a disk, tried.

Called by ``workstation models``, ``prelabelling.py`` and the window. What they run on is in ``model_devices.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workstation.app.folders import models_folder
from workstation.app.known_models import (
    OUTSIDE,
    TEXT_TASK,
    fileless_models,
    graph_families,
    graph_family,
    picture_family,
    usual_input_of,
)
from workstation.app.spacy_folders import is_spacy_folder, spacy_manifest
from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import FoundBox, InputSpec, Pixels, Task
from workstation.prelabel.manifest import MANIFEST, Manifest, ModelFile, Runtime
from workstation.prelabel.onnx_read import Signature, read_signature
from workstation.prelabel.providers import provider_called
from workstation.prelabel.recipes import recipes
from workstation.prelabel.shelf import Shelf, ShelvedModel, sha256_of
from workstation.prelabel.worker import CPU, Worker
from workstation.store.yaml import dump_yaml, load_yaml

_SURE = 0.5
_LABELS_IN_METADATA = re.compile(r"\s*(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*(?:,|$)")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a bare graph seems to be: families that may read it, the surest first."""

    signature: Signature
    families: tuple[tuple[str, float], ...]


def guess(path: Path) -> Guess:
    """Which families recognise a bare graph by its shapes and its maker's notes."""
    signature = read_signature(path)
    if signature.external:
        raise DataError("keeps its weights in other files; save it again as one file", path=path)
    sure = [
        (name, family.recognises(signature.input_shapes, signature.output_shapes, signature.metadata))
        for name, family in graph_families().items()
    ]
    return Guess(
        signature=signature,
        families=tuple(sorted((each for each in sure if each[1] > 0), key=lambda each: -each[1])),
    )


def add(
    path: Path, shelf: Shelf, *, model_id: str = "", family: str = "", task: str = "",
    labels: Sequence[str] = (), licence: str = "",
) -> ShelvedModel:  # fmt: skip
    """Take a folder with a ``model.yaml``, a spaCy folder or a bare ONNX file onto the shelf. Files are copied."""
    if path.is_dir() and not (path / MANIFEST).exists() and is_spacy_folder(path):
        manifest, files = spacy_manifest(path, model_id or _id_of(path))
        return shelf.put(manifest, files)
    if path.is_dir():
        found = shelf.read(path)
        shelf.check(found)
        return shelf.put(found.manifest, {role: found.file(role) for role in found.manifest.files})
    if path.name == MANIFEST:
        return add(path.parent, shelf)
    return shelf.put(_bare(path, model_id, family, task, labels, licence), {"model": path})


def _bare(path: Path, model_id: str, family: str, task: str, labels: Sequence[str], licence: str) -> Manifest:
    found = guess(path)
    if not family:
        family = _surest(path, found)
    known = graph_family(family)
    tasks = sorted(known.tasks)
    if task and task not in tasks:
        raise UserError(f"the family {family} is for {', '.join(tasks)}, not for {task[:40]!r}")
    named = tuple(labels) or labels_in(found.signature.metadata)
    return Manifest(
        id=model_id or _id_of(path),
        task=Task(task) if task else _noted_task(found.signature, tasks),
        family=family,
        files={"model": ModelFile("model.onnx", sha256_of(path))},
        license=licence or found.signature.metadata.get("license", "")[:500],
        origin=path.name[:200],
        input=_input_of(found.signature, usual_input_of(family)),
        labels=named,
        runtime=Runtime(),
    )


def _surest(path: Path, found: Guess) -> str:
    if found.families and found.families[0][1] >= _SURE:
        return found.families[0][0]
    inputs = ", ".join(f"{port.name} {list(port.shape)}" for port in found.signature.inputs)
    outputs = ", ".join(f"{port.name} {list(port.shape)}" for port in found.signature.outputs)
    raise UserError(
        f"{path}: no family of models is recognised (in: {inputs}; out: {outputs}); say which it is with --family: "
        f"{', '.join(graph_families())}"
    )


def _noted_task(signature: Signature, tasks: Sequence[Task]) -> Task:
    noted = {"detect": Task.DETECT, "segment": Task.INSTANCE_SEG, "pose": Task.POSE, "classify": Task.CLASSIFY}
    found = noted.get(signature.metadata.get("task", ""))
    return found if found is not None and found in tasks else tasks[0]


def _input_of(signature: Signature, usual: InputSpec) -> InputSpec:
    """The family's usual one, with the graph's own size where it is fixed."""
    shape = signature.inputs[0].shape if signature.inputs else ()
    if len(shape) != 4:
        return usual
    height, width = (shape[2], shape[3]) if usual.layout == "NCHW" else (shape[1], shape[2])
    if isinstance(height, int) and isinstance(width, int):
        return replace(usual, width=width, height=height)
    return usual


def labels_in(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Class names that an exporter noted as ``{0: 'person', 1: 'car'}``; read as text, never evaluated."""
    text = metadata.get("names", "").strip()
    if not (text.startswith("{") and text.endswith("}")):
        return ()
    found: dict[int, str] = {}
    at, inner = 0, text[1:-1].strip()
    while at < len(inner):
        match = _LABELS_IN_METADATA.match(inner, at)
        if match is None:
            return ()
        found[int(match.group(1))] = match.group(2) if match.group(2) is not None else match.group(3)
        at = match.end()
    return tuple(found[each] for each in sorted(found)) if sorted(found) == list(range(len(found))) else ()


def _id_of(path: Path) -> str:
    plain = re.sub(r"[^a-z0-9._-]+", "-", path.stem.casefold()).strip("-._")
    if not plain:
        raise UserError(f"{path.name} gives no name for the model; say one with --id")
    return plain[:80]


# --- trying ---------------------------------------------------------------------------------------------------------


def try_on(model: ShelvedModel, pictures: Sequence[Pixels], provider: str = CPU) -> list[list[FoundBox]]:
    """What a picture model finds in pictures."""
    family = picture_family(model.manifest.family)
    with Worker(model.file(), provider=provider_called(provider)) as worker:
        found = []
        for picture in pictures:
            prepared = family.prepare(model.manifest.card, [picture])
            found += family.decode(model.manifest.card, worker.run(prepared.feeds), prepared)
    return found
