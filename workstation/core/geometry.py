"""Shapes: the immutable values an annotation can hold. Pixels, metres, code points, millimetres: each says which.

Image pixels have the centre of the top-left pixel at (0.5, 0.5); scenes are right-handed metres; patients are LPS
millimetres; text offsets are code points. Everything read from elsewhere is converted before it becomes a shape.
A shape says nothing about time: the interval is the annotation's, the moment is the keyframe's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Any

import msgspec


class ShapeKind(StrEnum):
    """What kind of thing an annotation's shape is; the tag of the shape in JSON and in the ontology."""

    SPAN = "span"
    TAG = "tag"
    POINT = "point"
    BOX = "box"
    POLYGON = "polygon"
    POLYLINE = "polyline"
    KEYPOINTS = "keypoints"
    MASK = "mask"
    CUBOID = "cuboid"
    POINT_SET = "point_set"
    POINT_3D = "point_3d"
    POLYLINE_3D = "polyline_3d"
    TEXT_SPAN = "text_span"
    BAND = "band"
    MEASUREMENT = "measurement"
    CURVE = "curve"


class PointState(StrEnum):
    """What can be seen of one keypoint."""

    VISIBLE = "visible"
    OCCLUDED = "occluded"
    ABSENT = "absent"


class _Shape(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """Base of all shapes; the tag in JSON is the field ``kind``."""


class Span(_Shape, frozen=True, tag="span"):
    """A stretch of time and nothing else (a horn, a turn, an action); an instant where start equals end."""


class Tag(_Shape, frozen=True, tag="tag"):
    """The whole item or sample: a classification."""


class Point(_Shape, frozen=True, tag="point"):
    """One image point, px."""

    x: float
    y: float


class Box(_Shape, frozen=True, tag="box"):
    """An image box, px. ``x``, ``y`` is the top-left corner before turning by ``angle_deg`` about the centre.

    Positive angles turn clockwise on the screen (y grows downward).
    """

    x: float
    y: float
    width: float
    height: float
    angle_deg: float = 0.0


class Polygon(_Shape, frozen=True, tag="polygon"):
    """One outer ring and any number of holes, px; rings are open (the last point is not the first again)."""

    outer: tuple[tuple[float, float], ...]
    holes: tuple[tuple[tuple[float, float], ...], ...] = ()


class Polyline(_Shape, frozen=True, tag="polyline"):
    """An open line, px."""

    points: tuple[tuple[float, float], ...]


class Keypoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One named joint of a skeleton, px."""

    name: str
    x: float
    y: float
    state: PointState = PointState.VISIBLE


class Keypoints(_Shape, frozen=True, tag="keypoints"):
    """A skeleton's joints; which are joined is the ontology's knowledge."""

    points: tuple[Keypoint, ...]


class Mask(_Shape, frozen=True, tag="mask"):
    """Pixels of one instance. ``blob`` is the SHA-256 of run lengths kept as a blob; ``x``, ``y`` its corner in px."""

    blob: str
    x: int
    y: int
    width: int
    height: int
    area_px: int


class Cuboid(_Shape, frozen=True, tag="cuboid"):
    """An oriented box in the annotation's frame, metres: centre, (length, width, height), unit quaternion w x y z."""

    center: tuple[float, float, float]
    size: tuple[float, float, float]
    rotation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)


class PointSet(_Shape, frozen=True, tag="point_set"):
    """Points of one sweep: ``blob`` is the SHA-256 of their indices kept as a blob, ``count`` how many."""

    blob: str
    count: int


class Point3D(_Shape, frozen=True, tag="point_3d"):
    """One point in the annotation's frame (metres; LPS millimetres in a patient)."""

    x: float
    y: float
    z: float


class Polyline3D(_Shape, frozen=True, tag="polyline_3d"):
    """An open line in the annotation's frame (lane, kerb, vessel)."""

    points: tuple[tuple[float, float, float], ...]


class TextSpan(_Shape, frozen=True, tag="text_span"):
    """Parts of a text as half-open code point ranges, in order, never touching.

    ``of`` is the annotation whose text is meant; without it the stream's own text. ``quote`` is what stood there,
    parts joined by a blank, so that a shifted anchor shows.
    """

    parts: tuple[tuple[int, int], ...]
    quote: str = ""
    of: str | None = None


class Band(_Shape, frozen=True, tag="band"):
    """A frequency band of a sound span, hertz."""

    low_hz: float
    high_hz: float


