"""Choose points of the sweep that shows and make a point set of them: by lasso, by box, by growing from one.

With nothing held a new set is made; Shift adds to the selected one, Ctrl takes away from it. What stands well behind
the nearest chosen points is left out, unless the view is orthographic, which has no front. Each choice is one step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.app.point_choice import Way, combined, grown, in_front_within, in_ring, rows_of_blob
from workstation.app.session import Run
from workstation.core.annotation import Annotation
from workstation.core.geometry import PointSet, ShapeKind
from workstation.core.ground import ground_near
from workstation.ui.tools.space_tool import (
    Button,
    Cursor,
    KeyPress,
    Modifier,
    Pixel,
    PointsShown,
    Space,
    SpaceOverlay,
    SpacePointer,
    moment_key,
)

_BEHIND_M, _GAP_M = 8.0, 1.5
"""How deep a thing in a ring may be, and how much of nothing parts it from what stands behind."""
_STEP_PX = 3.0
_GROW_M, _FARTHEST_M, _CLEAR_M = 0.45, 6.0, 0.07
"""Higher above the ground than its noise: feet and tyres are to be kept."""
_LEAST_RING_PX = 6.0

Choose = Callable[[PointsShown], NDArray[np.int64]]
"""Which rows of a layer's points are meant."""


class _Choosing:
    """What the three tools have in common."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._ring: list[Pixel] = []
        self._when: object = None
        """The sweep that was pressed on."""

    @property
    def busy(self) -> bool:
        return bool(self._ring)

    def takes_alt(self, event: SpacePointer) -> bool:
        return False

    def press(self, event: SpacePointer) -> None:
        if event.button is Button.LEFT and self._space.shown is not None:
            self._space.hand.forget_drawn()
            self._ring = [event.pixel]
            self._when = moment_key(self._space.shown)

    def move(self, event: SpacePointer) -> None:
        """Each tool's own."""

    def release(self, event: SpacePointer) -> None:
        if event.button is not Button.LEFT or not self._ring:
            return
        ring, self._ring = self._ring_of(event), []
        self._choose_in(ring, event)
        self._space.repaint()

    def double_click(self, event: SpacePointer) -> bool:
        self.press(event)
        return True

    def key(self, event: KeyPress) -> bool:
        return False

    def cancel(self) -> None:
        self._ring = []
        self._space.repaint()

    def scene_changed(self) -> None:
        if self._ring and self._when != moment_key(self._space.shown):
            self.cancel()

    def overlay(self) -> SpaceOverlay:
        if self._ring:
            return SpaceOverlay(ring=tuple(self._ring), ring_closed=True)
        return SpaceOverlay(text="its class: a key, or 0 to search" if self._space.hand.waiting else "")

    def cursor(self, event: SpacePointer) -> Cursor:
        return Cursor.CROSS if self._space.shown is not None else Cursor.FORBIDDEN

    def _ring_of(self, event: SpacePointer) -> list[Pixel]:
        return [*self._ring, event.pixel]

    def _choose_in(self, ring: list[Pixel], event: SpacePointer) -> None:
        size = np.ptp(np.array(ring), axis=0).max()
        if size < _LEAST_RING_PX:
            return

        def rows(layer: PointsShown) -> NDArray[np.int64]:
            px, depth, in_front = event.look.project(layer.points)
            chosen = _above_ground(layer.points, in_ring(px, ring) & in_front)
            if event.look.fov_deg is not None:
                chosen = in_front_within(depth, chosen, behind_m=_BEHIND_M, gap_m=_GAP_M)
            return np.flatnonzero(chosen)

        keep_choice(self._space, rows, way_of(event))


class Lasso(_Choosing):
    """The tool ``points_lasso``."""

    def move(self, event: SpacePointer) -> None:
        if self._ring and max(np.abs(np.subtract(self._ring[-1], event.pixel))) >= _STEP_PX:
            self._ring.append(event.pixel)
            self._space.repaint()


class PointBox(_Choosing):
    """The tool ``points_box``."""

    def move(self, event: SpacePointer) -> None:
        if self._ring:
            self._ring = self._ring_of(event)
            self._space.repaint()

    def _ring_of(self, event: SpacePointer) -> list[Pixel]:
        (x0, y0), (x1, y1) = self._ring[0], event.pixel
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


class Grow(_Choosing):
    """The tool ``points_grow``: a click takes what hangs together with a point, above the ground."""

    def release(self, event: SpacePointer) -> None:
        if event.button is not Button.LEFT or not self._ring:
            return
        self._ring = []
        hit = event.hit
        if hit is None:
            self._space.tell("Click on a point to grow from.")
            return

        def rows(layer: PointsShown) -> NDArray[np.int64]:
            if layer.key != hit.layer:
                return np.empty(0, np.int64)
            points = layer.points
            ground = ground_near(points, hit.place[:2])
            among = None if ground is None else points[:, 2] - ground.at(points) > _CLEAR_M
            link = float(np.clip(0.014 * np.linalg.norm(np.subtract(hit.place, self._space.eye())), _GROW_M, 0.9))
            return np.flatnonzero(grown(points, hit.index, link_m=link, most_m=_FARTHEST_M, among=among))

        keep_choice(self._space, rows, way_of(event))


