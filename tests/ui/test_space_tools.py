"""Tools over the turn of the generated street: what a hand does becomes one step, and agrees with what is true."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from space_hand import STREAM, WORLD, Bench, Table, open_bench

from strict_turn import DRIVEN, PARKED, STEP_NS, WALKER, iou_3d, turn, turn_project
from strict_windows import copy_of
from workstation.app.opening import open_project
from workstation.core.cuboid_edits import face_center, inside, yaw_of
from workstation.core.geometry import Cuboid, PointSet
from workstation.ui.scenes.space_view import Side
from workstation.ui.tools.canvas import Modifier
from workstation.ui.tools.space_edits import carry_on, keep_changed
from workstation.ui.tools.space_handles import Part, grips
from workstation.ui.tools.space_keys import nudge, turn_round, yaw


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return turn_project(tmp_path_factory.mktemp("turn") / "template")


@pytest.fixture
def bench(template: Path, tmp_path: Path) -> Iterator[Bench]:
    with open_project(copy_of(template, tmp_path / "turn"), kind="person", role="lead") as session:
        made = open_bench(session)
        yield made
        made.readers.close()


@pytest.fixture
def table(bench: Bench) -> Table:
    return Table(bench, sweep=2)


def look_at(table: Table, name: str) -> Cuboid:
    truth = table.truth(name)
    table.look = table.look.fly_to(truth.center, 4.0)
    return truth


def click_on(table: Table, name: str, modifiers: Modifier = Modifier.NONE) -> None:
    made = turn()
    mine = np.flatnonzero(made.whose[table.sweep] == made.numbers[name])
    points = table.shown.layers[0].points[mine]
    look_at(table, name)
    _, depth, _ = table.look.project(points)
    table.click(points[int(np.argmin(depth))], modifiers)


def made_car(table: Table, name: str = PARKED) -> str:
    table.bench.hand.set_class("car")
    table.take("cuboid")
    click_on(table, name)
    (made,) = table.bench.selected
    table.take("select")
    return made


def test_one_click_makes_a_cuboid_with_points_and_range(table: Table) -> None:
    made = made_car(table)
    assert iou_3d(table.only(), table.truth(PARKED)) > 0.85
    record = table.bench.view.annotations[made]
    assert (record.frame, record.track is not None) == (STREAM, True)
    assert table.bench.view.class_of(record) == "car"
    table.bench.session.undo()
    assert not table.space.cuboids()


def test_without_a_class_it_waits_for_one_and_takes_its_usual_size(table: Table) -> None:
    table.take("cuboid")
    click_on(table, WALKER)
    assert table.bench.hand.waiting
    assert "new" in table.bench.previews.shapes
    assert table.bench.hand.say_class("pedestrian")
    assert not table.bench.previews.shapes
    assert table.bench.selected
    found, truth = table.only(), table.truth(WALKER)
    assert np.linalg.norm(np.subtract(found.center, truth.center)) < 0.3


def test_two_points_give_heading_and_length(table: Table) -> None:
    truth = look_at(table, PARKED)
    table.look = table.look.straight_at(Side.TOP, truth.center, (12, 12, 4))
    table.bench.hand.set_class("car")
    table.take("cuboid")
    rear, front = (np.array(face_center(truth, (0, sign))) * (1, 1, 0) for sign in (-1, 1))
    table.pull(rear, front)
    found = table.only()
    assert found.size[0] == pytest.approx(truth.size[0], abs=0.1)
    assert math.cos(yaw_of(found) - yaw_of(truth)) > 0.999
    assert found.size[2] == pytest.approx(truth.size[2], abs=0.15)


def test_a_click_on_nothing_says_so(table: Table) -> None:
    table.take("cuboid")
    table.look = table.look.fly_to((0.0, 0.0, 500.0), 1.0)
    table.click((0.0, 0.0, 500.0))
    assert "Click on a point" in table.bench.told[-1]
    assert not table.space.cuboids()


def test_a_face_is_dragged_and_the_opposite_one_stays(table: Table) -> None:
    made_car(table)
    before = table.only()
    table.look = table.look.straight_at(Side.TOP, before.center, (8, 8, 4))
    front = np.array(face_center(before, (0, 1)))
    ahead = np.array([math.cos(yaw_of(before)), math.sin(yaw_of(before)), 0])
    table.pull(front, front + 0.5 * ahead, modifiers=Modifier.CTRL)
    after = table.only()
    assert after.size[0] == pytest.approx(before.size[0] + 0.5, abs=0.02)
    assert np.allclose(face_center(after, (0, -1)), face_center(before, (0, -1)), atol=1e-6)
    table.bench.session.undo()
    assert np.allclose(table.only().center, before.center)


def test_a_face_snaps_to_its_points(table: Table) -> None:
    made_car(table)
    truth = table.truth(PARKED)
    keep_changed(table.space, {table.bench.selected[0]: Cuboid(truth.center, truth.size, truth.rotation)})
    for face in ((0, -1), (1, 1), (0, 1), (1, -1)):
        place = face_center(table.only(), face)
        if not (np.subtract(table.space.eye(), place) @ np.subtract(place, truth.center) > 0):
            continue  # the sensor does not see this side
        table.look = table.look.straight_at(Side.TOP, truth.center, (8, 8, 4))
        outward = np.subtract(place, truth.center) / np.linalg.norm(np.subtract(place, truth.center))
        table.pull(place, np.array(place) + 0.08 * outward)  # let go a little off: it must come back to the points
        off = np.linalg.norm(np.subtract(face_center(table.only(), face), place))
        assert off < 0.06


def test_turning_and_moving_in_the_side_views(table: Table) -> None:
    made_car(table)
    before = table.only()
    table.look = table.look.straight_at(Side.TOP, before.center, (8, 8, 4))
    (knob,) = [each for each in grips(before, table.look) if each.part is Part.TURN]
    arm = np.array(knob.place) - before.center
    turned = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]) @ arm
    half = (arm + turned) / np.linalg.norm(arm + turned) * np.linalg.norm(arm)
    table.pull(knob.place, np.array(before.center) + half)
    assert math.degrees(yaw_of(table.only()) - yaw_of(before)) % 360 == pytest.approx(45, abs=0.5)
    table.bench.session.undo()
    ways = np.array([math.cos(yaw_of(before)), math.sin(yaw_of(before)), 0])
    table.look = table.look.straight_at(
        Side.SIDE, before.center, (8, 8, 4), np.column_stack([ways, [-ways[1], ways[0], 0], [0, 0, 1]])
    )
    table.pull(before.center, np.add(before.center, (0, 0, 0.4)))
    assert np.allclose(np.subtract(table.only().center, before.center), (0, 0, 0.4), atol=0.02)


def test_on_the_ground_and_up_in_the_main_view(table: Table) -> None:
    made_car(table)
    before = table.only()
    table.look = table.look.fly_to(before.center, 5.0)
    table.pull(before.center, np.add(before.center, (0.7, -0.4, 0)))
    after = table.only()
    assert after.center[2] == before.center[2]
    assert 0.4 < np.linalg.norm(np.subtract(after.center, before.center)) < 1.2
    table.pull(after.center, np.add(after.center, (0, 0, 0.5)), modifiers=Modifier.SHIFT)
    up = np.subtract(table.only().center, after.center)
    assert up[2] == pytest.approx(0.5, abs=0.2)
    assert np.allclose(up[:2], 0)


def test_esc_leaves_everything_as_it_was(table: Table) -> None:
    made_car(table)
    before, head = table.only(), table.bench.session.store.head()
    table.look = table.look.fly_to(before.center, 5.0)
    table.pull(before.center, np.add(before.center, (1, 0, 0)), release=False)
    assert table.tool.busy
    assert table.only() != before
    assert "points" in table.tool.overlay().text
    table.tool.cancel()
    assert table.only() == before
    assert table.bench.session.store.head() == head


def test_what_is_locked_is_left_alone(table: Table) -> None:
    made = made_car(table)
    table.bench.sight.toggle_locked(made)
    before = table.only()
    table.look = table.look.fly_to(before.center, 5.0)
    table.pull(before.center, np.add(before.center, (1, 0, 0)))
    assert table.only() == before


def test_the_size_belongs_to_the_track(table: Table) -> None:
    made = made_car(table)
    table.at(5)
    table.bench.run("track.extend", annotation=made, to_ns=5 * STEP_NS)
    table.at(2)
    first = table.only()
    table.at(5)
    before = table.only()
    table.look = table.look.straight_at(Side.TOP, before.center, (10, 10, 4))
    front = np.array(face_center(before, (0, 1)))
    ahead = np.array([math.cos(yaw_of(before)), math.sin(yaw_of(before)), 0])
    table.pull(front, front + 0.4 * ahead, modifiers=Modifier.CTRL)
    assert table.only().size[0] == pytest.approx(before.size[0] + 0.4, abs=0.02)
    table.at(2)
    assert table.only().size == pytest.approx((before.size[0] + 0.4, *before.size[1:]), abs=0.02)
    assert np.allclose(face_center(table.only(), (0, -1)), face_center(first, (0, -1)), atol=1e-6)


def test_a_deformable_thing_keeps_its_sizes(table: Table) -> None:
    table.bench.hand.set_class("pedestrian")
    table.take("cuboid")
    click_on(table, WALKER)
    (made,) = table.bench.selected
    before = table.only()
    table.bench.run("track.extend", annotation=made, to_ns=5 * STEP_NS)
    table.at(5)
    keep_changed(table.space, {made: Cuboid(before.center, (0.5, 0.5, 1.9), before.rotation)})
    table.at(2)
    assert table.only().size == before.size


def test_keys_at_both_ends_of_the_turn_follow_the_truth_between(table: Table) -> None:
    """PC-04: interpolated in the world through the poses, though the sensor turns by 20° meanwhile."""
    made = made_car(table.at(0), DRIVEN)
    table.bench.run("entity.relabel", entity=table.bench.view.annotations[made].entity, class_id="van")
    keep_changed(table.space, {made: table.truth(DRIVEN)})
    table.at(11)
    there = table.space.to_frame(table.truth(DRIVEN), STREAM)
    assert there is not None
    shape = {"kind": "cuboid", "center": there.center, "size": there.size, "rotation": there.rotation}
    table.bench.run("track.extend", annotation=made, to_ns=11 * STEP_NS, shape=shape)
    for sweep in range(12):
        table.at(sweep)
        found, truth = table.only(), table.truth(DRIVEN)
        assert np.linalg.norm(np.subtract(found.center, truth.center)) < 0.02
        assert math.cos(yaw_of(found) - yaw_of(truth)) > 0.9999


def test_carrying_on_goes_as_it_went(table: Table) -> None:
    made = made_car(table.at(0), DRIVEN)
    keep_changed(table.space, {made: table.truth(DRIVEN)})
    assert carry_on(table.space) == STEP_NS
    table.at(1)
    assert np.allclose(table.only().center, table.at(0).truth(DRIVEN).center, atol=1e-6)  # it stood so far
    table.at(1)
    keep_changed(table.space, {made: table.truth(DRIVEN)})
    for sweep in range(1, 6):
        table.at(sweep)
        carry_on(table.space)
    table.at(6)
    assert iou_3d(table.only(), table.truth(DRIVEN)) > 0.9
    assert len(table.bench.view.keyframes(made)) == 7


def test_alt_and_a_drag_move_the_whole_track_in_the_world(table: Table) -> None:
    """The keyframes are kept in the sensor's frame, which turns: each goes as far in the world as the hand went."""
    made = made_car(table.at(0), DRIVEN)
    keep_changed(table.space, {made: table.truth(DRIVEN)})
    for sweep in range(5):
        table.at(sweep)
        carry_on(table.space)
    sweeps = range(6)
    before = [table.at(sweep).only() for sweep in sweeps]
    keys = [(each.time_ns, each.presence) for each in table.bench.view.keyframes(made)]
    table.at(2)
    here = table.only()
    table.look = table.look.straight_at(Side.TOP, here.center, (8, 8, 4))
    beside = table.pointer(np.add(here.center, (30, 30, 0)))
    assert not table.tool.takes_alt(beside)
    assert table.tool.takes_alt(table.pointer(here.center))
    step = np.array([0.9, -0.4, 0.0])
    table.pull(here.center, np.add(here.center, step), modifiers=Modifier.ALT, release=False)
    assert table.tool.overlay().text == "whole track"
    table.tool.release(table.pointer(np.add(here.center, step), modifiers=Modifier.ALT))
    after = [table.at(sweep).only() for sweep in sweeps]
    for old, new in zip(before, after, strict=True):
        assert np.allclose(np.subtract(new.center, old.center), step, atol=0.01)
        assert (new.size, new.rotation) == (old.size, old.rotation)
    assert [(each.time_ns, each.presence) for each in table.bench.view.keyframes(made)] == keys
    table.bench.session.undo()
    assert [table.at(sweep).only() for sweep in sweeps] == before


