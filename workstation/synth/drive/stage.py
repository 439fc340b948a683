"""The stage of FX-DRIVE seen by a camera at one instant: picture, object numbers, and boxes of the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workstation.media.opencv import cv2
from workstation.synth.camera import Camera, undistort
from workstation.synth.drive.place import Place
from workstation.synth.drive.script import Actor, Script
from workstation.synth.lettering import Picture
from workstation.synth.mesh import Mesh
from workstation.synth.pose import Floats, Pose
from workstation.synth.raster import TO_SUN, Ids, Piece, View, joined, pack, paint, shade_ground, shadow_points
from workstation.synth.still_scene import StillScene, in_sight

ROLLING_BANDS = 12
CLOSE_M = 0.2


@dataclass(frozen=True, slots=True)
class Shown:
    """What one camera saw of one actor: boxes as (x, y, width, height) px.

    ``full`` is the box of the whole object cut at the picture's border, ``hull`` the box of its projected cuboid,
    ``visible`` the box of the pixels really seen (``None`` if none), ``share`` seen pixels by full box area.
    """

    number: int
    full: tuple[float, float, float, float]
    hull: tuple[float, float, float, float]
    visible: tuple[int, int, int, int] | None
    pixels: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Model:
    """A mesh with what every picture of it asks for, in its own frame."""

    mesh: Mesh
    normals: Floats
    middle: Floats
    radius: float
    """Of a ball around it, metres."""


class Stage:
    """Renders the script; keeps meshes and lens tables between frames."""

    def __init__(self, script: Script, place: Place) -> None:
        self._script = script
        self._place = place
        self._still = StillScene(place.packed)
        self._models: dict[tuple[str, float], _Model] = {}
        self._lenses: dict[str, tuple[View, Floats, Floats]] = {}

    def mesh(self, actor: Actor, time_s: float) -> Mesh:
        """The actor's mesh at one instant."""
        return self._model(actor, time_s).mesh

    def _model(self, actor: Actor, time_s: float) -> _Model:
        step = round(actor.walked_m(time_s) % 1.5, 2) if actor.kind == "pedestrian" else 0.0
        key = (actor.key, step)
        if key not in self._models:
            mesh = actor.mesh_at(time_s)
            low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
            self._models[key] = _Model(mesh, mesh.normals(), (low + high) / 2, float(np.linalg.norm(high - low)) / 2)
        return self._models[key]

    def frame(self, camera: Camera, time_s: float) -> tuple[Picture, Ids]:
        """RGB picture and object numbers of an exposure whose first row is at ``time_s``."""
        if not camera.row_time_ns:
            return self._exposure(camera, time_s, 0, camera.height)
        images, numbers = [], []
        edges = np.linspace(0, camera.height, ROLLING_BANDS + 1).astype(int)
        for top, bottom in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            moment = time_s + (top + bottom) / 2 * camera.row_time_ns / 1e9
            image, ids = self._exposure(camera, moment, top, bottom)
            images.append(image[top:bottom])
            numbers.append(ids[top:bottom])
        return np.concatenate(images), np.concatenate(numbers)

    def shown(self, camera: Camera, time_s: float, ids: Ids) -> list[Shown]:
        """The truth of one frame: every actor in front of the camera whose box meets the picture."""
        out: list[Shown] = []
        for actor in self._script.actors:
            shown = self._shown(camera, time_s, ids, actor)
            if shown is not None:
                out.append(shown)
        return out

    def _shown(self, camera: Camera, time_s: float, ids: Ids, actor: Actor) -> Shown | None:
        corners = self._projected(camera, time_s, actor, cuboid_corners(actor.size))
        hull = None if corners is None else _box(corners, camera)
        if hull is None:  # most of them, and a mesh has hundreds of corners
            return None
        px = self._projected(camera, time_s, actor, self.mesh(actor, time_s).vertices)
        full = None if px is None else _box(px, camera)
        if px is None or full is None:
            return None
        truncated = bool((px.min() < 0) or (px[:, 0].max() > camera.width) or (px[:, 1].max() > camera.height))
        x, y, w, h = (int(v) for v in (full[0] - 2, full[1] - 2, full[2] + 5, full[3] + 5))
        x, y = max(x, 0), max(y, 0)
        mask = ids[y : y + h, x : x + w] == actor.number
        count = int(np.count_nonzero(mask))
        visible = None
        if count:
            columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
            visible = (
                x + int(columns[0]),
                y + int(rows[0]),
                int(columns[-1] - columns[0]) + 1,
                int(rows[-1] - rows[0]) + 1,
            )
        return Shown(actor.number, full, hull, visible, count, truncated)

    def _projected(self, camera: Camera, time_s: float, actor: Actor, points: Floats) -> Floats | None:
        """Pixels of points of the actor; each at the time of its own row if the shutter rolls."""
        moments = np.full(1, time_s)
        px: Floats | None = None
        for _ in range(4 if camera.row_time_ns else 1):
            seen = [self._in_camera(camera, float(m), actor, points) for m in moments]
            chosen = seen[0] if len(seen) == 1 else np.stack([s[i] for i, s in enumerate(seen)])
            if chosen[:, 2].min() < CLOSE_M:
                return None
            ray = np.abs(chosen[:, :2] / chosen[:, 2:3]).max()
            if camera.model != "pinhole" and ray > 3.0:
                return None  # far outside the lens polynomial's range
            px = camera.project(chosen)
            if not camera.row_time_ns:
                return px
            moments = time_s + np.clip(px[:, 1], 0, camera.height) * camera.row_time_ns / 1e9
        return px

    def _in_camera(self, camera: Camera, time_s: float, actor: Actor, points: Floats) -> Floats:
        camera_from_world = self._script.ego.pose_at(time_s).then(camera.ego_from_camera).inverse()
        return camera_from_world.apply(actor.path.pose_at(time_s).apply(points))

    def _exposure(self, camera: Camera, time_s: float, top: int, bottom: int) -> tuple[Picture, Ids]:
        world_from_camera = self._script.ego.pose_at(time_s).then(camera.ego_from_camera)
        camera_from_world = world_from_camera.inverse()
        ideal, map_x, map_y = self._lens(camera)
        view = View(
            width=ideal.width,
            height=ideal.height,
            focal_px=ideal.focal_px,
            center=ideal.center,
            camera_from_world=camera_from_world,
        )
        image, ids = self._paint(view, world_from_camera, time_s)
        if camera.model == "pinhole":
            return image, ids
        del top, bottom
        bent = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR)
        numbers = cv2.remap(ids, map_x, map_y, cv2.INTER_NEAREST)
        return bent, numbers

    def _paint(self, view: View, world_from_camera: Pose, time_s: float) -> tuple[Picture, Ids]:
        image = self._place.backdrop.paint(view)
        ids = np.zeros(image.shape[:2], np.uint8)
        pieces, shadows = [], []
        for actor in self._script.actors:
            pose = actor.path.pose_at(time_s)
            if np.hypot(*(pose.translation - world_from_camera.translation)[:2]) > 160:
                continue
            # A ball around the thing, and one around its shadow, which is longer by the sun's height.
            model = self._model(actor, time_s)
            middle = pose.apply(model.middle[None])
            balls = np.concatenate([middle, shadow_points(middle)])
            body, shadow = in_sight(view, balls, np.array([model.radius, model.radius / TO_SUN[2]]))
            if body:
                braking = actor.braking_at(time_s)
                pieces.append(Piece(model.mesh, pose, actor.number, braking, normals=model.normals))
            if shadow:
                shadows.append(shadow_points(pose.apply(model.mesh.vertices)))
        shade_ground(view, shadows, image)
        paint(view, joined(self._still.seen(view), pack(pieces)), image, ids)
        return image, ids

    def _lens(self, camera: Camera) -> tuple[View, Floats, Floats]:
        """The ideal view a bent picture is cut from, and the lookup tables."""
        if camera.key not in self._lenses:
            self._lenses[camera.key] = _lens_tables(camera)
        return self._lenses[camera.key]


