"""The cloud pane in a real window, over the generated turn, whose points, poses and things are known exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from strict_turn import DRIVEN, PARKED, SAMPLE, STEP_NS, STREAM, SWEEPS, WALKER, WORLD, turn, turn_project
from strict_windows import let_work, show, wait_for
from workstation.app.cloud_paint import ColourBy
from workstation.app.opening import open_project
from workstation.ui.actions.action import Hands
from workstation.ui.actions.table import load_actions
from workstation.ui.panes.cloud import CloudPane
from workstation.ui.panes.cloud_look import Follow
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.workbench import Workbench

NONE, ALT, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
Opened = tuple[Workbench, CloudPane, dict[str, str]]
BACKGROUND = (0x10, 0x14, 0x18)


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The turn with the true cuboids of its three things, and the pane on it; the walker is keyed twice only."""
    assert qapp is not None
    home = tmp_path_factory.mktemp("cloud")
    folder = turn_project(home / "turn")
    with (
        pytest.MonkeyPatch.context() as patched,
        open_project(folder, kind="person", role="lead") as session,
    ):
        patched.setenv("WORKSTATION_HOME", str(home))  # the looks of tests are nobody's settings
        bench = Workbench(session)
        assert bench.open_sample(SAMPLE)
        ids = _label(bench)
        pane = CloudPane()
        pane.bind(bench)
        show(pane, 800, 560)
        settle(pane)
        yield bench, pane, ids
        pane.unbind()
        pane.close()
        bench.close()


@pytest.fixture
def bench(opened: Opened) -> Workbench:
    return opened[0]


@pytest.fixture
def ids(opened: Opened) -> dict[str, str]:
    """Annotation by the thing it shows."""
    return opened[2]


@pytest.fixture
def pane(opened: Opened) -> Iterator[CloudPane]:
    """As it comes, at the fourth sweep."""
    bench, made, _ = opened
    bench.clock.pause()
    bench.select((), cause="test")
    bench.clock.seek(4 * STEP_NS)
    made.set_look(correct=True, before=0, after=0, leave_moving=True, flat=False, follow=Follow.VEHICLE, hidden=(),
                  colour_by=ColourBy.HEIGHT, cuboids=True, zoom_locked=False)  # fmt: skip
    settle(made)
    made.home()
    settle(made)
    yield made
    assert not made.failed


def _label(bench: Workbench) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, class_id in ((PARKED, "car"), (DRIVEN, "van"), (WALKER, "pedestrian")):
        keyed = (0, SWEEPS - 1) if key == WALKER else range(SWEEPS)
        keyframes = [{"time_ns": sweep * STEP_NS, "shape": turn().cuboids[sweep][key]} for sweep in keyed]
        made = bench.session.run(
            "track.add", sample=SAMPLE, stream=STREAM, class_id=class_id, keyframes=msgspec.to_builtins(keyframes),
            frame=WORLD,
        )  # fmt: skip
        found[key] = str(made)
    return found


def settle(pane: CloudPane) -> None:
    wait_for(lambda: pane.settled() and not pane.failed, what="the cloud to be painted")


def pixel_of(view: SpaceView, place: NDArray[np.float64]) -> tuple[float, float]:
    """A pinhole of the test's own: nothing of the program's projection in it."""
    forward = np.array(view.target) - np.array(view.eye)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, view.up)
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    off = place - np.array(view.eye)
    assert view.fov_deg is not None
    focal = view.height_px / 2 / math.tan(math.radians(view.fov_deg) / 2)
    depth = off @ forward
    return view.width_px / 2 + focal * (off @ right) / depth, view.height_px / 2 - focal * (off @ up) / depth


def in_scene(pane: CloudPane, places: Any) -> NDArray[np.float64]:
    assert pane.moment is not None
    return np.asarray(places, np.float64) - np.array(pane.moment.ground.origin)


def to_widget(pane: CloudPane, pixel: tuple[float, float]) -> QPoint:
    assert pane.canvas is not None
    at = pane.canvas.to_widget(*pixel)
    return QPoint(math.floor(at.x()), math.floor(at.y()))


