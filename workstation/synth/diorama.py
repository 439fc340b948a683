"""Small scenes seen by a standing camera: pictures, masks and boxes of named things.

Used by FX-SCENE, FX-CLIP, FX-ROBOT and FX-SHOP. The world has the usual axes (x forward, y left, z up, metres).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.synth.camera import OPTICAL
from workstation.synth.lettering import Picture, panel
from workstation.synth.mesh import Color, Mesh
from workstation.synth.opencv import cv2
from workstation.synth.pose import Floats, Pose, pose, rotation
from workstation.synth.raster import Ids, Packed, Piece, View, joined, pack, paint


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One named thing and where it stands."""

    key: str
    label: str
    mesh: Mesh
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0
    braking: bool = False
    nearer_m: float = 0.0
    """Painted as if this much nearer (see ``raster.Piece``)."""
    named: bool = True
    """Whether it is truth (has a number); scenery is not."""

    def placed(self) -> Pose:
        """``world_from_thing``."""
        return pose(self.x, self.y, self.z, yaw=self.yaw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snap:
    """One picture with its truth."""

    image: Picture
    ids: Ids
    """0 is nothing named; key i is i + 1. Things of one key are one (a man and his arm)."""
    keys: tuple[str, ...]

    def mask(self, key: str) -> NDArray[np.bool_]:
        """Pixels in which the thing is really seen."""
        return np.asarray(self.ids == self.keys.index(key) + 1)

    def box(self, key: str) -> tuple[int, int, int, int] | None:
        """x, y, width, height of those pixels."""
        mask = self.mask(key)
        columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        if not len(columns):
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def looking(
    eye: tuple[float, float, float], target: tuple[float, float, float], *, width: int, height: int, focal_px: float
) -> View:
    """A view from ``eye`` towards ``target``."""
    away = np.array(target) - np.array(eye)
    yaw = math.atan2(away[1], away[0])
    pitch = -math.atan2(away[2], math.hypot(away[0], away[1]))
    world_from_camera = Pose(rotation(yaw, pitch) @ OPTICAL, np.array(eye, dtype=np.float64))
    return View(
        width=width,
        height=height,
        focal_px=focal_px,
        center=(width / 2, height / 2),
        camera_from_world=world_from_camera.inverse(),
    )


def plain_backdrop(view: View, *, top: Color = (176, 206, 236), low: Color = (226, 232, 236)) -> Picture:
    """A soft gradient."""
    image = panel(view.width, view.height, low)
    share = np.linspace(0, 1, view.height)[:, None, None]
    image[:] = (np.array(top) * (1 - share) + np.array(low) * share).astype(np.uint8)
    return image


def scenery(things: Sequence[Thing], *, floor: bool = False) -> Packed:
    """Unnamed things packed once, for scenes that are painted many times."""
    return pack([Piece(t.mesh, t.placed(), 0, t.braking, floor) for t in things])


def snap(
    view: View,
    things: Sequence[Thing],
    *,
    background: Picture,
    packed: Packed | None = None,
    shadow_on: float | None = None,
) -> Snap:
    """Paints things over a copy of ``background``; ``shadow_on`` is the height of what takes soft shadows."""
    image, ids = background.copy(), np.zeros(background.shape[:2], np.uint8)
    if shadow_on is not None:
        _soft_shadows(view, things, image, shadow_on)
    keys = tuple(dict.fromkeys(t.key for t in things if t.named))
    pieces = [
        Piece(t.mesh, t.placed(), keys.index(t.key) + 1 if t.named else 0, t.braking, nearer_m=t.nearer_m)
        for t in things
    ]
    both = pack(pieces) if packed is None else joined(packed, pack(pieces))
    paint(view, both, image, ids)
    return Snap(image=image, ids=ids, keys=keys)


def project(view: View, points_in_world: Floats) -> Floats:
    """N×2 pixels, (0.5, 0.5) convention."""
    local = view.camera_from_world.apply(points_in_world)
    px: Floats = local[:, :2] / local[:, 2:3] * view.focal_px + np.array(view.center)
    return px


def full_box(view: View, thing: Thing) -> tuple[float, float, float, float]:
    """The box of the whole thing, occluded or not, cut at the picture's border."""
    px = project(view, thing.placed().apply(thing.mesh.vertices))
    low = np.clip(px.min(axis=0), 0, [view.width, view.height])
    high = np.clip(px.max(axis=0), 0, [view.width, view.height])
    x, y, w, h = (round(float(v), 2) for v in (*low, *(high - low)))
    return x, y, w, h


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Row by row run lengths, beginning with the zeros; the picture's mask again when decoded the same way."""
    flat = np.concatenate([[False], mask.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    lengths = np.diff(np.concatenate([[0], edges, [mask.size]]))
    runs: list[int] = lengths.tolist()
    while len(runs) > 1 and runs[-1] == 0:
        runs.pop()
    return runs


def _soft_shadows(view: View, things: Sequence[Thing], image: Picture, height: float) -> None:
    mask = np.zeros(image.shape[:2], np.float32)
    for thing in things:
        points = thing.placed().apply(thing.mesh.vertices)
        lift = points[:, 2:3] - height
        if lift.min() < -0.02 or lift.min() > 0.1 or lift.max() > 4:
            continue
        low = points + np.array([0.35, 0.3, 0.0]) * lift
        low[:, 2] = height
        px = project(view, low).astype(np.float32)
        hull = cv2.convexHull(px).reshape(-1, 2)
        cv2.fillPoly(mask, [np.round(hull * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), max(view.width / 260, 1))
    image[:] = (image * (1 - 0.38 * soft[..., None])).astype(np.uint8)
