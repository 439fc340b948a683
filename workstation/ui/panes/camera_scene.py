"""What one camera shows at the painted picture: shapes of its stream, projected cuboids, previews; and what is where.

One per camera view. Renewed when a picture is painted, when records change, when something is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workstation.app.looks import Paint
from workstation.app.picture_scene import PICTURE_SHAPES, Drawn, Missing, OnPicture, PictureScene
from workstation.app.picture_shapes import Lines, bounds_of, distance, hull, inside, lines_of, size_of
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.previews import Dragged
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation
from workstation.core.cameras import Camera
from workstation.core.geometry import Cuboid, Mask, kind_of
from workstation.core.poses import RigidTransform
from workstation.core.sample import Stream
from workstation.core.tracks import MomentKind
from workstation.ui.panes.base_drawn import Bounds, DrawnScene
from workstation.ui.scenes.overlays import DraggedShadow, Shadow
from workstation.ui.tools.canvas import Pixels, Place, Preview
from workstation.ui.tools.state import Sight


class CameraScene(DrawnScene):
    """The drawn things of one camera."""

    def __init__(self, view: SampleView, stream: Stream, cuboids: PlacedCuboids | None, sight: Sight) -> None:
        super().__init__(view)
        self.stream = stream
        self._scene = PictureScene(view, stream.id)
        self._cuboids = cuboids
        self._sight = sight
        self.camera: Camera | None = None if cuboids is None else cuboids.camera_of(stream)
        self.with_cuboids = True
        self._stored = OnPicture()
        self._dragged: Mapping[str, Dragged] = {}
        self.shadows: list[Shadow] = []
        """Cuboids as they are stored, without those that are being dragged."""
        self.dragged: list[DraggedShadow] = []
        """Cuboids as they would be if the mouse were released now."""
        self._session_ns: int | None = None
        self._told: dict[str, tuple[Paint, str, str | None]] = {}
        """Look, name and class of each cuboid: they are the same from picture to picture."""

    @property
    def uncalibrated(self) -> bool:
        """Whether nothing of space can be shown here although other cameras of the sample are calibrated."""
        return self.camera is None and self._cuboids is not None and bool(self._cuboids.calibration.cameras)

    # --- keeping it true ----------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Records have changed: whatever is asked next is read again."""
        self._scene.renew()
        self._told.clear()
        self.camera = None if self._cuboids is None else self._cuboids.camera_of(self.stream)

    def set_picture(self, own_ns: int | None, session_ns: int | None, instance: str | None) -> None:
        """Another picture is painted, or the same one with other records."""
        self._stored = self._scene.at(own_ns, instance)
        self._session_ns = session_ns
        self._project()
        self._assemble()

    def clear(self) -> None:
        """No picture is painted."""
        self._stored, self._previews, self._session_ns = OnPicture(), {}, None
        self._project()
        self._assemble()

    def drag(self, shapes: Mapping[str, Dragged]) -> bool:
        """Other shapes are dragged, in whichever pane; whether anything looks different in this picture."""
        before = self._dragged
        self._dragged = dict(shapes)
        if any(self.stream.id == each.stream for each in (*before.values(), *shapes.values())):
            self._assemble()
            return True
        was = self.dragged
        if before.keys() != shapes.keys():
            self._project()
            return True
        self.dragged = self._projected_dragged()
        return bool(was or self.dragged)

    def carried(self, target: str, target_ns: int, source: str, source_ns: int | None) -> RigidTransform | None:
        """From a frame as it was then to another as it was at another time, through what stands still."""
        return None if self._cuboids is None else self._cuboids.carried(target, target_ns, source, source_ns)

    def _project(self) -> None:
        self.shadows = self._projected()
        self.dragged = self._projected_dragged()

    def _projected(self) -> list[Shadow]:
        if self._cuboids is None or self.camera is None or not self.with_cuboids or self._session_ns is None:
            return []
        found = []
        for seen in self._cuboids.projected(self.camera, self._session_ns):
            record = self.view.annotations.get(seen.annotation)
            if record is not None and seen.annotation not in self._dragged and self._visible(seen.annotation):
                found.append(Shadow(seen, *self._told_of(record)))
        return found

    def _told_of(self, record: Annotation) -> tuple[Paint, str, str | None]:
        if record.id not in self._told:
            view = self.view
            self._told[record.id] = (view.paint_of(record), view.name_of(record.id), view.class_of(record))
        return self._told[record.id]

    def _projected_dragged(self) -> list[DraggedShadow]:
        """Shown even where cuboids are switched off: whoever drags one wants to see where it goes."""
        shapes = [each for each in self._dragged.values() if isinstance(each.shape, Cuboid)]
        if self._cuboids is None or self.camera is None or self._session_ns is None or not shapes:
            return []
        found = []
        for seen in self._cuboids.dragged(self.camera, self._session_ns, shapes):
            record = self.view.annotations.get(seen.annotation)
            class_id = self._dragged[seen.annotation].class_id if record is None else self.view.class_of(record)
            paint = self.view.paint_of_class(class_id) if record is None else self.view.paint_of(record)
            name = self.view.class_name(class_id) if record is None else self.view.name_of(record.id)
            box = self._cuboids.box_of(self.camera, self._session_ns, seen, dragged=True)
            found.append(DraggedShadow(Shadow(seen, paint, name, class_id), box))
        return found

    def _previews_here(self) -> dict[str, Preview]:
        """What this picture's tool makes, and shapes of this stream that another pane drags."""
        flat = {key: each for key, each in self._dragged.items() if each.stream == self.stream.id}
        return {**{key: each.shape for key, each in flat.items() if kind_of(each.shape) in PICTURE_SHAPES},
                **self._previews}  # fmt: skip

    def _assemble(self) -> None:
        previews = self._previews_here()
        wet = {key for key, shape in previews.items() if isinstance(shape, Pixels)}  # painted by itself
        there = (each for each in self._stored.drawn if each.id not in wet and self._visible(each.id))
        drawn = [_previewed(each, previews.get(each.id)) for each in there]
        known = {each.id for each in drawn}
        fresh = (self._fresh(key, shape) for key, shape in previews.items() if key not in known)
        drawn += [each for each in fresh if each is not None]
        self._show(drawn, self._stored.missing)

    def _fresh(self, key: str, shape: Preview) -> Drawn | None:
        if isinstance(shape, Pixels):
            return None
        paint = self.view.paint_of_class(self._preview_class)
        name = "new" if self._preview_class is None else self.view.class_name(self._preview_class)
        record = self.view.annotations.get(key)
        if record is not None:
            paint, name = self.view.paint_of(record), self.view.name_of(key)
        return Drawn(
            key, shape, lines_of(shape), MomentKind.KEYFRAME, False, False, paint, name, self._preview_class,
            size_of(shape),
        )  # fmt: skip

    def _visible(self, annotation: str) -> bool:
        return self._sight.visible(self.keys_of(annotation))

    def keys_of(self, annotation: str) -> tuple[str | None, ...]:
        """Under which keys it is hidden, shown alone or locked."""
        record = self.view.annotations.get(annotation)
        if record is None:
            return (annotation,)
        return (record.id, record.entity, record.stream, self.view.class_of(record))

    # --- what is where ------------------------------------------------------------------------------------------

    def hit(self, place: Place, reach: float) -> list[str]:
        on = [each.seen.annotation for each in self.shadows if _is_on(each, place, reach)]
        return list(dict.fromkeys([*super().hit(place, reach), *on]))

    def where(self, ids: frozenset[str]) -> list[tuple[str, Bounds]]:
        """Outlines of cuboids count like shapes drawn here."""
        outlined = [(each.seen.annotation, each.seen.segments.reshape(-1, 2)) for each in self.shadows
                    if each.seen.annotation in ids and each.seen.segments.size]  # fmt: skip
        around: list[tuple[str, Bounds]] = [
            (key, (*places.min(0).tolist(), *places.max(0).tolist())) for key, places in outlined
        ]
        return super().where(ids) + around

    def within(self, ring: Sequence[Place]) -> list[str]:
        around = [each.seen.annotation for each in self.shadows if inside(each.seen.segments.reshape(-1, 2), ring)]
        return super().within(ring) + around

    def shows(self, ids: frozenset[str]) -> bool:
        """Whether any of these is drawn here, as it is or in a hand."""
        drawn = (each.id for each in self.shown.drawn)
        shadows = (each.seen.annotation for each in self.shadows)
        dragged = (each.shadow.seen.annotation for each in self.dragged)
        return not ids.isdisjoint((*drawn, *shadows, *dragged))

    def drawn(self, annotation: str) -> Drawn | None:
        """How an annotation is drawn now."""
        return next((each for each in self.shown.drawn if each.id == annotation), None)

    def mask(self, shape: Mask) -> NDArray[np.bool_] | None:
        return self._scene.mask(shape)

    @property
    def missing(self) -> tuple[Missing, ...]:
        return self.shown.missing

    def share_of(self, related: frozenset[str]) -> float:
        """How much of the picture what is selected covers, for finding the camera that sees it best."""
        spans = [bounds_of(each.lines.every()) for each in self.shown.drawn if each.id in related]
        spans += [bounds_of(s.seen.segments.reshape(-1, 2)) for s in self.shadows if s.seen.annotation in related]
        return max(((right - left) * (bottom - top) for left, top, right, bottom in spans), default=0.0)


def _previewed(drawn: Drawn, shape: Preview | None) -> Drawn:
    if shape is None or isinstance(shape, Pixels):
        return drawn
    return replace(drawn, shape=shape, lines=lines_of(shape), kind=MomentKind.KEYFRAME, size=size_of(shape))


def _is_on(shadow: Shadow, place: Place, reach: float) -> bool:
    ends = shadow.seen.segments.reshape(-1, 2)
    left, top, right, bottom = bounds_of(ends)
    if not (left - reach <= place[0] <= right + reach and top - reach <= place[1] <= bottom + reach):
        return False
    return distance(Lines(rings=(hull(ends),)), place) <= reach
