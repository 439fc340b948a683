"""Points of a sweep in the colours that the cameras saw: nearest picture in time first, through poses and distortion,
and nothing painted through a wall.

``painted`` is the arithmetic over arrays; ``CameraColours`` makes colours on a thread with decoders of its own and
keeps the latest. The cloud pane asks ``known`` for what there is and is told when there is more. No Qt.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.app.adopting import Onlooker
from workstation.app.background import Background
from workstation.app.cloud_ground import Ground, PlacedSweep
from workstation.app.streams import OpenStreams
from workstation.core.cameras import Camera
from workstation.core.errors import DataError, UserError
from workstation.core.frametable import nearest_capture
from workstation.core.poses import RigidTransform
from workstation.core.projection import project
from workstation.media.base import CancelToken, OpenContext, ReaderSpec, VideoReader, View
from workstation.media.cache import MemoryCache

Colours = NDArray[np.uint8]
UNSEEN = (104, 108, 118)
"""Of points that no camera sees."""
_WIDE_PX = 960
"""Pictures are decoded no wider than this: a point is no finer."""
_NEAR_NS = 150_000_000
_POINTS_A_CELL = 4.0
_LEAST_CELL_PX, _MOST_CELL_PX = 3.0, 48.0
_BEHIND_M, _BEHIND_SHARE = 0.4, 0.06
"""What lies this much farther than what is before it is behind it."""
_LIFTED = np.clip(255 * (np.arange(256) / 255) ** 0.75, 24, 255).astype(np.uint8)
"""Single points on a dark ground look darker than a picture does."""
_MEMORY_BYTES = 64 << 20
_HELD = 96


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One picture of one camera, and where the camera was when it took it."""

    camera: Camera
    camera_from_scene: RigidTransform
    pixels: NDArray[np.uint8]
    """(h, w) or (h, w, 3 or 4), of the whole picture, at any size."""


def painted(points: NDArray[np.floating], sightings: Iterable[Sighting]) -> tuple[Colours, NDArray[np.bool_]]:
    """Colours (n, 3) of points (n, 3) of the scene, and which a camera sees: each by the first picture that shows it
    with nothing before it."""
    colours = np.tile(np.array(UNSEEN, np.uint8), (len(points), 1))
    done = np.zeros(len(points), np.bool_)
    for each in sightings:
        seen = project(each.camera, points, camera_from_frame=each.camera_from_scene)
        there = np.flatnonzero(seen.in_picture)
        if not len(there):
            continue
        # All of them hide what is behind, also those that have their colour from another picture.
        distance = np.linalg.norm(each.camera_from_scene @ points[there], axis=1)
        there = there[~_hidden(seen.pixels[there], distance, each.camera)]
        fresh = there[~done[there]]
        colours[fresh] = _sampled(each, seen.pixels[fresh])
        done[fresh] = True
    return colours, done


def _hidden(pixels: NDArray[np.float64], distance_m: NDArray[np.float64], camera: Camera) -> NDArray[np.bool_]:
    """(n,) behind something nearer: a coarse z-buffer. Something nearer in a point's cell and in all four beside it
    covers it; on one side alone it is the same ground, or wall, seen at a flat angle."""
    cell_px = _cell_px(pixels)
    across, down = int(camera.width_px / cell_px) + 1, int(camera.height_px / cell_px) + 1
    column, row = (pixels / cell_px).astype(np.intp).T
    column, row = np.clip(column, 0, across - 1) + 1, np.clip(row, 0, down - 1) + 1
    nearest = np.full((down + 2, across + 2), np.inf)
    np.minimum.at(nearest, (row, column), distance_m)
    limit = distance_m - np.maximum(_BEHIND_M, distance_m * _BEHIND_SHARE)
    hidden: NDArray[np.bool_] = nearest[row, column] < limit
    for by_row, by_column in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        hidden &= nearest[row + by_row, column + by_column] < limit
    return hidden


