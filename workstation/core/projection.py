"""The one projection routine: for drawing, for checks, for export.

Everything is given in the camera's own frame (x right, y down, z into the picture) or with a transform that brings
it there, ``camera_from_frame``. Pixels as in ``cameras``: the picture spans [0, width] × [0, height].
Nothing behind the camera or beyond the lens's valid radius is ever given a pixel: those are NaN and not ``valid``.
(``cv2.projectPoints`` mirrors what is behind the camera into the picture.)
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from workstation.core.cameras import Bools, Camera, Lens
from workstation.core.geometry import Cuboid
from workstation.core.poses import NO_MOVE, RigidTransform, Trajectory
from workstation.core.ratio import Int64s
from workstation.core.rotation import Floats, matrix_of
from workstation.core.values import dataclass

NEAR_M = 0.01
"""Lines are cut off this far in front of a camera that sees no more than what is ahead."""
_PART_RAD = 0.006
"""A line that the lens bends is drawn in parts that span this angle: 0.005 px off at a focal length of 1,000."""
_HALVINGS = 50
_ROUNDS = 24
_SETTLED_PX = 1e-4
_EDGE_PARTS = 24
"""An edge is drawn in so many parts by a rolling shutter, which bends it."""

# Corners of a cuboid: bit 2 is front (+x), bit 1 left (+y), bit 0 up (+z).
_SIGNS = np.array([[(i >> 2 & 1) * 2 - 1, (i >> 1 & 1) * 2 - 1, (i & 1) * 2 - 1] for i in range(8)], np.float64)
EDGES: tuple[tuple[int, int], ...] = tuple((i, i | bit) for bit in (4, 2, 1) for i in range(8) if not i & bit)
"""The 12 edges as pairs of corners: four along the length, four along the width, four along the height."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Where points fall in a picture."""

    pixels: Floats
    """(n, 2), NaN where not valid."""
    depth_m: Floats
    """(n,) distance along the camera's axis, below zero behind it."""
    valid: Bools
    """(n,) the lens sees the direction."""
    in_picture: Bools
    """(n,) valid, and inside the border."""


@dataclass(frozen=True, slots=True)
class RollingProjection(Projection):
    """Where points fall in a picture whose rows are exposed one after another."""

    times_ns: Int64s
    """(n,) when the row of each point was exposed; the frame's own time where not valid."""


@dataclass(frozen=True, slots=True)
class Rays:
    """Where pixels look, from the camera's origin, in its frame."""

    directions: Floats
    """(n, 3) unit vectors, NaN where not valid."""
    valid: Bools
    """(n,) the pixel is on the lens."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What shows of a cuboid's edges, as straight pieces inside the picture."""

    segments: Floats
    """(m, 2, 2): piece, end, (x, y) in pixels."""
    edges: NDArray[np.intp]
    """(m,) which of ``EDGES`` each piece belongs to."""


