"""When an end of a link has changed enough since a person confirmed it that she must look again.

A link is stale by comparison of what was confirmed with what is, never by a flag: small changes add up, because each
is measured from the confirmed value, and undoing a change makes the link fresh again.
Called by the store (``stale_links``), the rules and the review queue. Changes of class or text always count.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from workstation.core.annotation import Annotation, EndValue, Entity, Interpolation, Keyframe, effective_class
from workstation.core.geometry import (
    Band,
    Box,
    Cuboid,
    Curve,
    Keypoints,
    Mask,
    Measurement,
    Point,
    Point3D,
    PointSet,
    Polygon,
    Polyline,
    Polyline3D,
    Shape,
    TextSpan,
)
from workstation.core.values import dataclass

MAX_KEYFRAMES = 64
"""How many keyframes of a track are kept with a confirmation; longer tracks are sampled evenly."""
_SLACK = 1 + 1e-9
TOLERANCE_PREFIX = "stale_"
Keyframes = tuple[tuple[int, Shape], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest change that needs no second look.

    The project's tolerances override them under the same name with ``stale_`` in front (``stale_box_px``).
    A box may move or change its size by ``box_px``, or by ``box_share`` of its smaller side if that is less, so that
    a far pedestrian of 12 px is not off by its whole width unseen.
    """

    interval_ms: float = 50.0
    box_px: float = 10.0
    box_share: float = 0.25
    point_px: float = 5.0
    angle_deg: float = 5.0
    cuboid_m: float = 0.2
    cuboid_share: float = 0.25
    point_3d: float = 0.2
    area_share: float = 0.1
    points_share: float = 0.05
    band_share: float = 0.1
    value_share: float = 0.05

    @classmethod
    def of(cls, tolerances: Mapping[str, float]) -> Limits:
        """The limits of a project."""
        names = {field.name for field in fields(cls)}
        given = {
            name.removeprefix(TOLERANCE_PREFIX): value
            for name, value in tolerances.items()
            if name.startswith(TOLERANCE_PREFIX) and name.removeprefix(TOLERANCE_PREFIX) in names
        }
        return cls(**given)


DEFAULT_LIMITS = Limits()


def value_of_annotation(annotation: Annotation, entity: Entity | None, keyframes: Sequence[Keyframe] = ()) -> EndValue:
    """What an end that points at this annotation looks like."""
    shaped = [(keyframe.time_ns, keyframe.shape) for keyframe in keyframes if keyframe.shape is not None]
    return EndValue(
        class_id=effective_class(annotation, entity),
        shape=annotation.shape,
        start_ns=annotation.start_ns,
        end_ns=annotation.end_ns,
        text=annotation.text,
        keyframes=_thinned(shaped),
    )


def _thinned(keyframes: list[tuple[int, Shape]]) -> Keyframes:
    if len(keyframes) <= MAX_KEYFRAMES:
        return tuple(keyframes)
    last = len(keyframes) - 1
    return tuple(keyframes[round(i * last / (MAX_KEYFRAMES - 1))] for i in range(MAX_KEYFRAMES))


def significant_change(
    confirmed: EndValue,
    now: EndValue,
    limits: Limits = DEFAULT_LIMITS,
    *,
    all_keyframes: Sequence[tuple[int, Shape]] | None = None,
    interpolation: Interpolation = Interpolation.LINEAR,
) -> str | None:
    """What has changed too much, in words (``box moved 40 px``); ``None`` if nothing has.

    ``all_keyframes`` are the track's present keyframes where ``now`` holds only a sample of them.
    """
    current = now.keyframes if all_keyframes is None else tuple(all_keyframes)
    found = [
        *_class_change(confirmed, now),
        *_text_change(confirmed, now),
        *_interval_change(confirmed, now, limits),
        *_shape_change(confirmed.shape, now.shape, limits),
        *_track_change(confirmed.keyframes, current, limits, interpolation),
    ]
    return ", ".join(found) or None


def _beyond(measured: float, limit: float) -> bool:
    """Whether a measured change counts; what cannot be measured (NaN) counts."""
    return not measured <= limit * _SLACK


def _class_change(old: EndValue, new: EndValue) -> Iterator[str]:
    if old.class_id != new.class_id:
        yield f"class changed from {old.class_id or 'none'} to {new.class_id or 'none'}"