def _cell_px(pixels: NDArray[np.float64]) -> float:
    """So large that a few points of the part of the picture that has any fall into each."""
    coarse = np.unique((pixels // _MOST_CELL_PX).astype(np.int64) @ np.array([1, 1 << 20]))
    area_px = len(coarse) * _MOST_CELL_PX**2
    return float(np.clip(np.sqrt(area_px / len(pixels) * _POINTS_A_CELL), _LEAST_CELL_PX, _MOST_CELL_PX))


def _sampled(sighting: Sighting, pixels: NDArray[np.float64]) -> Colours:
    shown = sighting.pixels if sighting.pixels.ndim == 3 else sighting.pixels[..., None].repeat(3, axis=2)
    height, width = shown.shape[:2]
    column = np.clip((pixels[:, 0] * (width / sighting.camera.width_px)).astype(np.intp), 0, width - 1)
    row = np.clip((pixels[:, 1] * (height / sighting.camera.height_px)).astype(np.intp), 0, height - 1)
    found: Colours = _LIFTED[shown[row, column, :3]]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The colours made so far, as a value: another one comes when there are more."""

    _colours: Mapping[PlacedSweep, Colours]

    def __call__(self, sweep: PlacedSweep) -> Colours | None:
        """(n, 3) colours of a sweep's points, if they were made. Any thread."""
        return self._colours.get(sweep)


class CameraColours:
    """Colours of sweeps, made on a thread. The window's thread, except where said."""

    def __init__(
        self,
        project: Path,
        onlookers: Sequence[Onlooker],
        ground: Ground,
        carry: Callable[[Callable[[object], None], object], None],
        changed: Callable[[], None],
        *,
        readers: Sequence[ReaderSpec] | None = None,
        context: OpenContext | None = None,
        calm: threading.Event | None = None,
    ) -> None:
        """``carry`` brings a value to a receiver on the owner's thread; ``changed`` is called when there are more."""
        self._onlookers, self._ground = tuple(onlookers), ground
        self._carry, self._changed = carry, changed
        self._held: OrderedDict[PlacedSweep, Colours] = OrderedDict()
        self.known = Known({})
        self._closed = False
        shared = dataclasses.replace(context or OpenContext(), memory=MemoryCache(_MEMORY_BYTES))
        self._open = OpenStreams(project, readers=readers, context=shared)
        self._background: Background[PlacedSweep, Colours] = Background(
            "colours of points", self._make, self._deliver, at_end=self._open.close, calm=calm
        )

    def want(self, sweeps: Iterable[PlacedSweep]) -> None:
        """These are shown: make what is missing, in this order."""
        self._background.want([each for each in sweeps if each not in self._held and each.session_ns is not None])

    def close(self) -> None:
        """End the thread; it closes its decoders."""
        self._closed = True
        self._background.close()

    def _make(self, sweep: PlacedSweep, cancel: CancelToken) -> Colours:
        """On the thread."""
        cancel.check()
        return painted(sweep.points.astype(np.float64), self._sightings(sweep, cancel))[0]

    def _sightings(self, sweep: PlacedSweep, cancel: CancelToken) -> Iterable[Sighting]:
        """The picture of each camera nearest to the sweep, the nearest first."""
        assert sweep.session_ns is not None
        nearest = [
            (near, each)
            for each in self._onlookers
            if (near := nearest_capture(each.table, each.stream.time_map, sweep.session_ns)) is not None
            and abs(near.distance_ns) <= _NEAR_NS
        ]
        for near, each in sorted(nearest, key=lambda pair: abs(pair[0].distance_ns)):
            cancel.check()
            scene_from_camera = self._ground.in_scene(each.camera.frame, near.session_ns)
            pixels = None if scene_from_camera is None else self._picture(each, near.index, cancel)
            if scene_from_camera is not None and pixels is not None:
                yield Sighting(each.camera, scene_from_camera.inverted(), pixels)

    def _picture(self, onlooker: Onlooker, index: int, cancel: CancelToken) -> NDArray[np.uint8] | None:
        share = min(1.0, _WIDE_PX / onlooker.camera.width_px)
        size = round(onlooker.camera.width_px * share), round(onlooker.camera.height_px * share)
        try:
            reader = self._open.reader(onlooker.stream)
            if not isinstance(reader, VideoReader):
                return None
            pixels = reader.picture(index, View(None, *size), cancel=cancel).pixels
        except DataError:  # a picture that cannot be had paints nothing, and its own pane says why
            return None
        return pixels if pixels.dtype == np.uint8 else None

    def _deliver(self, sweep: PlacedSweep, made: Colours | UserError) -> None:
        """On the thread."""
        self._carry(self._take, (sweep, made))

    def _take(self, made: object) -> None:
        assert isinstance(made, tuple)
        sweep, colours = made
        if self._closed or isinstance(colours, UserError):
            return
        self._held[sweep] = colours
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        self.known = Known(dict(self._held))
        self._changed()