def shown_points(pane: CloudPane) -> NDArray[np.float32]:
    assert pane.moment is not None
    assert pane.moment.lead_sweep is not None
    return pane.moment.lead_sweep.points


# --- which sweep, and where its points lie -------------------------------------------------------------------------


@pytest.mark.parametrize("sweep", [0, 4, 11])
def test_the_header_names_the_sweep_that_is_painted_and_its_points_are_that_sweeps(
    bench: Workbench, pane: CloudPane, sweep: int
) -> None:
    bench.clock.seek(sweep * STEP_NS + 30_000_000)
    settle(pane)
    said = pane.header.accessibleName()
    assert f"{STREAM} sweep {sweep} " in said
    assert f"{sweep * 0.1:.3f} s" in said
    assert said.endswith("−30 ms")
    truth = turn().in_world[sweep]
    assert np.abs(in_scene(pane, truth) - shown_points(pane)).max() < 0.005


def test_motion_correction_is_said_and_moves_points_as_far_as_the_vehicle_went(pane: CloudPane) -> None:
    assert "motion corrected" in pane.note.text()
    truth = in_scene(pane, turn().in_world[4])
    pane.set_look(correct=False)
    settle(pane)
    assert "as captured" in pane.note.text()
    off = np.linalg.norm(shown_points(pane) - truth, axis=1)
    away_s = np.abs(turn().times_s[4])
    assert np.median(off[away_s > 0.9 * away_s.max()]) > 0.15  # what the vehicle drives in that time, and its turn
    assert np.median(off[away_s < 0.002]) < 0.03


