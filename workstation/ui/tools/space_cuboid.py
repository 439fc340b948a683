"""Make cuboids in a view into space: one click on a thing, or a pull from its rear to its front on the ground.

A click takes the points that hang together about the one clicked and fits an upright box; what the sensor cannot see
gets the usual size of the class. A pull gives heading and length; width and height come from the points there. With
Shift the selected track goes on with it at this sweep, in its own size.
"""

from __future__ import annotations

import math

import numpy as np

from workstation.app.usual_sizes import Size, usual_size
from workstation.core.annotation import Annotation
from workstation.core.box_fitting import Scene, cluster_about, fitted, refitted
from workstation.core.cuboid_edits import inside, moved, yaw_of
from workstation.core.geometry import Cuboid
from workstation.core.ground import Ground, ground_near
from workstation.core.rotation import about_z
from workstation.ui.tools.canvas import NEW
from workstation.ui.tools.space_edits import continue_track, continued_track, keep_new
from workstation.ui.tools.space_handles import on_ground
from workstation.ui.tools.space_tool import (
    Button,
    Cursor,
    KeyPress,
    Modifier,
    Pixel,
    Space,
    SpaceGuide,
    SpaceOverlay,
    SpacePointer,
    Vec3,
    moment_key,
)
from workstation.ui.tools.space_words import measured

SLACK_PX = 5.0
_LEAST_LENGTH_M = 0.15
_USUAL: Size = (4.4, 1.8, 1.5)
_FLAT_M = 0.3
"""Of a cuboid without a point in it, while nothing is known of its height."""


