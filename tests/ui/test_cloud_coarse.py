"""Very many points: at once an even part of them, which can be turned and picked from, then all of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from workstation.ui.panes import cloud_coarse
from workstation.ui.panes.cloud_render import Drawn, Easel, SpaceRenderer, Wish
from workstation.ui.scenes.cloud_scene import PointLayer, pick
from workstation.ui.scenes.space_scene import SpaceScene
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.scenes.splat_kernels import OrderedCloud, in_order
from workstation.ui.scenes.splat_scene import SplatPainter

VIEW = SpaceView(eye=(0, -40, 25), target=(0, 0, 0), fov_deg=40, width_px=320, height_px=240)
COUNT = 30_000


class Cloud:
    """Points as a pane has them."""

    def __init__(self, count: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.points = rng.uniform(-10, 10, (count, 3)).astype(np.float32)
        self.colours = rng.integers(40, 255, (count, 3)).astype(np.uint8)
        self.count = count

    def layers(self) -> Sequence[PointLayer]:
        return (PointLayer(key="lidar", points=self.points, colours=self.colours),)


class Held:
    """Putting in order takes until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = 0

    def __call__(self, points: Any) -> OrderedCloud:
        self.asked += 1
        assert self.go.wait(20)
        return in_order(points)


class Canvas:
    """Gets the pictures."""

    def __init__(self, renderer: SpaceRenderer) -> None:
        self.came: queue.Queue[Drawn] = queue.Queue()
        self.easel: Easel = renderer.easel(self.came.put, lambda: SpaceScene(SplatPainter()))

    def next(self) -> Drawn:
        return self.came.get(timeout=20)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    monkeypatch.setattr(cloud_coarse, "MANY", 10_000)
    monkeypatch.setattr(cloud_coarse, "_SHOWN", 2_000)
    monkeypatch.setattr(cloud_coarse, "in_order", made)
    return made


@pytest.fixture
def renderer(held: Held) -> Iterator[SpaceRenderer]:
    made = SpaceRenderer(lambda act, value: act(value))
    yield made
    held.go.set()
    made.close()


def test_a_part_shows_at_once_and_all_of_it_when_it_is_ready(renderer: SpaceRenderer, held: Held) -> None:
    canvas, cloud = Canvas(renderer), Cloud(COUNT, 1)
    canvas.easel.show(Wish(view=VIEW, points=cloud, number=1))
    first = canvas.next().rendered
    assert first.points.coarse
    assert not first.points.complete
    assert 1_000 < first.points.drawn <= 2_000
    canvas.easel.show(Wish(view=VIEW.orbit(40, 0), points=cloud, number=2, moving=True))
    turned = canvas.next().rendered
    assert turned.points.coarse
    assert turned.view != VIEW
    canvas.easel.show(Wish(view=VIEW, points=cloud, number=3))
    assert canvas.next().rendered.points.coarse
    held.go.set()
    whole = canvas.next().rendered
    assert whole.points.complete
    assert held.asked == 1
    plain = SpaceScene(SplatPainter())
    plain.set_points(cloud.layers())
    assert np.array_equal(whole.image, plain.render(VIEW).image)


def test_what_is_picked_in_the_part_is_a_point_of_the_whole(renderer: SpaceRenderer) -> None:
    canvas, cloud = Canvas(renderer), Cloud(COUNT, 2)
    canvas.easel.show(Wish(view=VIEW, points=cloud, number=1))
    rendered = canvas.next().rendered
    assert rendered.points.coarse
    found = [pick(rendered, x, y, 6) for x in range(40, 280, 24) for y in range(40, 200, 24)]
    hits = [each for each in found if each is not None]
    assert len(hits) > 20
    for hit in hits:
        assert np.array_equal(np.array(hit.point, np.float32), cloud.points[hit.index])
    assert max(hit.index for hit in hits) > COUNT // 2


def test_few_points_and_points_in_order_do_not_wait(renderer: SpaceRenderer, held: Held) -> None:
    canvas, few = Canvas(renderer), Cloud(9_000, 3)
    canvas.easel.show(Wish(view=VIEW, points=few, number=1))
    assert canvas.next().rendered.points.complete
    many = Cloud(COUNT, 4)
    kept = in_order(many.points)
    canvas.easel.show(Wish(view=VIEW, points=many, number=2))
    assert canvas.next().rendered.points.complete
    assert held.asked == 0
    assert kept.source is many.points


def test_points_that_are_left_before_they_are_ready_do_not_come_back(renderer: SpaceRenderer, held: Held) -> None:
    canvas, left, then = Canvas(renderer), Cloud(COUNT, 5), Cloud(500, 6)
    canvas.easel.show(Wish(view=VIEW, points=left, number=1))
    assert canvas.next().rendered.points.coarse
    canvas.easel.show(Wish(view=VIEW, points=then, number=2))
    assert canvas.next().rendered.points.complete
    held.go.set()
    canvas.easel.show(Wish(view=VIEW.orbit(10, 0), points=then, number=3))
    last = canvas.next()
    assert last.wish.points is then
    assert last.rendered.points.layers[0].points is then.points
