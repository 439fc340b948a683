"""Points in the colours of pictures: the pixel that OpenCV says, nothing through a wall, all of a flat ground."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workstation.app.camera_colours import UNSEEN, Sighting, painted
from workstation.core.cameras import BrownConrady, Camera, Pinhole
from workstation.core.poses import RigidTransform
from workstation.core.rotation import quaternion_of
from workstation.media.opencv import cv2

Floats = NDArray[np.float64]
DARKENED = np.searchsorted(np.clip(255 * (np.arange(256) / 255) ** 0.75, 24, 255).astype(np.uint8), np.arange(256))
"""Back from the lifted colours of points to those of the picture."""
WIDTH, HEIGHT = 800, 450
FORWARD = RigidTransform(rotation=quaternion_of(np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])))
"""``camera_from_scene`` of a camera that looks along x, z up."""
STRAIGHT = Camera(
    name="front", frame="front", width_px=WIDTH, height_px=HEIGHT, lens=Pinhole(fx=400, fy=400, cx=400, cy=225)
)


def gradient() -> NDArray[np.uint8]:
    """Every pixel says where it is: column / 4, row / 2."""
    column, row = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.stack([column // 4, row // 2, np.full_like(row, 9)], -1).astype(np.uint8)


def sheet(low: tuple[float, float, float], high: tuple[float, float, float], step_rad: float = 0.006) -> Floats:
    """A flat piece of the scene as a LiDAR at the camera sees it: evenly in angles."""
    up, aside = np.arange(-0.6, 0.6, step_rad), np.arange(-0.75, 0.75, step_rad)
    aside, up = (each.ravel() for each in np.meshgrid(aside, up))
    rays = np.stack([np.ones_like(aside), np.tan(aside), np.tan(up)], -1)
    axis = next(i for i in range(3) if low[i] == high[i])
    with np.errstate(divide="ignore", invalid="ignore"):
        points = rays * (low[axis] / rays[:, axis])[:, None]
    slack = 1e-9
    there = (points >= np.array(low) - slack).all(1) & (points <= np.array(high) + slack).all(1) & (points[:, 0] > 0)
    found: Floats = points[there]
    return found


def colours(points: Floats, camera: Camera = STRAIGHT) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    return painted(points, [Sighting(camera, FORWARD, gradient())])


@pytest.mark.parametrize(
    "lens",
    [
        Pinhole(fx=400, fy=410, cx=390, cy=230),
        BrownConrady(fx=400, fy=410, cx=390, cy=230, k1=-0.2, k2=0.05, p1=0.001, p2=-0.0005, k3=0.0),
    ],
)
def test_a_point_has_the_colour_of_its_pixel(lens: Pinhole | BrownConrady) -> None:
    rng = np.random.default_rng(3)
    points = np.stack([rng.uniform(7.9, 8.1, 400), rng.uniform(-7, 7, 400), rng.uniform(-4, 4, 400)], -1)
    camera = Camera(name="c", frame="c", width_px=WIDTH, height_px=HEIGHT, lens=lens)
    found, seen = colours(points, camera)
    in_camera = points @ np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]]).T
    matrix = np.array([[lens.fx, 0, lens.cx - 0.5], [0, lens.fy, lens.cy - 0.5], [0, 0, 1]])
    bent = np.array([getattr(lens, name, 0.0) for name in ("k1", "k2", "p1", "p2", "k3")])
    pixels = cv2.projectPoints(in_camera[:, None], np.zeros(3), np.zeros(3), matrix, bent)[0][:, 0] + 0.5
    inside = (pixels > 1).all(1) & (pixels < (WIDTH - 1, HEIGHT - 1)).all(1)
    assert inside.sum() > 200
    assert seen[inside].all()
    both = inside & seen
    found = DARKENED[found]
    assert np.abs(found[both, 0] * 4.0 + 2 - pixels[both, 0])[pixels[both, 0] > 60].max() <= 6
    assert np.abs(found[both, 1] * 2.0 + 1 - pixels[both, 1])[pixels[both, 1] > 30].max() <= 4


def test_a_wall_does_not_paint_what_is_behind_it() -> None:
    wall = sheet((6.0, -2.0, -1.5), (6.0, 2.0, 1.5))
    behind = sheet((20.0, -15.0, -5.0), (20.0, 15.0, 5.0))
    found, seen = colours(np.concatenate([wall, behind]))
    on_wall, on_back = seen[: len(wall)], seen[len(wall) :]
    assert on_wall.all()
    shadow = (np.abs(behind[:, 1]) < 2.0 / 6 * 20 - 1.0) & (np.abs(behind[:, 2]) < 1.5 / 6 * 20 - 1.0)
    beside = (np.abs(behind[:, 1]) > 2.0 / 6 * 20 + 0.3) | (np.abs(behind[:, 2]) > 1.5 / 6 * 20 + 0.3)
    in_picture = (np.abs(behind[:, 1]) < 19) & (np.abs(behind[:, 2]) < 11)
    assert shadow.sum() > 200
    assert not on_back[shadow].any()
    assert on_back[beside & in_picture].all()
    assert (found[len(wall) :][shadow] == UNSEEN).all()


def test_a_flat_ground_is_painted_to_the_far_end() -> None:
    ground = sheet((2.0, -40.0, -1.6), (60.0, 40.0, -1.6), step_rad=0.003)
    _, seen = colours(ground)
    in_picture = (np.abs(ground[:, 1]) < 0.95 * ground[:, 0]) & (0.55 * ground[:, 0] > 1.6)
    assert in_picture.sum() > 2000
    assert seen[in_picture].all()


def test_what_one_camera_cannot_see_another_paints() -> None:
    wall = sheet((6.0, -2.0, -1.5), (6.0, 2.0, 1.5))
    behind = sheet((20.0, -3.0, -2.0), (20.0, 3.0, 2.0))
    from_aside = RigidTransform(FORWARD.rotation, tuple((FORWARD @ np.array([-10.0, 0.0, 0.0])).tolist()))  # beyond it
    blue = np.full((HEIGHT, WIDTH, 3), (0, 0, 200), np.uint8)
    points = np.concatenate([wall, behind])
    found, seen = painted(points, [Sighting(STRAIGHT, FORWARD, gradient()), Sighting(STRAIGHT, from_aside, blue)])
    assert seen.all()
    assert (np.abs(DARKENED[found[len(wall) :]].astype(int) - (10, 10, 200)) <= 10).mean() > 0.9
    assert (found[: len(wall), 2] < 40).all()


def test_nothing_is_painted_behind_the_camera() -> None:
    points = np.array([[-6.0, 0.1, 0.2], [6.0, 0.1, 0.2]])
    found, seen = colours(points)
    assert seen.tolist() == [False, True]
    assert found[0].tolist() == list(UNSEEN)
    empty, none = colours(np.empty((0, 3)))
    assert empty.shape == (0, 3)
    assert none.shape == (0,)
