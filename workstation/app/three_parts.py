"""Whether one thing is complete at a moment: a cuboid of fitting size and heading, a box or mask in a picture of the
same moment, and one class in all. Three ticks for the inspector, without Qt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workstation.app.sample_view import SampleView
from workstation.app.usual_sizes import mostly
from workstation.core.annotation import Annotation, Entity, Keyframe, State
from workstation.core.cuboid_edits import in_frame, yaw_of
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.sample import StreamKind
from workstation.core.space import FrameTree, NoTransform

_FLAT = frozenset({ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.MASK})
_SMALLEST, _LARGEST = 0.5, 2.0
"""Times the usual size."""
_MOVING_M, _WIDEST_DEG = 0.5, 45.0
"""A thing that goes farther than this between two keyframes looks where it goes, give or take so much."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the three, and what is there or wrong."""

    title: str
    fits: bool
    text: str


def three_parts(view: SampleView, entity: Entity, session_ns: int, tree: FrameTree | None) -> tuple[Part, ...]:
    """The three parts of a thing; empty where the sample has no scans and pictures to find them in."""
    kinds = {each.kind for each in view.streams.values()}
    if StreamKind.CLOUD not in kinds or not kinds & {StreamKind.IMAGE, StreamKind.VIDEO}:
        return ()
    labels = [each for each in view.annotations_of_entity(entity.id) if each.state is not State.REJECTED]
    solid = [each for each in labels if each.kind is ShapeKind.CUBOID]
    flat = [each for each in labels if each.kind in _FLAT]
    return (
        _cuboid_part(view, entity, solid, session_ns, tree),
        _flat_part(view, flat, session_ns),
        _class_part(view, entity, labels),
    )


def _shown(view: SampleView, labels: Sequence[Annotation], session_ns: int) -> list[Annotation]:
    return [each for each in labels if view.moment(each, view.own_ns(each, session_ns)).shape is not None]


def _cuboid_part(
    view: SampleView, entity: Entity, solid: Sequence[Annotation], session_ns: int, tree: FrameTree | None
) -> Part:
    title, here = "Cuboid", _shown(view, solid, session_ns)
    if not here:
        return Part(title, False, "none at this moment" if solid else "none")
    label = here[0]
    shape = view.moment(label, view.own_ns(label, session_ns)).shape
    assert isinstance(shape, Cuboid)
    wrong = [*_size_problems(view, entity, shape), *_heading_problems(view, label, session_ns, tree)]
    length, width, height = shape.size
    return Part(title, not wrong, "; ".join(wrong) or f"{length:.2f} × {width:.2f} × {height:.2f} m")


def _size_problems(view: SampleView, entity: Entity, shape: Cuboid) -> list[str]:
    usual = mostly(view, entity.class_id)
    if usual is None:
        return []
    names = ("length", "width", "height")
    return [
        f"{name} {is_m:.2f} m, such things have about {mostly_m:.1f} m"
        for name, is_m, mostly_m in zip(names, shape.size, usual, strict=True)
        if not _SMALLEST <= is_m / mostly_m <= _LARGEST
    ]


def _heading_problems(view: SampleView, label: Annotation, session_ns: int, tree: FrameTree | None) -> list[str]:
    """Whether a thing that moves looks where it goes; backing up is a choice, sideways is none."""
    if label.track is None or tree is None:
        return []
    stream = view.streams.get(label.stream or "")
    frame = label.frame or (None if stream is None else stream.frame) or ""
    own_ns = view.own_ns(label, session_ns)
    keyed = [each for each in view.keyframes(label.id) if isinstance(each.shape, Cuboid)]
    after = next((i for i, each in enumerate(keyed) if each.time_ns > own_ns), len(keyed) - 1)
    if after < 1:
        return []
    pair = [_in_root(view, label, keyed[i], frame, tree) for i in (after - 1, after)]
    if pair[0] is None or pair[1] is None:
        return []
    way = np.subtract(pair[1].center, pair[0].center)[:2]
    if np.linalg.norm(way) < _MOVING_M:
        return []
    off = math.degrees(math.atan2(way[1], way[0]) - yaw_of(pair[0])) % 360
    sideways = min(off % 180, 180 - off % 180)
    return [f"it moves {sideways:.0f}° off its heading"] if sideways > _WIDEST_DEG else []


def _in_root(view: SampleView, label: Annotation, keyframe: Keyframe, frame: str, tree: FrameTree) -> Cuboid | None:
    assert isinstance(keyframe.shape, Cuboid)
    time_map = view.time_map(label)
    session_ns = keyframe.time_ns if time_map is None else time_map.to_session(keyframe.time_ns)
    if frame not in tree.names:
        return keyframe.shape
    for root in sorted(tree.roots):
        way = tree.transform(root, frame, session_ns)
        if not isinstance(way, NoTransform):
            return in_frame(keyframe.shape, way)
    return None


def _flat_part(view: SampleView, flat: Sequence[Annotation], session_ns: int) -> Part:
    here = _shown(view, flat, session_ns)
    if here:
        keys = sorted({view.streams[each.stream].key for each in here if each.stream in view.streams})
        return Part("Box or mask", True, ", ".join(keys))
    return Part("Box or mask", False, "none at this moment" if flat else "none in any picture")


def _class_part(view: SampleView, entity: Entity, labels: Sequence[Annotation]) -> Part:
    other = sorted({view.class_name(each.class_id) for each in labels if each.class_id not in (None, entity.class_id)})
    name = view.class_name(entity.class_id)
    return Part("Class", not other, f"also {', '.join(other)}" if other else name)
