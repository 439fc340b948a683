"""What is drawn on one picture: the annotations of its stream as they are at its own time, and what is said not to be.

Made by a camera view per stream, asked again for every picture painted, renewed by every ChangeSet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workstation.app.looks import Paint
from workstation.app.picture_shapes import Lines, lines_of, size_of
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Presence, State
from workstation.core.geometry import Mask, Measurement, Shape, ShapeKind
from workstation.core.pixels import mask_pixels
from workstation.core.tracks import MomentKind

PICTURE_SHAPES = frozenset(
    {
        ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.POLYLINE, ShapeKind.POINT, ShapeKind.KEYPOINTS, ShapeKind.MASK,
        ShapeKind.MEASUREMENT,
    }
)  # fmt: skip
_ALWAYS = np.iinfo(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One annotation on the picture."""

    id: str
    shape: Shape
    lines: Lines
    kind: MomentKind
    """A keyframe (also a shape that is no track), or interpolated."""
    occluded: bool
    proposed: bool
    paint: Paint
    name: str
    class_id: str | None
    size: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A track that is stated not to show here."""

    id: str
    name: str
    said: str
    """``absent``, or ``gap`` with its reason."""


@dataclass(frozen=True, slots=True)
class OnPicture:
    """All of it, largest first, so that small shapes lie on top."""

    drawn: tuple[Drawn, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(slots=True)
class _Index:
    """When each annotation of the stream may show, for finding those of one moment without asking all."""

    ids: list[str] = field(default_factory=list)
    start_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    end_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class PictureScene:
    """The annotations of one stream."""

    def __init__(self, view: SampleView, stream: str) -> None:
        self._view = view
        self._stream = stream
        self._index: _Index | None = None
        self._masks: dict[str, NDArray[np.bool_]] = {}

    def renew(self) -> None:
        """Records have changed."""
        self._index = None

    def at(self, own_ns: int | None, instance: str | None = None) -> OnPicture:
        """What is on the picture of that stream time, or of that image instance."""
        drawn: list[Drawn] = []
        missing: list[Missing] = []
        for annotation in self._there(own_ns):
            if annotation.item is not None and annotation.item != instance:
                continue
            self._add(annotation, own_ns, drawn, missing)
        drawn.sort(key=lambda each: -each.size)
        return OnPicture(tuple(drawn), tuple(missing))

    def mask(self, shape: Mask) -> NDArray[np.bool_] | None:
        """The pixels of a mask (height, width); ``None`` if its blob is gone."""
        found = self._masks.get(shape.blob)
        if found is None:
            blob = self._view.blob(shape.blob)
            if blob is None:
                return None
            if len(self._masks) > 256:
                self._masks.clear()
            found = self._masks[shape.blob] = mask_pixels(blob, shape.width, shape.height)
        return found

    def _there(self, own_ns: int | None) -> list[Annotation]:
        index = self._index
        if index is None:
            index = self._index = self._built()
        if own_ns is None:
            picked = range(len(index.ids))
            return [self._view.annotations[index.ids[i]] for i in picked]
        inside = (index.start_ns <= own_ns) & ((own_ns < index.end_ns) | (index.start_ns == own_ns))
        return [self._view.annotations[index.ids[i]] for i in np.flatnonzero(inside).tolist()]

    def _built(self) -> _Index:
        there = [each for each in self._view.annotations_of(self._stream) if each.kind in PICTURE_SHAPES]
        timed = [each.start_ns is not None and each.end_ns is not None for each in there]
        start = [each.start_ns if known else _ALWAYS.min for each, known in zip(there, timed, strict=True)]
        end = [each.end_ns if known else _ALWAYS.max for each, known in zip(there, timed, strict=True)]
        return _Index([each.id for each in there], np.array(start, np.int64), np.array(end, np.int64))

    def _add(self, annotation: Annotation, own_ns: int | None, drawn: list[Drawn], missing: list[Missing]) -> None:
        if annotation.state is State.REJECTED:
            return
        view = self._view
        shape, kind, occluded = annotation.shape, MomentKind.KEYFRAME, False
        if annotation.track is not None and own_ns is not None:
            moment = view.moment(annotation, own_ns)
            shape, kind, occluded = moment.shape, moment.kind, moment.presence is Presence.OCCLUDED
        if kind in (MomentKind.GAP, MomentKind.ABSENT):
            missing.append(Missing(annotation.id, view.name_of(annotation.id), _said(annotation, kind, own_ns)))
        if shape is None or (isinstance(shape, Measurement) and not any(len(each) == 2 for each in shape.points)):
            return  # a measurement in the patient is no matter of one picture's pixels
        drawn.append(
            Drawn(
                annotation.id,
                shape,
                lines_of(shape),
                kind,
                occluded,
                annotation.state is State.PROPOSED,
                view.paint_of(annotation),
                view.name_of(annotation.id),
                view.class_of(annotation),
                size_of(shape),
                annotation.confidence,
            )
        )


def _said(annotation: Annotation, kind: MomentKind, own_ns: int | None) -> str:
    if kind is MomentKind.ABSENT or annotation.track is None or own_ns is None:
        return "absent"
    reason = next((g.reason for g in annotation.track.gaps if g.start_ns <= own_ns < g.end_ns), "")
    return f"gap: {reason}" if reason else "gap"