def test_shift_and_a_click_go_on_with_the_selected_track(table: Table) -> None:
    made = made_car(table.at(0), PARKED)
    table.take("cuboid")
    for sweep in (4, 8):
        table.at(sweep)
        click_on(table, PARKED, Modifier.SHIFT)
        assert iou_3d(table.only(), table.truth(PARKED)) > 0.8
    assert [each.time_ns for each in table.bench.view.keyframes(made)] == [0, 4 * STEP_NS, 8 * STEP_NS]
    sizes = {each.shape.size for each in table.bench.view.keyframes(made) if isinstance(each.shape, Cuboid)}
    assert len(sizes) == 1


def test_a_parked_thing_is_labelled_once(table: Table) -> None:
    made = made_car(table.at(0))
    keep_changed(table.space, {made: table.truth(PARKED)})
    table.bench.run("track.extend", annotation=made, to_ns=11 * STEP_NS)
    table.at(0)
    truth = table.space.to_frame(table.only(), WORLD)
    assert truth is not None
    table.bench.run(
        "cuboid.park", annotation=made, frame=table.space.still_frame(), center=truth.center, size=truth.size,
        rotation=truth.rotation,
    )  # fmt: skip
    for sweep in (0, 5, 11):
        table.at(sweep)
        assert iou_3d(table.only(), table.truth(PARKED)) > 0.999
    table.at(5)
    moved = Cuboid(np.add(table.only().center, (0.1, 0, 0)).tolist(), table.only().size, table.only().rotation)
    keep_changed(table.space, {made: Cuboid(tuple(moved.center), moved.size, moved.rotation)})
    table.at(11)
    assert np.allclose(table.only().center, moved.center, atol=1e-6)


