"""The generator's own cameras against OpenCV, its meshes and its painter against what must be true of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workstation.synth.camera import Camera, distort, mounted, undistort
from workstation.synth.diorama import Thing, full_box, looking, plain_backdrop, project, run_lengths, snap
from workstation.synth.drive.rig import BROWN, FISHEYE
from workstation.synth.marks import burn, read
from workstation.synth.mesh import MeshBuilder
from workstation.synth.opencv import cv2
from workstation.synth.people import PERSON_SIZE, pedestrian
from workstation.synth.pose import pose, quaternion, rotation
from workstation.synth.vehicles import SIZES, vehicle


def points_before_a_camera() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.stack([rng.uniform(-4, 4, 50), rng.uniform(-2, 2, 50), rng.uniform(6, 30, 50)], axis=1)


@pytest.mark.parametrize(("model", "k"), [("pinhole", ()), ("brown", BROWN), ("fisheye", FISHEYE)])
def test_projection_equals_opencv(model: str, k: tuple[float, ...]) -> None:
    camera = Camera(
        key="c",
        width=960,
        height=540,
        focal_px=700.0,
        ego_from_camera=mounted(0, 0, 0, yaw_deg=0),
        model=model,
        distortion=k,
    )
    points = points_before_a_camera()
    # OpenCV counts pixel centres as whole numbers; ours are half a pixel further.
    matrix = np.array([[700.0, 0, 479.5], [0, 700.0, 269.5], [0, 0, 1]])
    if model == "fisheye":
        expected, _ = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), matrix, np.array(k))
    else:
        expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, np.array(k or (0.0,) * 5))
    assert np.allclose(camera.project(points), expected.reshape(-1, 2) + 0.5, atol=1e-6)


@pytest.mark.parametrize(("model", "k"), [("brown", BROWN), ("fisheye", FISHEYE)])
def test_undistortion_is_the_inverse(model: str, k: tuple[float, ...]) -> None:
    x, y = np.meshgrid(np.linspace(-0.7, 0.7, 9), np.linspace(-0.4, 0.4, 7))
    bent = distort(model, k, x, y)
    back = undistort(model, k, *bent)
    assert np.allclose(back[0], x, atol=1e-8)
    assert np.allclose(back[1], y, atol=1e-8)


def test_a_camera_looks_where_it_is_mounted() -> None:
    left = mounted(1.0, 0.5, 1.5, yaw_deg=90.0)
    assert np.allclose(left.rotation @ [0, 0, 1], [0, 1, 0]), "a yaw of 90° looks to the left"
    down = mounted(0, 0, 0, yaw_deg=0.0, pitch_deg=10.0)
    assert (down.rotation @ [0, 0, 1])[2] == pytest.approx(-math.sin(math.radians(10)))


def test_quaternions_turn_as_their_matrices() -> None:
    for angles in [(0.3, 0.1, -0.2), (3.1, 0.0, 0.0), (-2.0, 1.2, 2.8), (math.pi, 0.0, 0.0)]:
        matrix = rotation(*angles)
        w, x, y, z = quaternion(matrix)
        v = np.array([0.3, -1.2, 0.7])
        u = np.array([x, y, z])
        assert np.allclose(v + 2 * np.cross(u, np.cross(u, v) + w * v), matrix @ v)


@pytest.mark.parametrize("kind", sorted(SIZES))
def test_a_vehicle_fills_its_cuboid_exactly(kind: str) -> None:
    mesh = vehicle(kind, (120, 40, 40), "AB 12")
    length, width, height = SIZES[kind]
    assert np.allclose(mesh.vertices.min(axis=0), [-length / 2, -width / 2, 0.0])
    assert np.allclose(mesh.vertices.max(axis=0), [length / 2, width / 2, height])


@pytest.mark.parametrize("walked", [0.0, 0.2, 0.375, 0.6, 1.1])
def test_a_walker_stays_inside_its_cuboid(walked: float) -> None:
    points = pedestrian(walked).vertices
    assert np.abs(points[:, 0]).max() <= PERSON_SIZE[0] / 2 + 1e-9
    assert np.abs(points[:, 1]).max() <= PERSON_SIZE[1] / 2 + 1e-9
    assert points[:, 2].min() >= 0
    assert points[:, 2].max() <= PERSON_SIZE[2] + 1e-9


def test_triangles_cover_a_concave_face_once() -> None:
    build = MeshBuilder()
    ring = [(0.0, 0.0), (4.0, 0.0), (4.0, 1.0), (2.5, 1.0), (2.0, 2.0), (1.0, 2.0), (0.0, 1.0)]
    build.extrude(ring, 0.5, (100, 100, 100))
    mesh = build.build()
    triangles, faces = mesh.triangles()
    area = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1) / 2
    shoelace = 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)))
    assert area[faces == 0].sum() == pytest.approx(shoelace)


def test_a_nearer_thing_hides_a_farther_one() -> None:
    view = looking((0, 0, 1.5), (10, 0, 1.0), width=320, height=240, focal_px=300)
    car = vehicle("car", (180, 40, 40), "A 1")
    things = [
        Thing(key="near", label="car", mesh=car, x=8.0, yaw=1.57),
        Thing(key="far", label="car", mesh=car, x=14.0, y=0.5, yaw=1.57),
    ]
    both = snap(view, things, background=plain_backdrop(view))
    alone = snap(view, things[1:], background=plain_backdrop(view))
    assert both.mask("far").sum() < alone.mask("far").sum()
    assert both.mask("near").sum() == snap(view, things[:1], background=plain_backdrop(view)).mask("near").sum()


def test_painted_pixels_fill_the_projected_box() -> None:
    view = looking((0, 0, 1.5), (10, 0, 1.0), width=640, height=480, focal_px=600)
    thing = Thing(key="van", label="van", mesh=vehicle("van", (200, 200, 200), "V 1"), x=9.0, y=1.0, yaw=0.6)
    shot = snap(view, [thing], background=plain_backdrop(view))
    seen, full = shot.box("van"), full_box(view, thing)
    assert seen is not None
    for a, b in zip(
        (seen[0], seen[1], seen[0] + seen[2], seen[1] + seen[3]),
        (full[0], full[1], full[0] + full[2], full[1] + full[3]),
        strict=True,
    ):
        assert a == pytest.approx(b, abs=2.0)
    middle = project(view, pose(9.0, 1.0, 1.0).translation[None])[0]
    assert shot.mask("van")[int(middle[1]), int(middle[0])]


def test_run_lengths_give_the_mask_back() -> None:
    rng = np.random.default_rng(3)
    for mask in (rng.random((7, 11)) > 0.5, np.zeros((3, 4), bool), np.ones((3, 4), bool)):
        value, flat = False, []
        for run in run_lengths(mask):
            flat += [value] * run
            value = not value
        flat += [value] * (mask.size - len(flat)) if len(flat) < mask.size else []
        assert np.array_equal(np.array(flat).reshape(mask.shape), mask)


@pytest.mark.parametrize("number", [0, 1, 1799, 40_000, 65_535])
@pytest.mark.parametrize("width", [160, 320, 640, 1920])
def test_frame_numbers_survive_noise(number: int, width: int) -> None:
    image = np.full((width * 9 // 16, width, 3), 127, np.uint8)
    burn(image, number)
    rng = np.random.default_rng(number)
    noisy = np.clip(image + rng.normal(0, 25, image.shape), 0, 255).astype(np.uint8)
    assert read(noisy) == number


def test_a_picture_without_a_bar_has_no_number() -> None:
    assert read(np.full((90, 160, 3), 255, np.uint8)) is None
    image = np.zeros((360, 640, 3), np.uint8)
    burn(image, 77)
    image[:, 20:30] = 255 - image[:, 20:30]  # one cell turned: the checksum must notice
    assert read(image) is None
