"""What a 3-D scene draws and what a click finds, against pixels worked out by hand."""

from __future__ import annotations

import math
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from space_views import views

from workstation.ui.scenes import splat_kernels
from workstation.ui.scenes.cloud_scene import EMPTY, LAYER_SHIFT, FaceLayer, LineLayer, PointLayer, Rendered
from workstation.ui.scenes.space_scene import SpaceScene
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.scenes.splat_scene import SplatPainter

Place = tuple[float, float, float]
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


def test_points_hide_what_lies_behind_them(scene: SpaceScene) -> None:
    square = {(99, 49), (99, 50), (100, 49), (100, 50)}
    scene.set_points([layer("lidar", (10, 0, 0))])
    scene.set_lines([line((20, -20, 0), (20, 20, 0), width_px=6.0)])
    rendered = scene.render(AHEAD)
    assert coloured(rendered.image, RED) == square
    assert {(52, 50), (98, 50), (101, 50), (148, 50)} <= coloured(rendered.image, GREEN)
    scene.set_lines([line((5, -5, 0), (5, 5, 0), width_px=6.0)])
    assert square <= coloured(scene.render(AHEAD).image, GREEN)
    scene.set_lines([line((20, -20, 0), (20, 20, 0), width_px=6.0, on_top=True)])
    assert square <= coloured(scene.render(AHEAD).image, GREEN)
    scene.set_lines([line((20, -20, 0), (20, 20, 0), width_px=6.0, behind=0.5)])
    red, green = scene.render(AHEAD).image[50, 100, [2, 1]].tolist()
    assert (red, green) == pytest.approx((128, 128), abs=2)


@pytest.mark.parametrize("flat", [False, True])
def test_a_face_is_faint_and_hidden_by_points_before_it(scene: SpaceScene, flat: bool) -> None:
    view = AHEAD.flat() if flat else AHEAD
    scene.set_points([layer("lidar", (5, 0, 0), (20, 3, 0))])
    wall = np.array([[(10, -4, -2), (10, 4, -2), (10, 4, 2), (10, -4, 2)]], np.float32)
    scene.set_faces([FaceLayer("face", wall, np.array([(*GREEN, 128)], np.uint8))])
    rendered = scene.render(view)
    filled = rendered.image[..., 1] > 100
    rows, columns = np.nonzero(filled)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (80, 119, 40, 59)
    assert rendered.image[50, 100, [2, 1]].tolist() == [255, 0]
    behind = view.project([(20, 3, 0)]).px[0].astype(int)
    red, green = rendered.image[behind[1], behind[0], [2, 1]].tolist()
    assert (red, green) == pytest.approx((127, 128), abs=2)


def test_a_face_through_the_eye_is_cut_there(scene: SpaceScene) -> None:
    floor = np.array([[(-50, -50, -1), (50, -50, -1), (50, 50, -1), (-50, 50, -1)]], np.float32)
    scene.set_faces([FaceLayer("floor", floor, np.array([(*GREEN, 255)], np.uint8))])
    rows = {row for _, row in coloured(scene.render(AHEAD).image, GREEN)}
    assert rows == set(range(51, 100)), "the floor ends one pixel below the horizon, 50 m ahead"


near = st.floats(-30, 30, width=32)
places = st.tuples(near, near, near)