class Figure(StrEnum):
    """What is drawn to measure something."""

    LINE = "line"
    ANGLE = "angle"
    ELLIPSE = "ellipse"
    OUTLINE = "outline"


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A quantity that comes with a measurement: the mean of what an area encloses."""

    quantity: str
    value: float
    unit: str = ""


class Measurement(_Shape, frozen=True, tag="measurement", omit_defaults=True):
    """A measured quantity with the points it was taken between (image px, or the annotation's frame if 3-D).

    ``figure`` says what the points draw, where a program of ours measured it (``core/measured.py``).
    """

    quantity: str
    value: float
    unit: str
    points: tuple[tuple[float, ...], ...] = ()
    figure: Figure | None = None
    also: tuple[Measured, ...] = ()


class Curve(_Shape, frozen=True, tag="curve"):
    """A value that changes over the interval: (stream time in ns, value), times increasing."""

    points: tuple[tuple[int, float], ...]
    unit: str = ""


Shape = (
    Span
    | Tag
    | Point
    | Box
    | Polygon
    | Polyline
    | Keypoints
    | Mask
    | Cuboid
    | PointSet
    | Point3D
    | Polyline3D
    | TextSpan
    | Band
    | Measurement
    | Curve
)

SHAPE_TYPES: dict[ShapeKind, type[_Shape]] = {
    ShapeKind(str(cls.__struct_config__.tag)): cls
    for cls in (
        Span, Tag, Point, Box, Polygon, Polyline, Keypoints, Mask, Cuboid, PointSet,
        Point3D, Polyline3D, TextSpan, Band, Measurement, Curve,
    )
}  # fmt: skip
_KIND_OF_TYPE: dict[type[_Shape], ShapeKind] = {cls: kind for kind, cls in SHAPE_TYPES.items()}


def kind_of(shape: Shape) -> ShapeKind:
    """The kind of a shape."""
    return _KIND_OF_TYPE[type(shape)]


def shape_problems(shape: Shape) -> Iterator[str]:
    """One sentence per reason why ``shape`` cannot be stored. NaN and infinity are refused for every shape."""
    check = _CHECKS.get(type(shape))
    if check is not None:
        yield from check(shape)


def _finite(*values: float) -> bool:
    return all(map(math.isfinite, values))


def _check_point(shape: Point) -> Iterator[str]:
    if not _finite(shape.x, shape.y):
        yield "a point needs finite coordinates"


def _check_point_3d(shape: Point3D) -> Iterator[str]:
    if not _finite(shape.x, shape.y, shape.z):
        yield "a 3-D point needs finite coordinates"


def _check_box(shape: Box) -> Iterator[str]:
    if not _finite(shape.x, shape.y, shape.width, shape.height, shape.angle_deg):
        yield "a box needs finite numbers"
    elif shape.width <= 0 or shape.height <= 0:
        yield f"a box needs a positive width and height, not {shape.width:g} × {shape.height:g}"


def _check_polygon(shape: Polygon) -> Iterator[str]:
    for ring in (shape.outer, *shape.holes):
        if len(ring) < 3:
            yield "a polygon ring needs at least three points"
        elif not all(_finite(*point) for point in ring):
            yield "a polygon needs finite coordinates"


def _check_line(shape: Polyline | Polyline3D) -> Iterator[str]:
    if len(shape.points) < 2:
        yield "a line needs at least two points"
    elif not all(_finite(*point) for point in shape.points):
        yield "a line needs finite coordinates"


def _check_keypoints(shape: Keypoints) -> Iterator[str]:
    names = [point.name for point in shape.points]
    if not names:
        yield "a skeleton needs at least one keypoint"
    if len(set(names)) != len(names):
        yield "a skeleton names one keypoint twice"
    if not all(_finite(point.x, point.y) for point in shape.points):
        yield "keypoints need finite coordinates"


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)


def _check_mask(shape: Mask) -> Iterator[str]:
    if not _is_sha256(shape.blob):
        yield "a mask names its pixels by a SHA-256 in lower-case hexadecimal"
    if shape.width <= 0 or shape.height <= 0:
        yield "a mask needs a positive width and height"
    elif not 0 < shape.area_px <= shape.width * shape.height:
        yield "a mask's area must lie between one pixel and its rectangle"


def _check_point_set(shape: PointSet) -> Iterator[str]:
    if not _is_sha256(shape.blob):
        yield "a point set names its indices by a SHA-256 in lower-case hexadecimal"
    if shape.count <= 0:
        yield "a point set needs at least one point"


def _check_cuboid(shape: Cuboid) -> Iterator[str]:
    if not _finite(*shape.center, *shape.size, *shape.rotation):
        yield "a cuboid needs finite numbers"
        return
    if min(shape.size) <= 0:
        yield "a cuboid needs a positive length, width and height"
    norm = math.sqrt(sum(c * c for c in shape.rotation))
    if abs(norm - 1.0) > 1e-6:
        yield f"a cuboid's rotation must be a unit quaternion, this has length {norm:.6g}"


def _check_text_span(shape: TextSpan) -> Iterator[str]:
    if not shape.parts:
        yield "a text span needs at least one part"
    last = -1
    for start, end in shape.parts:
        if start < 0 or end <= start:
            yield f"a text span's part must run forward from zero or later, not {start} to {end}"
        if start <= last:
            yield "a text span's parts must be in order and must not touch"
        last = max(last, end)


def _check_band(shape: Band) -> Iterator[str]:
    if not _finite(shape.low_hz, shape.high_hz) or not 0 <= shape.low_hz < shape.high_hz:
        yield "a band needs 0 ≤ low < high in hertz"


def _check_measurement(shape: Measurement) -> Iterator[str]:
    numbers = (shape.value, *(each.value for each in shape.also))
    if not _finite(*numbers) or not all(_finite(*point) for point in shape.points):
        yield "a measurement needs finite numbers"
    if not shape.quantity:
        yield "a measurement needs the quantity it measures"
    if len({len(point) for point in shape.points}) > 1 or any(len(p) not in (2, 3) for p in shape.points):
        yield "a measurement's points must all have two or all three coordinates"


def _check_curve(shape: Curve) -> Iterator[str]:
    if not shape.points:
        yield "a curve needs at least one point"
    times = [time for time, _ in shape.points]
    if any(b <= a for a, b in pairwise(times)):
        yield "a curve's times must increase"
    if not all(math.isfinite(value) for _, value in shape.points):
        yield "a curve needs finite values"


_CHECKS: dict[type[_Shape], Callable[[Any], Iterator[str]]] = {
    Point: _check_point,
    Point3D: _check_point_3d,
    Box: _check_box,
    Polygon: _check_polygon,
    Polyline: _check_line,
    Polyline3D: _check_line,
    Keypoints: _check_keypoints,
    Mask: _check_mask,
    PointSet: _check_point_set,
    Cuboid: _check_cuboid,
    TextSpan: _check_text_span,
    Band: _check_band,
    Measurement: _check_measurement,
    Curve: _check_curve,
}
