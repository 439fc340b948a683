"""Projection against OpenCV (pixels there are half a pixel smaller), against hand-computed cases, and against paint.

Truth for outlines and boxes is a dense cloud of points on and in the cuboid, projected one by one by OpenCV.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.axes import axis_change
from workstation.core.cameras import BrownConrady, Camera, Fisheye, Lens, Pinhole, opencv_lens, opencv_matrix
from workstation.core.errors import DataError
from workstation.core.geometry import Cuboid
from workstation.core.poses import RigidTransform, transform_of_matrix
from workstation.core.projection import (
    EDGES,
    cuboid_box,
    cuboid_corners,
    cuboid_outline,
    project,
    rays_meet_cuboid,
    unproject,
)
from workstation.core.rotation import Floats, about_z, unit

HD = (1280, 720)
PINHOLE = Pinhole(fx=1000.0, fy=1100.0, cx=640.5, cy=360.5)
WEBCAM = BrownConrady(fx=980.0, fy=985.0, cx=650.0, cy=350.0, k1=-0.28, k2=0.09, p1=0.0011, p2=-0.0007, k3=-0.012)
RATIONAL = BrownConrady(
    fx=700.0, fy=702.0, cx=641.0, cy=362.0, k1=1.2, k2=0.4, p1=1e-4, p2=-2e-4, k3=0.02, k4=1.5, k5=0.7, k6=0.1
)
WIDE = Fisheye(fx=330.0, fy=331.0, cx=640.0, cy=360.0, k1=0.02, k2=-0.01, k3=0.003, k4=-0.0005)
LENSES: list[Lens] = [PINHOLE, WEBCAM, RATIONAL, WIDE]
RIMMED = BrownConrady(fx=500.0, fy=500.0, cx=640.5, cy=360.5, k1=-0.3)
"""Its distortion turns back at 351 px from the middle: the end of the lens lies inside the picture."""


def camera(lens: Lens, size: tuple[int, int] = HD) -> Camera:
    return Camera(name="test", frame="test", width_px=size[0], height_px=size[1], lens=lens)


def by_opencv(lens: Lens, points: Floats) -> Floats:
    """What OpenCV gives, in its own pixels, moved by the half pixel."""
    k = np.array([[lens.fx, 0, lens.cx - 0.5], [0, lens.fy, lens.cy - 0.5], [0, 0, 1]])
    zero = np.zeros(3)
    match lens:
        case Fisheye():
            got = cv2.fisheye.projectPoints(
                points[:, None], zero, zero, k, np.array([lens.k1, lens.k2, lens.k3, lens.k4])
            )
        case BrownConrady():
            d = np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3, lens.k4, lens.k5, lens.k6])
            got = cv2.projectPoints(points, zero, zero, k, d)
        case _:
            got = cv2.projectPoints(points, zero, zero, k, None)
    pixels: Floats = np.array(got[0], np.float64).reshape(-1, 2) + 0.5
    return pixels


def points_ahead(count: int, angle_rad: float) -> Floats:
    rng = np.random.default_rng(7)
    around, off = rng.uniform(0, 2 * np.pi, count), rng.uniform(0, angle_rad, count)
    far = rng.uniform(0.5, 120, count)
    directions: Floats = np.column_stack([np.sin(off) * np.cos(around), np.sin(off) * np.sin(around), np.cos(off)])
    return far[:, None] * directions


# Points


@pytest.mark.parametrize("lens", LENSES)
def test_points_fall_where_opencv_puts_them(lens: Lens) -> None:
    points = points_ahead(2000, 0.95 * min(lens.limit_rad, 1.2))
    got = project(camera(lens), points)
    assert got.valid.all()
    assert np.abs(got.pixels - by_opencv(lens, points)).max() < 1e-6
    assert got.depth_m == pytest.approx(points[:, 2])


def test_by_hand() -> None:
    """10 m ahead on the axis; then 1 m right and 0.5 m down of it; the picture's first pixel centre."""
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    got = project(camera(lens), np.array([[0, 0, 10.0], [1, 0.5, 10], [-6.395, -3.595, 10]]))
    assert got.pixels == pytest.approx(np.array([[640, 360], [740, 410], [0.5, 0.5]]))
    bent = BrownConrady(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0, k1=0.1, p1=0.01)
    # x = 0.5, y = 0, r² = 0.25: x (1 + 0.025) = 0.5125; y: p1 r² = 0.0025
    assert project(camera(bent), np.array([[5.0, 0, 10]])).pixels[0] == pytest.approx((1152.5, 362.5))
    # an ideal fisheye: 45° to the right is π/4 focal lengths away
    ideal = Fisheye(fx=400.0, fy=400.0, cx=640.0, cy=360.0)
    assert project(camera(ideal), np.array([[3.0, 0, 3]])).pixels[0] == pytest.approx((640 + 100 * np.pi, 360))