class PictureBox(msgspec.Struct, frozen=True):
    """The tightest upright rectangle around what shows of something, in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    clipped: bool
    """Part of it lies outside the picture or cannot be seen by the lens."""


def project(camera: Camera, points: NDArray[np.floating], *, camera_from_frame: RigidTransform = NO_MOVE) -> Projection:
    """Points (n, 3) of a frame to pixels of a camera."""
    points_in_camera = camera_from_frame @ points
    pixels, valid = _pixels(camera.lens, points_in_camera)
    return Projection(pixels, points_in_camera[:, 2], valid, valid & _inside(camera, pixels))


def project_rolling(
    camera: Camera, points: NDArray[np.floating], *, camera_from_frame: Trajectory, frame_time_ns: int
) -> RollingProjection:
    """Points (n, 3) of a moving frame to pixels, each as it was when its own row was exposed.

    ``camera_from_frame`` holds the motion of the frame as the camera sees it, in the clock of ``frame_time_ns``; it
    has to cover the exposure from the first row to the last, or points have no pixel. Row and place are found by turns:
    something that moves along the rows faster than they are read has none either.
    """
    exact: Floats = np.asarray(points, np.float64)
    rows = np.full(len(points), camera.timed_row_px)
    settled = np.zeros(len(points), np.bool_)
    in_camera, pixels, valid = _seen_at(camera, exact, camera_from_frame, frame_time_ns, rows)
    for _ in range(_ROUNDS):
        found = np.where(valid, np.clip(pixels[:, 1], 0, camera.height_px), rows)
        settled = np.abs(found - rows) <= _SETTLED_PX
        rows = found
        if camera.row_time_ns == 0 or settled.all():
            break
        in_camera, pixels, valid = _seen_at(camera, exact, camera_from_frame, frame_time_ns, rows)
    if camera.row_time_ns:
        valid &= settled
        pixels[~valid] = np.nan
    times_ns = camera.row_times_ns(frame_time_ns, np.where(valid, rows, camera.timed_row_px))
    return RollingProjection(pixels, in_camera[:, 2], valid, valid & _inside(camera, pixels), times_ns)


def rolling_outline(
    camera: Camera, cuboid: Cuboid, *, camera_from_frame: Trajectory, frame_time_ns: int, near_m: float = NEAR_M
) -> Outline:
    """The 12 edges of a cuboid that stands still in a moving frame, as the rolling shutter shows them.

    An edge is cut to within a 24th of its length where it comes nearer than ``near_m`` or leaves the lens.
    """
    ends = cuboid_corners(cuboid)[np.array(EDGES)]
    share = np.linspace(0, 1, _EDGE_PARTS + 1)[:, None]
    along = ends[:, None, 0] + share * (ends[:, 1] - ends[:, 0])[:, None]
    seen = project_rolling(
        camera, along.reshape(-1, 3), camera_from_frame=camera_from_frame, frame_time_ns=frame_time_ns
    )
    kept = (seen.valid & (camera.lens.sees_behind | (seen.depth_m >= near_m))).reshape(along.shape[:2])
    pixels = seen.pixels.reshape(*along.shape[:2], 2)
    pieces = np.stack([pixels[:, :-1], pixels[:, 1:]], 2)
    both = kept[:, :-1] & kept[:, 1:]
    clipped, inside = _clip_to_picture(camera, pieces[both])
    return Outline(clipped, np.repeat(np.arange(len(EDGES)), _EDGE_PARTS)[both.ravel()][inside])


def unproject(camera: Camera, pixels: NDArray[np.floating]) -> Rays:
    """Pixels (n, 2), also outside the picture, to rays in the camera's frame."""
    lens = camera.lens
    plane = (np.asarray(pixels, np.float64) - (lens.cx, lens.cy)) / (lens.fx, lens.fy)
    directions, valid = lens.undistort(plane)
    directions[~valid] = np.nan
    return Rays(directions / np.linalg.norm(directions, axis=-1, keepdims=True), valid)


def cuboid_corners(cuboid: Cuboid) -> Floats:
    """(8, 3) corners in the cuboid's frame of reference, in the order of ``EDGES``."""
    half = _SIGNS * (np.array(cuboid.size) / 2)
    corners: Floats = half @ matrix_of(cuboid.rotation).T + np.array(cuboid.center)
    return corners


def cuboid_outline(
    camera: Camera, cuboid: Cuboid, *, camera_from_frame: RigidTransform = NO_MOVE, near_m: float = NEAR_M
) -> Outline:
    """The 12 edges, cut at the near plane, at the end of the lens and at the border of the picture."""
    corners = camera_from_frame @ cuboid_corners(cuboid)
    ends = corners[np.array(EDGES)]
    segments, which = _visible_segments(camera, ends, near_m)
    return Outline(segments, which)


