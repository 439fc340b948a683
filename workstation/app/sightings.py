"""Where flat labels and cuboids are in the pictures of calibrated cameras, picture by picture: what the rules that
compare them by geometry read (``suggest_space.py``, ``suggest_identity.py``), and the residual of fused pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from workstation.app.adopting import Onlooker, onlookers
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, State
from workstation.core.frametable import nearest_capture
from workstation.core.geometry import Box, Mask, Polygon, Shape, ShapeKind
from workstation.core.projection import corners_of, project, unproject
from workstation.core.rotation import Floats
from workstation.core.sample import StreamKind

FLAT = frozenset({ShapeKind.BOX, ShapeKind.POLYGON, ShapeKind.MASK})
Vec3 = tuple[float, float, float]
_BORDER_PX = 2.0
_MOST_LOOKS = 12
"""Pictures at which a track is compared; more say no more."""


@dataclass(frozen=True, slots=True)
class Look:
    """A label in one picture."""

    own_ns: int
    session_ns: int
    """When the picture was taken."""
    bounds: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Ray:
    """From a camera through the middle of a label, in the root frame; ``tall``: its height a metre away."""

    start: Vec3
    direction: Vec3
    tall: float


@dataclass(slots=True)
class Sightings:
    """Of one sample at one moment of its history. One thread."""

    view: SampleView
    placed: PlacedCuboids | None = None
    readers: OpenStreams | None = None
    _cameras: dict[str, Onlooker] | None = None
    _rays: dict[tuple[str, int], Ray | None] = field(default_factory=dict)
    _looks: dict[tuple[str, int], Look | None] = field(default_factory=dict)
    _bounds: dict[tuple[str, int], tuple[list[str], Floats]] = field(default_factory=dict)

    @property
    def cameras(self) -> dict[str, Onlooker]:
        """The calibrated cameras, by stream."""
        if self._cameras is None:
            found: Iterator[Onlooker] = iter(())
            if self.placed is not None and self.readers is not None:
                found = onlookers(self.view, self.readers, self.placed)
            self._cameras = {each.stream.id: each for each in found}
        return self._cameras

    def flat(self) -> list[Annotation]:
        """Labels in pictures that nobody has refused."""
        kinds = {StreamKind.IMAGE, StreamKind.VIDEO}
        streams = {each.id for each in self.view.streams.values() if each.kind in kinds}
        return [
            each
            for each in self.view.annotations.values()
            if each.kind in FLAT and each.stream in streams and each.state is not State.REJECTED
        ]

    def looks(self, label: Annotation, within: tuple[int, int] | None = None) -> list[Look]:
        """The label at some of its own pictures: at its keyframes, evenly chosen; only from one session time to another
        where such are given.
        """
        stream = self.view.streams[label.stream or ""]
        if label.track is None:
            times = [0 if label.start_ns is None else label.start_ns]
        else:
            times = [each.time_ns for each in self.view.keyframes(label.id) if each.shape is not None]
        if within is not None:
            times = [each for each in times if within[0] <= stream.time_map.to_session(each) <= within[1]]
        kept = times if len(times) <= _MOST_LOOKS else [times[i] for i in _evenly(len(times))]
        found = (self.look_at(label, stream.time_map.to_session(own_ns)) for own_ns in kept)
        return [each for each in found if each is not None]

    def look_at(self, label: Annotation, session_ns: int) -> Look | None:
        """The label in the picture nearest to that time; ``None`` where it is not there."""
        key = (label.id, session_ns)
        if key not in self._looks:
            self._looks[key] = self._look_at(label, session_ns)
        return self._looks[key]

    def _look_at(self, label: Annotation, session_ns: int) -> Look | None:
        stream = self.view.streams[label.stream or ""]
        onlooker = self.cameras.get(stream.id)
        own_ns = self.view.own_ns(label, session_ns)
        if onlooker is not None:
            shown = nearest_capture(onlooker.table, stream.time_map, session_ns)
            if shown is None:
                return None
            own_ns = shown.stream_ns
        shape = label.shape if label.start_ns is None else self.view.moment(label, own_ns).shape
        bounds = None if shape is None else bounds_of(shape)
        return None if bounds is None else Look(own_ns, stream.time_map.to_session(own_ns), bounds)

    def ray(self, label: Annotation, look: Look) -> Ray | None:
        """Where a label in a calibrated camera looks; ``None`` where lens or poses do not say, and where the border of
        the picture cuts it: then its middle is not that of the thing."""
        key = (label.id, look.session_ns)
        if key not in self._rays:
            self._rays[key] = self._ray(self.cameras[label.stream or ""], look)
        return self._rays[key]

    def _ray(self, onlooker: Onlooker, look: Look) -> Ray | None:
        assert self.placed is not None
        left, top, right, bottom = look.bounds
        camera = onlooker.camera
        if min(left, top) < _BORDER_PX or max(right - camera.width_px, bottom - camera.height_px) > -_BORDER_PX:
            return None
        x = (left + right) / 2
        pixels = np.array([(x, (top + bottom) / 2), (x, top), (x, bottom)])
        rays = unproject(camera, pixels)
        ways = (self.placed.transform(each, camera.frame, look.session_ns) for each in self.placed.roots)
        way = next(filter(None, ways), None)
        if way is None or not rays.valid.all():
            return None
        along = way.turn(rays.directions[:1])[0].tolist()
        tall = float(np.linalg.norm(rays.directions[1] - rays.directions[2]))
        return Ray(way.translation, (along[0], along[1], along[2]), tall)

    def cuboids_in(self, stream: str, taken_ns: int) -> tuple[list[str], Floats]:
        """Which cuboids show in a picture taken then, and their bounds (n, 4), clipped to it."""
        key = (stream, taken_ns)
        if key not in self._bounds:
            self._bounds[key] = self._projected(self.cameras[stream], taken_ns)
        return self._bounds[key]

    def _projected(self, onlooker: Onlooker, taken_ns: int) -> tuple[list[str], Floats]:
        assert self.placed is not None
        camera, ids, rows = onlooker.camera, [], [np.empty((0, 4))]
        for there in self.placed.at(taken_ns):
            way = self.placed.transform(camera.frame, there.root, taken_ns)
            if way is None:
                continue
            corners = corners_of(there.centers, there.sizes, there.rotations)
            seen = project(camera, corners.reshape(-1, 3), camera_from_frame=way)
            whole = (seen.valid & (seen.depth_m > 0)).reshape(-1, 8).all(1)
            pixels = seen.pixels.reshape(-1, 8, 2)[whole]
            low, high = pixels.min(1, initial=np.inf), pixels.max(1, initial=-np.inf)
            border = (camera.width_px, camera.height_px)
            bounds = np.hstack([np.clip(low, 0, border), np.clip(high, 0, border)])
            shows = (bounds[:, 2] - bounds[:, 0] >= 2) & (bounds[:, 3] - bounds[:, 1] >= 2)
            kept = [there.ids[i] for i in np.flatnonzero(whole)]
            ids += [each for each, there_too in zip(kept, shows, strict=True) if there_too]
            rows.append(bounds[shows])
        return ids, np.vstack(rows)


def _evenly(count: int) -> Sequence[int]:
    found: list[int] = np.unique(np.linspace(0, count - 1, _MOST_LOOKS).astype(int)).tolist()
    return found


def bounds_of(shape: Shape) -> tuple[float, float, float, float] | None:
    """The upright rectangle around a flat shape; ``None`` of any other."""
    if isinstance(shape, Box):
        turn = np.radians(shape.angle_deg)
        cos, sin = abs(float(np.cos(turn))), abs(float(np.sin(turn)))
        wide, high = shape.width * cos + shape.height * sin, shape.width * sin + shape.height * cos
        x, y = shape.x + shape.width / 2, shape.y + shape.height / 2
        return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
    if isinstance(shape, Mask):
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    if isinstance(shape, Polygon):
        (left, top), (right, bottom) = np.min(shape.outer, axis=0).tolist(), np.max(shape.outer, axis=0).tolist()
        return left, top, right, bottom
    return None


def overlaps(bounds: tuple[float, float, float, float], others: Floats) -> Floats:
    """Intersection over union of one rectangle with others (n, 4)."""
    here = np.array(bounds)
    shared = np.minimum(here[2:], others[:, 2:]) - np.maximum(here[:2], others[:, :2])
    both = np.prod(np.maximum(shared, 0.0), axis=1)
    whole = np.prod(here[2:] - here[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - both
    found: Floats = both / np.maximum(whole, 1e-9)
    return found
