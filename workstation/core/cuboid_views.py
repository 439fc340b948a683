"""Cuboids as cameras should see them: the box around each, at any times, for many times at once.

Asked by the checks (``qa/``), which hold labelled boxes against it. The rules are those of drawing
(``app/placed_cuboids.py``): tracks are interpolated in the root of the frame tree, through the poses; a rolling shutter
reads each row at its own time. A question is a row of (track, session time); answers are arrays in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from workstation.core.annotation import Annotation, Keyframe
from workstation.core.cameras import Bools, Camera
from workstation.core.cuboid_rows import RootFrom, Rows, Standing, placed_along, rows_of
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.poses import NO_MOVE, RigidTransform, Trajectory
from workstation.core.projection import (
    NEAR_M,
    border_rays,
    corners_of,
    cuboid_box,
    cuboid_corners,
    outlines,
    project,
    rolling_outline,
)
from workstation.core.ratio import Int64s
from workstation.core.rotation import Floats, matrix_of
from workstation.core.sample import Stream
from workstation.core.space import Calibration, FrameTree, NoTransform
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a camera sees of cuboids, one row a question."""

    boxes: Floats
    """(n, 4) left, top, right, bottom of what shows, in pixels, cut at the picture's border; NaN where nothing does."""
    whole: Bools
    """(n,) all of it lies inside the picture."""
    range_m: Floats
    """(n,) from the camera to its middle; NaN where it is not placed."""
    depth_m: Floats
    """(n,) the same along the camera's axis."""

    @property
    def shows(self) -> Bools:
        """(n,) whether any of it shows."""
        return np.isfinite(self.boxes[:, 0])