def outlines(camera: Camera, corners_in_camera: Floats, *, near_m: float = NEAR_M) -> tuple[Outline, NDArray[np.intp]]:
    """Many cuboids at once, corners (n, 8, 3) as ``cuboid_corners`` orders them; and (m,) whose piece each is."""
    lines = corners_in_camera[:, np.array(EDGES)].reshape(-1, 2, 3)
    segments, which = _visible_segments(camera, lines, near_m)
    return Outline(segments, which % len(EDGES)), which // len(EDGES)


def lines_in_picture(
    camera: Camera, lines_in_camera: Floats, *, near_m: float = NEAR_M
) -> tuple[Floats, NDArray[np.intp]]:
    """Straight lines (n, 2, 3) as they show: pieces (m, 2, 2) in pixels, cut at the near plane, at the end of the lens
    and at the border of the picture; and (m,) whose piece each is."""
    return _visible_segments(camera, lines_in_camera, near_m)


def corners_of(centers: Floats, sizes: Floats, rotations: Floats) -> Floats:
    """(n, 8, 3) corners of many cuboids: centres (n, 3), sizes (n, 3), unit quaternions (n, 4)."""
    half = _SIGNS[None] * (sizes[:, None] / 2)
    corners: Floats = half @ np.swapaxes(matrix_of(rotations), -1, -2) + centers[:, None]
    return corners


def cuboid_box(
    camera: Camera, cuboid: Cuboid, *, camera_from_frame: RigidTransform = NO_MOVE, near_m: float = NEAR_M
) -> PictureBox | None:
    """The tight box of what shows of a cuboid; ``None`` if nothing does.

    What shows is an area whose outermost points are of four kinds: on an edge of the cuboid, at a corner of the
    picture that looks at the cuboid, on the cut of the near plane, and on the rim of the lens. Inner points do no harm.
    """
    corners = camera_from_frame @ cuboid_corners(cuboid)
    edges = corners[np.array(EDGES)]
    lines = np.concatenate([edges, _near_cut(camera.lens, edges, near_m)])
    segments, _ = _visible_segments(camera, lines, near_m)
    found = [segments.reshape(-1, 2)]
    deep_m = 0.0 if camera.lens.sees_behind else near_m
    for pixels, directions in (_picture_corners(camera), _rim(camera)):
        hit = rays_meet_cuboid(directions, cuboid, camera_from_frame=camera_from_frame, near_m=deep_m)
        found.append(pixels[hit])
    points = np.concatenate(found)
    if not len(points):
        return None
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return PictureBox(left, top, right, bottom, clipped=not project(camera, corners).in_picture.all())


def rays_meet_cuboid(
    directions: Floats, cuboid: Cuboid, *, camera_from_frame: RigidTransform = NO_MOVE, near_m: float = 0.0
) -> Bools:
    """(n,) which rays from the camera's origin, directions (n, 3) in its frame, pass through the cuboid.

    Only what lies deeper than ``near_m`` counts for rays that look ahead. NaN directions meet nothing.
    """
    cuboid_from_camera = RigidTransform(cuboid.rotation, cuboid.center).inverted() @ camera_from_frame.inverted()
    start, along = np.array(cuboid_from_camera.translation), cuboid_from_camera.turn(directions)
    half = np.array(cuboid.size) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (-half - start) / along, (half - start) / along
        ahead = directions[:, 2] > 0
        nearest = np.where(ahead, near_m / np.where(ahead, directions[:, 2], 1.0), 0.0)
    beside = (along == 0) & (np.abs(start) > half)
    enter = np.fmax(np.fmin(first, second).max(-1, initial=-np.inf), nearest)
    leave = np.fmax(first, second).min(-1, initial=np.inf)
    met: Bools = (enter <= leave) & ~beside.any(-1) & np.isfinite(directions).all(-1)
    return met


