"""Pick cuboids in a view into space, and change the one that is selected.

A click selects, clicking again takes the one behind, Shift and Ctrl add. The selected cuboid is moved on the ground by
its middle (Shift: up and down), a face moves that face and the opposite one stays, a corner moves two, the round handle
turns. Faces snap to the points about them unless Ctrl is held; a double click on a face snaps it from farther away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workstation.core.cuboid_edits import Face, face_center, face_moved, snap_to_points
from workstation.core.geometry import Cuboid
from workstation.core.ground import Ground, ground_near
from workstation.core.selection import add, toggle
from workstation.ui.tools.space_edits import MIDDLE, Held, active_cuboid, keep_changed, keep_shifted
from workstation.ui.tools.space_handles import Grip, Part, Pull, drawn, grip_at, grips, looks_along, metres_per_px
from workstation.ui.tools.space_picking import entry, under
from workstation.ui.tools.space_tool import (
    NO_OVERLAY,
    Button,
    Cursor,
    KeyPress,
    Modifier,
    Pixel,
    Space,
    SpaceGuide,
    SpaceOverlay,
    SpacePointer,
    moment_key,
)
from workstation.ui.tools.space_words import counted, measured

SLACK_PX = 4.0
"""A press that moves less is a click."""
_SNAP_PX = 7.0
_SNAP_MOST_M = 0.25
_FIT_REACH_M = 0.8
_CLEAR_M = 0.12


@dataclass(frozen=True, slots=True)
class _Held:
    annotation: str
    pull: Pull
    ground: Ground | None


class SpaceSelect:
    """The tool ``select`` over a view into space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._pressed: Pixel | None = None
        self._held: _Held | None = None
        self._dragging = False
        self._hovered: Grip | None = None
        self._made: Cuboid | None = None
        self._when: object = None
        """The sweep that was pressed on."""
        self._whole = False
        """Whether the whole track is dragged."""

    @property
    def busy(self) -> bool:
        return self._dragging

    def takes_alt(self, event: SpacePointer) -> bool:
        """On the selected cuboid itself, whose track it shifts; handles over it do not count."""
        chosen = active_cuboid(self._space)
        return chosen is not None and _body(chosen[1], event) is not None

    def press(self, event: SpacePointer) -> None:
        if event.button is not Button.LEFT:
            return
        self._pressed, self._dragging, self._made = event.pixel, False, None
        self._when = moment_key(self._space.shown)
        self._whole = Modifier.ALT in event.modifiers and self.takes_alt(event)
        self._held = self._take_hold(event)

    def _take_hold(self, event: SpacePointer) -> _Held | None:
        chosen = active_cuboid(self._space)
        if chosen is None:
            return None
        annotation, cuboid = chosen
        grip = None if self._whole else grip_at(cuboid, event)
        grip = grip or _body(cuboid, event)
        if grip is None:
            return None
        ground = ground_near(self._space.points(), cuboid.center[:2])
        return _Held(annotation, Pull(cuboid, grip, event), ground)

    def move(self, event: SpacePointer) -> None:
        if self._pressed is None:
            self._hover(event)
            return
        if self._held is None or (not self._dragging and _near(self._pressed, event.pixel)):
            return
        self._dragging = True
        self._made = self._pulled(self._held, event)
        self._space.preview({self._held.annotation: self._made})
        self._space.repaint()

    def release(self, event: SpacePointer) -> None:
        if event.button is not Button.LEFT or self._pressed is None:
            return
        pressed, held, made, dragging = self._pressed, self._held, self._made, self._dragging
        self._pressed = self._held = self._made = None
        self._dragging = False
        if dragging and held is not None and made is not None and self._whole:
            keep_shifted(self._space, held.annotation, held.pull.cuboid, made)
        elif dragging and held is not None and made is not None:
            keep_changed(self._space, {held.annotation: made}, held=_held_faces(held.pull.grip))
        elif _near(pressed, event.pixel) and (held is None or held.pull.grip.part in (Part.BODY, Part.HEIGHT)):
            self._pick(event)
        self._space.repaint()

    def double_click(self, event: SpacePointer) -> bool:
        chosen = active_cuboid(self._space)
        grip = None if chosen is None else grip_at(chosen[1], event)
        if chosen is None or grip is None or grip.part is not Part.FACE:
            return False
        fitted = snapped(self._space, chosen[1], grip.faces[0], _FIT_REACH_M)
        if fitted == chosen[1]:
            self._space.tell("There are no points about this face to lay it on.")
        else:
            keep_changed(self._space, {chosen[0]: fitted}, held=_held_faces(grip), label="Lay face on its points")
        return True

    def key(self, event: KeyPress) -> bool:
        return False

    def cancel(self) -> None:
        self._pressed = self._held = self._made = None
        if self._dragging:
            self._dragging = False
            self._space.preview({})
            self._space.repaint()

    def scene_changed(self) -> None:
        if self._pressed is not None and self._when != moment_key(self._space.shown):
            self.cancel()

    def overlay(self) -> SpaceOverlay:
        chosen = active_cuboid(self._space)
        if chosen is None:
            return NO_OVERLAY
        cuboid = chosen[1] if self._made is None else self._made
        found = grips(cuboid, self._space.look)
        arms = tuple(SpaceGuide((each.arm, each.place)) for each in found if each.arm is not None)
        held = self._hovered if self._held is None else self._held.pull.grip
        text = ""
        if self._dragging:  # a side view says the size itself, and has no room for more
            say = measured if self._space.look.fov_deg is not None else counted
            text = "whole track" if self._whole else say(self._space, cuboid)
        return SpaceOverlay(handles=drawn(found, held), guides=arms, text=text)

    def cursor(self, event: SpacePointer) -> Cursor:
        grip = self._held.pull.grip if self._held is not None else self._hovered
        if grip is not None:
            return {Part.TURN: Cursor.TURN, Part.BODY: Cursor.MOVE, Part.HEIGHT: Cursor.SIZE_VERTICAL}.get(
                grip.part, Cursor.CROSS
            )
        return Cursor.HAND if under(self._space.cuboids(), event) else Cursor.ARROW

    def _hover(self, event: SpacePointer) -> None:
        chosen = active_cuboid(self._space)
        found = None if chosen is None else grip_at(chosen[1], event) or _body(chosen[1], event)
        if found != self._hovered:
            self._hovered = found
            self._space.repaint()

    def _pulled(self, held: _Held, event: SpacePointer) -> Cuboid:
        pull = held.pull
        if pull.grip.part is Part.BODY and Modifier.SHIFT in event.modifiers and event.look.fov_deg is not None:
            pull = replace(pull, grip=replace(pull.grip, part=Part.HEIGHT))
        made = pull.to(event)
        if Modifier.CTRL not in event.modifiers:
            for face in pull.grip.faces:
                reach = min(_SNAP_MOST_M, _SNAP_PX * metres_per_px(face_center(made, face), event.look))
                made = snapped(self._space, made, face, reach, held.ground)
        return made

    def _pick(self, event: SpacePointer) -> None:
        found = under(self._space.cuboids(), event)
        if Modifier.SHIFT in event.modifiers or Modifier.CTRL in event.modifiers:
            mode = toggle if Modifier.CTRL in event.modifiers else add
            self._space.select(found[:1], mode=mode, active=found[0] if found else None)
            return
        active = self._space.active
        if active in found:
            found = found[found.index(active) + 1 :] + found[: found.index(active) + 1]
        if not found and looks_along_active(self._space):
            return  # beside the cuboid in a view of its own: nothing else is meant
        self._space.select(found[:1], active=found[0] if found else None)


