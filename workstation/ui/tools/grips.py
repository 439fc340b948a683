"""The handles of whatever shape is active, one set of questions for boxes and for shapes of points."""

from __future__ import annotations

from workstation.core.geometry import Box, Keypoints, Polygon, Polyline, Shape
from workstation.ui.tools import box_handles, vertices
from workstation.ui.tools.box_handles import Grip
from workstation.ui.tools.canvas import Cursor, Handle, Modifier, Place
from workstation.ui.tools.vertices import VertexGrip

AnyGrip = Grip | VertexGrip


def has_grips(shape: Shape) -> bool:
    """Whether the shape shows handles; a lone point is simply moved."""
    return isinstance(shape, (Box, Polygon, Polyline, Keypoints))


def grip_at(shape: Shape, place: Place, scale: float, *, reach_px: float) -> AnyGrip | None:
    """The grip under a place."""
    if isinstance(shape, Box):
        return box_handles.grip_at(shape, place, scale, reach_px=reach_px)
    return vertices.grip_at(shape, place, scale, reach_px=reach_px)


def dragged(shape: Shape, grip: AnyGrip, place: Place, held: Modifier) -> Shape:
    """The shape with its grip at a place, as the keys beside say."""
    if isinstance(grip, VertexGrip):
        return vertices.dragged(shape, grip, place)
    assert isinstance(shape, Box)
    shift, ctrl = Modifier.SHIFT in held, Modifier.CTRL in held
    return box_handles.dragged(shape, grip, place, straight=shift, aspect=shift, central=ctrl)


def settled(grip: AnyGrip) -> AnyGrip:
    """The grip that it is once it was pulled."""
    return vertices.settled(grip) if isinstance(grip, VertexGrip) else grip


def handles(shape: Shape, scale: float, held: AnyGrip | None) -> tuple[Handle, ...]:
    """What is painted."""
    if isinstance(shape, Box):
        return box_handles.handles(shape, scale, held if isinstance(held, Grip) else None)
    return vertices.handles(shape, scale, held if isinstance(held, VertexGrip) else None)


def cursor_of(shape: Shape, grip: AnyGrip) -> Cursor:
    """What the pointer looks like over it."""
    if isinstance(grip, Grip) and isinstance(shape, Box):
        return box_handles.cursor_of(shape, grip)
    return Cursor.HAND


def measured(shape: Shape, grip: AnyGrip | None) -> str:
    """What is said while it is pulled."""
    if isinstance(shape, Box):
        if isinstance(grip, Grip) and grip.turn:
            return f"{shape.angle_deg:.0f}°"
        return f"{shape.width:.0f} × {shape.height:.0f} px"
    if not isinstance(grip, VertexGrip):
        return ""
    x, y = vertices.place_of(shape, vertices.settled(grip))
    return f"{x:.1f}, {y:.1f}"
