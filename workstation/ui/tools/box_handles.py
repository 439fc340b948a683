"""The handles of a box, turned or not, and what dragging one makes of it. Used by the tool that selects and edits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workstation.core.geometry import Box
from workstation.ui.tools.canvas import Cursor, Handle, HandleKind, Place

LEAST_PX = 1.0
"""A box keeps at least a pixel each way: dragging past the opposite side stops there."""
_TURN_AWAY_SCREEN_PX = 22.0


@dataclass(frozen=True, slots=True)
class Grip:
    """Which part of a box is held: -1, 0 or 1 across and down from its middle; ``turn``: the one beside it."""

    across: int
    down: int
    turn: bool = False


GRIPS = tuple(Grip(a, d) for d in (-1, 0, 1) for a in (-1, 0, 1) if (a, d) != (0, 0))
TURN = Grip(0, -1, True)


def centre(box: Box) -> Place:
    return (box.x + box.width / 2, box.y + box.height / 2)


def turned(box: Box, across_px: float, down_px: float) -> Place:
    """A place so far right and below the middle, along the box's own axes."""
    angle = math.radians(box.angle_deg)
    x, y = centre(box)
    return (
        x + across_px * math.cos(angle) - down_px * math.sin(angle),
        y + across_px * math.sin(angle) + down_px * math.cos(angle),
    )


def in_box(box: Box, place: Place) -> Place:
    """A place along the box's own axes, from its middle."""
    angle = -math.radians(box.angle_deg)
    x, y = place[0] - centre(box)[0], place[1] - centre(box)[1]
    return (x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle))


def corners(box: Box) -> tuple[Place, Place, Place, Place]:
    """From the top left, clockwise before turning."""
    w, h = box.width / 2, box.height / 2
    return (turned(box, -w, -h), turned(box, w, -h), turned(box, w, h), turned(box, -w, h))


def place_of(box: Box, grip: Grip, scale: float) -> Place:
    """Where a grip is."""
    if grip.turn:
        return turned(box, 0.0, -box.height / 2 - _TURN_AWAY_SCREEN_PX / scale)
    return turned(box, grip.across * box.width / 2, grip.down * box.height / 2)


def grip_at(box: Box, place: Place, scale: float, *, reach_px: float) -> Grip | None:
    """The grip under a place; corners before edges, which can be taken anywhere along them."""
    reach = reach_px / scale
    for grip in (*(g for g in GRIPS if g.across and g.down), TURN):
        x, y = place_of(box, grip, scale)
        if math.hypot(place[0] - x, place[1] - y) <= reach:
            return grip
    x, y = in_box(box, place)
    across, down = _side(x, box.width / 2, reach), _side(y, box.height / 2, reach)
    inside = abs(x) <= box.width / 2 + reach and abs(y) <= box.height / 2 + reach
    if not inside or (across == 0) == (down == 0):
        return None
    small = min(box.width, box.height) * scale < 4 * reach_px
    return None if small and abs(x) < box.width / 2 and abs(y) < box.height / 2 else Grip(across, down)


def _side(at: float, half: float, reach: float) -> int:
    return int(math.copysign(1, at)) if abs(abs(at) - half) <= reach else 0


def dragged(
    box: Box, grip: Grip, place: Place, *, straight: bool = False, aspect: bool = False, central: bool = False
) -> Box:
    """The box with its grip at a place; the opposite side or corner stays.

    ``straight``: turn in steps of 15°. ``aspect``: width and height stay in proportion. ``central``: the middle stays.
    """
    if grip.turn:
        x, y = place[0] - centre(box)[0], place[1] - centre(box)[1]
        angle = math.degrees(math.atan2(x, -y))
        angle = round(angle / 15) * 15 if straight else angle
        return Box(box.x, box.y, box.width, box.height, round((angle + 180) % 360 - 180, 3) + 0.0)
    x, y = in_box(box, place)
    left, right = _span(grip.across, x, box.width / 2, central)
    top, bottom = _span(grip.down, y, box.height / 2, central)
    if aspect:
        times = _times(grip, (right - left) / box.width, (bottom - top) / box.height)
        times = max(times, LEAST_PX / min(box.width, box.height))
        left, right = _anchored(grip.across, box.width * times, box.width / 2, central)
        top, bottom = _anchored(grip.down, box.height * times, box.height / 2, central)
    middle = turned(box, (left + right) / 2, (top + bottom) / 2)
    width, height = right - left, bottom - top
    return Box(middle[0] - width / 2, middle[1] - height / 2, width, height, box.angle_deg)


def _times(grip: Grip, across: float, down: float) -> float:
    if grip.across and grip.down:
        return max(across, down)
    return across if grip.across else down


def _anchored(side: int, size: float, half: float, central: bool) -> tuple[float, float]:
    if side == 0 or central:
        return -size / 2, size / 2
    return (half - size, half) if side < 0 else (-half, size - half)


def _span(side: int, at: float, half: float, central: bool) -> tuple[float, float]:
    if side and central:
        reach = max(side * at, LEAST_PX / 2)
        return -reach, reach
    if side < 0:
        return min(at, half - LEAST_PX), half
    if side > 0:
        return -half, max(at, -half + LEAST_PX)
    return -half, half


def handles(box: Box, scale: float, held: Grip | None) -> tuple[Handle, ...]:
    """What is painted; edges only where there is room for them."""
    room = min(box.width, box.height) * scale > 28
    shown = [g for g in GRIPS if (g.across and g.down) or room]
    made = [
        Handle(place_of(box, g, scale), HandleKind.CORNER if g.across and g.down else HandleKind.EDGE, g == held)
        for g in shown
    ]
    return (*made, Handle(place_of(box, TURN, scale), HandleKind.TURN, held == TURN))


def cursor_of(box: Box, grip: Grip) -> Cursor:
    """The arrow that shows which way a grip goes, turned with the box."""
    if grip.turn:
        return Cursor.TURN
    angle = (math.degrees(math.atan2(grip.down, grip.across)) + box.angle_deg) % 180
    ways = (Cursor.SIZE_HORIZONTAL, Cursor.SIZE_DOWN, Cursor.SIZE_VERTICAL, Cursor.SIZE_UP)
    return ways[round(angle / 45) % 4]