def _text_change(old: EndValue, new: EndValue) -> Iterator[str]:
    if old.text != new.text:
        yield "text changed"


def _interval_change(old: EndValue, new: EndValue, limits: Limits) -> Iterator[str]:
    for name, before, after in (("start", old.start_ns, new.start_ns), ("end", old.end_ns, new.end_ns)):
        if before is None and after is None:
            continue
        if before is None or after is None:
            yield f"{name} {'set' if before is None else 'removed'}"
            continue
        moved_ms = abs(after - before) / 1e6
        if _beyond(moved_ms, limits.interval_ms):
            yield f"{name} moved {moved_ms:.4g} ms"


def _track_change(
    old: Keyframes, new: Sequence[tuple[int, Shape]], limits: Limits, interpolation: Interpolation
) -> Iterator[str]:
    """The first moment at which the track is off, comparing at the moments either side knows."""
    if not old and not new:
        return
    if not old or not new:
        yield "track has new shapes" if not old else "track lost its shapes"
        return
    times = {time for time, _ in old}
    if len(old) < MAX_KEYFRAMES:  # a thinned track is known at its samples only
        times |= {time for time, _ in new}
    hold = interpolation is not Interpolation.LINEAR
    for time in sorted(times):
        before, after = _shape_at(old, time, hold), _shape_at(new, time, hold)
        for change in _shape_change(before, after, limits):
            yield f"{change} at {time / 1e9:.3f} s"
            return


def _shape_at(keyframes: Sequence[tuple[int, Shape]], time: int, hold: bool) -> Shape:
    """The shape of a track at a moment; before the first and after the last keyframe it stays."""
    at = bisect_right(keyframes, time, key=lambda keyframe: keyframe[0])
    if at == 0:
        return keyframes[0][1]
    earlier, shape = keyframes[at - 1]
    if hold or at == len(keyframes) or earlier == time:
        return shape
    later, following = keyframes[at]
    share = (time - earlier) / (later - earlier)
    if type(shape) is not type(following):
        return shape
    blend = _BLEND.get(type(shape))
    return shape if blend is None else blend(shape, following, share)


def _mix(a: float, b: float, share: float) -> float:
    return a + (b - a) * share


def _blend_box(a: Box, b: Box, share: float) -> Shape:
    x, y = _mix(a.x, b.x, share), _mix(a.y, b.y, share)
    return Box(
        x, y, _mix(a.width, b.width, share), _mix(a.height, b.height, share), _mix(a.angle_deg, b.angle_deg, share)
    )


def _blend_point(a: Point, b: Point, share: float) -> Shape:
    return Point(_mix(a.x, b.x, share), _mix(a.y, b.y, share))


def _blend_cuboid(a: Cuboid, b: Cuboid, share: float) -> Shape:
    cx, cy, cz = (_mix(p, q, share) for p, q in zip(a.center, b.center, strict=True))
    length, width, height = (_mix(p, q, share) for p, q in zip(a.size, b.size, strict=True))
    sign = -1.0 if sum(p * q for p, q in zip(a.rotation, b.rotation, strict=True)) < 0 else 1.0
    turned = [_mix(p, sign * q, share) for p, q in zip(a.rotation, b.rotation, strict=True)]
    norm = math.sqrt(sum(c * c for c in turned)) or 1.0
    w, x, y, z = (c / norm for c in turned)
    return Cuboid((cx, cy, cz), (length, width, height), (w, x, y, z))


_BLEND: dict[type[Any], Callable[[Any, Any, float], Shape]] = {
    Box: _blend_box,
    Point: _blend_point,
    Cuboid: _blend_cuboid,
}


def _shape_change(old: Shape | None, new: Shape | None, limits: Limits) -> Iterator[str]:
    if old == new:
        return
    if old is None or new is None:
        yield "shape added" if old is None else "shape removed"
    elif type(old) is not type(new):
        yield f"shape changed from {_kind(old)} to {_kind(new)}"
    else:
        measure = _MEASURES.get(type(old))
        if measure is not None:
            yield from measure(old, new, limits)


def _kind(shape: Shape) -> str:
    return str(shape.__struct_config__.tag).replace("_", " ")


def _moved(what: str, distance: float, limit: float, unit: str) -> Iterator[str]:
    if _beyond(distance, limit):
        yield f"{what} moved {distance:.4g} {unit}"