@pytest.mark.parametrize("lens", LENSES)
def test_nothing_behind_the_camera_is_mirrored_into_the_picture(lens: Lens) -> None:
    behind = -points_ahead(500, 1.0)
    assert (np.abs(by_opencv(lens, behind) - (640, 360)) < 2000).all(1).any(), "OpenCV does"
    got = project(camera(lens), behind)
    assert not got.valid.any()
    assert not got.in_picture.any()
    assert np.isnan(got.pixels).all()
    assert (got.depth_m < 0).all()


def test_beyond_the_valid_radius_nothing_comes_back_into_the_picture() -> None:
    """k1 = -0.3: x (1 - 0.3 x²) turns at x = 1/sqrt(0.9) = 1.054; a point at 1.8 would land at 0.05."""
    lens = BrownConrady(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0, k1=-0.3)
    assert lens.valid_radius == pytest.approx(1 / np.sqrt(0.9))
    points = np.array([[1.8, 0, 1], [1.0541, 0, 1], [1.0540, 0, 1]])
    assert abs(by_opencv(lens, points)[0, 0] - 640) < 60, "OpenCV puts it near the middle"
    assert project(camera(lens), points).valid.tolist() == [False, False, True]


def test_a_pole_of_the_rational_model_ends_it() -> None:
    lens = BrownConrady(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0, k4=-0.25)
    assert lens.valid_radius == pytest.approx(2.0)
    assert BrownConrady(fx=1.0, fy=1.0, cx=0.0, cy=0.0, k1=0.1).valid_radius == np.inf
    assert BrownConrady(fx=1.0, fy=1.0, cx=0.0, cy=0.0, k2=-1e-311, k6=1e-320).valid_radius > 1e9


def test_a_fisheye_of_220_degrees_sees_beside_and_behind() -> None:
    lens = Fisheye(fx=250.0, fy=250.0, cx=640.0, cy=360.0, max_angle_rad=np.radians(110))
    angles = np.radians([89, 90, 109, 111, 180])
    got = project(camera(lens), np.column_stack([np.sin(angles), np.zeros(5), np.cos(angles)]) * 7)
    assert got.valid.tolist() == [True, True, True, False, False]
    assert got.pixels[:3, 0] == pytest.approx(640 + 250 * angles[:3])


@pytest.mark.parametrize("point", [(0.0, 0, 0), (1.0, 1, -1e-9), (np.nan, 0, 1), (0.0, np.inf, 1), (1e308, 0, -1e308)])
@pytest.mark.parametrize("lens", LENSES)
def test_points_that_have_no_pixel(lens: Lens, point: tuple[float, float, float]) -> None:
    got = project(camera(lens), np.array([point]))
    assert not got.valid.any()
    assert np.isnan(got.pixels).all()


@pytest.mark.parametrize("lens", [PINHOLE, WEBCAM, RATIONAL])
def test_a_hair_in_front_of_the_camera_numbers_do_not_run_over(lens: Lens) -> None:
    got = project(camera(lens), np.array([[1e308, 0, 1e-308], [1e200, 1, 1.0]]))
    assert not got.in_picture.any()
    assert np.isfinite(got.pixels[got.valid]).all()


def test_border_and_empty_and_float32() -> None:
    lens = Pinhole(fx=100.0, fy=100.0, cx=50.0, cy=50.0)
    small = camera(lens, (100, 100))
    got = project(small, np.array([[0.5, 0, 1], [0.501, 0, 1], [-0.5, -0.5, 1], [0, -0.501, 1]], np.float32))
    assert got.in_picture.tolist() == [True, False, True, False]
    assert got.valid.all()
    assert project(small, np.zeros((0, 3))).pixels.shape == (0, 2)
    assert unproject(small, np.zeros((0, 2))).directions.shape == (0, 3)


