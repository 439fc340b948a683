"""Which class of an ontology a model's label means: made once for each ontology by a person, kept for later jobs.

Nothing is guessed: a label that is the name of a class is still no mapping until somebody says so, here or in the
model's own manifest. Called by ``prelabelling.py`` and the dialog.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workstation.app.folders import settings_folder
from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded, write_whole
from workstation.core.ontology_compile import CompiledOntology
from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest

_MOST_BYTES = 16 << 20
_IMPORTS = "files of predictions"
"""Stands where the id of a model stands; no model is called so."""
_SAID_BY = {Task.VAD: ("speech",), Task.ASR: ("speech",), Task.SPEAKER_EMBED: ("speech", "speaker")}
"""Where speech is, and the turns of a transcript; who speaks, as spans of speech of a thing of the second class."""
Kept = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class ClassMap:
    """What labels mean, and which of them mean nothing here."""

    known: Mapping[str, str]
    unmapped: tuple[str, ...]


def class_map(manifest: Manifest, ontology: CompiledOntology, folder: Path | None = None) -> ClassMap:
    """The map of a model for an ontology: what a person kept, before what its manifest says."""
    said = {**manifest.map, **_read(folder).get(manifest.id, {}).get(ontology.ontology.name, {})}
    known: dict[str, str] = {}
    for label, wanted in said.items():
        found = class_called(ontology, wanted)
        if found is not None:
            known[label] = found
    return ClassMap(known, tuple(label for label in labels_of(manifest) if label not in known))


def labels_of(manifest: Manifest) -> tuple[str, ...]:
    """What a model may call things: what its manifest lists, else what all models of its task say."""
    return manifest.labels or _SAID_BY.get(manifest.task, ())


def keep_class_map(
    manifest: Manifest, ontology: CompiledOntology, chosen: Mapping[str, str], folder: Path | None = None
) -> None:
    """Remember choices for this ontology, beside what was chosen before; an empty class takes a choice back."""
    labels = set(labels_of(manifest)) | set(manifest.map)
    for label, wanted in chosen.items():
        if labels and label not in labels:
            raise UserError(f"{manifest.id} has no label {label[:60]!r}{_some(labels)}")
        if wanted and class_called(ontology, wanted) is None:
            raise UserError(f"the ontology {ontology.ontology.name} has no class {wanted[:60]!r}")
    kept = _read(folder)
    mine = kept.setdefault(manifest.id, {}).setdefault(ontology.ontology.name, {})
    mine.update(chosen)
    for label in [label for label, wanted in mine.items() if not wanted]:
        del mine[label]
    path = _path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.format(msgspec.json.encode(kept), indent=1))


def keep_said(
    manifests: Sequence[Manifest], ontology: CompiledOntology, said: Iterable[str], folder: Path | None = None
) -> None:  # fmt: skip
    """Remember choices as they are typed, ``[MODEL:]LABEL=CLASS``. Without a model's name the only one of these that
    has the label is meant."""
    by_name = {each.id: each for each in manifests}
    chosen: dict[str, dict[str, str]] = {}
    for each in said:
        left, equals, wanted = each.partition("=")
        if not equals or not left:
            raise UserError(f"{each[:80]!r} does not say [MODEL:]LABEL=CLASS")
        name, label = _meant(left, by_name)
        chosen.setdefault(name, {})[label] = wanted
    for name, labels in chosen.items():
        keep_class_map(by_name[name], ontology, labels, folder)


def _meant(said: str, manifests: Mapping[str, Manifest]) -> tuple[str, str]:
    """The model that is named, else the only one that has the label; and the label."""
    name, colon, label = said.partition(":")
    if colon and name in manifests:
        return name, label
    if len(manifests) == 1:
        return next(iter(manifests)), said
    having = [name for name, each in manifests.items() if said in each.labels or said in each.map]
    # One that lists no labels may have any.
    having = having or [name for name, each in manifests.items() if not each.labels and not each.map]
    if len(having) == 1:
        return having[0], said
    who = f"{' and '.join(having)} have" if having else "none of these models has"
    example = f"{next(iter(having or manifests))}:{said[:60]}=CLASS"
    raise UserError(f"{who} a label {said[:60]!r}: say which model is meant, as --map {example}")


def was_asked(manifest: Manifest, ontology: CompiledOntology, folder: Path | None = None) -> bool:
    """Whether a person has said for this ontology what the model's labels mean, be it nothing."""
    return ontology.ontology.name in _read(folder).get(manifest.id, {})


def said_elsewhere(manifest: Manifest, ontology: CompiledOntology, folder: Path | None = None) -> Mapping[str, str]:
    """What a person said that labels of the same name mean here, for other models: shown as a first choice, and taken
    for nothing until it is kept."""
    found: dict[str, str] = {}
    for other, kept in _read(folder).items():
        for label, wanted in kept.get(ontology.ontology.name, {}).items():
            class_id = class_called(ontology, wanted)
            if other != manifest.id and class_id is not None:
                found[label] = class_id
    return found


def class_map_of_imports(ontology: CompiledOntology, folder: Path | None = None) -> Mapping[str, str]:
    """What names in files of predictions mean, as far as they are no names of the ontology itself."""
    kept = _read(folder).get(_IMPORTS, {}).get(ontology.ontology.name, {})
    return {foreign: found for foreign, wanted in kept.items() if (found := class_called(ontology, wanted)) is not None}


def keep_class_map_of_imports(
    ontology: CompiledOntology, chosen: Mapping[str, str], folder: Path | None = None
) -> None:  # fmt: skip
    """Remember choices for files to come."""
    keep_class_map(Manifest(id=_IMPORTS, task=Task.DETECT, family=""), ontology, chosen, folder)


def class_called(ontology: CompiledOntology, wanted: str) -> str | None:
    """The class of that id, or of exactly that name."""
    if wanted in ontology.classes:
        return wanted
    named = [each.id for each in ontology.classes.values() if wanted in each.names.values()]
    return named[0] if len(named) == 1 else None


def _some(labels: Iterable[str]) -> str:
    shown = sorted(labels)[:10]
    return f"; it has {', '.join(shown)}…" if shown else ""


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Kept)


def _read(folder: Path | None) -> Kept:
    path = _path(folder)
    if not path.is_file():
        return {}
    try:
        return _READ.decode(read_bounded(path, _MOST_BYTES))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{error}; mend it, or move it away and map the classes again", path=path) from error


def _path(folder: Path | None) -> Path:
    return (folder or settings_folder()) / "class-maps.json"