def _share(old: float, new: float) -> float:
    """The change as a share of the old value."""
    if old == new:
        return 0.0
    return abs(new - old) / abs(old) if old else math.inf


def _turn_deg(a: float, b: float) -> float:
    return abs((b - a + 180.0) % 360.0 - 180.0)


def _box(old: Box, new: Box, limits: Limits) -> Iterator[str]:
    limit = min(limits.box_px, limits.box_share * min(old.width, old.height))
    middle_x = new.x + new.width / 2 - old.x - old.width / 2
    middle_y = new.y + new.height / 2 - old.y - old.height / 2
    yield from _moved("box", math.hypot(middle_x, middle_y), limit, "px")
    grown = max(abs(new.width - old.width), abs(new.height - old.height))
    if _beyond(grown, limit):
        yield f"box resized by {grown:.4g} px"
    turned = _turn_deg(old.angle_deg, new.angle_deg)
    if _beyond(turned, limits.angle_deg):
        yield f"box turned {turned:.4g}°"


def _edges(points: Sequence[tuple[float, ...]]) -> list[float]:
    """Lowest and highest coordinate along each axis."""
    return [edge for axis in zip(*points, strict=True) for edge in (min(axis), max(axis))]


def _edge_shift(old: Sequence[tuple[float, ...]], new: Sequence[tuple[float, ...]]) -> float:
    shifts = [abs(b - a) for a, b in zip(_edges(old), _edges(new), strict=True)]
    return math.nan if any(map(math.isnan, shifts)) else max(shifts)


def _area(polygon: Polygon) -> float:
    return _ring_area(polygon.outer) - sum(map(_ring_area, polygon.holes))


def _ring_area(ring: Sequence[tuple[float, float]]) -> float:
    following = [*ring[1:], *ring[:1]]
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, following, strict=True))) / 2


def _polygon(old: Polygon, new: Polygon, limits: Limits) -> Iterator[str]:
    lows_and_highs = _edges(old.outer)
    smaller = min(lows_and_highs[1] - lows_and_highs[0], lows_and_highs[3] - lows_and_highs[2])
    limit = min(limits.box_px, limits.box_share * smaller)
    yield from _moved("outline", _edge_shift(old.outer, new.outer), limit, "px")
    share = _share(_area(old), _area(new))
    if _beyond(share, limits.area_share):
        yield f"area changed by {share:.0%}"


def _mask(old: Mask, new: Mask, limits: Limits) -> Iterator[str]:
    """By rectangle and area, which bound how far the pixels can have gone; the pixels themselves are in a blob."""
    if old.blob == new.blob and (old.x, old.y) == (new.x, new.y):
        return
    corners = [[(m.x, m.y), (m.x + m.width, m.y + m.height)] for m in (old, new)]
    limit = min(limits.box_px, limits.box_share * min(old.width, old.height))
    yield from _moved("mask", _edge_shift(corners[0], corners[1]), limit, "px")
    share = _share(old.area_px, new.area_px)
    if _beyond(share, limits.area_share):
        yield f"mask's area changed by {share:.0%}"


def _point(old: Point, new: Point, limits: Limits) -> Iterator[str]:
    yield from _moved("point", math.hypot(new.x - old.x, new.y - old.y), limits.point_px, "px")


def _line(old: Polyline, new: Polyline, limits: Limits) -> Iterator[str]:
    yield from _moved("line", _line_shift(old.points, new.points), limits.box_px, "px")


def _line_3d(old: Polyline3D, new: Polyline3D, limits: Limits) -> Iterator[str]:
    yield from _moved("line", _line_shift(old.points, new.points), limits.point_3d, "m")


def _line_shift(old: Sequence[tuple[float, ...]], new: Sequence[tuple[float, ...]]) -> float:
    """The farthest any point went; by the surrounding box if points were added or taken out."""
    if len(old) != len(new):
        return _edge_shift(old, new)
    distances = [math.dist(a, b) for a, b in zip(old, new, strict=True)]
    return math.nan if any(map(math.isnan, distances)) else max(distances)


