"""Shapes as numbers with units that a person can type, and back. Without Qt; for the inspector.

What a shape has too many numbers for is said in words: how many points, how large a mask.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeField:
    """One number, or words where it cannot be typed."""

    key: str
    title: str
    value: float | str
    unit: str = ""
    editable: bool = True


_PLAIN_NUMBERS: dict[type, tuple[tuple[str, str, str], ...]] = {
    Point: (("x", "X", "px"), ("y", "Y", "px")),
    Box: (("x", "Left", "px"), ("y", "Top", "px"), ("width", "Width", "px"), ("height", "Height", "px"),
          ("angle_deg", "Angle", "°")),
    Point3D: (("x", "X", "m"), ("y", "Y", "m"), ("z", "Z", "m")),
    Band: (("low_hz", "Lowest", "Hz"), ("high_hz", "Highest", "Hz")),
}  # fmt: skip
_CENTRE = ("Centre X", "Centre Y", "Centre Z")
_SIZE = ("Length", "Width", "Height")


def shape_fields(shape: Shape, *, length: str = "m") -> list[ShapeField]:
    """The numbers of a shape in the order in which people say them; ``length`` is the unit of its frame."""
    numbers = _PLAIN_NUMBERS.get(type(shape))
    if numbers is not None:
        return [
            ShapeField(key=key, title=title, value=getattr(shape, key), unit=length if unit == "m" else unit)
            for key, title, unit in numbers
        ]
    if isinstance(shape, Cuboid):
        centre = [ShapeField(key=f"center.{i}", title=_CENTRE[i], value=shape.center[i], unit=length) for i in range(3)]
        size = [ShapeField(key=f"size.{i}", title=_SIZE[i], value=shape.size[i], unit=length) for i in range(3)]
        return [*centre, *size, ShapeField(key="yaw", title="Yaw", value=_yaw_deg(shape), unit="°")]
    said = _in_words(shape)
    return [ShapeField(key="words", title="Shape", value=said, editable=False)] if said else []


def with_number(shape: Shape, key: str, value: float) -> Shape:
    """The shape with one number changed."""
    if isinstance(shape, Cuboid):
        return _changed_cuboid(shape, key, value)
    return replace(shape, **{key: value})


def _changed_cuboid(shape: Cuboid, key: str, value: float) -> Cuboid:
    if key == "yaw":
        half = math.radians(value - _yaw_deg(shape)) / 2
        c, s = math.cos(half), math.sin(half)
        w, x, y, z = shape.rotation
        return replace(shape, rotation=(c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w))
    name, _, place = key.partition(".")
    numbers = list(getattr(shape, name))
    numbers[int(place)] = value
    return replace(shape, **{name: tuple(numbers)})


def _yaw_deg(shape: Cuboid) -> float:
    """Turn about the upright axis."""
    w, x, y, z = shape.rotation
    return math.degrees(math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def _in_words(shape: Shape) -> str:
    if isinstance(shape, Polygon):
        holes = f", {len(shape.holes)} holes" if shape.holes else ""
        return f"{len(shape.outer)} points{holes}"
    if isinstance(shape, Polyline | Polyline3D | Curve | Keypoints):
        return f"{len(shape.points)} points"
    if isinstance(shape, Mask):
        return f"{shape.area_px:,} px in {shape.width} × {shape.height} px at {shape.x}, {shape.y}"
    if isinstance(shape, PointSet):
        return f"{shape.count:,} points"
    if isinstance(shape, TextSpan):
        parts = ", ".join(f"{start}–{end}" for start, end in shape.parts)
        return f"“{shape.quote}” at {parts}" if shape.quote else f"characters {parts}"
    if isinstance(shape, Measurement):
        return f"{shape.quantity} {shape.value:g} {shape.unit}"
    return ""