class PlacedTracks:
    """All cuboid tracks of a sample in the roots of its frame tree, with the cameras that look at them."""

    def __init__(
        self,
        annotations: Iterable[Annotation],
        keyframes: Callable[[Annotation], Sequence[Keyframe]],
        streams: Mapping[str, Stream],
        tree: FrameTree,
        calibration: Calibration,
    ) -> None:
        self.tree = tree
        self.calibration = calibration
        self._roots = sorted(tree.roots)
        self._moves: dict[tuple[str, int], tuple[str, RigidTransform] | None] = {}
        self._ways: dict[tuple[str, str, int], RigidTransform | None] = {}
        self._rays: dict[str, Floats] = {}
        self.rows: dict[str, Rows] = {}
        """By annotation, those that have a place."""
        for each in annotations:
            if each.kind is ShapeKind.CUBOID:
                held = keyframes(each) if each.track is not None else ()
                rows = rows_of(each, held, streams.get(each.stream or ""), self._root_from())
                if rows is not None:
                    self.rows[each.id] = rows

    def camera_of(self, stream: Stream) -> Camera | None:
        """The calibrated camera of a stream: the one at its frame."""
        return next((each for each in self.calibration.cameras if each.name == stream.frame), None)

    def place(self, track: str, times_ns: Int64s) -> Standing:
        """Where one cuboid is at session times."""
        rows = self.rows[track]
        return placed_along(rows, None if rows.source is None else rows.source[0].track, times_ns)

    def seen(
        self, camera: Camera, track: str, times_ns: Int64s, *, moved_m: Sequence[float] = (0.0, 0.0, 0.0),
        grown_m: Sequence[float] = (0.0, 0.0, 0.0), turned: RigidTransform = NO_MOVE,
        cut: bool = True,
    ) -> Seen:  # fmt: skip
        """What a camera sees of one cuboid in pictures taken then; also if it stood elsewhere by ``moved_m`` along the
        axes of its root, were larger by ``grown_m`` along its own, or the camera were ``turned`` in its own frame.

        Without ``cut`` what is not wholly in the picture has no box, which is much faster to say.
        """
        rows = self.rows[track]
        standing = self.place(track, times_ns)
        standing.centers[:] += moved_m
        standing.sizes[:] += grown_m
        ways = [self._way(camera.frame, rows.root, time_ns) for time_ns in times_ns.tolist()]
        known = standing.there & np.array([way is not None for way in ways], np.bool_)
        found = _Found(len(times_ns))
        if not known.any():
            return found.seen()
        at = np.flatnonzero(known)
        moves = [ways[i] or NO_MOVE for i in at.tolist()]
        if turned is not NO_MOVE:
            moves = [turned @ way for way in moves]
        turns = matrix_of(np.array([move.rotation for move in moves]))
        shifts = np.array([move.translation for move in moves])
        corners = corners_of(standing.centers[at], standing.sizes[at], standing.rotations[at])
        corners = corners @ np.swapaxes(turns, -1, -2) + shifts[:, None]
        middles = (turns @ standing.centers[at][:, :, None])[:, :, 0] + shifts
        found.range_m[at] = np.linalg.norm(middles, axis=1)
        found.depth_m[at] = middles[:, 2]
        shown = project(camera, corners.reshape(-1, 3)).in_picture.reshape(-1, 8)
        found.whole[at] = shown.all(1)
        reached = np.linalg.norm(standing.sizes[at], axis=1) / 2
        ahead = (middles[:, 2] > -reached) | camera.lens.sees_behind
        if camera.row_time_ns:
            for row, i in enumerate(at.tolist()):
                if ahead[row] and (cut or found.whole[i]):
                    found.boxes[i] = self._rolling(camera, track, int(times_ns[i]), standing.cuboid(i))
            return found.seen()
        found.boxes[at] = _boxes(camera, corners)
        if not cut:
            found.boxes[~found.whole] = np.nan
            return found.seen()
        bordered = self._bordered(camera, corners, middles, reached) & ahead & ~found.whole[at]
        for row, i in enumerate(at.tolist()):
            if bordered[row]:  # the picture's corners, the lens's rim and the near plane may cut it
                box = cuboid_box(camera, standing.cuboid(i), camera_from_frame=moves[row])
                if box is not None:
                    found.boxes[i] = (box.left, box.top, box.right, box.bottom)
        return found.seen()

    def camera_from_root(self, camera: Camera, track: str, time_ns: int) -> RigidTransform | None:
        """Where a camera looks from then, in the root that a cuboid stands in."""
        return self._way(camera.frame, self.rows[track].root, time_ns)

    def _bordered(self, camera: Camera, corners: Floats, middles: Floats, reached_m: Floats) -> Bools:
        """(n,) of which more than the edges may bound what shows: they reach behind the near plane, or a ray at a
        corner of the picture or along the lens's rim comes as near as their corners are.
        """
        if camera.name not in self._rays:
            self._rays[camera.name] = border_rays(camera)
        rays = self._rays[camera.name]
        along = middles @ rays.T
        with np.errstate(invalid="ignore"):
            aside_m2 = (middles**2).sum(1)[:, None] - along**2  # of the ray from the middle, squared
            meets = (along > -reached_m[:, None]) & (aside_m2 <= (reached_m * (1 + 1e-6))[:, None] ** 2 + 1e-9)
        return np.asarray(meets.any(1) | (corners[:, :, 2] <= NEAR_M).any(1))

    def _rolling(self, camera: Camera, track: str, time_ns: int, now: Cuboid) -> Floats:
        """The box around the outline, each corner where it was when its own row was read."""
        times = np.unique(camera.row_times_ns(time_ns, (0, camera.height_px / 2, camera.height_px)))
        standing = self.place(track, times)
        moves = []
        for row, at_ns in enumerate(times.tolist()):
            way = self._way(camera.frame, self.rows[track].root, at_ns)
            if way is not None and standing.there[row]:
                each = standing.cuboid(row)
                moves.append(way @ RigidTransform(each.rotation, each.center))
        if len(moves) != len(times) or len(times) < 2:
            way = self._way(camera.frame, self.rows[track].root, time_ns)
            return np.full(4, np.nan) if way is None else _boxes(camera, (way @ cuboid_corners(now))[None])[0]
        motion = Trajectory(
            times_ns=times,
            rotations=np.array([move.rotation for move in moves]),
            translations=np.array([move.translation for move in moves]),
            max_gap_ns=int(times[-1] - times[0]),
        )
        still = Cuboid(center=(0.0, 0.0, 0.0), size=now.size)
        outline = rolling_outline(camera, still, camera_from_frame=motion, frame_time_ns=time_ns)
        ends = outline.segments.reshape(-1, 2)
        return np.concatenate([ends.min(0), ends.max(0)]) if len(ends) else np.full(4, np.nan)

    def _way(self, target: str, source: str, time_ns: int) -> RigidTransform | None:
        key = (target, source, time_ns)
        if key not in self._ways:
            found = self.tree.transform(target, source, time_ns)
            self._ways[key] = None if isinstance(found, NoTransform) else found
        return self._ways[key]

    def _root_from(self) -> RootFrom:
        def way(frame: str, time_ns: int) -> tuple[str, RigidTransform] | None:
            if frame not in self.tree.names:
                return frame, NO_MOVE  # no rig knows it: it stands for itself
            key = (frame, time_ns)
            if key not in self._moves:
                ways = ((root, self._way(root, frame, time_ns)) for root in self._roots)
                self._moves[key] = next(((root, found) for root, found in ways if found is not None), None)
            return self._moves[key]

        return way


class _Found:
    def __init__(self, count: int) -> None:
        self.boxes = np.full((count, 4), np.nan)
        self.whole = np.zeros(count, np.bool_)
        self.range_m = np.full(count, np.nan)
        self.depth_m = np.full(count, np.nan)

    def seen(self) -> Seen:
        return Seen(self.boxes, self.whole, self.range_m, self.depth_m)


def _boxes(camera: Camera, corners: Floats) -> Floats:
    """(n, 4) around the outlines of cuboids, corners (n, 8, 3) in the camera's frame."""
    outline, whose = outlines(camera, corners)
    boxes = np.full((len(corners), 4), np.nan)
    ends = outline.segments
    low, high = ends.min(1, initial=np.inf), ends.max(1, initial=-np.inf)
    np.fmin.at(boxes[:, :2], whose, low)
    np.fmax.at(boxes[:, 2:], whose, high)
    return boxes


def overlap(first: Floats, second: Floats) -> Floats:
    """(n,) intersection over union of upright boxes (n, 4) as left, top, right, bottom; 0 where one is NaN."""
    low = np.fmax(first[:, :2], second[:, :2])
    high = np.fmin(first[:, 2:], second[:, 2:])
    both = np.clip(high - low, 0, None).prod(1)
    areas = [np.clip(each[:, 2:] - each[:, :2], 0, None).prod(1) for each in (first, second)]
    union = areas[0] + areas[1] - both
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(union > 0, both / union, 0.0)
    return np.nan_to_num(found)