@given(places, places, st.floats(1, 5))
@example((10, 1e-12, 0), (10, 0, 0), 2.0)
@example((0.0, 0.03125, 0.0), (1.0, 0.0, 0.0), 1.0)
@settings(max_examples=40)
def test_a_line_covers_what_its_points_project_to(begin: Place, end: Place, width: float) -> None:
    """Truth: ten thousand points along the line, projected by hand, down to a centimetre from the eye."""
    scene = SpaceScene(SplatPainter())
    scene.set_lines([line(begin, end, width_px=width)])
    lit = (scene.render(AHEAD).image[..., 1] > 40).nonzero()
    cut = (0.01 - begin[0]) / (end[0] - begin[0]) if begin[0] != end[0] else 0.0
    share = np.sort(np.append(np.linspace(0, 1, 10_000), min(max(cut, 0.0), 1.0)))[:, None]
    along = np.asarray(begin) * (1 - share) + np.asarray(end) * share
    along = along[along[:, 0] > 0.01 - 1e-9]
    x, y = 100 - 50 * along[:, 1] / along[:, 0], 50 - 50 * along[:, 2] / along[:, 0]
    inside = (x > 0) & (x < 200) & (y > 0) & (y < 100) & (along[:, 0] > 0.02)
    expected = set(zip(np.floor(y[inside]).astype(int).tolist(), np.floor(x[inside]).astype(int).tolist(), strict=True))
    # A corner of a pixel that is only just cut is covered by less than a sixth.
    covered = set(zip(*(axis.tolist() for axis in lit), strict=True))
    assert {place for place in expected - covered if not near_edge(place, x, y)} == set()
    if len(x):
        column, row = lit[1] + 0.5, lit[0] + 0.5
        if len(column):
            sampled = np.stack([x, y], 1)[(np.abs(x) < 2000) & (np.abs(y) < 2000)]
            gap = np.abs(np.diff(sampled, axis=0)).max(initial=0)
            distance = np.array([np.hypot(*(sampled - (c, r)).T).min() for c, r in zip(column, row, strict=True)])
            assert distance.max() <= math.sqrt(2) * (width / 2 + 1) + gap, "square ends reach over their corners"
    else:
        assert not len(lit[0])


def near_edge(place: tuple[int, int], x: np.ndarray, y: np.ndarray) -> bool:
    """No point of the line is nearer than 0.4 px to the pixel's centre."""
    return bool(np.hypot(x - place[1] - 0.5, y - place[0] - 0.5).min() > 0.4)


def test_dashes_are_half_of_the_line(scene: SpaceScene) -> None:
    ends = ((10.0, -15.0, -0.1), (10.0, 15.0, -0.1))
    scene.set_lines([line(*ends, width_px=1)])
    whole = len(coloured(scene.render(AHEAD).image, GREEN))
    scene.set_lines([line(*ends, width_px=1, dashed=True)])
    dashed = {x for x, _ in coloured(scene.render(AHEAD).image, GREEN)}
    assert whole == pytest.approx(150, abs=2)
    assert len(dashed) == pytest.approx(whole / 2, abs=7)
    assert 9 < sum(x + 1 not in dashed for x in dashed) < 15


@pytest.mark.parametrize("flat", [False, True])
def test_dashes_stay_on_their_line_when_its_begin_leaves_the_picture(scene: SpaceScene, flat: bool) -> None:
    view = (AHEAD.flat() if flat else AHEAD).pan(0.5, 0.5)
    scene.set_lines([line((10, 30, 0), (10, -30, 0), width_px=1, dashed=True)])
    before = scene.render(view).image[50, :, 1] > 200
    after = scene.render(view.pan(7, 0)).image[50, :, 1] > 200
    assert 80 < before.sum() < 120
    assert (before[2:190] != after[9:197]).sum() <= 4


def test_a_line_joins_without_blending_twice(scene: SpaceScene) -> None:
    half = np.array([[(10, -5, 1), (10, 0, 1)], [(10, 0, 1), (10, 5, 1)]], np.float32)
    scene.set_lines([LineLayer("line", half, np.array([(*GREEN, 100)] * 2, np.uint8), width_px=4)])
    row = scene.render(AHEAD).image[45, :, 1]
    assert row[80:120].max() - row[80:120].min() <= 1


def test_a_faint_line_makes_no_hole_in_a_strong_one_of_its_layer(scene: SpaceScene) -> None:
    """As where a ground grid crosses a frustum."""
    cross = np.array([[(10, -20, 0.83), (10, 20, 0.83)], [(10, -3.1, -4), (10, 3.1, 5)]], np.float32)
    scene.set_lines([LineLayer("line", cross, np.array([(*GREEN, 200), (*GREEN, 30)], np.uint8), width_px=1)])
    row = scene.render(AHEAD).image[44:48, :, 1].max(axis=0)
    assert row.min() >= row[5]


def test_moving_a_line_draws_no_points(scene: SpaceScene) -> None:
    scene.set_points([layer("lidar", (10, 0, 0))])
    first = scene.render(AHEAD)
    scene.set_lines([line((5, -5, 0.95), (5, 5, 0.95))])
    second = scene.render(AHEAD)
    assert second.points is first.points
    assert coloured(second.image, GREEN)
    assert not coloured(first.image, GREEN)
    again = scene.draw(second.points)
    assert (again.image == second.image).all()