class SpaceCuboid:
    """The tool ``cuboid``."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._pressed: Pixel | None = None
        self._start: Vec3 | None = None
        self._made: Cuboid | None = None
        self._ground: Ground | None = None
        self._when: object = None
        """The sweep that was pressed on."""

    @property
    def busy(self) -> bool:
        return self._made is not None

    def takes_alt(self, event: SpacePointer) -> bool:
        return False

    def press(self, event: SpacePointer) -> None:
        if event.button is not Button.LEFT or self._space.shown is None:
            return
        self._space.hand.forget_drawn()
        self._space.preview({})
        self._pressed, self._made = event.pixel, None
        self._when = moment_key(self._space.shown)
        about = event.hit.place if event.hit is not None else on_ground(event, 0.0)
        self._ground = None if about is None else ground_near(self._space.points(), about[:2])
        self._start = self._on_ground(event)

    def move(self, event: SpacePointer) -> None:
        if self._pressed is None or self._start is None or _near(self._pressed, event.pixel):
            return
        end = self._on_ground(event)
        self._made = None if end is None else self._footprint(self._start, end)
        if self._made is not None:
            self._space.preview({NEW: self._made}, class_id=self._space.hand.class_id)
        self._space.repaint()

    def release(self, event: SpacePointer) -> None:
        if event.button is not Button.LEFT or self._pressed is None:
            return
        pressed, made = self._pressed, self._made
        self._pressed = self._start = self._made = None
        track = continued_track(self._space) if Modifier.SHIFT in event.modifiers else None
        if made is not None:
            self._keep(made, track)
        elif _near(pressed, event.pixel):
            self._fit_at(event, track)
        self._space.repaint()

    def double_click(self, event: SpacePointer) -> bool:
        self.press(event)
        return True

    def key(self, event: KeyPress) -> bool:
        return False

    def cancel(self) -> None:
        self._pressed = self._start = self._made = None
        self._space.preview({})
        self._space.repaint()

    def scene_changed(self) -> None:
        if self._pressed is not None and self._when != moment_key(self._space.shown):
            self.cancel()

    def overlay(self) -> SpaceOverlay:
        if self._made is not None:
            guides = () if self._start is None else (SpaceGuide((self._start, self._made.center)),)
            return SpaceOverlay(guides=guides, text=measured(self._space, self._made))
        if self._space.hand.waiting:
            return SpaceOverlay(text="its class: a key, or 0 to search")
        return SpaceOverlay()

    def cursor(self, event: SpacePointer) -> Cursor:
        return Cursor.CROSS if self._space.shown is not None else Cursor.FORBIDDEN

    # --- one click ----------------------------------------------------------------------------------------------

    def _fit_at(self, event: SpacePointer, track: Annotation | None) -> None:
        space = self._space
        if event.hit is None:
            space.tell("Click on a point of the thing, or pull from its rear to its front on the ground.")
            return
        scene = self._scene(event.hit.place)
        thing = scene.points[cluster_about(scene, event.hit.place)]
        known = None if track is None else _size_of(space, track)
        class_id = space.hand.class_id if track is None else space.view.class_of(track)
        found = fitted(thing, scene, known or usual_size(space.view, class_id))
        if found is None:
            space.tell("There are too few points above the ground here to fit a cuboid to.")
        elif track is not None:
            self._keep(found if known is None else _in_size(found, known, scene), track)
        else:
            keep_new(space, found, lambda said: fitted(thing, scene, usual_size(space.view, said)) or found)

    def _keep(self, cuboid: Cuboid, track: Annotation | None) -> None:
        if track is None:
            keep_new(self._space, cuboid)
        else:
            continue_track(self._space, track, cuboid)

    def _scene(self, about: Vec3) -> Scene:
        points = self._space.points()
        ground = ground_near(points, about[:2])
        return Scene(points=points, ground=ground, eye=self._space.eye(), heading_rad=self._space.heading())

    # --- two points ---------------------------------------------------------------------------------------------

    def _on_ground(self, event: SpacePointer) -> Vec3 | None:
        """Where the pointer is on the ground: twice, since the ground rises and falls."""
        found = on_ground(event, 0.0 if self._ground is None else self._ground.height)
        if found is None or self._ground is None:
            return found
        return on_ground(event, self._ground.under(found[0], found[1]))

    def _footprint(self, rear: Vec3, front: Vec3) -> Cuboid | None:
        length = math.hypot(front[0] - rear[0], front[1] - rear[1])
        if length < _LEAST_LENGTH_M:
            return None
        yaw = math.atan2(front[1] - rear[1], front[0] - rear[0])
        usual = usual_size(self._space.view, self._space.hand.class_id) or _USUAL
        middle = ((rear[0] + front[0]) / 2, (rear[1] + front[1]) / 2)
        floor = rear[2] if self._ground is None else self._ground.under(*middle)
        around = Cuboid((*middle, floor + 2.4), (length, usual[1] * 1.6, 4.5), about_z(yaw))
        points = self._space.points()
        there = points[inside(around, points)]
        there = there[there[:, 2] > floor + _FLAT_M / 2]
        if len(there) == 0:
            return Cuboid((*middle, floor + _FLAT_M / 2), (length, usual[1], _FLAT_M), about_z(yaw))
        across = (there[:, :2] - np.array(middle)) @ (-math.sin(yaw), math.cos(yaw))
        low, high = (float(each) for each in np.quantile(across, (0.005, 0.995)))
        width = high - low if high - low >= 0.6 * usual[1] else usual[1]
        side = (low + high) / 2 if high - low >= 0.6 * usual[1] else 0.0
        height = float(np.quantile(there[:, 2], 0.998)) - floor
        center = (middle[0] - side * math.sin(yaw), middle[1] + side * math.cos(yaw), floor + height / 2)
        return Cuboid(center, (length, width, height), about_z(yaw))


def _size_of(space: Space, track: Annotation) -> Size | None:
    """The size of a track, unless its class changes its shape."""
    class_id, ontology = space.view.class_of(track), space.view.ontology
    if ontology is not None and class_id in ontology.classes and ontology.deformable(class_id):
        return None
    shapes = (each.shape for each in space.view.keyframes(track.id))
    return next((shape.size for shape in shapes if isinstance(shape, Cuboid)), None)


def _in_size(found: Cuboid, size: Size, scene: Scene) -> Cuboid:
    """A fit in the size that is known already, laid onto the same points."""
    rise = (size[2] - found.size[2]) / 2
    known = moved(Cuboid(found.center, size, about_z(yaw_of(found))), (0.0, 0.0, rise))
    return refitted(known, scene) or known


def _near(first: Pixel, second: Pixel) -> bool:
    return max(abs(first[0] - second[0]), abs(first[1] - second[1])) <= SLACK_PX
