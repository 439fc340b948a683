"""What a bare ONNX file, or a folder of such files that belong together, seems to be: read from what the files say of
themselves, never run. Makes the manifest that ``models.add`` puts beside them; asks, by a sentence, where it cannot
tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workstation.app.known_models import graph_families, graph_family, usual_input_of
from workstation.app.model_kits import Kit, kit_in, kits, prompted_side, single_kit
from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded
from workstation.prelabel.api import InputSpec, Task
from workstation.prelabel.manifest import MANIFEST, Manifest, ModelFile, Runtime
from workstation.prelabel.onnx_read import Port, Signature, read_signature
from workstation.prelabel.shelf import sha256_of
from workstation.prelabel.sound_events import classes_of_map

_SURE = 0.5
_MOST_LIST = 4 << 20
_MOST_TOGETHER = 8
_CLASS_MAP = "class_map.csv"
_SIZES = frozenset({"orig_target_sizes", "im_shape", "target_sizes"})
_LABELS_IN_METADATA = re.compile(r"\s*(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*(?:,|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person says of it beside its files."""

    model_id: str = ""
    family: str = ""
    task: str = ""
    labels: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seems:
    """What a file is, as far as it tells, and what it may be where it does not."""

    path: Path
    """What to add: the file, or its folder where its files make one model."""
    family: str
    labels: tuple[str, ...]
    families: tuple[str, ...]
    words: str
    name: str
    """What it would be called."""
    says_all: bool = False
    """Its manifest says the rest, so nothing is asked."""


def seems(path: Path) -> Seems:
    """Of one file that somebody chose, by its own notes: quick, however large it is."""
    if path.name == MANIFEST:
        words = f"The model folder {path.parent.name} says of itself what it is."
        return Seems(path=path, family="", labels=(), families=(), words=words, name=path.parent.name, says_all=True)
    signature = _signature(path)
    single = tuple(_single_families())
    shapes = _shapes(signature)
    try:
        family = _surest(path, signature)
    except UserError:
        found = kit_in(path.parent, _beside(path), "")
        if found is None:
            return Seems(path=path, family="", labels=(), families=single, words=f"Not recognised: {shapes}.",
                         name=id_of(path))  # fmt: skip
        words = f"With the files beside it, a model of the family {found[0].family}."
        return Seems(path=path.parent, family=found[0].family, labels=(), families=(found[0].family,), words=words,
                     name=id_of(path.parent))  # fmt: skip
    labels = labels_in(signature.metadata)
    words = f"Recognised as {family}: {shapes}."
    return Seems(path=path, family=family, labels=labels, families=single, words=words, name=id_of(path))


def _beside(path: Path) -> dict[Path, Signature]:
    """The graphs of its folder, where they are few enough to be one model and all can be read."""
    there = sorted(path.parent.glob("*.onnx"))
    if len(there) > _MOST_TOGETHER:
        return {}
    try:
        return {each: _signature(each) for each in there}
    except DataError:
        return {}


def of_file(path: Path, told: Told) -> Manifest:
    """The manifest of one bare graph."""
    signature = _signature(path)
    family = told.family or _surest(path, signature)
    kit = kits().get(family)
    alone = family in graph_families()  # some have a form in one file and one in two
    if kit is not None and len(kit.files) > 1 and (not alone or kit.graphs["model"](signature)):
        raise UserError(f"a model of the family {family} is {_some(kit)}: put them into one folder, and add the folder")
    if kit is not None and not alone:
        return _of_kit(kit, {"model": path}, {"model": signature}, told, path)
    known = graph_family(family)
    tasks = sorted(known.tasks)
    usual = usual_input_of(family)
    return Manifest(
        id=told.model_id or id_of(path),
        task=_task(told.task, family, tasks) or _noted_task(signature, tasks),
        family=family,
        files={"model": ModelFile("model.onnx", sha256_of(path))},
        license=told.licence or signature.metadata.get("license", "")[:500],
        origin=path.name[:200],
        input=_input_of(signature, usual),
        labels=told.labels or labels_in(signature.metadata),
        options=_picture_options(signature) if usual.width else {},
        runtime=Runtime(),
    )


def of_folder(folder: Path, told: Told) -> tuple[Manifest, dict[str, Path]]:
    """The manifest of a folder without one, and its files by role."""
    graphs = {path: _signature(path) for path in sorted(folder.glob("*.onnx")) if path.is_file()}
    if not graphs:
        raise DataError("holds no model.yaml and no ONNX file: it is no model", path=folder)
    found = kit_in(folder, graphs, told.family)
    if found is None:
        if len(graphs) > 1:
            raise UserError(_no_kit(folder, graphs, told.family))
        alone = next(iter(graphs))
        return of_file(alone, told), {"model": alone}
    kit, roles = found
    signatures = {role: graphs[path] for role, path in roles.items() if path in graphs}
    return _of_kit(kit, roles, signatures, told, folder), roles


def class_list(path: Path) -> list[str]:
    """Classes, one a line, or a ``class_map.csv``."""
    try:
        text = read_bounded(path, _MOST_LIST).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8; save it as UTF-8 and try again") from error
    if path.suffix.casefold() == ".csv":
        return list(classes_of_map(text))
    return [line.strip() for line in text.splitlines() if line.strip()]