def _seen_at(
    camera: Camera, points: Floats, camera_from_frame: Trajectory, frame_time_ns: int, rows: Floats
) -> tuple[Floats, Floats, Bools]:
    """Points in the camera, each at the time of its row; their pixels, and which have one."""
    times, which = np.unique(camera.row_times_ns(frame_time_ns, rows), return_inverse=True)
    rotations, places, known = camera_from_frame.poses_at(times)
    turns = matrix_of(np.where(known[:, None], rotations, (1.0, 0.0, 0.0, 0.0)))
    in_camera = np.einsum("nij,nj->ni", turns[which], points) + places[which]
    pixels, valid = _pixels(camera.lens, np.where(known[which, None], in_camera, 0.0))
    return in_camera, pixels, valid & known[which]


def _pixels(lens: Lens, points_in_camera: Floats) -> tuple[Floats, Bools]:
    with np.errstate(over="ignore", invalid="ignore"):  # a hair in front of the camera numbers run over
        plane, valid = lens.distort(points_in_camera)
        pixels = plane * (lens.fx, lens.fy) + (lens.cx, lens.cy)
    valid &= np.isfinite(pixels).all(-1)
    pixels[~valid] = np.nan
    return pixels, valid


def _visible_segments(camera: Camera, lines: Floats, near_m: float) -> tuple[Floats, NDArray[np.intp]]:
    """Lines (n, 2, 3) in the camera's frame to pieces inside the picture, with the line each belongs to."""
    lens = camera.lens
    which = np.arange(len(lines))
    if not lens.sees_behind:
        lines, kept = _clip_near(lines, near_m)
        which = which[kept]
    if not lens.straight:
        lines, which = _split(lines, which)
        lines, kept = _clip_to_lens(lens, lines)
        which = which[kept]
    pixels, _ = _pixels(lens, lines.reshape(-1, 3))
    clipped, kept = _clip_to_picture(camera, pixels.reshape(-1, 2, 2))
    return clipped, which[kept]


def _clip_near(lines: Floats, near_m: float) -> tuple[Floats, Bools]:
    depth = lines[:, :, 2]
    ahead = depth >= near_m
    kept = np.asarray(ahead.any(1))
    lines, depth, ahead = lines[kept].copy(), depth[kept], ahead[kept]
    for end in (0, 1):
        behind = ~ahead[:, end]
        share = (near_m - depth[behind, 1 - end]) / (depth[behind, end] - depth[behind, 1 - end])
        start = lines[behind, 1 - end]
        lines[behind, end] = start + share[:, None] * (lines[behind, end] - start)
        lines[behind, end, 2] = near_m
    return lines, kept


def _near_cut(lens: Lens, edges: Floats, near_m: float) -> Floats:
    """Lines (n, 2, 3) between all points where edges pass the near plane: they span the cut and lie in it."""
    if lens.sees_behind:
        return np.empty((0, 2, 3))
    depth = edges[:, :, 2] - near_m
    crossing = (depth[:, 0] < 0) != (depth[:, 1] < 0)
    start, end = edges[crossing, 0], edges[crossing, 1]
    share = depth[crossing, 0] / (depth[crossing, 0] - depth[crossing, 1])
    cut = start + share[:, None] * (end - start)
    cut[:, 2] = near_m
    i, j = np.triu_indices(len(cut), 1)
    return np.stack([cut[i], cut[j]], 1)