def test_a_planted_point_of_the_world_through_a_transform() -> None:
    """Vehicle x forward, camera 1.5 m ahead of its origin and 1.6 m up: 20 m ahead, 2 m left, on the ground."""
    camera_from_vehicle = RigidTransform(unit((0.5, -0.5, 0.5, -0.5)), (1.5, 0.0, 1.6)).inverted()
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    got = project(camera(lens), np.array([[21.5, 2.0, 0.0]]), camera_from_frame=camera_from_vehicle)
    assert got.pixels[0] == pytest.approx((640 - 100, 360 + 80))


# Rays


@pytest.mark.parametrize("lens", LENSES)
def test_rays_go_back_through_their_pixels(lens: Lens) -> None:
    points = points_ahead(2000, 0.9 * min(lens.limit_rad, 1.2))
    rays = unproject(camera(lens), project(camera(lens), points).pixels)
    assert rays.valid.all()
    assert np.abs(rays.directions - points / np.linalg.norm(points, axis=1, keepdims=True)).max() < 1e-8


@settings(max_examples=60, deadline=None)
@given(st.floats(-0.4, 0.4), st.floats(-0.1, 0.2), st.floats(-0.003, 0.003), st.floats(-0.003, 0.003), st.floats(0, 1))
def test_every_usual_lens_can_be_inverted(k1: float, k2: float, p1: float, p2: float, share: float) -> None:
    lens = BrownConrady(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0, k1=k1, k2=k2, p1=p1, p2=p2)
    radius = min(0.9 * lens.valid_radius, 1.0) * share
    around = np.linspace(0, 6, 13)
    points = np.column_stack([radius * np.cos(around), radius * np.sin(around), np.ones(13)])
    pixels = project(camera(lens), points).pixels
    rays = unproject(camera(lens), pixels)
    assert rays.valid.all()
    again = project(camera(lens), rays.directions).pixels
    assert np.abs(again - pixels).max() < 1e-3


@pytest.mark.parametrize("fisheye", [False, True])
def test_pixels_off_the_lens_cast_no_ray(fisheye: bool) -> None:
    lens: Lens = (
        Fisheye(fx=300.0, fy=300.0, cx=640.0, cy=360.0, k1=-0.1)
        if fisheye
        else BrownConrady(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0, k1=-0.3)
    )
    rays = unproject(camera(lens), np.array([[640.0, 360], [640 + 900, 360], [np.nan, 5], [np.inf, 0], [1e9, 1e9]]))
    assert rays.valid.tolist() == [True, False, False, False, False]
    assert rays.directions[0] == pytest.approx((0, 0, 1))
    assert np.isnan(rays.directions[1:]).all()


# Calibrations of OpenCV's kind


def test_opencv_calibrations_are_moved_by_half_a_pixel_and_back() -> None:
    k = np.array([[2152.8, 0, 971.3], [0, 2155.5, 605.9], [0, 0, 1]])
    lens = opencv_lens(k, (-0.1192, 0.162, 0.00073985, 0.0014))
    assert isinstance(lens, BrownConrady)
    assert (lens.cx, lens.cy, lens.p1, lens.p2, lens.k3) == (971.8, 606.4, 0.00073985, 0.0014, 0)
    assert opencv_matrix(lens) == pytest.approx(k)
    points = points_ahead(200, 0.4)
    direct, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), k, np.array([-0.1192, 0.162, 0.00073985, 0.0014]))
    assert project(camera(lens), points).pixels == pytest.approx(direct.reshape(-1, 2) + 0.5, abs=1e-6)
    assert isinstance(opencv_lens(k), Pinhole)
    assert isinstance(opencv_lens(k, (0.1, 0, 0, 0), fisheye=True), Fisheye)
    assert opencv_lens(k, (1, 2, 3, 4, 5, 6, 7, 8)) == BrownConrady(
        fx=2152.8, fy=2155.5, cx=971.8, cy=606.4, k1=1.0, k2=2.0, p1=3.0, p2=4.0, k3=5.0, k4=6.0, k5=7.0, k6=8.0
    )


@pytest.mark.parametrize("coefficients", [(1.0,), (1.0,) * 6, (1.0,) * 12, (0.0,) * 15])
def test_coefficients_we_do_not_understand_are_refused(coefficients: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="coefficients"):
        opencv_lens(np.eye(3), coefficients)
    with pytest.raises(DataError, match="4 coefficients"):
        opencv_lens(np.eye(3), coefficients, fisheye=True)
    with pytest.raises(DataError, match="no skew"):
        opencv_lens(np.eye(3) + np.eye(3, k=1))


