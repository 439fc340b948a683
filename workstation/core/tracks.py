"""What a track shows at a moment: keyframe, interpolated, gap, absent, or nothing. Pure functions over values.

A track lives from its first to its last keyframe, both included, so its half-open interval ends one nanosecond
after the last. Cuboids are interpolated here in the frame they are given in; carrying them through moving frames is
the caller's, who knows the poses.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from workstation.core.annotation import Interpolation, Keyframe, Presence, Track
from workstation.core.geometry import Box, Cuboid, Keypoints, Point, Point3D, Polygon, Polyline, Polyline3D, Shape

Quaternion = tuple[float, float, float, float]


class MomentKind(StrEnum):
    """Why a track shows what it shows."""

    KEYFRAME = "keyframe"
    INTERPOLATED = "interpolated"
    GAP = "gap"
    ABSENT = "absent"
    OUTSIDE = "outside"


class Moment(msgspec.Struct, frozen=True):
    """A track at one time. ``shape`` is absent in a gap, where the thing is absent, and outside the track's life."""

    kind: MomentKind
    shape: Shape | None = None
    presence: Presence = Presence.ABSENT


def life(keyframes: Sequence[Keyframe]) -> tuple[int, int] | None:
    """The half-open interval of a track with these keyframes (by time); ``None`` without any."""
    return (keyframes[0].time_ns, keyframes[-1].time_ns + 1) if keyframes else None


def moment(track: Track, keyframes: Sequence[Keyframe], time_ns: int) -> Moment:
    """What the track shows at ``time_ns``; ``keyframes`` are sorted by time."""
    if any(gap.start_ns <= time_ns < gap.end_ns for gap in track.gaps):
        return Moment(MomentKind.GAP)
    after = bisect_right(keyframes, time_ns, key=lambda keyframe: keyframe.time_ns)
    if after == 0 or time_ns > keyframes[-1].time_ns:
        return Moment(MomentKind.OUTSIDE)
    before = keyframes[after - 1]
    if before.presence is Presence.ABSENT:
        return Moment(MomentKind.ABSENT)
    if before.time_ns == time_ns:
        return Moment(MomentKind.KEYFRAME, before.shape, before.presence)
    shape = _between(track.interpolation, before, keyframes[after], time_ns)
    kind = MomentKind.INTERPOLATED if shape is not None else MomentKind.OUTSIDE
    return Moment(kind, shape, before.presence if shape is not None else Presence.ABSENT)


def _between(rule: Interpolation, before: Keyframe, after: Keyframe, time_ns: int) -> Shape | None:
    if rule is Interpolation.NONE or before.shape is None:
        return None
    if rule is Interpolation.HOLD or after.shape is None or after.presence is Presence.ABSENT:
        return before.shape
    return interpolated(before.shape, after.shape, (time_ns - before.time_ns) / (after.time_ns - before.time_ns))


def interpolated(first: Shape, second: Shape, fraction: float) -> Shape:
    """The shape ``fraction`` of the way; where two shapes have no way between them (other corners), the first holds."""
    blend = _BLENDS.get(type(first))
    if blend is None or type(first) is not type(second):
        return first
    blended: Shape = blend(first, second, fraction)
    return blended


def _mix(a: float, b: float, fraction: float) -> float:
    return a + (b - a) * fraction


def _mix_all(a: Sequence[float], b: Sequence[float], fraction: float) -> tuple[float, ...]:
    return tuple(_mix(x, y, fraction) for x, y in zip(a, b, strict=True))


def _point(a: Point, b: Point, fraction: float) -> Point:
    return Point(_mix(a.x, b.x, fraction), _mix(a.y, b.y, fraction))


def _point_3d(a: Point3D, b: Point3D, fraction: float) -> Point3D:
    return Point3D(*_mix_all((a.x, a.y, a.z), (b.x, b.y, b.z), fraction))


def _box(a: Box, b: Box, fraction: float) -> Box:
    turn = (b.angle_deg - a.angle_deg + 180.0) % 360.0 - 180.0  # the short way round
    x, y, width, height = _mix_all((a.x, a.y, a.width, a.height), (b.x, b.y, b.width, b.height), fraction)
    return Box(x, y, width, height, a.angle_deg + turn * fraction)


def _rings(a: Any, b: Any, fraction: float) -> tuple[tuple[float, ...], ...] | None:
    if len(a) != len(b):
        return None
    return tuple(_mix_all(p, q, fraction) for p, q in zip(a, b, strict=True))


def _polygon(a: Polygon, b: Polygon, fraction: float) -> Polygon:
    outer = _rings(a.outer, b.outer, fraction)
    holes = [_rings(p, q, fraction) for p, q in zip(a.holes, b.holes, strict=False)]
    if outer is None or None in holes or len(a.holes) != len(b.holes):
        return a
    return replace(a, outer=outer, holes=tuple(holes))


def _line(a: Polyline | Polyline3D, b: Polyline | Polyline3D, fraction: float) -> Polyline | Polyline3D:
    points = _rings(a.points, b.points, fraction)
    return a if points is None else replace(a, points=points)


def _keypoints(a: Keypoints, b: Keypoints, fraction: float) -> Keypoints:
    later = {point.name: point for point in b.points}
    if later.keys() != {point.name for point in a.points}:
        return a
    return Keypoints(
        tuple(
            replace(p, x=_mix(p.x, later[p.name].x, fraction), y=_mix(p.y, later[p.name].y, fraction)) for p in a.points
        )
    )


def _cuboid(a: Cuboid, b: Cuboid, fraction: float) -> Cuboid:
    return Cuboid(
        center=_mix_all(a.center, b.center, fraction),  # type: ignore[arg-type]  # three numbers in, three out
        size=_mix_all(a.size, b.size, fraction),  # type: ignore[arg-type]
        rotation=slerp(a.rotation, b.rotation, fraction),
    )


def slerp(a: Quaternion, b: Quaternion, fraction: float) -> Quaternion:
    """The unit quaternion ``fraction`` of the way from ``a`` to ``b``, the short way round."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    if dot < 0:
        b, dot = (-b[0], -b[1], -b[2], -b[3]), -dot
    if dot > 0.9995:  # nearly the same: the sine below would vanish
        mixed = _mix_all(a, b, fraction)
    else:
        angle = math.acos(dot)
        first, second = math.sin((1 - fraction) * angle), math.sin(fraction * angle)
        mixed = tuple((x * first + y * second) / math.sin(angle) for x, y in zip(a, b, strict=True))
    norm = math.sqrt(sum(x * x for x in mixed))
    w, x, y, z = (value / norm for value in mixed)
    return (w, x, y, z)


_BLENDS: dict[type, Callable[[Any, Any, float], Any]] = {
    Point: _point,
    Point3D: _point_3d,
    Box: _box,
    Polygon: _polygon,
    Polyline: _line,
    Polyline3D: _line,
    Keypoints: _keypoints,
    Cuboid: _cuboid,
}
