"""Which cameras should show a cuboid, by its projection: where a label of it is missing, and where it is out of view.

Asked by the table of entities; over arrays, and only what has changed is asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from workstation.app.placed_cuboids import PlacedCuboids
from workstation.core.cameras import Camera
from workstation.core.cuboid_rows import Rows
from workstation.core.projection import project
from workstation.core.sample import Stream
from workstation.core.values import dataclass

_LEAST_PX = 16.0
"""What shows as less than this need not be labelled."""
_STEP_NS = 100_000_000
"""Keyframes this close together are looked at from one place of the camera."""


@dataclass(frozen=True, slots=True)
class InView:
    """When a cuboid is seen best by a camera."""

    session_ns: int
    size_px: float


class CamerasInView:
    """The calibrated cameras of a sample and what each sees at the keyframes of each cuboid. Behind walls counts as
    seen: nobody knows better before looking."""

    def __init__(self, placed: PlacedCuboids, streams: Iterable[Stream]) -> None:
        self._placed = placed
        found = ((each.id, placed.camera_of(each)) for each in streams)
        self.cameras: dict[str, Camera] = {key: camera for key, camera in found if camera is not None}
        """By stream."""
        self._known: dict[str, tuple[Rows, dict[str, InView]]] = {}

    def renew(self) -> None:
        """Records have changed: look again at the cuboids that are not what they were."""
        rows = {key: each for key, each in self._placed.rows().items() if each is not None}
        self._known = {key: held for key, held in self._known.items() if rows.get(key) is held[0]}
        fresh = {key: each for key, each in rows.items() if key not in self._known}
        self._known |= {key: (each, {}) for key, each in fresh.items()}
        for stream, camera in self.cameras.items():
            for annotation, seen in self._seen(camera, fresh).items():
                self._known[annotation][1][stream] = seen

    def of(self, annotation: str) -> Mapping[str, InView] | None:
        """By stream, which cameras see a cuboid; ``None`` of what is no placed cuboid."""
        held = self._known.get(annotation)
        return None if held is None else held[1]

    def _seen(self, camera: Camera, tracks: Mapping[str, Rows]) -> dict[str, InView]:
        best: dict[str, InView] = {}
        for root in {each.root for each in tracks.values()}:
            there = [(key, each) for key, each in tracks.items() if each.root == root]
            best |= self._seen_in(camera, root, there)
        return best

    def _seen_in(self, camera: Camera, root: str, tracks: list[tuple[str, Rows]]) -> dict[str, InView]:
        owner = np.repeat(np.arange(len(tracks)), [len(each.times_ns) for _, each in tracks])
        times = np.concatenate([each.times_ns for _, each in tracks])
        centers = np.concatenate([each.centers for _, each in tracks])
        sizes = np.concatenate([each.sizes for _, each in tracks]).max(1)
        there = np.concatenate([each.presence != 2 for _, each in tracks]) & (times > -_FAR_NS)
        most = np.zeros(len(tracks))
        when = np.zeros(len(tracks), np.int64)
        step = times // _STEP_NS
        for each in np.unique(step[there]).tolist():
            rows = np.flatnonzero(there & (step == each))
            way = self._placed.transform(camera.frame, root, int(times[rows[0]]))
            if way is None:
                continue
            seen = project(camera, centers[rows], camera_from_frame=way)
            with np.errstate(divide="ignore", invalid="ignore"):
                size_px = np.where(seen.in_picture, sizes[rows] * camera.lens.fx / np.maximum(seen.depth_m, 1e-3), 0.0)
            order = np.argsort(size_px)  # the largest of a track is written last
            rows, size_px = rows[order], size_px[order]
            larger = size_px > most[owner[rows]]
            most[owner[rows[larger]]] = size_px[larger]
            when[owner[rows[larger]]] = times[rows[larger]]
        return {key: InView(int(when[i]), float(most[i])) for i, (key, _) in enumerate(tracks) if most[i] >= _LEAST_PX}


_FAR_NS = 1 << 62
