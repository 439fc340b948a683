"""What a generated fixture hands over: the sample as delivered, the labels as delivered, and the truth beside them.

Folder of a fixture::

    media/                 made once for a seed and its options, shared by all variants
    <variant>/sample.json  the streams as somebody would deliver them: paths, clocks, calibration (wrong if planted)
    <variant>/labels.json  annotations, entities and links as delivered (wrong if planted)
    <variant>/truth.json   the right answers, and what was planted: error type, items, measured size
    <variant>/…            the few media files that a variant replaces

Readers, importers and tests use ``sample.json`` and ``labels.json``; only a test's judge reads ``truth.json``.
All paths in them are relative to the fixture's folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workstation.core.errors import UserError
from workstation.synth.writers import write_json

Json = dict[str, Any]
GENERATOR = 3
"""Raised whenever a generator's output changes, so that old media are made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One planted error."""

    error: str
    """temporal, semantic, missing-reference, granularity, incorrect-pairing, partial-alignment, semantic-drift,
    hallucination; calibration errors are ``geometric``."""
    items: tuple[str, ...]
    """Ids of the labels, links or streams concerned."""
    size: float | None = None
    unit: str = ""
    limit: float | None = None
    """The usual limit this size is judged by, where there is one; at or below it a check stays silent."""
    note: str = ""

    def as_json(self) -> Json:
        """The record of the truth file."""
        return {
            "error": self.error,
            "items": list(self.items),
            "size": self.size,
            "unit": self.unit,
            "limit": self.limit,
            "note": self.note,
        }


@dataclass(slots=True, kw_only=True)
class Bundle:
    """A fixture in the making: a variant changes ``sample`` and ``labels``, adds ``planted`` and ``files``."""

    sample: Json
    labels: Json
    truth: Json
    planted: list[Planted] = field(default_factory=list)
    files: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    """path inside the variant's folder → writer."""

    def copied(self) -> Bundle:
        """A deep copy, so that planting never touches the clean one."""
        return Bundle(
            sample=_copied(self.sample),
            labels=_copied(self.labels),
            truth=_copied(self.truth),
            planted=list(self.planted),
            files=dict(self.files),
        )

    def stream(self, key: str) -> Json:
        """The delivered stream with this key."""
        return _one(self.sample["streams"], key, "stream")

    def label(self, key: str) -> Json:
        """The delivered annotation with this id."""
        return _one(self.labels["annotations"], key, "annotation", "id")

    def link(self, key: str) -> Json:
        """The delivered link with this id."""
        return _one(self.labels["links"], key, "link", "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A finished fixture on disk."""

    folder: Path
    """The fixture's folder; all paths are relative to it."""
    variant: str
    sample: Json
    labels: Json
    truth: Json
    planted: tuple[Planted, ...]

    @property
    def variant_folder(self) -> Path:
        """Where the variant's own files are."""
        return self.folder / self.variant

    def path(self, stream: str) -> Path:
        """The file or folder of a delivered stream."""
        return self.folder / str(_one(self.sample["streams"], stream, "stream")["path"])


def _copied(value: Any) -> Any:
    """Plain JSON anew, in a quarter of the time of ``copy.deepcopy``: a drive's truth has a hundred thousand parts."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return tuple(_copied(each) for each in value) if isinstance(value, tuple) else value


def _one(rows: list[Json], key: str, what: str, field_name: str = "key") -> Json:
    for row in rows:
        if row[field_name] == key:
            return row
    raise KeyError(f"no {what} {key!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way a fixture can be wrong; ``plant`` gets the size, which is continuous."""

    name: str
    about: str
    plant: Callable[[Bundle, float], None]
    size: float = 0.0
    unit: str = ""


def chosen(variants: Mapping[str, Variant], text: str) -> tuple[Variant | None, float]:
    """``clean``, a variant's name, or ``name@size`` → the variant and its size."""
    name, _, size = text.partition("@")
    if name == "clean" and not size:
        return None, 0.0
    variant = variants.get(name)
    if variant is None:
        raise UserError(f"there is no variant {name!r}; there are: clean, {', '.join(variants)}")
    if not size:
        return variant, variant.size
    if not variant.unit:
        raise UserError(f"the variant {name!r} has no size; leave out the part after @")
    try:
        return variant, float(size)
    except ValueError:
        raise UserError(
            f"{size!r} is not a number; write for example {name}@{variant.size:g} ({variant.unit})"
        ) from None


def deliver(folder: Path, bundle: Bundle, variants: Mapping[str, Variant], text: str) -> Truth:
    """Plants the variant into a copy of the clean bundle and writes its folder."""
    variant, size = chosen(variants, text)
    done = bundle.copied()
    if variant is not None:
        variant.plant(done, size)
    about = "nothing is planted" if variant is None else variant.about
    done.truth = {"variant": text, "about": about, "planted": [p.as_json() for p in done.planted], **done.truth}
    place = folder / text
    for stream in done.sample["streams"]:  # planted files are named by variant, which only this function knows
        for name in ("path", "times"):
            if name in stream:
                stream[name] = str(stream[name]).replace("{variant}", text)
    for relative, write in done.files.items():
        write(place / relative)
    write_json(place / "sample.json", done.sample)
    write_json(place / "labels.json", done.labels)
    write_json(place / "truth.json", done.truth)
    return Truth(
        folder=folder,
        variant=text,
        sample=done.sample,
        labels=done.labels,
        truth=done.truth,
        planted=tuple(done.planted),
    )


def shared_media(folder: Path, stamp: Json, make: Callable[[Path], Json]) -> Json:
    """Makes ``folder/media`` unless it is there from the same generator, seed and options; returns what ``make`` knew.

    The stamp is written last, so an interrupted run is made again.
    """
    made = folder / "media" / "made.json"
    wanted = json.loads(json.dumps({"generator": GENERATOR, **stamp}))
    if made.is_file():
        before = json.loads(made.read_text(encoding="utf-8"))
        if before.get("stamp") == wanted:
            known: Json = before["knowledge"]
            return known
        made.unlink()
    knowledge = make(folder / "media")
    write_json(made, {"stamp": wanted, "knowledge": knowledge})
    again: Json = json.loads(json.dumps(knowledge))
    return again


def track(key: str, stream: str, entity: str | None, label: str, keyframes: list[Json], **more: Any) -> Json:
    """A delivered track."""
    return {
        "id": key,
        "stream": stream,
        "entity": entity,
        "class": label,
        "kind": "track",
        "keyframes": keyframes,
        **more,
    }


def span(
    key: str, stream: str, label: str, start_ns: int, end_ns: int, *, entity: str | None = None, **more: Any
) -> Json:
    """A delivered span in stream time; an instant where both ends are equal."""
    return {
        "id": key,
        "stream": stream,
        "entity": entity,
        "class": label,
        "kind": "span",
        "start_ns": start_ns,
        "end_ns": end_ns,
        **more,
    }


def link(key: str, kind: str, ends: list[Json], **more: Any) -> Json:
    """A delivered link; each end is {"role", "annotation" (or "stream", "entity"), "time_ns"?}."""
    return {"id": key, "type": kind, "ends": ends, **more}