# Cuboids


def cube(center: tuple[float, float, float], size: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Cuboid:
    return Cuboid(center=center, size=size)


def test_corners_and_edges() -> None:
    turned = Cuboid(center=(10.0, 0.0, 1.0), size=(4.0, 2.0, 1.5), rotation=about_z(np.pi / 2))
    corners = cuboid_corners(turned)
    assert corners[7] == pytest.approx((10 - 1, 2, 1.75)), "front left up: forward is now +y, left is -x"
    lengths = [np.linalg.norm(corners[a] - corners[b]) for a, b in EDGES]
    assert lengths == pytest.approx([4.0] * 4 + [2.0] * 4 + [1.5] * 4)
    assert len(set(EDGES)) == 12


def test_a_cube_straight_ahead_by_hand() -> None:
    """Near face 9 m away, half width 1 m: 1000/9 px either side; far face 1000/11."""
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    box = cuboid_box(camera(lens), cube((0, 0, 10)))
    assert box is not None
    near = 1000 / 9
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((640 - near, 360 - near, 640 + near, 360 + near))
    assert not box.clipped
    outline = cuboid_outline(camera(lens), cube((0, 0, 10)))
    assert sorted(outline.edges) == list(range(12))
    ends = {tuple(np.round(end, 6)) for end in outline.segments.reshape(-1, 2)}
    expected = {
        (round(640 + sx * 1000 / z, 6), round(360 + sy * 1000 / z, 6))
        for z in (9, 11)
        for sx in (-1, 1)
        for sy in (-1, 1)
    }
    assert ends == expected


def test_cut_at_the_border_by_hand() -> None:
    """A flat plate 10 m away, turned by 45°: a diamond whose right half is outside. Clamping corners would be wrong."""
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    edge = 2 * np.sqrt(2)
    plate = Cuboid(center=(6.4, 0.0, 10.0), size=(edge, edge, 1e-9), rotation=about_z(np.pi / 4))
    box = cuboid_box(camera(lens), plate)
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((1080, 160, 1280, 560), abs=1e-3)
    off = Cuboid(center=(7.4, 0.0, 10.0), size=(edge, edge, 1e-9), rotation=about_z(np.pi / 4))
    box = cuboid_box(camera(lens), off)
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((1180, 260, 1280, 460), abs=1e-3)
    assert box.clipped


def test_half_behind_the_camera() -> None:
    """A long wall on the right that passes the camera: it leaves the picture on the right, never on the left."""
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    wall = cube((3.0, 0.0, 0.0), (2.0, 2.0, 40.0))
    box = cuboid_box(camera(lens), wall)
    assert box is not None
    # far end, z = 20: inner side at 2 m is 100 px right of the middle; the nearest visible part fills the height
    assert (box.left, box.right) == pytest.approx((740, 1280))
    # at the border the inner side is 2 m aside at z = 3.125 m, where 1 m is 320 px
    assert (box.top, box.bottom) == pytest.approx((40, 680))
    assert box.clipped


@pytest.mark.parametrize("lens", LENSES)
def test_around_the_camera_everything_shows(lens: Lens) -> None:
    box = cuboid_box(camera(lens), cube((0.3, 0.2, 0.1), (8.0, 8.0, 8.0)))
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == (0, 0, *HD) or isinstance(lens, Fisheye)
    if isinstance(lens, Fisheye):  # its circle is smaller than the picture is wide
        reach = by_opencv(lens, np.array([[1e9, 0, 1.0], [-1e9, 0, 1.0]]))[:, 0]
        assert (box.left, box.right) == pytest.approx((max(reach.min(), 0), min(reach.max(), 1280)), abs=0.01)


def test_a_face_that_fills_the_picture_shows_without_any_edge() -> None:
    assert cuboid_outline(camera(PINHOLE), cube((0, 0, 10), (40.0, 40.0, 2.0))).segments.shape == (0, 2, 2)
    box = cuboid_box(camera(PINHOLE), cube((0, 0, 10), (40.0, 40.0, 2.0)))
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == (0, 0, *HD)
    assert box.clipped


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("center", [(0.0, 0.0, -10.0), (-50.0, 0.0, 3.0), (0.0, 300.0, 2.0), (0.1, 0.2, -1e5)])
def test_what_is_behind_or_beside_does_not_show(lens: Lens, center: tuple[float, float, float]) -> None:
    if isinstance(lens, Fisheye) and center[2] > 0:
        return
    assert cuboid_box(camera(lens), cube(center)) is None
    assert len(cuboid_outline(camera(lens), cube(center)).segments) == 0


def painted(lens: Lens, cuboid: Cuboid) -> tuple[Floats, bool]:
    """Every point of a dense grid over the cuboid's faces that OpenCV puts into the picture, far ones left out."""
    steps = np.linspace(-0.5, 0.5, 80)
    u, v = (axis.ravel() for axis in np.meshgrid(steps, steps))
    half = np.full_like(u, 0.5)
    faces = [np.roll(np.column_stack([u, v, sign * half]), turn, axis=1) for turn in range(3) for sign in (-1, 1)]
    along = np.linspace(-0.5, 0.5, 1500)
    rims = [
        np.roll(np.column_stack([along, np.full_like(along, a), np.full_like(along, b)]), turn, axis=1)
        for turn in range(3)
        for a in (-0.5, 0.5)
        for b in (-0.5, 0.5)
    ]
    local = np.concatenate(faces + rims) * cuboid.size
    points = RigidTransform(cuboid.rotation, cuboid.center) @ local
    angle = np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2])
    points = points[(points[:, 2] > 0.02) & (angle < lens.limit_rad)]
    pixels = by_opencv(lens, points) if len(points) else np.zeros((0, 2))
    inside = ((pixels >= 0) & (pixels <= HD)).all(1)
    return pixels[inside], len(points) == len(local) and bool(inside.all())