def _above_ground(points: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the ground where something stands on it: a ring around a thing always holds some of the road."""
    if not chosen.any():
        return chosen
    place = np.median(points[chosen, :2], axis=0)
    ground = ground_near(points, (float(place[0]), float(place[1])))
    if ground is None:
        return chosen
    standing = chosen & (points[:, 2] - ground.at(points) > _CLEAR_M)
    return standing if standing.any() else chosen


def way_of(event: SpacePointer) -> Way:
    """What the keys held beside make of a choice."""
    if Modifier.SHIFT in event.modifiers:
        return Way.ADD
    return Way.SUBTRACT if Modifier.CTRL in event.modifiers else Way.REPLACE


def keep_choice(space: Space, choose: Choose, way: Way) -> None:
    """Put a choice where it belongs: into the selected point set of the sweep, or into a new one."""
    chosen = {each.key: (each, choose(each)) for each in _current(space)}
    found = {key: pair for key, pair in chosen.items() if len(pair[1])}
    if not found:
        space.tell("There are no points of this sweep in there.")
        return
    target = None if way is Way.REPLACE else selected_set(space)
    if target is not None:
        layer = next(each for each in _current(space) if each.stream == target.stream)
        _change(space, target, layer, chosen[layer.key][1], way)
    elif way is Way.SUBTRACT:
        space.tell("Select a point set of this sweep first; then points can be taken away from it.")
    else:
        _keep_new(space, max(found.values(), key=lambda pair: len(pair[1])))


def selected_set(space: Space) -> Annotation | None:
    """The selected point set, if it is of a sweep that shows."""
    record = None if space.active is None else space.view.annotations.get(space.active)
    if record is None or record.kind is not ShapeKind.POINT_SET or space.locked(record.id):
        return None
    here = {(each.stream, each.own_ns) for each in _current(space)}
    return record if any(record.stream == stream and _at(record, own_ns) for stream, own_ns in here) else None


def _at(record: Annotation, own_ns: int | None) -> bool:
    start, end = record.start_ns, record.end_ns
    return start is None or own_ns is None or start == own_ns or (end is not None and start <= own_ns < end)


def _current(space: Space) -> list[PointsShown]:
    shown = space.shown
    return [] if shown is None else [each for each in shown.layers if each.current]


def rows_in_sweep(layer: PointsShown, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of points in the sweep's own file."""
    return rows if layer.rows is None else layer.rows[rows]


def _change(space: Space, record: Annotation, layer: PointsShown, rows: NDArray[np.int64], way: Way) -> None:
    assert isinstance(record.shape, PointSet)
    blob = space.view.blob(record.shape.blob)
    before = np.empty(0, np.int64) if blob is None else rows_of_blob(blob, 1 << 32)
    after = combined(before, rows_in_sweep(layer, rows), way)
    if not len(after):
        space.tell("Nothing would be left of the point set; delete it instead.")
        return
    shape = {"kind": "point_indices", "indices": after.tolist()}
    label = "Add points" if way is Way.ADD else "Take points away"

    def act(run: Run, /) -> None:
        run("annotation.set_shape", annotation=record.id, shape=shape)

    space.together(label, act)


def _keep_new(space: Space, chosen: tuple[PointsShown, NDArray[np.int64]]) -> None:
    layer, rows = chosen
    made = _NewSet(space, layer, rows)
    class_id = space.hand.class_id
    if class_id is not None and made.fits(class_id):
        made(class_id)
        return
    if class_id is not None:
        space.tell(f"{space.view.class_name(class_id)} may not be a set of points here; choose another class.")
    space.hand.ask_class(made, fits=made.fits)
    space.tell(f"{len(rows):,} points: say their class by its key, or 0 to search.")


class _NewSet:
    """Chosen points until their class is said."""

    def __init__(self, space: Space, layer: PointsShown, rows: NDArray[np.int64]) -> None:
        self._space, self._layer, self._rows = space, layer, rows

    def fits(self, class_id: str) -> bool:
        return self._space.view.may_be_drawn(class_id, self._layer.stream, frozenset({ShapeKind.POINT_SET}))

    def __call__(self, class_id: str) -> None:
        layer, space = self._layer, self._space
        shape = {"kind": "point_indices", "indices": rows_in_sweep(layer, self._rows).tolist()}
        stream = space.view.streams[layer.stream]
        when = {} if layer.own_ns is None else {"start_ns": layer.own_ns, "end_ns": layer.own_ns}

        def act(run: Run, /) -> Any:
            where = {"stream": layer.stream, "frame": stream.frame or None}
            thing = run("entity.add", class_id=class_id)
            return run("annotation.add", shape=shape, entity=thing, **where, **when)

        made = space.together("Make point set", act)
        if made is not None:
            space.select((made,))
