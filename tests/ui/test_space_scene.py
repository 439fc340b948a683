"""What a 3-D scene draws and what a click finds, against pixels worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workstation.ui.scenes.cloud_scene import LAYER_SHIFT, LineLayer, PointLayer
from workstation.ui.scenes.space_scene import SpaceScene
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.scenes.splat_scene import SplatPainter

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
AHEAD = SpaceView(eye=(0, 0, 0), target=(10, 0, 0), fov_deg=90, width_px=200, height_px=100)
"""A point (x, y, z) falls on (100 - 50 y / x, 50 - 50 z / x)."""


def layer(key: str, *points: tuple[float, float, float], colour: tuple[int, int, int] = RED) -> PointLayer:
    return PointLayer(
        key, np.array(points, np.float32).reshape(-1, 3), np.tile(np.array(colour, np.uint8), (len(points), 1))
    )


def line(begin: tuple[float, float, float], end: tuple[float, float, float], **how: bool | float) -> LineLayer:
    return LineLayer("line", np.array([[begin, end]], np.float32), np.array([GREEN], np.uint8), **how)  # type: ignore[arg-type]


@pytest.fixture
def scene() -> SpaceScene:
    return SpaceScene(SplatPainter())


def coloured(image: np.ndarray, colour: tuple[int, int, int]) -> set[tuple[int, int]]:
    rows, columns = np.nonzero((image[..., 2::-1] == colour).all(axis=2))
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


@pytest.mark.parametrize("flat", [False, True])
def test_a_point_is_two_by_two_pixels_about_its_place(scene: SpaceScene, flat: bool) -> None:
    view = AHEAD.flat() if flat else AHEAD
    scene.set_points([layer("lidar", (10, -2, 4))])
    rendered = scene.render(view)
    assert coloured(rendered.image, RED) == {(109, 29), (110, 29), (109, 30), (110, 30)}
    assert rendered.depth[30, 110] == pytest.approx(10)
    assert np.isinf(rendered.depth[0, 0])
    assert rendered.index[30, 110] == 0
    assert rendered.index[0, 0] == -1
    hit = scene.pick(rendered, 112.5, 30.5)
    assert hit is not None
    assert (hit.key, hit.index, hit.point) == ("lidar", 0, (10, -2, 4))
    assert scene.pick(rendered, 130, 30) is None


def test_the_nearest_point_is_seen_and_picked_whatever_the_order(scene: SpaceScene) -> None:
    near, far = (5.0, 0.0, 0.0), (20.0, 0.0, 0.0)
    for points in ((near, far), (far, near)):
        scene.set_points([layer("other", (3, 9, 9), colour=BLUE), layer("lidar", *points)])
        rendered = scene.render(AHEAD)
        hit = scene.pick(rendered, 100.5, 50.5)
        assert hit is not None
        assert hit.point == near
        assert hit.depth_m == pytest.approx(5)
        assert rendered.index[50, 100] == 1 << LAYER_SHIFT | points.index(near)


def test_points_hide_lines_behind_them_but_not_those_on_top(scene: SpaceScene) -> None:
    scene.set_points([layer("lidar", (10, 0, 0))])
    scene.set_lines([line((20, -20, 0), (20, 20, 0))])
    assert coloured(scene.render(AHEAD).image, RED)
    assert (30, 50) in coloured(scene.render(AHEAD).image, GREEN) or (60, 50) in coloured(
        scene.render(AHEAD).image, GREEN
    )
    scene.set_lines([line((5, -5, 0), (5, 5, 0))])
    assert not coloured(scene.render(AHEAD).image, RED) >= {(99, 49), (99, 50), (100, 49), (100, 50)}
    scene.set_lines([line((20, -20, 0), (20, 20, 0), on_top=True)])
    assert not coloured(scene.render(AHEAD).image, RED) >= {(99, 49), (99, 50), (100, 49), (100, 50)}


def test_moving_a_line_draws_no_points(scene: SpaceScene) -> None:
    scene.set_points([layer("lidar", (10, 0, 0))])
    first = scene.render(AHEAD)
    scene.set_lines([line((5, -5, 1), (5, 5, 1))])
    second = scene.render(AHEAD)
    assert second.points is first.points
    assert coloured(second.image, GREEN)
    assert not coloured(first.image, GREEN)