def test_lines_that_stay_are_kept_and_look_the_same(scene: SpaceScene) -> None:
    scene.set_points([layer("lidar", (10, 0, 0))])
    grid = line((20, -20, -1), (20, 20, -1), width_px=3.0)
    still = line((5, -5, 1), (5, 5, 1), width_px=3.0)
    for height in (2.0, 2.1, 2.2, 2.3):
        moving = line((5, -5, height), (5, 5, height), on_top=True)
        scene.set_lines([grid, still, moving])
        kept = scene.render(AHEAD)
        fresh = SpaceScene(SplatPainter())
        fresh.set_points([layer("lidar", (10, 0, 0))])
        fresh.set_lines([grid, still, moving])
        assert (kept.image == fresh.render(AHEAD).image).all()
    scene.set_lines([moving])
    assert not (scene.render(AHEAD).image == kept.image).all()


def test_points_come_with_the_budget_and_then_all(scene: SpaceScene) -> None:
    rng = np.random.default_rng(1)
    cloud = (rng.random((200_000, 3)) * 20 + (10, -10, -10)).astype(np.float32)
    scene.set_points([PointLayer("lidar", cloud, np.full(cloud.shape, 200, np.uint8))])
    few = scene.paint_points(AHEAD, budget=60_000)
    assert 10_000 < few.drawn <= 60_000
    assert not few.complete
    # What is there is spread over the whole: every quarter of the picture has its share.
    filled = few.packed != EMPTY
    quarters = [
        filled[rows, columns].mean() for rows in (np.s_[:50], np.s_[50:]) for columns in (np.s_[:100], np.s_[100:])
    ]
    assert max(quarters) < 1.1 * min(quarters)
    full = scene.paint_points(AHEAD)
    assert full.complete
    fresh = SpaceScene(SplatPainter())
    fresh.set_points([PointLayer("lidar", cloud, np.full(cloud.shape, 200, np.uint8))])
    assert (fresh.paint_points(AHEAD).packed == full.packed).all()


def test_dozens_of_sweeps_keep_to_one_budget_and_each_shows(scene: SpaceScene) -> None:
    rng = np.random.default_rng(2)
    sweeps = [(rng.random((20_000, 3)) * 20 + (10, -10, -10)).astype(np.float32) for _ in range(30)]
    scene.set_points([PointLayer(str(i), sweep, np.full(sweep.shape, 200, np.uint8)) for i, sweep in enumerate(sweeps)])
    rendered = scene.render(AHEAD, budget=130_000)
    assert 30_000 < rendered.points.drawn <= 130_000
    shown = np.bincount(rendered.index[rendered.index >= 0] >> LAYER_SHIFT, minlength=30)
    assert shown.min() > 0.5 * shown.max()


def test_a_frame_has_not_become_ten_times_slower(scene: SpaceScene) -> None:
    """A guard, not a measure: 150,000 points take about 6 ms of CPU."""
    cloud = (np.random.default_rng(1).random((150_000, 3)) * 20 + (10, -10, -10)).astype(np.float32)
    scene.set_points([PointLayer("lidar", cloud, np.full(cloud.shape, 200, np.uint8))])
    view = AHEAD.sized(1280, 720)
    scene.render(view)
    spent = []
    for _ in range(5):
        view = view.orbit(2, 0)
        begin = time.thread_time()
        scene.render(view)
        spent.append(time.thread_time() - begin)
    assert min(spent) < 0.08


def test_a_cancelled_picture_goes_on_where_it_stopped(scene: SpaceScene) -> None:
    rng = np.random.default_rng(1)
    cloud = (rng.random((300_000, 3)) * 20 + (10, -10, -10)).astype(np.float32)
    scene.set_points([PointLayer("lidar", cloud, np.full(cloud.shape, 200, np.uint8))])
    asked = iter([False] * 4 + [True] * 100)
    begun = scene.paint_points(AHEAD, cancelled=lambda: next(asked))
    assert 0 < begun.drawn < 300_000
    assert not begun.complete
    full = scene.paint_points(AHEAD)
    assert full.complete
    fresh = SpaceScene(SplatPainter())
    fresh.set_points([PointLayer("lidar", cloud, np.full(cloud.shape, 200, np.uint8))])
    assert (fresh.paint_points(AHEAD).packed == full.packed).all()


