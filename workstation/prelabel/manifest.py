"""``model.yaml``: what a model folder says of itself, read from values that the caller's safe loader made.

``app/models.py`` reads the file and hands its value in; nothing in it is ever run. Whatever is wrong is a ``DataError``
that names the file and the place. Writing gives back a value that reads as the same manifest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workstation.core.errors import DataError
from workstation.core.untrusted import Found, inside
from workstation.prelabel.api import InputSpec, ModelCard, Task

MANIFEST = "model.yaml"
SCHEMA = 1
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset(
    {
        "schema", "id", "name", "version", "task", "family", "files", "license", "license_note", "origin", "input",
        "labels", "map", "thresholds", "options", "runtime",
    }
)  # fmt: skip
_LAYOUTS = ("NCHW", "NHWC")
_COLOURS = ("RGB", "BGR", "GRAY")
_RESIZES = ("letterbox", "letterbox-corner", "stretch")
_DTYPES = ("float32", "float16", "uint8")
_MOST_LABELS = 100_000
_MOST_SIDE = 16_384
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model folder, by its path in the folder and what its content must hash to."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How a model wants to be run."""

    providers: tuple[str, ...] = ()
    """Pinned, in order; empty: whatever proves itself first."""
    batch: int = 8
    max_abs_diff: float = 0.01
    """How far the answer on a device may be from the processor's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All of a ``model.yaml``."""

    id: str
    task: Task
    family: str
    name: str = ""
    version: str = ""
    files: Mapping[str, ModelFile] = field(default_factory=dict)
    license: str = ""
    license_note: str = ""
    """What a person should know before relying on it: empty where the licence is plain."""
    origin: str = ""
    """The package and version the weights came out of, or the file that was added."""
    input: InputSpec = field(default_factory=InputSpec)
    labels: tuple[str, ...] = ()
    map: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    runtime: Runtime = field(default_factory=Runtime)

    @property
    def card(self) -> ModelCard:
        """What its family is told."""
        return ModelCard(
            id=self.id, task=self.task, family=self.family, input=self.input, labels=self.labels,
            thresholds=self.thresholds, options=self.options,
        )  # fmt: skip

    @property
    def weights_sha256(self) -> str:
        """The hash that stands for the weights in provenance: the file ``model``, the ``encoder``, else the first."""
        found = self.files.get("model") or self.files.get("encoder") or next(iter(self.files.values()), None)
        return "" if found is None else found.sha256


def parse_manifest(value: object, path: Path) -> Manifest:
    """The manifest that a loaded ``model.yaml`` holds."""
    found = Found(value, path)
    strange = sorted(str(key)[:60] for key in found.mapping().keys() - _KEYS)
    if strange:
        raise DataError(f"has unknown keys: {', '.join(strange[:10])}", path=path)
    if (schema := found["schema"].whole()) != SCHEMA:
        raise DataError(f"is of schema {schema}; this program reads {SCHEMA}", path=path, place="schema")
    model_id = found["id"].text()
    if not _ID.fullmatch(model_id):
        found["id"].fail("must be lower-case letters, digits, '.', '_' and '-', at most 80")
    return Manifest(
        id=model_id,
        task=_task(found["task"]),
        family=_text(found["family"]),
        name=_optional(found, "name"),
        version=_optional(found, "version"),
        files=_files(found, path),
        license=_optional(found, "license"),
        license_note=_optional(found, "license_note"),
        origin=_optional(found, "origin"),
        input=_input(found.get("input")),
        labels=_labels(found.get("labels")),
        map={key: _text(inner) for key, inner in _pairs(found.get("map"))},
        thresholds={key: inner.number() for key, inner in _pairs(found.get("thresholds"))},
        options=dict(_pairs_plain(found.get("options"))),
        runtime=_runtime(found.get("runtime")),
    )


def as_values(manifest: Manifest) -> dict[str, Any]:
    """The value to write as ``model.yaml``; what is as usual is left out."""
    plain: dict[str, Any] = {"schema": SCHEMA, "id": manifest.id}
    for name in ("name", "version"):
        if getattr(manifest, name):
            plain[name] = getattr(manifest, name)
    plain |= {"task": manifest.task.value, "family": manifest.family}
    plain["files"] = {role: {"path": file.path, "sha256": file.sha256} for role, file in manifest.files.items()}
    for name in ("license", "license_note", "origin"):
        if getattr(manifest, name):
            plain[name] = getattr(manifest, name)
    if manifest.input != InputSpec():
        plain["input"] = _input_values(manifest.input)
    if manifest.labels:
        plain["labels"] = list(manifest.labels)
    for name in ("map", "thresholds", "options"):
        if getattr(manifest, name):
            plain[name] = dict(getattr(manifest, name))
    plain["runtime"] = {
        "providers": list(manifest.runtime.providers) or "auto",
        "batch": manifest.runtime.batch,
        "max_abs_diff": manifest.runtime.max_abs_diff,
    }
    return plain