def _of_kit(
    kit: Kit, roles: Mapping[str, Path], signatures: Mapping[str, Signature], told: Told, source: Path
) -> Manifest:  # fmt: skip
    task = _task(told.task, kit.family, [kit.task]) or kit.task
    beside = source.parent / _CLASS_MAP if source.is_file() else source / _CLASS_MAP
    labels = told.labels or kit.labels
    if not labels and kit.task is Task.AUDIO_TAG and beside.is_file():
        labels = tuple(class_list(beside))
    eyes = next((signatures[role] for role in ("image", "encoder", "model") if role in signatures), None)
    usual = kit.input
    found = _input_of(eyes, usual) if eyes is not None and usual.width else usual
    if (side := prompted_side(signatures)) and (eyes is None or len(eyes.inputs[0].shape) == 3):
        found = replace(found, width=side, height=side)  # its picture may be of any size: only the masks tell
    return Manifest(
        id=told.model_id or id_of(source), task=task, family=kit.family,
        files={role: ModelFile(_file_name(role, path), sha256_of(path)) for role, path in roles.items()},
        license=told.licence, origin=source.name[:200], input=found, labels=labels,
        options=kit.options_of(signatures), runtime=Runtime(batch=1),
    )  # fmt: skip


def _no_kit(folder: Path, graphs: Mapping[Path, Signature], family: str) -> str:
    said = "; ".join(f"{path.name} takes {', '.join(sig.input_shapes) or 'nothing'}" for path, sig in graphs.items())
    kit = kits().get(family)
    wanted = "say which family they make with --family, or write a model.yaml beside them"
    if kit is not None:
        wanted = f"the family {family} is {_some(kit)}"
    elif family:
        wanted = f"several files make {', '.join(sorted(n for n, k in kits().items() if len(k.files) > 1))}"
    return f"{folder}: these files make no model that is known ({said}); {wanted}"


def _file_name(role: str, path: Path) -> str:
    return f"{role}.onnx" if path.suffix == ".onnx" else path.name


def _signature(path: Path) -> Signature:
    signature = read_signature(path)
    if signature.external:
        raise DataError("keeps its weights in other files; save it again as one file", path=path)
    return signature


def _surest(path: Path, signature: Signature) -> str:
    sure = {
        name: family.recognises(signature.input_shapes, signature.output_shapes, signature.metadata)
        for name, family in graph_families().items()
    }
    best = max(sure, key=lambda name: sure[name], default="")
    if best and sure[best] >= _SURE:
        return best
    kit = single_kit(signature)
    if kit is not None:
        return kit.family
    raise UserError(
        f"{path}: no family of models is recognised ({_shapes(signature)}); say which it is with --family: "
        f"{', '.join(_single_families())}. One graph of a model of several is added with its folder"
    )


def _single_families() -> list[str]:
    """Those of which one file may be a model."""
    return sorted({*graph_families(), *(name for name, each in kits().items() if set(each.files) == {"model"})})


def _shapes(signature: Signature) -> str:
    inputs = ", ".join(f"{port.name} {list(port.shape)}" for port in signature.inputs)
    outputs = ", ".join(f"{port.name} {list(port.shape)}" for port in signature.outputs)
    return f"in: {inputs}; out: {outputs}"


def _task(told: str, family: str, tasks: Sequence[Task]) -> Task | None:
    if told and told not in tasks:
        raise UserError(f"the family {family} is for {', '.join(tasks)}, not for {told[:40]!r}")
    return Task(told) if told else None


def _noted_task(signature: Signature, tasks: Sequence[Task]) -> Task:
    noted = {"detect": Task.DETECT, "segment": Task.INSTANCE_SEG, "pose": Task.POSE, "classify": Task.CLASSIFY}
    found = noted.get(signature.metadata.get("task", ""))
    if found is None and any(len(port.shape) == 4 for port in signature.outputs) and Task.INSTANCE_SEG in tasks:
        found = Task.INSTANCE_SEG  # prototypes of masks beside the boxes
    return found if found is not None and found in tasks else tasks[0]


def _input_of(signature: Signature, usual: InputSpec) -> InputSpec:
    """The family's usual one, with the graph's own size, layout and kind of number where they are fixed."""
    port = _picture_port(signature)
    if port is None:
        return usual
    nhwc = port.shape[3] == 3 and port.shape[1] != 3
    height, width = port.shape[1:3] if nhwc else port.shape[2:4]
    found = replace(usual, layout="NHWC" if nhwc else "NCHW" if port.shape[1] == 3 else usual.layout)
    if port.dtype in ("float16", "uint8"):
        found = replace(found, dtype=port.dtype)
    if isinstance(height, int) and isinstance(width, int):
        found = replace(found, width=width, height=height)
    return found


def _picture_options(signature: Signature) -> dict[str, Any]:
    """What the graph calls the input for pictures, and the one that is told their sizes."""
    port = _picture_port(signature)
    options: dict[str, Any] = {} if port is None else {"input_name": port.name}
    sizes = [each.name for each in signature.inputs if each.name in _SIZES]
    return options | ({"size_input": sizes[0]} if sizes else {})


def _picture_port(signature: Signature) -> Port | None:
    return next((port for port in signature.inputs if len(port.shape) == 4), None)


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


def id_of(path: Path) -> str:
    """A name for a model, out of a file's or folder's."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", path.stem.casefold()).strip("-._")
    if not plain:
        raise UserError(f"{path.name} gives no name for the model; say one with --id")
    return plain[:80]


def _some(kit: Kit) -> str:
    return f"{len(kit.files)} files ({', '.join(kit.files)})"
