"""The shared 3D cursor: the ray a pixel casts, the point of a cloud it meets, and where a camera sees either.

Numbers hold in a frame at a time; a camera looks at its own time of exposure. What lies between the two is carried
through what stands still, so a point of a sweep falls on the right pixel of a picture taken later from a moved car.
Asked by the camera and cloud panes. No Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.cameras import Camera
from workstation.core.poses import RigidTransform, Trajectory
from workstation.core.projection import Projection, lines_in_picture, project, project_rolling, unproject
from workstation.core.selection import SpaceCursor

Floats = NDArray[np.float64]
NEAR_M, FAR_M = 0.3, 300.0
"""From where to where a ray is drawn."""
TICKS_M = (5.0, 10.0, 20.0, 50.0, 100.0)
_ONE_PLACE_PX = 1.0
"""A ray seen end on, as by its own camera, is a point."""


class Space(Protocol):
    """How frames hang together (``PlacedCuboids``)."""

    def carried(self, target: str, target_ns: int, source: str, source_ns: int | None) -> RigidTransform | None:
        """From a frame as it was then to another as it was at another time."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class CursorSeen:
    """Where the cursor falls in a picture, in pixels; all empty where the camera does not see it."""

    point: tuple[float, float] | None = None
    ray: Floats | None = None
    """(m, 2, 2) straight pieces of the ray inside the picture."""
    ticks: tuple[tuple[float, float, float], ...] = ()
    """(metres from where the ray starts, x, y)."""


def ray_of(camera: Camera, place: tuple[float, float], taken_ns: int) -> SpaceCursor | None:
    """The ray that a pixel of a picture taken then casts; with a rolling shutter, when its row was exposed."""
    rays = unproject(camera, np.array([place]))
    if not rays.valid[0]:
        return None
    x, y, z = rays.directions[0].tolist()
    row_ns = int(camera.row_times_ns(taken_ns, (min(max(place[1], 0.0), float(camera.height_px)),))[0])
    return SpaceCursor(camera.frame, (0.0, 0.0, 0.0), (x, y, z), row_ns if camera.row_time_ns else taken_ns)


def cursor_in(space: Space, cursor: SpaceCursor, frame: str, session_ns: int) -> SpaceCursor | None:
    """The same in another frame as it stands then; ``None`` if the two are not connected."""
    way = space.carried(frame, session_ns, cursor.frame, cursor.session_ns)
    if way is None:
        return None
    x, y, z = (way @ np.array(cursor.point)).tolist()
    if cursor.direction is None:
        return SpaceCursor(frame, (x, y, z), None, session_ns)
    along_x, along_y, along_z = way.turn(np.array(cursor.direction)).tolist()
    return SpaceCursor(frame, (x, y, z), (along_x, along_y, along_z), session_ns)


def cursor_seen(space: Space, camera: Camera, cursor: SpaceCursor, taken_ns: int) -> CursorSeen:
    """Where a picture taken then shows the cursor. Nothing behind a camera or outside its picture shows."""
    way = space.carried(camera.frame, taken_ns, cursor.frame, cursor.session_ns)
    if way is None:
        return CursorSeen()
    start = np.array(cursor.point)
    if cursor.direction is None:
        seen = _project(space, camera, start[None], cursor, way, taken_ns)
        return CursorSeen(_place(seen, 0)) if seen.in_picture[0] else CursorSeen()
    along = np.array(cursor.direction)
    line = way @ (start + np.array([[NEAR_M], [FAR_M]]) * along)
    pieces, _ = lines_in_picture(camera, line[None])
    if not len(pieces):
        return CursorSeen()
    ends = pieces.reshape(-1, 2)
    if np.ptp(ends, axis=0).max() < _ONE_PLACE_PX:
        x, y = ends.mean(0).tolist()
        return CursorSeen((x, y))
    marks = _project(space, camera, start + np.array(TICKS_M)[:, None] * along, cursor, way, taken_ns)
    ticks = [(metres, *_place(marks, i)) for i, metres in enumerate(TICKS_M) if marks.in_picture[i]]
    return CursorSeen(ray=pieces, ticks=tuple(ticks))


def return_at(
    space: Space,
    camera: Camera,
    place: tuple[float, float],
    taken_ns: int,
    points: Floats,
    frame: str,
    session_ns: int,
    *,
    reach_px: float,
) -> SpaceCursor | None:
    """The return of a sweep that is seen at a pixel: of the points (n, 3) in ``frame`` as it stood then, the nearest to
    the camera among those that fall within ``reach_px`` of the pixel. ``None`` if none does."""
    ray = ray_of(camera, place, taken_ns)
    there = None if ray is None else cursor_in(space, ray, frame, session_ns)
    way = space.carried(camera.frame, taken_ns, frame, session_ns)
    if there is None or way is None:
        return None
    # An angle finds the few that may be meant without projecting them all; off the axis a pixel is a smaller angle.
    near = _around(points, there, reach_px / min(camera.lens.fx, camera.lens.fy))
    seen = project(camera, points[near], camera_from_frame=way)
    with np.errstate(invalid="ignore"):
        meant = near[np.linalg.norm(seen.pixels - place, axis=1) <= reach_px]
    if not len(meant):
        return None
    x, y, z = points[meant[0]].tolist()
    return SpaceCursor(frame, (x, y, z), None, session_ns)


def _around(points: Floats, ray: SpaceCursor, radius_rad: float) -> NDArray[np.intp]:
    """Which points lie within an angle of the ray, nearest to its start first."""
    assert ray.direction is not None
    from_start = points - np.array(ray.point)
    along = from_start @ np.array(ray.direction)
    beside = np.einsum("ij,ij->i", from_start, from_start) - along * along
    found = np.flatnonzero((along > NEAR_M) & (beside <= (np.tan(radius_rad) * along) ** 2))
    order: NDArray[np.intp] = found[np.argsort(along[found], kind="stable")]
    return order


def _place(seen: Projection, row: int) -> tuple[float, float]:
    x, y = seen.pixels[row].tolist()
    return x, y


def _project(
    space: Space, camera: Camera, points: Floats, cursor: SpaceCursor, way: RigidTransform, taken_ns: int
) -> Projection:
    """Each point where it was seen; with a rolling shutter when its own row was read."""
    if not camera.row_time_ns:
        return project(camera, points, camera_from_frame=way)
    times = np.unique(camera.row_times_ns(taken_ns, (0, camera.height_px / 2, camera.height_px)))
    moves = [space.carried(camera.frame, each, cursor.frame, cursor.session_ns) for each in times.tolist()]
    there = [each for each in moves if each is not None]
    if len(there) != len(times) or len(times) < 2:
        return project(camera, points, camera_from_frame=way)
    motion = Trajectory(
        times_ns=times,
        rotations=np.array([each.rotation for each in there]),
        translations=np.array([each.translation for each in there]),
        max_gap_ns=int(times[-1] - times[0]),
    )
    return project_rolling(camera, points, camera_from_frame=motion, frame_time_ns=taken_ns)
