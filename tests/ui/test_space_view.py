"""Laws of looking into space: rays meet what projects there, zoom holds its point, clipping loses nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from space_views import vectors, views

from workstation.core.poses import Vector
from workstation.ui.scenes.space_view import NEAREST_M, Side, SpaceView


def pixel_of(view: SpaceView, point: Vector) -> tuple[float, float]:
    """Projected by hand, from eye, target and up alone."""
    eye, target = np.array(view.eye), np.array(view.target)
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    above = np.cross(right, forward)
    offset = np.array(point) - eye
    x, y, z = offset @ right, offset @ above, offset @ forward
    per_metre = view.height_px / (
        view.height_m if view.fov_deg is None else 2 * z * math.tan(math.radians(view.fov_deg) / 2)
    )
    return view.width_px / 2 + x * per_metre, view.height_px / 2 - y * per_metre


@given(views(), vectors)
def test_a_point_falls_where_geometry_says(view: SpaceView, point: Vector) -> None:
    level = np.subtract(view.target, view.eye)
    assume(np.hypot(level[0], level[1]) > 1e-3 * np.linalg.norm(level))
    seen = view.project([point])
    assume(seen.in_front[0] and abs(seen.depth[0]) > 0.1)
    assert seen.px[0] == pytest.approx(pixel_of(view, point), rel=1e-6, abs=1e-4)


@given(views(), st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 500))
def test_what_lies_on_a_ray_projects_to_its_pixel(view: SpaceView, right: float, down: float, metres: float) -> None:
    x, y = right * view.width_px, down * view.height_px
    origin, direction = view.ray(x, y)
    assert math.hypot(*direction) == pytest.approx(1)
    seen = view.project([np.add(origin, np.multiply(direction, metres))])
    assume(seen.depth[0] > 2 * NEAREST_M or view.fov_deg is None)
    assert seen.px[0] == pytest.approx((x, y), abs=1e-2)
    assert view.project([view.at_depth(x, y, metres)]).depth[0] == pytest.approx(metres, abs=1e-6)


@given(views(), st.floats(0, 1), st.floats(0, 1), st.floats(0.2, 5), st.floats(1, 300))
def test_zoom_keeps_the_point_under_the_pointer(
    view: SpaceView, right: float, down: float, factor: float, depth: float
) -> None:
    x, y = right * view.width_px, down * view.height_px
    held = view.at_depth(x, y, depth)
    after = view.zoom_to(x, y, factor, at=held)
    seen = after.project([held])
    assume(seen.depth[0] > 2 * NEAREST_M or view.fov_deg is None)
    assert seen.px[0] == pytest.approx((x, y), abs=0.05)
    size = (view.height_m, after.height_m) if view.fov_deg is None else (view.distance_m, after.distance_m)
    if size[1] > 0.2:
        assert size[0] / size[1] == pytest.approx(factor, rel=1e-6)


@given(views(), st.floats(-500, 500), st.floats(-500, 500))
def test_pan_moves_the_target_by_as_many_pixels(view: SpaceView, dx: float, dy: float) -> None:
    after = view.pan(dx, dy)
    middle = np.array([view.width_px / 2, view.height_px / 2])
    assert after.project([view.target]).px[0] == pytest.approx(middle + np.array([dx, dy]), abs=1e-2)


@given(views(), st.floats(-2000, 2000), st.floats(-2000, 2000))
def test_orbit_keeps_distance_target_and_the_horizon(view: SpaceView, dx: float, dy: float) -> None:
    after = view.orbit(dx, dy)
    assert after.target == view.target
    assert after.distance_m == pytest.approx(view.distance_m, rel=1e-6)
    right, down, _ = after.axes()
    assert right[2] == pytest.approx(0, abs=1e-6)
    assert down[2] <= 1e-6
    assert after.project([after.target]).px[0] == pytest.approx((view.width_px / 2, view.height_px / 2), abs=1e-3)


def test_orbit_leads_through_the_top_and_back() -> None:
    view = SpaceView(eye=(-20, 0, 12), width_px=800, height_px=600)
    top = view.orbit(0, 10_000)
    assert top.axes()[2] == pytest.approx([0, 0, -1], abs=1e-9)
    turned = top.orbit(225, 0)
    assert turned.axes()[2] == pytest.approx([0, 0, -1], abs=1e-9)
    assert turned.axes()[0] @ top.axes()[0] == pytest.approx(0, abs=1e-9)
    assert top.orbit(0, -225).axes()[2] == pytest.approx([1, 0, 0], abs=1e-9)


@given(views(), vectors, st.tuples(*[st.floats(0, 100)] * 3), st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1))
def test_clip_holds_the_bounds(view: SpaceView, low: Vector, size: Vector, inside: list[Vector]) -> None:
    high = np.add(low, size)
    near, far = view.clip(low, high)
    assert near < far
    seen = view.project(np.add(low, np.multiply(inside, size)))
    assert (seen.depth[seen.in_front] >= near).all()
    assert (seen.depth[seen.in_front] <= far).all()
    assert view.fov_deg is None or near >= NEAREST_M


@given(views(), vectors, st.tuples(*[st.floats(0.1, 100)] * 3))
def test_fit_shows_the_whole_box_and_fills_the_picture(view: SpaceView, low: Vector, size: Vector) -> None:
    high = np.add(low, size)
    after = view.fit(low, high)
    corners = [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    seen = after.project(corners)
    assert seen.in_front.all()
    assert (seen.px >= -1e-6).all()
    assert (seen.px <= np.array([view.width_px, view.height_px]) + 1e-6).all()
    if view.fov_deg is None:
        filled = np.ptp(seen.px, axis=0) / (view.width_px, view.height_px)
        assert filled.max() == pytest.approx(1 / 1.1, rel=1e-3)


@given(views(), vectors, st.floats(0.05, 100), vectors)
def test_fly_to_shows_the_whole_ball(view: SpaceView, center: Vector, radius: float, towards: Vector) -> None:
    after = view.fly_to(center, radius)
    direction = np.array(towards) / max(1e-9, math.hypot(*towards))
    seen = after.project([np.add(center, radius * direction)])
    assert after.target == pytest.approx(center)
    assert (seen.px[0] >= -1e-6).all()
    assert (seen.px[0] <= np.array([view.width_px, view.height_px]) + 1e-6).all()


@pytest.mark.parametrize(
    ("side", "right", "up"),
    [(Side.TOP, (0, -1, 0), (1, 0, 0)), (Side.SIDE, (1, 0, 0), (0, 0, 1)), (Side.FRONT, (0, 1, 0), (0, 0, 1))],
)
def test_straight_looks_at_a_cuboid(side: Side, right: Vector, up: Vector) -> None:
    """A car 4 m × 2 m × 1.5 m, turned by 90°: each view shows two of its axes and both of its sizes."""
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    size = np.array([4.0, 2, 1.5])
    view = SpaceView(width_px=400, height_px=400).straight_at(side, (10, 20, 1), size, turn)
    assert view.fov_deg is None
    assert view.axes()[0] == pytest.approx(turn @ right)
    assert -view.axes()[1] == pytest.approx(turn @ up)
    corner = np.array([10, 20, 1]) + turn @ (size / 2 * (np.abs(right) + np.abs(up)) * np.sign(np.add(right, up)))
    x, y = view.project([corner]).px[0]
    larger = max(np.abs(right) @ size, np.abs(up) @ size)
    scale = 400 / 1.1 / larger
    assert x == pytest.approx(200 + np.abs(right) @ size / 2 * scale)
    assert y == pytest.approx(200 - np.abs(up) @ size / 2 * scale)


@given(views())
def test_flat_and_deep_keep_the_targets_size(view: SpaceView) -> None:
    assert view.flat().metres_per_px == pytest.approx(view.metres_per_px)
    assert view.flat().deep().metres_per_px == pytest.approx(view.metres_per_px, rel=1e-6)


@given(views(), views(), st.floats(0, 1))
def test_a_flight_begins_here_and_ends_there(here: SpaceView, there: SpaceView, share: float) -> None:
    assert here.towards(there, 0) == here
    assert here.towards(there, 1) == there
    between = here.towards(there, share)
    if between.fov_deg == here.fov_deg is None:
        low, high = sorted((here.height_m, there.height_m))
        assert low * 0.999 <= between.height_m <= high * 1.001


odd = st.floats(allow_nan=True, allow_infinity=True)


@given(views(), st.tuples(odd, odd, odd), odd, odd)
def test_what_is_not_finite_changes_nothing_for_the_worse(view: SpaceView, place: Vector, a: float, b: float) -> None:
    for after in (
        view.fit(place, (1, 2, 3)),
        view.fly_to(place, a),
        view.zoom_to(3, 4, a),
        view.zoom_to(3, 4, 2, at=place),
        view.pan(a, b),
        view.orbit(a, b),
    ):
        assert np.isfinite([*after.eye, *after.target, *after.up, after.height_m]).all()
        assert np.isfinite(after.matrix()).all()
    near, far = view.clip(place, (1, 2, 3))
    assert near < far


@pytest.mark.parametrize("fov", [None, 50.0])
@pytest.mark.parametrize("size", [(0, 0), (0, 10), (10, 0), (1, 1)])
def test_an_eye_at_its_target_and_a_picture_of_nothing(fov: float | None, size: tuple[int, int]) -> None:
    view = SpaceView(eye=(1, 2, 3), target=(1, 2, 3), fov_deg=fov).sized(*size)
    assert np.isfinite(view.matrix()).all()
    assert np.isfinite([*view.orbit(3, 4).eye, *view.pan(1, 1).eye, *view.zoom_to(0, 0, 2).eye]).all()
    assert view.project(np.empty((0, 3))).px.shape == (0, 2)
    assert view.fit((0, 0, 0), (1, 1, 1)).distance_m > 0.1


def test_a_view_of_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        SpaceView(eye=(math.nan, 0, 0))