@given(views(), st.integers(0, 2**32), st.sampled_from([1, 2, 3, 5]))
@settings(max_examples=25)
def test_every_pixel_is_the_nearest_point_that_covers_it(view: SpaceView, seed: int, size: int) -> None:
    """Truth: each point projected by the view and painted, the farthest first."""
    view = view.sized(view.width_px % 40, view.height_px % 40)
    points = (np.random.default_rng(seed).normal(0, 60, (80, 3))).astype(np.float32)
    scene = SpaceScene(SplatPainter())
    scene.set_points([PointLayer("lidar", points, np.full(points.shape, 200, np.uint8), size)])
    index = scene.render(view).index
    seen = view.project(points)
    wrong = 0
    expected = np.full((view.height_px, view.width_px), -1)
    for number in np.argsort(-seen.depth):
        if seen.in_front[number]:
            x, y = (np.floor(value - size / 2 + 0.5) for value in seen.px[number])
            if -size < x < view.width_px and -size < y < view.height_px:
                rows, columns = slice(max(0, int(y)), int(y) + size), slice(max(0, int(x)), int(x) + size)
                expected[rows, columns] = number
    wrong = (index != expected).sum()
    # Rounding in float32 may shift a square by one pixel now and then.
    assert wrong <= 2 * size + 0.02 * expected.size


def test_pieces_out_of_sight_change_nothing(scene: SpaceScene) -> None:
    """Zoomed in on a part of a large cloud: left out or not, the same picture."""
    rng = np.random.default_rng(5)
    cloud = (rng.normal(0, 30, (150_000, 3)) * (1, 1, 0.1)).astype(np.float32)
    view = SpaceView(eye=(-8, 0, 3), target=(10, 5, 0), width_px=200, height_px=150)
    scene.set_points([PointLayer("lidar", cloud, np.full(cloud.shape, 200, np.uint8))])
    picture = scene.paint_points(view)
    seen = view.project(cloud)
    shown = seen.in_front & (seen.px > 2).all(axis=1) & (seen.px < (198, 148)).all(axis=1)
    columns, rows = np.floor(seen.px[shown]).astype(int).T
    assert (picture.packed[rows, columns] != EMPTY).all()
    assert (Rendered(picture, picture.image.view(np.uint8)).depth[rows, columns] <= seen.depth[shown] * 1.0001).all()


def test_far_from_the_origin_points_stay_where_they_are(scene: SpaceScene) -> None:
    """UTM, unshifted: float32 keeps half metres there, and the picture must not add to that."""
    east, north = 448_000.0, 5_411_000.0
    points = np.array([(east + x, north + y, 110) for x in range(0, 60, 5) for y in range(-20, 21, 4)], np.float32)
    view = SpaceView(eye=(east - 30, north, 130), target=(east, north, 110), width_px=400, height_px=300)
    scene.set_points([PointLayer("lidar", points, np.full(points.shape, 200, np.uint8))])
    rendered = scene.render(view)
    seen = view.project(points)
    for point, (x, y), depth in zip(points, seen.px, seen.depth, strict=True):
        if 3 < x < 397 and 3 < y < 297:
            hit = scene.pick(rendered, x, y, 1)
            assert hit is not None
            assert hit.depth_m <= depth + 0.01
            assert hit.point == tuple(point.tolist()) or hit.depth_m < depth - 0.01