def test_a_point_is_painted_where_an_independent_pinhole_puts_it(pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    assert canvas.rendered is not None
    near = in_scene(pane, turn().in_world[4])
    image = canvas.rendered.image
    found = 0
    for place in near[turn().whose[4] == turn().numbers[DRIVEN]][::40]:
        x, y = pixel_of(canvas.look, place)
        if not (2 < x < canvas.look.width_px - 2 and 2 < y < canvas.look.height_px - 2):
            continue
        hit = canvas.hit_at(canvas.to_widget(x, y))
        assert hit is not None
        eye = np.array(canvas.look.eye)  # itself, or what stands before it
        assert np.linalg.norm(np.array(hit.point) - eye) <= np.linalg.norm(place - eye) + 0.01
        found += np.linalg.norm(np.array(hit.point) - place) < 1e-3
        assert tuple(image[int(y), int(x), 2::-1].tolist()) != BACKGROUND
    assert found >= 3


def test_nothing_is_shown_before_the_first_sweep_and_it_says_what_is_nearest(bench: Workbench, pane: CloudPane) -> None:
    assert pane.canvas is not None
    bench.clock.set_span(bench.clock.span)
    bench.clock.seek(SWEEPS * STEP_NS + STEP_NS)
    settle(pane)
    assert pane.moment is None
    assert pane.canvas.drawn is None
    assert "nothing here; nearest sweep 11 at 1.100 s" in pane.empty_text()
    assert "nothing here" in pane.header.accessibleName()


def test_a_picture_that_comes_late_is_not_shown_where_there_is_nothing(bench: Workbench, pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    for sweep in (3, 7, 9):
        bench.clock.seek(sweep * STEP_NS)
        wait_for(lambda sweep=sweep: pane.newest is not None and _item(pane.newest) == sweep)  # type: ignore[misc]
        bench.clock.seek((SWEEPS + 1) * STEP_NS)
        wait_for(lambda: pane.newest is None)
        assert canvas.drawn is None
        for _ in range(20):
            let_work(2)
            assert canvas.drawn is None
            assert pane.moment is None


def test_a_picture_of_before_a_gap_does_not_come_after_it(bench: Workbench, pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    seen: list[int | None] = []

    def look() -> None:
        seen.append(_item(pane.moment))

    canvas.painted.connect(look)
    for before, after in ((1, 2), (6, 8), (10, 3)):
        bench.clock.seek(before * STEP_NS)
        wait_for(lambda before=before: pane.newest is not None and _item(pane.newest) == before)  # type: ignore[misc]
        let_work(1)
        bench.clock.seek((SWEEPS + 1) * STEP_NS)
        wait_for(lambda: pane.newest is None)
        seen.clear()
        bench.clock.seek(after * STEP_NS)
        settle(pane)
        assert set(seen) == {after}
    canvas.painted.disconnect(look)


def _item(moment: Any) -> int | None:
    return None if moment.lead_sweep is None else moment.lead_sweep.index


def test_while_time_runs_header_and_picture_are_of_one_sweep(bench: Workbench, pane: CloudPane) -> None:
    assert pane.canvas is not None
    seen: list[tuple[str, int]] = []

    def look() -> None:
        moment = pane.moment
        assert moment is not None
        assert moment.lead_sweep is not None
        assert moment.shown is not None
        drawn = [each.item for each in moment.shown.layers if each.current]
        assert drawn == [moment.lead_sweep.index]
        seen.append((pane.header.accessibleName(), moment.lead_sweep.index))

    pane.canvas.painted.connect(look)
    for step in range(2 * SWEEPS):
        bench.clock.seek(step * STEP_NS // 2)
        let_work(2)
    bench.clock.seek(11 * STEP_NS)
    settle(pane)
    pane.canvas.painted.disconnect(look)
    assert all(f"sweep {index} " in said for said, index in seen)
    assert seen[-1][1] == 11


# --- things --------------------------------------------------------------------------------------------------------


def test_a_click_on_a_cuboid_selects_it_and_a_selection_from_elsewhere_is_marked(
    bench: Workbench, pane: CloudPane, ids: dict[str, str]
) -> None:
    canvas = pane.canvas
    assert canvas is not None
    bench.select([ids[DRIVEN]], cause="elsewhere")
    assert pane.fly_to((ids[DRIVEN],))
    settle(pane)
    assert bench.selected == (ids[DRIVEN],)
    center = in_scene(pane, turn().cuboids[4][DRIVEN].center)
    x, y = pixel_of(canvas.look, center)
    assert abs(x - canvas.look.width_px / 2) < 2
    assert abs(y - canvas.look.height_px / 2) < 2
    bench.select((), cause="test")
    settle(pane)
    QTest.mouseClick(canvas, LEFT, NONE, to_widget(pane, (x, y)))
    assert bench.selected == (ids[DRIVEN],)
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(3, 40))
    assert bench.selected == ()


def test_what_is_selected_says_how_many_points_it_has_and_how_far_it_is(
    bench: Workbench, pane: CloudPane, ids: dict[str, str]
) -> None:
    bench.select([ids[PARKED]], cause="elsewhere")
    settle(pane)
    moment = pane.moment
    assert moment is not None
    row = moment.cuboids.row(ids[PARKED])
    assert row is not None
    true = turn().cuboids[4][PARKED]
    yaw = 2 * math.atan2(true.rotation[3], true.rotation[0])
    off = turn().in_world[4] - np.array(true.center)
    ahead = off[:, 0] * math.cos(yaw) + off[:, 1] * math.sin(yaw)
    aside = off[:, 1] * math.cos(yaw) - off[:, 0] * math.sin(yaw)
    inside = np.abs(np.stack([ahead, aside, off[:, 2]], 1)) <= np.array(true.size) / 2
    count = moment.counted(row)
    assert abs(count - int(inside.all(axis=1).sum())) <= 2  # on the very border either may be
    assert count > 300
    text = pane.over.described(moment, row)
    assert text.startswith(f"{count} points, ")
    place = turn().ego[4][1]
    sensor_far = np.linalg.norm((np.array(true.center) - place)[:2])
    assert abs(float(text.split(", ")[1].split()[0]) - sensor_far) < 2.0  # the sensor stands on the roof, ahead


def test_a_cuboid_between_two_keyframes_is_dashed_and_a_keyed_one_solid(pane: CloudPane, ids: dict[str, str]) -> None:
    moment = pane.moment
    assert moment is not None
    assert set(moment.cuboids.ids) == set(ids.values())
    between = dict(zip(moment.cuboids.ids, moment.cuboids.between.tolist(), strict=True))
    assert [between[ids[key]] for key in (PARKED, DRIVEN, WALKER)] == [False, False, True]
    lines, _ = pane._lines(moment)
    dashed = {each.dashed: len(each.segments) for each in lines}
    assert dashed[False] == 2 * dashed[True]


def test_sweeps_under_it_are_brought_through_the_poses_and_moving_things_left_out(pane: CloudPane) -> None:
    pane.set_look(before=1, after=1, leave_moving=False)
    settle(pane)
    moment = pane.moment
    assert moment is not None
    assert moment.shown is not None
    layers = {each.item: each for each in moment.shown.layers}
    assert sorted(layers) == [3, 4, 5]
    assert [each.item for each in layers.values() if each.current] == [4]
    assert "−1 +1 sweeps" in pane.note.text()
    for item, layer in layers.items():
        assert np.abs(in_scene(pane, turn().in_world[item]) - layer.points).max() < 0.005
    pane.set_look(leave_moving=True)
    settle(pane)
    assert pane.moment is not None
    assert pane.moment.shown is not None
    for layer in pane.moment.shown.layers:
        rows = np.arange(len(turn().whose[layer.item])) if layer.rows is None else layer.rows
        whose = turn().whose[layer.item][rows]
        driven, parked = ((whose == turn().numbers[key]).sum() for key in (DRIVEN, PARKED))
        all_driven = (turn().whose[layer.item] == turn().numbers[DRIVEN]).sum()
        assert driven == all_driven if layer.current else driven < 0.03 * all_driven
        assert parked == (turn().whose[layer.item] == turn().numbers[PARKED]).sum()


def test_points_of_a_thing_take_its_colour_when_coloured_by_class(pane: CloudPane, ids: dict[str, str]) -> None:
    pane.set_look(colour_by=ColourBy.CLASS)
    settle(pane)
    assert pane.moment is not None
    layer = pane.moment.points.layers()[0]
    row = pane.moment.cuboids.row(ids[DRIVEN])
    assert row is not None
    driven = turn().whose[4] == turn().numbers[DRIVEN]
    right = (layer.colours == pane.moment.cuboids.colours[row]).all(axis=1)
    assert right[driven].mean() > 0.95
    assert right[turn().whose[4] == turn().numbers[PARKED]].sum() == 0


# --- looking -------------------------------------------------------------------------------------------------------


def test_the_middle_button_orbits_and_with_shift_pans_and_alt_left_does_without_one(pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    for button, modifier in ((MIDDLE, NONE), (LEFT, ALT)):
        before = canvas.view
        _pull(pane, button, modifier, (60, 0))
        after = canvas.view
        assert np.allclose(after.target, before.target)
        assert math.isclose(after.distance_m, before.distance_m, rel_tol=1e-6)
        assert math.dist(after.eye, before.eye) > 1
        settle(pane)
    for button, modifier in ((MIDDLE, SHIFT), (LEFT, ALT | SHIFT)):
        before = canvas.view
        held = np.array(before.target)
        _pull(pane, button, modifier, (40, 25))
        x, y = pixel_of(canvas.view, held)
        assert abs(x - canvas.view.width_px / 2 - 40) < 0.5
        assert abs(y - canvas.view.height_px / 2 - 25) < 0.5
        settle(pane)


def test_the_wheel_zooms_to_the_point_under_the_pointer(pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    visible = [
        place
        for place in in_scene(pane, turn().in_world[4])[turn().whose[4] == turn().numbers[DRIVEN]]
        if (hit := canvas.hit_at(canvas.to_widget(*pixel_of(canvas.look, place)))) is not None
        and np.linalg.norm(np.array(hit.point) - place) < 1e-3
    ]
    place = visible[len(visible) // 2]
    before = pixel_of(canvas.view, place)
    distance = np.linalg.norm(place - np.array(canvas.view.eye))
    at = canvas.to_widget(*before)
    event = QWheelEvent(at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, NONE,
                        Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(canvas, event)
    after = pixel_of(canvas.view, place)
    assert math.dist(before, after) < 0.5
    assert np.linalg.norm(place - np.array(canvas.view.eye)) < distance / 1.4
    settle(pane)
    pane.set_look(zoom_locked=True)
    kept = canvas.view
    QApplication.sendEvent(canvas, event)
    assert canvas.view == kept


def test_nothing_vanishes_however_near_or_far_one_looks(pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    for flat in (False, True):
        pane.set_look(flat=flat)
        pane.fit_all()
        settle(pane)
        assert canvas.rendered is not None
        seen = np.isfinite(canvas.rendered.depth).sum()
        assert seen > 1000
        canvas.set_view(canvas.view.zoom_to(400, 280, 1 / 500))
        settle(pane)
        assert canvas.rendered is not None
        assert np.isfinite(canvas.rendered.depth).sum() >= 1  # a speck, but there
    pane.set_look(flat=False)
    target = in_scene(pane, turn().in_world[4][1000])
    canvas.set_view(canvas.view.fly_to(target, 0.02))
    settle(pane)
    x, y = pixel_of(canvas.look, target)
    hit = canvas.hit_at(canvas.to_widget(x, y))
    assert hit is not None
    assert np.linalg.norm(np.array(hit.point) - target) < 1e-3


def test_the_view_goes_along_with_the_vehicle_or_stands_still(bench: Workbench, pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    bench.clock.seek(0)
    settle(pane)
    offsets = []
    for sweep in (0, 5, 11):
        bench.clock.seek(sweep * STEP_NS)
        settle(pane)
        rotation, place = turn().ego[sweep]
        yaw = math.atan2(rotation[1, 0], rotation[0, 0])
        off = np.array(canvas.look.eye) - in_scene(pane, place)
        offsets.append(
            [math.cos(-yaw) * off[0] - math.sin(-yaw) * off[1], math.sin(-yaw) * off[0] + math.cos(-yaw) * off[1]]
        )
    assert np.abs(np.array(offsets) - offsets[0]).max() < 0.05  # behind it all the way through the turn
    pane.set_look(follow=Follow.GROUND)
    stood = canvas.view
    bench.clock.seek(0)
    settle(pane)
    assert canvas.look.eye == stood.eye


def test_straight_looks_follow_the_selected_cuboid(bench: Workbench, pane: CloudPane, ids: dict[str, str]) -> None:
    from workstation.ui.scenes.space_view import Side

    canvas = pane.canvas
    assert canvas is not None
    bench.select([ids[PARKED]], cause="elsewhere")
    settle(pane)
    pane.look_from(Side.TOP)
    settle(pane)
    true = turn().cuboids[4][PARKED]
    yaw = 2 * math.atan2(true.rotation[3], true.rotation[0])
    center = in_scene(pane, true.center)
    x, y = pixel_of(canvas.look, center)
    front_x, front_y = pixel_of(canvas.look, center + np.array([math.cos(yaw), math.sin(yaw), 0]))
    assert abs(front_x - x) < 0.5  # its front is up on the screen
    assert front_y < y - 5


def test_a_stream_is_hidden_and_says_so(bench: Workbench, pane: CloudPane) -> None:
    pane.show_stream(STREAM, False)
    settle(pane)
    assert pane.moment is None
    assert "hidden" in pane.empty_text()
    pane.show_stream(STREAM, True)
    settle(pane)
    assert pane.moment is not None
    stream = bench.view.stream_by_key(STREAM) if bench.view is not None else None
    assert stream is not None
    bench.sight.toggle_hidden(stream.id)
    settle(pane)
    assert pane.moment is None
    bench.sight.toggle_hidden(stream.id)
    settle(pane)


def test_how_it_is_looked_at_is_kept_for_the_project(bench: Workbench, pane: CloudPane) -> None:
    from workstation.ui.panes.cloud_look import read_look

    pane.set_look(colour_by=ColourBy.DISTANCE, before=2, point_px=4, grid=False)
    wait_for(lambda: not pane._keep_soon.isActive())
    kept = read_look(bench.session.project.path)
    assert (kept.colour_by, kept.before, kept.point_px, kept.grid) == (ColourBy.DISTANCE, 2, 4, False)
    pane.set_look(before=0, point_px=2, grid=True)
    wait_for(lambda: not pane._keep_soon.isActive())


@pytest.mark.parametrize(
    "kept",
    [{"before": 10**9}, {"before": -1}, {"point_px": 0}, {"colour_by": "smell"}, 7, None, {"hidden": "lidar"}],
)
def test_a_look_that_makes_no_sense_is_the_usual_one(
    kept: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workstation.app.settings import Settings, write_settings
    from workstation.ui.panes.cloud_look import CloudLook, read_look

    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path))
    write_settings(Settings(clouds={str(tmp_path.absolute()): kept}))
    assert read_look(tmp_path) == CloudLook()


def _pull(pane: CloudPane, button: Qt.MouseButton, modifier: Qt.KeyboardModifier, by: tuple[int, int]) -> None:
    canvas = pane.canvas
    assert canvas is not None
    start = QPoint(300, 300)
    QTest.mousePress(canvas, button, modifier, start)
    _moved(canvas, start + QPoint(*by), button, modifier)
    QTest.mouseRelease(canvas, button, modifier, start + QPoint(*by))


def _moved(canvas: Any, at: QPoint, button: Qt.MouseButton, modifier: Qt.KeyboardModifier) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    place = QPointF(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, canvas.mapToGlobal(place), Qt.MouseButton.NoButton, button, modifier
    )
    QApplication.sendEvent(canvas, event)


# --- by keyboard ---------------------------------------------------------------------------------------------------


class _Frame:
    """The main window, as far as actions on clouds ask for it."""

    def __init__(self, pane: CloudPane) -> None:
        self._pane = pane

    def pane(self, kind: str) -> CloudPane | None:
        return self._pane if kind == "cloud" else None


def act(bench: Workbench, pane: CloudPane, action_id: str) -> None:
    hands = Hands(bench=bench, pane=None, frame=cast("Any", _Frame(pane)))
    action = load_actions().find(action_id)
    assert action.why_not(hands) is None
    action.run(hands)
    settle(pane)


@pytest.mark.slow
def test_everything_the_mouse_does_can_be_done_by_keys(bench: Workbench, pane: CloudPane) -> None:
    canvas = pane.canvas
    assert canvas is not None
    for there, back in (("turn_left", "turn_right"), ("turn_up", "turn_down"), ("pan_left", "pan_right"),
                        ("pan_up", "pan_down"), ("zoom_in", "zoom_out")):  # fmt: skip
        before = canvas.look
        act(bench, pane, f"cloud.{there}")
        assert math.dist(canvas.look.eye, before.eye) > 0.1, there
        act(bench, pane, f"cloud.{back}")
        assert math.dist(canvas.look.eye, before.eye) < 0.02 * before.distance_m, back
    act(bench, pane, "cloud.fit")
    for corner in np.array([pane.moment.low, pane.moment.high]) if pane.moment is not None else ():
        x, y = pixel_of(canvas.look, corner)
        assert 0 <= x <= canvas.look.width_px
        assert 0 <= y <= canvas.look.height_px
    act(bench, pane, "cloud.from_top")
    assert np.allclose(np.subtract(canvas.look.eye, canvas.look.target)[:2], 0, atol=0.2)
    act(bench, pane, "cloud.flat")
    assert canvas.look.fov_deg is None
    act(bench, pane, "cloud.flat")
    assert canvas.look.fov_deg is not None
    act(bench, pane, "cloud.more_sweeps")
    assert (pane.look.before, pane.look.after) == (1, 1)
    act(bench, pane, "cloud.fewer_sweeps")
    assert (pane.look.before, pane.look.after) == (0, 0)
    act(bench, pane, "cloud.correct")
    assert "as captured" in pane.note.text()
    act(bench, pane, "cloud.by_distance")
    assert pane.look.colour_by is ColourBy.DISTANCE
    act(bench, pane, "cloud.by_ring")  # these points have none
    assert pane.look.colour_by is ColourBy.DISTANCE
    seen = set()
    for _ in pane.colourings():
        act(bench, pane, "cloud.next_colour")
        seen.add(pane.look.colour_by)
    assert seen == set(pane.colourings())


def test_steps_go_sweep_by_sweep(bench: Workbench, pane: CloudPane) -> None:
    assert pane.unit_name() == "sweep"
    bench.clock.seek(4 * STEP_NS + 30_000_000)
    assert (pane.step_time(1), pane.step_time(-1)) == (5 * STEP_NS, 3 * STEP_NS)
    assert pane.step_time(100) == (SWEEPS - 1) * STEP_NS
