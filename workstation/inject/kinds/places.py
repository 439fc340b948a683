"""Labels at a wrong place: a cuboid beside its thing, a box too wide on one side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import numpy as np

from workstation.core.annotation import Annotation, Keyframe
from workstation.core.geometry import Box, Cuboid
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.inject.joined import PICTURES, joined, keyframes_of, lies_on, side, streams_of, target_of
from workstation.inject.kind import Edit, Place, Plant, Sizes, kind
from workstation.inject.plan import Target

_LIMIT_M, _LIMIT_PX = 0.2, 5.0
_FEW = 2
"""Keyframes of a track are all moved; a label on fewer views than this has nothing to be held against."""


@kind("moved_cuboid", error_type="partial-alignment", sizes=Sizes(0.1, 1.0, 15.0, "limits", (0.4, 1.8)))
def moved_cuboid(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A cuboid that is linked to a box is lifted. One limit is 0.2 m, or 5 px in the nearest view if that is less."""
    for label, others, flat in _linked(snapshot, sample, "cuboid"):
        yield partial(_lift, snapshot, label, others, _limit_m(snapshot, label, flat))


@kind("wide_box", error_type="partial-alignment", sizes=Sizes(0.4, 5.0, 80.0, "px", (0.4, 1.8)))
def wide_box(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A box that is linked to a cuboid is widened on one side."""
    for label, others, _ in _linked(snapshot, sample, "box"):
        yield partial(_widen, snapshot, label, others)


def _linked(
    snapshot: Snapshot, sample: Sample, kind_of: str
) -> Iterator[tuple[Annotation, tuple[Target, ...], list[Annotation]]]:
    streams = streams_of(snapshot, sample)
    for link, labels in joined(snapshot, sample):
        solid = [each for each in labels if each.kind.value == "cuboid"]
        flat = [each for each in labels if each.kind.value == "box" and lies_on(each, streams, *PICTURES)]
        if not solid or not flat or len(labels) < _FEW:
            continue
        for label in solid if kind_of == "cuboid" else flat:
            yield label, (target_of(link),), flat


def _limit_m(snapshot: Snapshot, label: Annotation, flat: list[Annotation]) -> float:
    """How far up is as much as five pixels where it is seen largest."""
    high = max((shape.size[2] for shape in _shapes(snapshot, label) if isinstance(shape, Cuboid)), default=1.0)
    seen = [shape.height for box in flat for shape in _shapes(snapshot, box) if isinstance(shape, Box)]
    return min(_LIMIT_M, _LIMIT_PX * high / max(seen, default=_LIMIT_PX))


def _shapes(snapshot: Snapshot, label: Annotation) -> list[Any]:
    return [label.shape] if label.track is None else [each.shape for each in keyframes_of(snapshot, label)]


def _lift(
    snapshot: Snapshot,
    label: Annotation,
    others: tuple[Target, ...],
    limit_m: float,
    rng: np.random.Generator,
    size: float,
) -> Plant:
    up = side(rng) * size * limit_m

    def moved(shape: Any) -> Any:
        if not isinstance(shape, Cuboid):
            return None
        x, y, z = shape.center
        return msgspec.structs.replace(shape, center=(x, y, z + up))

    return Plant(
        edits=tuple(_changed(snapshot, label, moved)),
        items=(target_of(label), *others),
        note=f"lifted by {up:+.2f} m",
    )


def _widen(
    snapshot: Snapshot, label: Annotation, others: tuple[Target, ...], rng: np.random.Generator, size: float
) -> Plant:
    edge = int(rng.integers(4))

    def wider(shape: Any) -> Any:
        if not isinstance(shape, Box) or shape.angle_deg:
            return None
        x, y, right, bottom = shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
        x, y = (x - size if edge == 0 else x), (y - size if edge == 1 else y)
        right, bottom = (right + size if edge == 2 else right), (bottom + size if edge == 3 else bottom)
        return msgspec.structs.replace(shape, x=x, y=y, width=right - x, height=bottom - y)

    return Plant(
        edits=tuple(_changed(snapshot, label, wider)),
        items=(target_of(label), *others),
        note=f"{size:.1f} px too wide, {('left', 'top', 'right', 'bottom')[edge]}",
    )


def _changed(snapshot: Snapshot, label: Annotation, change: Any) -> Iterator[Edit]:
    """The shape, or that of every keyframe."""
    if label.track is None:
        made = change(label.shape)
        if made is not None:
            yield Edit("annotation.set_shape", {"annotation": label.id, "shape": msgspec.to_builtins(made)})
        return
    for keyframe in keyframes_of(snapshot, label):
        made = change(keyframe.shape)
        if made is not None:
            yield _set(label, keyframe, made)


def _set(label: Annotation, keyframe: Keyframe, shape: Any) -> Edit:
    said = {"annotation": label.id, "time_ns": keyframe.time_ns, "shape": msgspec.to_builtins(shape)}
    return Edit("keyframe.set", said)


@kind("changed_since", error_type="semantic-drift", sizes=Sizes(0.5, 10.0, 60.0, "px"))
def changed_since(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A box is moved after a person confirmed its link, and nobody looks at the link again."""
    for link, labels in joined(snapshot, sample):
        confirmed = {end.target for end in link.ends if end.confirmed is not None}
        for label in labels:
            if label.id in confirmed and label.kind.value == "box":
                yield partial(_shift, snapshot, label, (target_of(link),))


def _shift(
    snapshot: Snapshot, label: Annotation, others: tuple[Target, ...], rng: np.random.Generator, size: float
) -> Plant:
    by = side(rng) * size

    def shifted(shape: Any) -> Any:
        return msgspec.structs.replace(shape, x=shape.x + by) if isinstance(shape, Box) else None

    return Plant(
        edits=tuple(_changed(snapshot, label, shifted)),
        items=(target_of(label), *others),
        note=f"moved by {by:+.1f} px since it was confirmed",
    )