HOSTILE = {
    "no layers": [],
    "no points": [layer("empty")],
    "an empty layer beside a full one": [layer("empty"), layer("lidar", (10, 0, 0)), layer("none")],
    "nothing finite": [layer("bad", (math.nan,) * 3, (math.inf, 0, 0), (0, -math.inf, 1))],
    "some not finite": [layer("bad", (math.nan, 1, 1), (10, 0, 0), (math.inf, math.nan, 3))],
    "too far": [layer("far", (3e38, 3e38, -3e38), (1e30, 0, 0), (10, 0, 0))],
    "behind": [layer("behind", (-10, 0, 0), (0, 0, 0), (-1e-6, 0, 0))],
    "all in one place": [layer("same", *[(10.0, 0.0, 0.0)] * 1000)],
    "huge size": [PointLayer("huge", np.array([[10, 0, 0]], np.float32), np.array([RED], np.uint8), 10**6)],
    "no size": [PointLayer("none", np.array([[10, 0, 0]], np.float32), np.array([RED], np.uint8), -3)],
}


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_points_draw_what_can_be_drawn(scene: SpaceScene, name: str, flat: bool) -> None:
    layers = HOSTILE[name]
    scene.set_points(layers)
    rendered = scene.render(AHEAD.flat() if flat else AHEAD)
    there = any((item.points == (10, 0, 0)).all(axis=1).any() for item in layers)
    hit = scene.pick(rendered, 100.2, 50.2)
    if there:
        assert hit is not None
        assert hit.point == (10, 0, 0)
    elif not flat:
        assert hit is None
        assert (rendered.index == -1).all()


@pytest.mark.parametrize("size", [(0, 0), (0, 7), (7, 0), (1, 1)])
def test_a_picture_of_no_size(scene: SpaceScene, size: tuple[int, int]) -> None:
    scene.set_points([layer("lidar", (10, 0, 0))])
    scene.set_lines([line((20, -20, 0), (20, 20, 0))])
    scene.set_faces([FaceLayer("face", np.ones((1, 4, 3), np.float32), np.array([(1, 2, 3, 4)], np.uint8))])
    rendered = scene.render(AHEAD.sized(*size))
    assert rendered.image.shape == (size[1], size[0], 4)
    assert rendered.index.shape == (size[1], size[0])
    scene.pick(rendered, 0, 0)
    assert scene.pick(rendered, -5, 1e30) is None
    assert scene.pick(rendered, math.nan, 0) is None
    assert scene.render(AHEAD).points.complete


def test_hostile_lines_draw_what_can_be_drawn(scene: SpaceScene) -> None:
    bad = np.array(
        [
            [(math.nan, 0, 0), (10, 0, 0)],
            [(10, 0, 0), (math.inf, 0, 0)],
            [(0, 0, 0), (0, 0, 0)],
            [(-10, 0, 0), (-20, 5, 0)],
            [(1e30, 0, 0), (-1e30, 1, 1)],
            [(10, -1e30, 0.1), (10, 1e30, 0.1)],
            [(10, 5, -2), (10, 5, -2)],
        ],
        np.float32,
    )
    for flat in (False, True):
        for dashed in (False, True):
            scene.set_lines(
                [LineLayer("bad", bad, np.tile(np.array(GREEN, np.uint8), (len(bad), 1)), 1e9 if dashed else 3, dashed)]
            )
            faces = np.concatenate([bad, bad[::-1]], axis=1)
            scene.set_faces([FaceLayer("bad", faces, np.full((len(bad), 4), 9, np.uint8))])
            rendered = scene.render(AHEAD.flat() if flat else AHEAD)
            assert (rendered.image[..., 3] == 255).all()
    assert coloured(rendered.image, GREEN)


def test_new_colours_and_another_view_put_no_points_in_order_again(monkeypatch: pytest.MonkeyPatch) -> None:
    count = Counter[str]()
    put_in_order = splat_kernels.put_in_order

    def counted(points: np.ndarray) -> splat_kernels.OrderedCloud:
        count["ordered"] += 1
        return put_in_order(points)

    monkeypatch.setattr(splat_kernels, "put_in_order", counted)
    scene, other = SpaceScene(SplatPainter()), SpaceScene(SplatPainter())
    sweep = layer("lidar", (10, 0, 0), (12, 1, 1))
    scene.set_points([sweep])
    scene.render(AHEAD)
    blue = PointLayer("lidar", sweep.points, np.tile(np.array(BLUE, np.uint8), (2, 1)))
    for each in (scene, other):
        each.set_points([layer("radar", (5, 3, 0)), blue])
        assert (100, 50) in coloured(each.render(AHEAD).image, BLUE)
    assert count["ordered"] == 3, "the sweep once, each radar once"
    scene.close()
    other.close()
    assert id(sweep.points) not in splat_kernels._ORDERED