@pytest.mark.parametrize("lens", [*LENSES, RIMMED])
def test_boxes_hold_exactly_what_is_painted(lens: Lens) -> None:
    """Random cuboids: none of the painted points is outside the box, and each side of the box touches paint."""
    rng = np.random.default_rng(11)
    shown = 0
    for _ in range(30):
        center = (*rng.uniform(-6, 6, 2).tolist(), float(rng.uniform(-2, 14)))
        size = tuple(rng.uniform(0.3, 5, 3).tolist())
        cuboid = Cuboid(
            center=(center[0], center[1], center[2]),
            size=(size[0], size[1], size[2]),
            rotation=unit(rng.normal(size=4)),
        )
        paint, whole = painted(lens, cuboid)
        box = cuboid_box(camera(lens), cuboid)
        if box is None:
            assert len(paint) == 0
            continue
        if len(paint) < 500:
            continue
        shown += 1
        low, high = paint.min(0), paint.max(0)
        outside = max(box.left - low[0], box.top - low[1], high[0] - box.right, high[1] - box.bottom)
        assert outside < 0.01
        if whole:
            slack = max(low[0] - box.left, low[1] - box.top, box.right - high[0], box.bottom - high[1])
            assert slack < 0.01, "corners and edges are painted: the box is tight"
            assert not box.clipped
        else:
            grain = 40  # paint is coarse where the cuboid is close
            assert low == pytest.approx((box.left, box.top), abs=grain)
            assert high == pytest.approx((box.right, box.bottom), abs=grain)
    assert shown >= 10


@pytest.mark.parametrize("lens", [WEBCAM, WIDE])
def test_bent_edges_are_followed(lens: Lens) -> None:
    """Every outline piece lies on the true curve of its edge, 0.01 px near."""
    cuboid = Cuboid(center=(-1.5, 0.8, 4.0), size=(3.0, 1.5, 2.0), rotation=unit((0.9, 0.2, -0.3, 0.1)))
    outline = cuboid_outline(camera(lens), cuboid)
    corners = cuboid_corners(cuboid)
    for index, (a, b) in enumerate(EDGES):
        pieces = outline.segments[outline.edges == index]
        along = np.linspace(0, 1, 20_001)[:, None]
        curve = by_opencv(lens, corners[a] + along * (corners[b] - corners[a]))
        middles = pieces.mean(1)
        for middle in middles[::7]:
            nearest = int(np.clip(np.hypot(*(curve - middle).T).argmin(), 1, len(curve) - 2))
            before, after = curve[nearest - 1], curve[nearest + 1]
            (dx, dy), (ex, ey) = after - before, middle - before
            assert abs(dx * ey - dy * ex) / np.hypot(dx, dy) < 0.01