def test_points_by_lasso_by_box_and_by_growing(table: Table) -> None:
    """PC-05: the walker's points, against whose they are."""
    made = turn()
    mine = set(np.flatnonzero(made.whose[2] == made.numbers[WALKER]).tolist())
    truth = look_at(table, WALKER)
    table.bench.hand.set_class("pedestrian")
    px = table.look.project(np.array([truth.center])).px[0]
    corners = [(-40, -90), (40, -90), (40, 90), (-40, 90)]
    table.take("points_lasso")
    ring = [table.look.at_depth(px[0] + x, px[1] + y, 5.0) for x, y in corners]
    table.tool.press(table.pointer(ring[0]))
    for place in ring[1:]:
        table.tool.move(table.pointer(place))
    table.tool.release(table.pointer(ring[-1]))
    (lasso,) = table.bench.selected
    assert quality(table.bench, lasso, mine) > (0.9, 0.9)

    table.take("points_grow")
    click_on(table, WALKER)
    (grown,) = table.bench.selected
    assert grown != lasso
    assert quality(table.bench, grown, mine) > (0.85, 0.95)

    table.take("points_box")
    low, high = ring[0], table.look.at_depth(px[0] + 40, px[1], 5.0)
    table.pull(low, high, modifiers=Modifier.CTRL)
    left = rows_of(table.bench, grown)
    assert 0 < len(left) < len(mine)
    assert left < mine
    table.pull(ring[0], ring[2], modifiers=Modifier.SHIFT)
    assert quality(table.bench, grown, mine) > (0.9, 0.9)
    entity = table.bench.view.annotations[grown].entity
    assert table.bench.view.entities[entity].class_id == "pedestrian"