def _input_values(spec: InputSpec) -> dict[str, Any]:
    values: dict[str, Any] = {"size": [spec.width, spec.height]} if spec.width else {}
    values |= {"layout": spec.layout, "color": spec.color, "scale": spec.scale}
    if spec.mean:
        values["mean"] = list(spec.mean)
    if spec.std:
        values["std"] = list(spec.std)
    return values | {"resize": spec.resize, "pad": spec.pad, "dtype": spec.dtype}


def _task(found: Found) -> Task:
    try:
        return Task(found.text())
    except ValueError:
        found.fail(f"is no task; there are {', '.join(Task)}")


def _files(found: Found, path: Path) -> dict[str, ModelFile]:
    files: dict[str, ModelFile] = {}
    for role, inner in _pairs(found["files"]):
        name, digest = _text(inner["path"]), inner["sha256"].text().lower()
        inside(path.parent, name, source=path)
        if not _SHA256.fullmatch(digest):
            inner["sha256"].fail("must be a SHA-256: 64 hexadecimal digits")
        files[role] = ModelFile(name, digest)
    if not files:
        found["files"].fail("must name at least one file")
    return files


def _input(found: Found | None) -> InputSpec:
    if found is None:
        return InputSpec()
    strange = found.mapping().keys() - {
        "size", "layout", "color", "scale", "mean", "std", "resize", "pad", "dtype"
    }  # fmt: skip
    if strange:
        found.fail(f"has unknown keys: {', '.join(sorted(str(key)[:60] for key in strange)[:10])}")
    usual = InputSpec()
    width, height = _size(found.get("size"))
    mean, std = found.get("mean"), found.get("std")
    scale, pad = found.get("scale"), found.get("pad")
    spread = () if std is None else std.numbers()
    if any(each == 0 for each in spread):
        found["std"].fail("must not hold zero")
    return InputSpec(
        width=width, height=height,
        layout=_choice(found.get("layout"), _LAYOUTS, usual.layout),
        color=_choice(found.get("color"), _COLOURS, usual.color),
        scale=usual.scale if scale is None else scale.number(),
        mean=() if mean is None else mean.numbers(),
        std=spread,
        resize=_choice(found.get("resize"), _RESIZES, usual.resize),
        pad=usual.pad if pad is None else pad.number(),
        dtype=_choice(found.get("dtype"), _DTYPES, usual.dtype),
    )  # fmt: skip


def _size(found: Found | None) -> tuple[int, int]:
    if found is None:
        return 0, 0
    sides = [each.whole() for each in found]
    if len(sides) != 2 or not all(0 < side <= _MOST_SIDE for side in sides):
        found.fail(f"must be [width, height], each 1 to {_MOST_SIDE}")
    return sides[0], sides[1]


def _labels(found: Found | None) -> tuple[str, ...]:
    if found is None:
        return ()
    labels = tuple(_text(each, empty=True) for each in found)  # classes that a list leaves out are empty
    if len(labels) > _MOST_LABELS:
        found.fail(f"holds more than {_MOST_LABELS:,} labels")
    return labels


def _runtime(found: Found | None) -> Runtime:
    usual = Runtime()
    if found is None:
        return usual
    if strange := found.mapping().keys() - {"providers", "batch", "max_abs_diff"}:
        found.fail(f"has unknown keys: {', '.join(sorted(str(key)[:60] for key in strange)[:10])}")
    providers, batch, bound = found.get("providers"), found.get("batch"), found.get("max_abs_diff")
    size = usual.batch if batch is None else batch.whole()
    if not 1 <= size <= 1024:
        found["batch"].fail("must be 1 to 1024")
    most = usual.max_abs_diff if bound is None else bound.number()
    if most < 0:
        found["max_abs_diff"].fail("must not be negative")
    pinned = () if providers is None or providers.value == "auto" else tuple(_text(each) for each in providers)
    return Runtime(providers=pinned, batch=size, max_abs_diff=most)


def _choice(found: Found | None, choices: tuple[str, ...], usual: str) -> str:
    if found is None:
        return usual
    if found.text() not in choices:
        found.fail(f"must be one of {', '.join(choices)}")
    return found.text()


def _optional(found: Found, key: str) -> str:
    inner = found.get(key)
    return "" if inner is None else _text(inner, empty=True)


def _text(found: Found, *, empty: bool = False) -> str:
    text = found.text()
    if len(text) > _LONGEST or not (text or empty):
        found.fail(f"must be text of 1 to {_LONGEST} characters")
    return text


def _pairs(found: Found | None) -> list[tuple[str, Found]]:
    return [] if found is None else [(str(key), found[key]) for key in found.mapping()]


def _pairs_plain(found: Found | None) -> list[tuple[str, Any]]:
    return [] if found is None else [(str(key), value) for key, value in found.mapping().items()]