def cuboid_corners(size: tuple[float, float, float]) -> Floats:
    """8×3 corners of an actor's cuboid in its own frame."""
    length, width, height = size
    return np.array([[sx * length / 2, sy * width / 2, z] for sx in (-1, 1) for sy in (-1, 1) for z in (0.0, height)])


def _box(px: Floats, camera: Camera) -> tuple[float, float, float, float] | None:
    low = np.maximum(px.min(axis=0), 0.0)
    high = np.minimum(px.max(axis=0), [camera.width, camera.height])
    if (high - low).min() < 1.0:
        return None
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _lens_tables(camera: Camera) -> tuple[View, Floats, Floats]:
    here = Pose(np.eye(3), np.zeros(3))
    if camera.model == "pinhole":
        view = View(
            width=camera.width,
            height=camera.height,
            focal_px=camera.focal_px,
            center=camera.center,
            camera_from_world=here,
        )
        return view, np.zeros(0), np.zeros(0)
    v, u = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    cx, cy = camera.center
    x, y = undistort(camera.model, camera.distortion, (u - cx) / camera.focal_px, (v - cy) / camera.focal_px)
    focal = camera.focal_px
    left, top = -x.min() * focal + 2, -y.min() * focal + 2
    width, height = int(left + x.max() * focal + 3), int(top + y.max() * focal + 3)
    view = View(width=width, height=height, focal_px=focal, center=(left, top), camera_from_world=here)
    # The tables are in OpenCV's pixels (whole numbers are centres).
    return view, (x * focal + left - 0.5).astype(np.float32), (y * focal + top - 0.5).astype(np.float32)
