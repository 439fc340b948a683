"""A click on a thing of the generated street makes its box: against the true cuboid, by an IoU of shapely's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strict_turn import DRIVEN, PARKED, WALKER, iou_3d, turn
from workstation.core.box_fitting import Scene, cluster_about, fitted, refitted
from workstation.core.cuboid_edits import moved, turned, yaw_of
from workstation.core.geometry import Cuboid
from workstation.core.ground import Ground, ground_near
from workstation.core.rotation import about_z

CAR, PERSON = (4.5, 1.8, 1.5), (0.8, 0.7, 1.75)


def scene_of(sweep: int) -> Scene:
    made = turn()
    rotation, place = made.ego[sweep]
    points = made.in_world[sweep] - place
    heading = math.atan2(rotation[1, 0], rotation[0, 0])
    eye = tuple((rotation @ (0.0, 0.0, 1.9)).tolist())
    return Scene(points=points, ground=ground_near(points, (0.0, 0.0), reach_m=20), eye=eye, heading_rad=heading)


def true_box(name: str, sweep: int) -> Cuboid:
    made = turn()
    return moved(made.cuboids[sweep][name], -made.ego[sweep][1])


@pytest.mark.slow
def test_the_ground_is_found_under_the_scenery() -> None:
    scene = scene_of(3)
    assert scene.ground is not None
    for x, y in ((0, 0), (8, 3), (-5, 6)):
        assert scene.ground.under(x, y) == pytest.approx(0.0, abs=0.08)


@pytest.mark.parametrize("sweep", [0, 4, 8, 11])
def test_a_click_on_the_parked_car_makes_its_box(sweep: int) -> None:
    scene, made = scene_of(sweep), turn()
    mine = made.whose[sweep] == made.numbers[PARKED]
    seed = np.median(scene.points[mine], axis=0)
    near = scene.points[mine][np.argmin(np.linalg.norm(scene.points[mine] - seed, axis=1))]
    found = cluster_about(scene, near)
    assert (found & mine).sum() / mine.sum() > 0.9
    assert (found & mine).sum() / found.sum() > 0.95
    box = fitted(scene.points[found], scene, CAR)
    assert box is not None
    assert iou_3d(box, true_box(PARKED, sweep)) > 0.85


def test_without_a_usual_size_the_box_is_what_is_seen() -> None:
    scene, made = scene_of(4), turn()
    mine = made.whose[4] == made.numbers[DRIVEN]
    box = fitted(scene.points[mine], scene)
    assert box is not None
    low, high = scene.points[mine].min(axis=0), scene.points[mine].max(axis=0)
    assert box.size[2] == pytest.approx(high[2] - scene.ground.under(*low[:2]), abs=0.2)


def test_a_person_is_found_and_looks_ahead() -> None:
    scene, made = scene_of(5), turn()
    mine = made.whose[5] == made.numbers[WALKER]
    found = cluster_about(scene, scene.points[mine][0])
    assert (found & mine).sum() / mine.sum() > 0.85
    assert (found & mine).sum() / found.sum() > 0.95
    box = fitted(scene.points[found], scene, PERSON)
    assert box is not None
    assert np.linalg.norm(np.subtract(box.center, true_box(WALKER, 5).center)) < 0.3


@pytest.mark.parametrize("turn_deg", [-8.0, 0.0, 6.0])
def test_a_box_that_is_off_is_laid_onto_its_points(turn_deg: float) -> None:
    truth, scene = true_box(PARKED, 6), scene_of(6)
    off = turned(moved(truth, (0.3, -0.25, 0.0)), math.radians(turn_deg))
    back = refitted(off, scene)
    assert back is not None
    assert iou_3d(back, truth) > max(0.88, iou_3d(off, truth))
    assert back.size == truth.size


def test_nothing_is_fitted_to_nothing() -> None:
    empty = Scene(points=np.zeros((0, 3)), ground=None, eye=(0.0, 0.0, 0.0))
    assert not cluster_about(empty, (1.0, 2.0, 0.0)).any()
    assert fitted(np.zeros((2, 3)), empty) is None
    assert refitted(Cuboid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), empty) is None


@given(st.floats(-math.pi, math.pi), st.floats(-15, 15), st.floats(-15, 15), st.floats(2.5, 7), st.floats(1.4, 2.4))
def test_the_outline_of_any_box_gives_it_back(yaw: float, x: float, y: float, length: float, width: float) -> None:
    truth = Cuboid((x, y, 0.8), (length, width, 1.6), about_z(yaw))
    rng = np.random.default_rng(5)
    share = rng.uniform(-0.5, 0.5, (900, 3))
    share[:450, 0] = np.where(rng.random(450) < 0.5, -0.5, 0.5)
    share[450:, 1] = np.where(rng.random(450) < 0.5, -0.5, 0.5)
    cos, sin = math.cos(yaw), math.sin(yaw)
    points = (share * truth.size) @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) + truth.center
    scene = Scene(points=points, ground=Ground(), eye=(0.0, 0.0, 1.8), heading_rad=yaw)
    found = fitted(points, scene)
    assert found is not None
    if length > width + 0.3:
        assert math.cos(yaw_of(found) - yaw) > math.cos(math.radians(2.5))
    assert iou_3d(found, truth) > 0.85
