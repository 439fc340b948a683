"""A view into space as tools see it (``ui/tools/space_tool.py``): made over a canvas by the cloud pane, its side views
and the strip. What is asked of the canvas is only what it alone knows (``SpaceSource``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.previews import Dragged
from workstation.app.sample_view import SampleView
from workstation.core.cuboid_edits import in_frame, moved
from workstation.core.geometry import Cuboid
from workstation.core.poses import NO_MOVE, RigidTransform
from workstation.core.rotation import multiply
from workstation.core.sample import Stream
from workstation.core.tracks import Moment
from workstation.ui.panes.base_canvas import BenchCanvas
from workstation.ui.tools.canvas import NEW
from workstation.ui.tools.space_tool import Look, Shown, SpaceSource, Vec3

if TYPE_CHECKING:
    from workstation.ui.workbench import Workbench


class SpaceWork(BenchCanvas):
    """``cause`` names the pane to selection and previews; ``placed`` is asked where the cuboids are."""

    def __init__(self, bench: Workbench, source: SpaceSource, placed: PlacedCuboids, cause: str) -> None:
        self._bench, self._source, self._placed, self.cause = bench, source, placed, cause
        self.only: str | None = None
        """The one cuboid that is drawn, in views of a single one: nothing is taken hold of that cannot be seen."""
        self._held: tuple[tuple[int, int, Shown], Mapping[str, Cuboid]] | None = None

    @property
    def view(self) -> SampleView:
        assert self._bench.view is not None
        return self._bench.view

    @property
    def bench(self) -> Workbench:
        return self._bench

    @property
    def shown(self) -> Shown | None:
        return self._source.shown

    @property
    def look(self) -> Look:
        return self._source.look

    @property
    def stream(self) -> Stream | None:
        shown = self.shown
        return None if shown is None or shown.stream is None else self.view.streams.get(shown.stream)

    # --- where things are ---------------------------------------------------------------------------------------

    def cuboids(self) -> Mapping[str, Cuboid]:
        found = {key: cuboid for key, cuboid in self._stored_all().items() if self._visible(key)}
        shown = self.shown
        for key, dragged in self._bench.previews.shapes.items():
            if shown is None or not isinstance(dragged.shape, Cuboid) or dragged.own_ns != (self.own_ns(key) or 0):
                continue  # what is dragged at one sweep of the strip is dragged at no other
            if key in found or (key == NEW and self.only is None):
                there = self._in_scene(dragged.shape, dragged.frame or self.record_frame(key), shown)
                if there is not None:
                    found[key] = there
        return found

    def stored(self, annotation: str) -> Cuboid | None:
        return self._stored_all().get(annotation)

    def stored_at(self, annotation: str, session_ns: int) -> Cuboid | None:
        shown = self.shown
        return None if shown is None else self._at(session_ns, shown).get(annotation)

    def _stored_all(self) -> Mapping[str, Cuboid]:
        shown = self.shown
        return {} if shown is None else self._at(shown.session_ns, shown)

    def _at(self, session_ns: int, shown: Shown) -> Mapping[str, Cuboid]:
        key = (session_ns, self._placed.version, shown)
        if self._held is None or self._held[0] != key:  # asked with every move of the pointer
            self._held = (key, self._cuboids_at(session_ns, shown))
        return self._held[1]

    def _cuboids_at(self, session_ns: int, shown: Shown) -> dict[str, Cuboid]:
        found: dict[str, Cuboid] = {}
        for placed in self._placed.at(session_ns):
            way = self._scene_from(placed.root, shown, session_ns)
            if way is None:
                continue
            centers = (way @ placed.centers).tolist()
            for key, center, size, rotation in zip(
                placed.ids, centers, placed.sizes.tolist(), placed.rotations.tolist(), strict=True
            ):
                if way.rotation != NO_MOVE.rotation:
                    rotation = multiply(way.rotation, rotation)
                found[key] = Cuboid(tuple(center), tuple(size), tuple(rotation))
        return found

    def points(self) -> NDArray[np.float32]:
        shown = self.shown
        layers = [] if shown is None else [each.points for each in shown.layers if each.current]
        if len(layers) == 1:
            return layers[0]
        return np.concatenate(layers) if layers else np.empty((0, 3), np.float32)

    def moment_of(self, annotation: str) -> Moment | None:
        record, time_ns = self.view.annotations.get(annotation), self.own_ns(annotation)
        return None if record is None or time_ns is None else self.view.moment(record, time_ns)

    def own_ns(self, annotation: str) -> int | None:
        """The moment shown, on the axis of the annotation's own stream; of a new one on that of the leading stream."""
        shown, record = self.shown, self.view.annotations.get(annotation)
        if shown is None:
            return None
        if record is None or record.stream == shown.stream:
            return shown.own_ns
        for layer in shown.layers:
            if layer.stream == record.stream and layer.current:
                return layer.own_ns
        return self.view.own_ns(record, shown.session_ns)

    def record_frame(self, annotation: str) -> str:
        """The frame an annotation's shape is kept in; of a new one the frame of the leading stream."""
        record = self.view.annotations.get(annotation)
        if record is not None and record.frame:
            return record.frame
        stream = self.stream if record is None else self.view.streams.get(record.stream or "")
        return (None if stream is None else stream.frame) or ("" if self.shown is None else self.shown.frame)

    def to_frame(self, cuboid: Cuboid, frame: str, *, session_ns: int | None = None) -> Cuboid | None:
        shown = self.shown
        way = None if shown is None else self._scene_from(frame, shown, session_ns)
        return None if way is None else in_frame(cuboid, way.inverted())

    def eye(self) -> Vec3:
        """Where the sensor of the leading stream is, in the scene."""
        return self._sensor().translation

    def heading(self) -> float:
        """Where the vehicle looks, radians about z."""
        ahead = self._sensor().turn(np.array([1.0, 0.0, 0.0]))
        return float(np.arctan2(ahead[1], ahead[0]))

    def still_frame(self) -> str | None:
        shown, roots = self.shown, self._placed.roots
        return shown.frame if shown is not None and (not roots or shown.frame in roots) else None

    def _sensor(self) -> RigidTransform:
        shown, stream = self.shown, self.stream
        way = None if shown is None or stream is None else self._scene_from(stream.frame or shown.frame, shown)
        return NO_MOVE if way is None else way

    def _scene_from(self, frame: str, shown: Shown, session_ns: int | None = None) -> RigidTransform | None:
        """``scene_from_frame`` at the moment shown, or another one."""
        way: RigidTransform | None = NO_MOVE
        if frame != shown.frame:
            way = self._placed.transform(shown.frame, frame, shown.session_ns if session_ns is None else session_ns)
        if way is None:
            return None
        x, y, z = (a - b for a, b in zip(way.translation, shown.origin, strict=True))
        return RigidTransform(way.rotation, (x, y, z))

    def _in_scene(self, cuboid: Cuboid, frame: str, shown: Shown) -> Cuboid | None:
        way = self._scene_from(frame, shown)
        return None if way is None else in_frame(cuboid, way)

    def _visible(self, key: str) -> bool:
        return self.only in (None, key) and self.sight.visible(self._keys_of(key))

    def _keys_of(self, annotation: str) -> list[str | None]:
        record = self.view.annotations.get(annotation)
        if record is None:
            return []
        return [self.view.class_of(record), record.entity, record.stream, record.id]

    def locked(self, annotation: str) -> bool:
        return self.sight.locked(self._keys_of(annotation))

    # --- what is done -------------------------------------------------------------------------------------------

    def preview(self, cuboids: Mapping[str, Cuboid], *, class_id: str | None = None) -> None:
        shown = self.shown
        if shown is None or not cuboids:
            self._bench.previews.clear(cause=self.cause)
            return
        dragged = [self._dragged(key, each, shown, class_id) for key, each in cuboids.items()]
        self._bench.previews.show(dragged, cause=self.cause)

    def _dragged(self, key: str, cuboid: Cuboid, shown: Shown, class_id: str | None) -> Dragged:
        record = self.view.annotations.get(key)
        return Dragged(
            annotation=key,
            shape=moved(cuboid, shown.origin),
            stream=str((None if record is None else record.stream) or shown.stream or ""),
            own_ns=self.own_ns(key) or 0,
            frame=shown.frame,
            class_id=class_id if key == NEW else None,
        )

    def repaint(self) -> None:
        self._source.repaint()