def looks_along_active(space: Space) -> bool:
    """Whether it is a straight look at the selected cuboid, as the side views have it."""
    chosen = active_cuboid(space)
    return chosen is not None and looks_along(chosen[1], space.look) is not None


def snapped(space: Space, cuboid: Cuboid, face: Face, reach_m: float, ground: Ground | None = None) -> Cuboid:
    """A cuboid with one face laid on the points within reach; the bottom is laid on the ground."""
    ground = ground or ground_near(space.points(), cuboid.center[:2])
    if face == (2, -1):
        if ground is None:
            return cuboid
        outward = cuboid.center[2] - cuboid.size[2] / 2 - ground.under(*cuboid.center[:2])
        return face_moved(cuboid, face, outward) if abs(outward) <= reach_m else cuboid
    points = _about(space, cuboid, reach_m)
    floor_m = None if ground is None else ground.under(*cuboid.center[:2]) + _CLEAR_M
    outward = snap_to_points(cuboid, face, points, reach_m=reach_m, floor_m=floor_m)
    return cuboid if outward == 0.0 else face_moved(cuboid, face, outward)


def _about(space: Space, cuboid: Cuboid, reach_m: float) -> np.ndarray:
    points = space.points()
    radius = float(np.linalg.norm(cuboid.size)) / 2 + reach_m
    return points[(np.abs(points - np.array(cuboid.center, np.float32)) <= radius).all(axis=1)]


def _held_faces(grip: Grip) -> Held:
    """The faces that stay while these are dragged."""
    held = list(MIDDLE)
    for axis, sign in grip.faces:
        held[axis] = -sign
    return (held[0], held[1], held[2])


def _body(cuboid: Cuboid, event: SpacePointer) -> Grip | None:
    """The cuboid itself, where the pointer's ray enters it."""
    along = entry(cuboid, event.origin, event.direction)
    if along is None:
        return None
    x, y, z = (np.array(event.origin) + along * np.array(event.direction)).tolist()
    part = Part.BODY
    return Grip(part, (x, y, z))


def _near(first: Pixel, second: Pixel) -> bool:
    return max(abs(first[0] - second[0]), abs(first[1] - second[1])) <= SLACK_PX