def rows_of(bench: Bench, annotation: str) -> set[int]:
    shape = bench.view.annotations[annotation].shape
    assert isinstance(shape, PointSet)
    blob = bench.view.blob(shape.blob)
    assert blob is not None
    return set(np.frombuffer(blob, "<u4").tolist())


def quality(bench: Bench, annotation: str, mine: set[int]) -> tuple[float, float]:
    """Recall and precision, in this order."""
    found = rows_of(bench, annotation)
    return len(found & mine) / len(mine), len(found & mine) / len(found)


def test_the_count_beside_a_cuboid_is_that_of_its_points(table: Table) -> None:
    made_car(table)
    made = turn()
    mine = int((made.whose[2] == made.numbers[PARKED]).sum())
    count = int(inside(table.only(), table.space.points()).sum())
    assert count == pytest.approx(mine, rel=0.15)


def test_with_its_thing_selected_a_cuboid_is_worked_on_all_the_same(table: Table) -> None:
    made = made_car(table)
    thing = table.bench.view.annotations[made].entity
    table.bench.select((thing,), cause="entities", active=thing)
    before = table.only()
    nudge(table.space, 0.05, 0.0, 0.0, "nudge")
    assert np.linalg.norm(np.subtract(table.only().center, before.center)) == pytest.approx(0.05)
    assert table.tool.overlay().handles