def test_rays_meet_a_cuboid() -> None:
    box = cube((0, 0, 10))
    rays = np.array([[0, 0, 1.0], [0.1, 0, 0.99], [0.2, 0, 0.98], [0, 0, -1], [np.nan, 0, 1]])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    assert rays_meet_cuboid(rays, box).tolist() == [True, True, False, False, False]
    moved = RigidTransform(translation=(0.0, 0.0, -20.0))
    assert rays_meet_cuboid(rays, box, camera_from_frame=moved).tolist() == [False, False, False, True, False]
    assert rays_meet_cuboid(rays, cube((0, 0, 0)), near_m=2.0).tolist() == [False, False, False, True, False]


def test_a_cuboid_can_be_given_in_another_frame() -> None:
    camera_from_vehicle = RigidTransform(unit((0.5, -0.5, 0.5, -0.5)), (1.5, 0.0, 1.6)).inverted()
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    there = cuboid_box(camera(lens), cube((11.5, 0, 1.6)), camera_from_frame=camera_from_vehicle)
    here = cuboid_box(camera(lens), cube((0, 0, 10)))
    assert there is not None
    assert here is not None
    assert (there.left, there.top, there.right, there.bottom) == pytest.approx(
        (here.left, here.top, here.right, here.bottom)
    )


def test_a_near_plane_of_ones_own_cuts_there() -> None:
    """The wall beside the camera again, seen from 5 m on: 2 m aside at 5 m is 400 px right of the middle."""
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    box = cuboid_box(camera(lens, (4000, 720)), cube((3.0, 0.0, 0.0), (2.0, 2.0, 40.0)), near_m=5.0)
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((740, 160, 1440, 560))


def test_a_cuboid_beside_and_behind_a_fisheye_of_220_degrees() -> None:
    """Flat and level with the camera, so that the box's sides are the angles of its corners."""
    lens = Fisheye(fx=250.0, fy=250.0, cx=640.0, cy=360.0, max_angle_rad=np.radians(110))
    box = cuboid_box(camera(lens), cube((5.0, 0.0, -0.5), (1.0, 1e-9, 1.0)))
    assert box is not None
    assert (box.left, box.right) == pytest.approx((640 + 125 * np.pi, 640 + 250 * np.arctan2(4.5, -1)))
    assert not box.clipped


def test_a_foreign_cuboid_comes_out_where_its_own_axes_put_it() -> None:
    """A vehicle with x right, y forward, z up, whose boxes are (width, length, height) with a yaw about z."""
    camera_from_theirs = np.array(
        [
            [0.99981316, 0.00433552, 0.0188376, -0.03817046],
            [0.01882304, 0.00337576, -0.99981713, 1.80399744],
            [-0.00439832, 0.9999849, 0.00329352, -0.85617819],
        ]
    )
    center, width_length_height, yaw = np.array([3.049, 13.416, 0.733]), (2.099, 5.17, 1.821), 0.4
    signs = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    c, s = np.cos(yaw), np.sin(yaw)
    theirs = (signs * width_length_height / 2) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T + center
    lens = Pinhole(fx=985.00655, fy=985.00455, cx=485.2501, cy=241.8994)
    expected = by_opencv(lens, theirs @ camera_from_theirs[:, :3].T + camera_from_theirs[:, 3])

    change = axis_change(("right", "forward", "up"))
    x, y, z = change.points(center).tolist()
    ours = Cuboid(center=(x, y, z), size=change.extent(width_length_height), rotation=change.rotation(about_z(yaw)))
    assert ours.size == (5.17, 2.099, 1.821)
    camera_from_ours = transform_of_matrix(camera_from_theirs) @ RigidTransform(change.inverted().as_rotation())
    box = cuboid_box(camera(lens, (960, 540)), ours, camera_from_frame=camera_from_ours)
    assert box is not None
    assert (box.left, box.top) == pytest.approx(expected.min(0), abs=0.01)
    assert (box.right, box.bottom) == pytest.approx(expected.max(0), abs=0.01)


def test_the_cut_of_the_near_plane_may_cross_the_whole_picture() -> None:
    """A slab wider than the picture, 1 to 1.2 m below the camera: seen from 5 m on, its front is at 1.2 m / 5 m."""
    lens = Pinhole(fx=1000.0, fy=1000.0, cx=640.0, cy=360.0)
    box = cuboid_box(camera(lens), cube((0.0, 1.1, 0.0), (100.0, 0.2, 40.0)), near_m=5.0)
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0, 410, 1280, 600))