def _split(lines: Floats, which: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """Every line in parts that span equal angles as the camera sees them."""
    start, end = lines[:, 0], lines[:, 1]
    near, far = np.linalg.norm(start, axis=1), np.linalg.norm(end, axis=1)
    between = np.arctan2(np.linalg.norm(np.cross(start, end), axis=1), (start * end).sum(1))[:, None]
    parts = int(np.clip(np.ceil(between.max(initial=0) / _PART_RAD), 8, 600))
    evenly = np.linspace(0, 1, parts + 1)
    angle = between * evenly
    from_start, from_end = near[:, None] * np.sin(angle), far[:, None] * np.sin(between - angle)
    through = (between < 1e-9) | (between > np.pi - 1e-9)  # seen end on, or through the camera itself
    share = np.where(through, evenly, from_start / np.where(through, 1, from_start + from_end))
    points = start[:, None] + share[:, :, None] * (end - start)[:, None]
    return np.stack([points[:, :-1], points[:, 1:]], 2).reshape(-1, 2, 3), np.repeat(which, parts)


def _clip_to_lens(lens: Lens, lines: Floats) -> tuple[Floats, Bools]:
    """Short lines cut where the lens ends, found by halving."""
    seen = lens.distort(lines.reshape(-1, 3))[1].reshape(-1, 2)
    kept = np.asarray(seen.any(1))
    lines, seen = lines[kept].copy(), seen[kept]
    for end in (0, 1):
        unseen = ~seen[:, end]
        inner, outer = lines[unseen, 1 - end], lines[unseen, end]
        for _ in range(_HALVINGS if len(inner) else 0):
            middle = (inner + outer) / 2
            inside = lens.distort(middle)[1][:, None]
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        lines[unseen, end] = inner
    return lines, kept


def _clip_to_picture(camera: Camera, segments: Floats) -> tuple[Floats, Bools]:
    """Pieces (n, 2, 2) cut at the border (Liang and Barsky), all at once."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    enter, leave = np.zeros(len(segments)), np.ones(len(segments))
    outside = np.zeros(len(segments), np.bool_)
    for axis, border in enumerate((camera.width_px, camera.height_px)):
        position, speed = start[:, axis], along[:, axis]
        still = speed == 0
        outside |= still & ((position < 0) | (position > border))
        safe = np.where(still, 1.0, speed)
        low, high = -position / safe, (border - position) / safe
        enter = np.maximum(enter, np.where(still, 0.0, np.minimum(low, high)))
        leave = np.minimum(leave, np.where(still, 1.0, np.maximum(low, high)))
    kept = (enter <= leave) & ~outside
    start, along = start[kept], along[kept]
    ends = np.stack([start + enter[kept, None] * along, start + leave[kept, None] * along], 1)
    border_px = np.array((camera.width_px, camera.height_px), np.float64)
    return np.clip(ends, 0, border_px), kept


def _picture_corners(camera: Camera) -> tuple[Floats, Floats]:
    """The corners of the picture (4, 2) and where they look (4, 3)."""
    w, h = float(camera.width_px), float(camera.height_px)
    pixels = np.array([(0, 0), (w, 0), (w, h), (0, h)])
    return pixels, unproject(camera, pixels).directions


def _rim(camera: Camera) -> tuple[Floats, Floats]:
    """Pixels (n, 2) of the picture along the end of the lens and where they look (n, 3); none if the lens fills it."""
    lens = camera.lens
    if not lens.sees_behind and lens.limit_rad >= np.pi / 2:
        return np.empty((0, 2)), np.empty((0, 3))
    around = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    angle = lens.limit_rad * (1 - 1e-9)  # just inside
    across = np.sin(angle)
    directions = np.column_stack([across * np.cos(around), across * np.sin(around), np.full(720, np.cos(angle))])
    pixels, valid = _pixels(lens, directions)
    inside = valid & _inside(camera, pixels)
    return pixels[inside], directions[inside]


def border_rays(camera: Camera) -> Floats:
    """(n, 3) where the corners of the picture and the rim of the lens look, of length one; NaN where nowhere.

    Of a cuboid wholly ahead that none of them meets, the edges alone bound what shows (``cuboid_box``).
    """
    rays = np.concatenate([_picture_corners(camera)[1], _rim(camera)[1]])
    return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))


def _inside(camera: Camera, pixels: Floats) -> Bools:
    """Inside the picture, its border included; NaN is not."""
    return np.asarray(((pixels >= 0) & (pixels <= (camera.width_px, camera.height_px))).all(-1))