def test_a_run_of_nudges_is_one_step_and_keeps_to_the_axes_of_the_cuboid(table: Table) -> None:
    made_car(table)
    before = table.only()
    for _ in range(3):
        nudge(table.space, 0.0, 0.05, 0.0, "nudge")
    way = np.subtract(table.only().center, before.center)
    ahead = np.array([math.cos(yaw_of(before)), math.sin(yaw_of(before)), 0])
    assert np.linalg.norm(way) == pytest.approx(0.15)
    assert max(abs(way @ ahead), abs(way @ (-ahead[1], ahead[0], 0))) == pytest.approx(0.15)
    table.bench.session.undo()
    assert np.allclose(table.only().center, before.center)
    yaw(table.space, 1.0, "yaw")
    assert math.degrees(yaw_of(table.only()) - yaw_of(before)) == pytest.approx(1.0)
    turn_round(table.space)
    assert math.cos(yaw_of(table.only()) - yaw_of(before)) < -0.99


def test_chosen_points_are_linked_to_the_box_in_the_camera(table: Table) -> None:
    """PC-05: the point set is a label like any other."""
    bench = table.bench
    look_at(table, WALKER)
    bench.hand.set_class("pedestrian")
    table.take("points_grow")
    click_on(table, WALKER)
    (points,) = bench.selected
    bench.run("stream.add", key="front", kind="video")
    box = {"kind": "box", "x": 5, "y": 5, "width": 20, "height": 50}
    seen = bench.run("annotation.add", stream="front", class_id="pedestrian", shape=box, start_ns=0, end_ns=1)
    ends = {"view": [f"annotation:{points}", f"annotation:{seen}"]}
    link = bench.run("link.add", type_id="same_object", ends=ends)
    assert link in bench.view.links
    assert set(bench.view.related((link,))) >= {points, seen}