def _keypoints(old: Keypoints, new: Keypoints, limits: Limits) -> Iterator[str]:
    before = {point.name: point for point in old.points}
    after = {point.name: point for point in new.points}
    for name in sorted(before.keys() ^ after.keys()):
        yield f"keypoint {name} {'added' if name in after else 'removed'}"
    for name, a in before.items():
        b = after.get(name)
        if b is None:
            continue
        if a.state is not b.state:
            yield f"keypoint {name} is {b.state.value}"
        yield from _moved(f"keypoint {name}", math.hypot(b.x - a.x, b.y - a.y), limits.box_px, "px")


def _cuboid(old: Cuboid, new: Cuboid, limits: Limits) -> Iterator[str]:
    limit = min(limits.cuboid_m, limits.cuboid_share * min(old.size))
    yield from _moved("cuboid", math.dist(old.center, new.center), limit, "m")
    sizes = [abs(b - a) for a, b in zip(old.size, new.size, strict=True)]
    grown = math.nan if any(map(math.isnan, sizes)) else max(sizes)
    if _beyond(grown, limit):
        yield f"cuboid resized by {grown:.4g} m"
    cosine = abs(sum(a * b for a, b in zip(old.rotation, new.rotation, strict=True)))
    turned = math.nan if math.isnan(cosine) else math.degrees(2 * math.acos(min(1.0, cosine)))
    if _beyond(turned, limits.angle_deg):
        yield f"cuboid turned {turned:.4g}°"


def _point_3d(old: Point3D, new: Point3D, limits: Limits) -> Iterator[str]:
    yield from _moved("point", math.dist((old.x, old.y, old.z), (new.x, new.y, new.z)), limits.point_3d, "m")


def _point_set(old: PointSet, new: PointSet, limits: Limits) -> Iterator[str]:
    """By the number of points; the same number of other points cannot be told from here and counts."""
    if old.blob == new.blob:
        return
    share = _share(old.count, new.count)
    if share == 0.0 or _beyond(share, limits.points_share):
        yield "points exchanged" if share == 0.0 else f"number of points changed by {share:.0%}"


def _text_span(old: TextSpan, new: TextSpan, _limits: Limits) -> Iterator[str]:
    """By what is quoted: a span that only shifted with the text around it still means the same words."""
    if old.of != new.of:
        yield "text span moved to another text"
    elif old.quote != new.quote or (not old.quote and old.parts != new.parts):
        yield "text span changed"


def _band(old: Band, new: Band, limits: Limits) -> Iterator[str]:
    width = old.high_hz - old.low_hz
    shift = max(abs(new.low_hz - old.low_hz), abs(new.high_hz - old.high_hz))
    yield from _moved("band", shift, limits.band_share * width, "Hz")


def _measurement(old: Measurement, new: Measurement, limits: Limits) -> Iterator[str]:
    if (old.quantity, old.unit) != (new.quantity, new.unit):
        yield "another quantity is measured"
    elif _beyond(_share(old.value, new.value), limits.value_share):
        yield f"{old.quantity} changed from {old.value:g} to {new.value:g} {new.unit}".rstrip()


def _curve(old: Curve, new: Curve, limits: Limits) -> Iterator[str]:
    values = [value for _, value in old.points]
    span = max(values) - min(values) or max(map(abs, values)) or 1.0
    times = sorted({time for time, _ in (*old.points, *new.points)})
    worst = 0.0
    for time in times:
        off = abs(_curve_at(new, time) - _curve_at(old, time))
        worst = off if math.isnan(off) or off > worst else worst
    if _beyond(worst, limits.value_share * span):
        yield f"curve changed by {worst:.4g} {new.unit}".rstrip()


def _curve_at(curve: Curve, time: int) -> float:
    points = curve.points
    at = bisect_right(points, time, key=lambda point: point[0])
    if at == 0:
        return points[0][1]
    if at == len(points):
        return points[-1][1]
    (t0, v0), (t1, v1) = points[at - 1], points[at]
    return _mix(v0, v1, (time - t0) / (t1 - t0))


_MEASURES: dict[type[Any], Callable[[Any, Any, Limits], Iterator[str]]] = {
    Box: _box,
    Polygon: _polygon,
    Mask: _mask,
    Point: _point,
    Polyline: _line,
    Polyline3D: _line_3d,
    Keypoints: _keypoints,
    Cuboid: _cuboid,
    Point3D: _point_3d,
    PointSet: _point_set,
    TextSpan: _text_span,
    Band: _band,
    Measurement: _measurement,
    Curve: _curve,
}
