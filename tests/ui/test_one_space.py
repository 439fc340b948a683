"""One space: what is dragged or pointed at in one pane shows at the right pixel of every camera, read back from grabs
of a real window and compared with an independent projection, on the real drive and on the generated one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from one_space_truth import Opened, grabbed, on_screen, opened
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from scipy.spatial.transform import Rotation

from strict_windows import copy_of, let_work, wait_for
from workstation.app.opening import new_project, open_project
from workstation.app.previews import NEW, Dragged
from workstation.core.annotation import Annotation
from workstation.core.cuboid_rows import moved as moved_cuboid
from workstation.core.geometry import Cuboid
from workstation.core.selection import SpaceCursor
from workstation.ui.panes.camera_view import CameraView

Floats = NDArray[np.float64]
EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1]
AHEAD = ((14.0, 2.5, 0.4), (9.0, 5.5, 0.7), (11.0, -6.0, 0.8))
"""Metres in front of, to the left of and above the vehicle."""


@pytest.fixture(scope="module")
def real(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The real drive at four seconds."""
    assert qapp is not None
    folder = copy_of(demo_template, tmp_path_factory.mktemp("space") / "drive")
    yield from opened(folder, "sf_drive", 4_020_000_000)


@pytest.fixture(scope="module")
def generated(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A short generated drive with three cameras, one of them with a lens that bends lines."""
    from workstation.app.demo_street import build
    from workstation.synth.drive.fixture import drive
    from workstation.synth.drive.rig import DriveOptions

    assert qapp is not None
    folder = tmp_path_factory.mktemp("space")
    made = drive(folder / "media", options=DriveOptions(seconds=0.6, cameras=3, scale=0.3, workers=1))
    project = new_project(folder / "drive", profile="driving", person="Ana", in_force=True)
    with open_project(project, kind="import", tool="demo") as session:
        build(session, made)
    yield from opened(project, "drive-street", 330_000_000)


def corners(cuboid: Cuboid) -> Floats:
    """By hand: a turn about z alone."""
    signs = np.array([[(i >> 2 & 1) - 0.5, (i >> 1 & 1) - 0.5, (i & 1) - 0.5] for i in range(8)])
    w, _, _, z = cuboid.rotation
    cos, sin = w * w - z * z, 2 * w * z
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    return signs * cuboid.size @ turn.T + cuboid.center


def edge_places(scene: Opened, camera: CameraView, cuboid: Cuboid, at_ns: int) -> Iterator[tuple[Floats, Floats]]:
    """Places on the screen along each edge (n, 2), and which way is across (n, 2), where no other edge is near."""
    frame, taken = camera.stream.frame or "", scene.taken_ns(camera)
    ends = corners(cuboid)
    lines = []
    for a, b in EDGES:
        share = np.linspace(0, 1, 121)[:, None]
        world = scene.truth.in_world(ends[a] + share * (ends[b] - ends[a]), scene.lidar.frame or "", at_ns)
        lines.append(on_screen(camera, scene.truth, scene.truth.pixels(world, frame, taken)))
    every = np.clip(np.concatenate([each[np.isfinite(each).all(1)] for each in lines]), 0,
                    (camera.area.width(), camera.area.height()))  # fmt: skip
    box = np.stack([every.min(0), every.max(0)]) if len(every) else np.zeros((2, 2))
    for number, line in enumerate(lines):
        others = np.concatenate([each for i, each in enumerate(lines) if i != number])
        others = others[np.isfinite(others).all(1)]
        along = np.gradient(line, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        across = np.stack([-along[:, 1], along[:, 0]], 1)
        width, height = camera.area.width(), camera.area.height()
        inside = (line > 20).all(1) & (line[:, 0] < width - 20) & (line[:, 1] < height - 20)
        inside[[0, -1]] = False
        inside &= (np.abs(line[:, None] - box) > 11).all((1, 2))  # the dashed box is not the outline
        alone = [
            bool(ok) and np.linalg.norm(others - at, axis=1).min() > 13 for ok, at in zip(inside, line, strict=True)
        ]
        kept = np.array(alone) & np.isfinite(across).all(1)
        if kept.any():
            yield line[kept], across[kept]


def off_by(change: Floats, places: Floats, across: Floats) -> Floats:
    """How far from each place the middle of what was painted across it is, NaN where that is not clear."""
    steps = np.arange(-10, 10.01, 0.25)
    found = np.full(len(places), np.nan)
    for i, (at, way) in enumerate(zip(places, across, strict=True)):
        x, y = (at + steps[:, None] * way - 0.5).T  # a pixel's value stands at its middle
        profile = bilinear(change, x, y)
        if profile.max() > 40 and profile[np.abs(steps) > 7].max() < 10:
            found[i] = (profile * steps).sum() / profile.sum()
    return found


def bilinear(image: Floats, x: Floats, y: Floats) -> Floats:
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    left, top = np.clip(left, 0, image.shape[1] - 2), np.clip(top, 0, image.shape[0] - 2)
    u, v = x - left, y - top
    upper = image[top, left] * (1 - u) + image[top, left + 1] * u
    lower = image[top + 1, left] * (1 - u) + image[top + 1, left + 1] * u
    found: Floats = upper * (1 - v) + lower * v
    return found


def drag_new(scene: Opened, cuboid: Cuboid, own_ns: int, class_id: str) -> None:
    new = Dragged(annotation=NEW, shape=cuboid, stream=scene.lidar.id, own_ns=own_ns, class_id=class_id)
    scene.bench.previews.show([new], cause="test")
    let_work(0)


def outlines_are_right(scene: Opened) -> None:
    """Drag something that does not exist, once in each of two colours: what differs is the coloured line alone."""
    own_ns = scene.lidar.time_map.first_stream_at(scene.bench.clock.time_ns) - 60_000_000
    at_ns = scene.lidar.time_map.to_session(own_ns)
    scene.pane.set_look(overlay=_no_names(scene))
    checked = set()
    for number, center in enumerate(AHEAD):
        turn = 0.3 + 0.4 * number
        cuboid = Cuboid(center=center, size=(4.2, 1.9, 1.6), rotation=(np.cos(turn), 0.0, 0.0, np.sin(turn)))
        looks = []
        for class_id in ("car", "pedestrian"):
            drag_new(scene, cuboid, own_ns, class_id)
            looks.append(grabbed(scene.pane))
        for camera in scene.pane.views:
            change = np.abs(looks[0][camera.stream.key] - looks[1][camera.stream.key]).sum(-1)
            errors = [off_by(change, *each) for each in edge_places(scene, camera, cuboid, at_ns)]
            clear = np.concatenate([each[np.isfinite(each)] for each in errors]) if errors else np.empty(0)
            if len(clear) >= 30:
                checked.add(camera.stream.key)
                assert np.abs(clear).max() <= 1.0
                assert np.abs(np.median(clear)) <= 0.3
            expected = [on for on, _ in edge_places(scene, camera, cuboid, at_ns)]
            assert bool(change.max() > 40) or not expected  # nothing where it is behind or beside the camera
    scene.bench.previews.clear(cause="test")
    assert len(checked) >= 3


def _no_names(scene: Opened) -> object:
    from dataclasses import replace

    return replace(scene.pane.look.overlay, names=False)


def test_a_dragged_cuboid_is_outlined_where_it_is_on_the_real_drive(real: Opened) -> None:
    outlines_are_right(real)


@pytest.mark.slow
def test_a_dragged_cuboid_is_outlined_where_it_is_on_the_generated_drive(generated: Opened) -> None:
    outlines_are_right(generated)


def middle_of_cross(before: Floats, after: Floats) -> tuple[float, float] | None:
    """The middle of what was painted between two grabs: a cross is as long to every side."""
    rows, columns = np.nonzero(np.abs(after - before).sum(-1) > 24)
    if not len(rows):
        return None
    return (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2


def cross_hairs_are_right(scene: Opened) -> None:
    """A point of the vehicle's frame at the sweep's time, which is not the pictures'."""
    at_ns = scene.bench.clock.time_ns - 70_000_000
    checked = set()
    rng = np.random.default_rng(5)
    for center in [*AHEAD, (-9.0, 2.0, 1.0), *(rng.uniform((3, -9, 0), (30, 9, 3)).tolist() for _ in range(6))]:
        scene.bench.selection.point_at(None, cause="test")
        let_work(0)
        before = grabbed(scene.pane)
        x, y, z = center
        scene.bench.selection.point_at(SpaceCursor("ego", (x, y, z), None, at_ns), cause="test")
        let_work(0)
        world = scene.truth.in_world(np.array([center]), "ego", at_ns)
        after = grabbed(scene.pane)
        for camera in scene.pane.views:
            pixels = scene.truth.pixels(world, camera.stream.frame or "", scene.taken_ns(camera))
            expected = on_screen(camera, scene.truth, pixels)[0]
            found = middle_of_cross(before[camera.stream.key], after[camera.stream.key])
            size = np.array((camera.area.width(), camera.area.height()))
            if not np.isfinite(expected).all() or (expected < 0).any() or (expected > size).any():
                assert found is None  # behind or beside it
            elif (expected > 14).all() and (expected < size - 14).all():
                assert found is not None
                assert np.abs(np.array(found) - expected).max() <= 1.0
                checked.add(camera.stream.key)
    scene.bench.selection.point_at(None, cause="test")
    assert len(checked) >= 3


def test_a_point_in_space_is_a_cross_in_every_camera_that_sees_it_on_the_real_drive(real: Opened) -> None:
    cross_hairs_are_right(real)


@pytest.mark.slow
def test_a_point_in_space_is_a_cross_in_every_camera_that_sees_it_on_the_generated_drive(generated: Opened) -> None:
    cross_hairs_are_right(generated)


def point_with_mouse(camera: CameraView, pixel: tuple[float, float]) -> tuple[float, float]:
    """Move the pointer over a pixel of the picture; the place in the picture that it really is at."""
    x, y = camera.viewport.to_screen(pixel)
    there = QPoint(round(x), round(y))
    wait_for(lambda: camera.frames.frame is not None, what="a picture to point at")
    QTest.mouseRelease(QWidget(), Qt.MouseButton.LeftButton)  # a test before may have left it down

    def points() -> bool:
        camera.window().raise_()  # another test's window may lie over it, or a word about what was under the pointer
        QTest.mouseMove(camera.area, QPoint(0, 0))
        QTest.mouseMove(camera.area, there)
        return camera.area.pointer == QPointF(there) and camera.bench.selection.state.cursor is not None

    wait_for(points, what="the pointer")
    return camera.viewport.to_picture((there.x(), there.y()))


def test_a_pixel_of_the_sky_is_a_line_in_the_other_camera(real: Opened) -> None:
    """The epipolar line, read back: every painted place of it lies on the ray, carried to when the other looked."""
    left, front = real.camera("front_left_camera"), real.camera("front_camera")
    before = grabbed(real.pane)["front_camera"]
    pixel = point_with_mouse(left, (930.0, 60.0))
    cursor = real.bench.selection.state.cursor
    assert cursor is not None
    assert cursor.direction is not None  # no return of the cloud is there
    change = np.abs(grabbed(real.pane)["front_camera"] - before).sum(-1)
    depths = np.geomspace(1.5, 250, 4000)[:, None]
    world = _from_camera(real, left, depths * real.truth.ray("front_left_camera", pixel))
    line = on_screen(front, real.truth, real.truth.pixels(world, "front_camera", real.taken_ns(front)))
    inside = (line > 12).all(1) & (line < (front.area.width() - 12, front.area.height() - 12)).all(1)
    line = line[inside]
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()
    picked = line[1:][np.unique(np.searchsorted(steps, np.arange(20, steps[-1], 9)))]
    way = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
    errors = off_by(change, picked, np.tile([-way[1], way[0]], (len(picked), 1)))
    clear = errors[np.isfinite(errors)]
    assert len(clear) >= 5
    assert np.abs(clear).max() <= 1.0
    QTest.mouseMove(real.pane.header, QPoint(3, 3))


def _from_camera(scene: Opened, camera: CameraView, points: Floats) -> Floats:
    return scene.truth.in_world(points, camera.stream.frame or "", scene.taken_ns(camera))


def test_the_pointer_over_a_picture_meets_the_nearest_return_of_the_cloud(real: Opened) -> None:
    front = real.camera("front_camera")
    seen: list[SpaceCursor] = []
    reach = 5.0 / min(front.area.width() / 960, front.area.height() / 540)
    wait_for(lambda: _sweep_is_here(real, front), what="the sweep")
    everything = _returns(real, front)
    shown = everything[((everything[:, :2] > 20) & (everything[:, :2] < (940, 520))).all(1)]
    for x, y, _ in shown[:: len(shown) // 12].tolist():
        pixel = point_with_mouse(front, (x, y))
        cursor = real.bench.selection.state.cursor
        assert cursor is not None
        if cursor.direction is not None:
            continue
        seen.append(cursor)
        world = real.truth.in_world(np.array([cursor.point]), cursor.frame, cursor.session_ns or 0)
        again = real.truth.pixels(world, "front_camera", real.taken_ns(front))[0]
        assert np.linalg.norm(again - pixel) <= reach + 0.1  # it is under the pointer
        near = np.linalg.norm(everything[:, :2] - pixel, axis=1) <= reach
        depth = real.truth.in_camera(world, "front_camera", real.taken_ns(front))[0, 2]
        assert depth <= everything[near, 2].min() + 0.05  # and nothing under the pointer lies before it
    assert len(seen) >= 10


def _sweep_is_here(scene: Opened, camera: CameraView) -> bool:
    sweeps = camera.space.sweeps()
    return sweeps is not None and sweeps.at(scene.taken_ns(camera)) is not None


def _returns(scene: Opened, camera: CameraView) -> Floats:
    """(n, 3): pixels and depth of every return of the sweep nearest to the picture, by way of the truth."""
    assert scene.bench.readers is not None
    reader = scene.bench.readers.reader(scene.lidar)
    times = np.array([scene.lidar.time_map.to_session(int(each)) for each in reader.table.times_ns])
    index = int(np.abs(times - scene.taken_ns(camera)).argmin())
    cloud = reader.cloud(index)
    points = cloud.points.astype(np.float64) + cloud.origin
    world = scene.truth.in_world(points, cloud.frame or scene.lidar.frame or "", int(times[index]))
    pixels = scene.truth.pixels(world, "front_camera", scene.taken_ns(camera))
    depth = scene.truth.in_camera(world, "front_camera", scene.taken_ns(camera))[:, 2:]
    found = np.hstack([pixels, depth])
    return found[np.isfinite(found).all(1)]


def test_a_held_cursor_stays_when_the_pointer_goes_and_one_let_go_is_gone(real: Opened) -> None:
    selection, front = real.bench.selection, real.camera("front_camera")
    point_with_mouse(front, (500.0, 100.0))
    held = selection.state.cursor
    assert held is not None
    selection.hold_cursor(True, cause="test")
    point_with_mouse(front, (700.0, 120.0))
    QTest.mouseMove(real.pane.header, QPoint(3, 3))
    assert selection.state.cursor == held
    selection.hold_cursor(False, cause="test")
    assert selection.state.cursor is None
    point_with_mouse(front, (700.0, 120.0))
    assert selection.state.cursor is not None
    QTest.mouseMove(real.pane.header, QPoint(3, 3))
    let_work(0)
    front.area.leaveEvent(QEvent(QEvent.Type.Leave))
    assert selection.state.cursor is None


def test_what_is_seen_in_a_drag_is_what_is_stored_after_it(real: Opened) -> None:
    """For tracks that are seen, with the keyframe of the drag on a labelled sweep and between two."""
    bench = real.bench
    assert bench.view is not None
    assert bench.placed is not None
    front = real.camera("front_camera")
    assert front.scene.camera is not None
    taken = real.taken_ns(front)
    seen = bench.placed.projected(front.scene.camera, taken)[:2]
    changes = (((0.7, -0.4, 0.0), (0.0, 0.0, 0.0), (0, 0, 0)), ((0.3, 0.0, 0.0), (0.6, 0.0, 0.0), (-1, 0, 0)))
    for each, aside in zip(seen, (0, 30_000_000), strict=True):
        for by, grown, held in changes:
            record = bench.view.annotations[each.annotation]
            keyframes = bench.view.keyframes(each.annotation)
            before = [key for key in keyframes if key.time_ns <= bench.view.own_ns(record, taken)][-1]
            own_ns = before.time_ns + aside
            shape = _standing(real, record, own_ns)
            (x, y, z), turned = shape.center, (_axes(shape) @ np.array(by)).tolist()
            size = tuple(a + b for a, b in zip(shape.size, grown, strict=True))
            moved = (x + turned[0], y + turned[1], z + turned[2])
            shape = msgspec.structs.replace(shape, center=moved, size=size)
            bench.previews.show(
                [Dragged(annotation=record.id, shape=shape, stream=record.stream or "", own_ns=own_ns)], cause="test"
            )
            (dragged,) = front.scene.dragged
            assert each.annotation not in {shadow.seen.annotation for shadow in front.scene.shadows}
            bench.session.run(
                "cuboid.set", annotation=record.id, time_ns=own_ns, center=shape.center, size=shape.size,
                rotation=shape.rotation, held=held,
            )  # fmt: skip
            bench.previews.clear(cause="test")
            assert not front.scene.dragged
            (stored,) = bench.placed.projected(front.scene.camera, taken, only={record.id})
            np.testing.assert_allclose(dragged.shadow.seen.segments, stored.segments, atol=1e-3)
            assert not np.allclose(each.segments.mean((0, 1)), stored.segments.mean((0, 1)), atol=1)
            bench.session.undo()


def _standing(scene: Opened, record: Annotation, own_ns: int) -> Cuboid:
    """A cuboid as a pane shows it then, in the frame of its track: on its way through the world."""
    placed, when = scene.bench.placed, scene.lidar.time_map.to_session(own_ns)
    assert placed is not None
    there = placed.placed(record.id, when)
    assert there is not None
    way = placed.transform(record.frame or scene.lidar.frame or "", there[1], when)
    assert way is not None
    return moved_cuboid(there[0], way)


def _axes(cuboid: Cuboid) -> Floats:
    w, x, y, z = cuboid.rotation
    found: Floats = Rotation.from_quat([x, y, z, w]).as_matrix()
    return found


@pytest.mark.slow
def test_points_over_pictures_are_corrected_for_motion_or_not_and_the_header_says_which(generated: Opened) -> None:
    """Each point where its own time puts it in the world, by way of the truth; as captured, all at the sweep's time."""
    pane, camera = generated.pane, generated.camera("camera_front")
    assert generated.bench.readers is not None
    reader = generated.bench.readers.reader(generated.lidar)
    to_session, frame = generated.lidar.time_map.to_session, generated.lidar.frame or ""
    for motion, words in ((True, "points motion corrected"), (False, "points as captured")):
        pane.set_look(points=True, motion=motion)
        wait_for(lambda: _sweep_is_here(generated, camera), what="the sweep")
        wait_for(lambda said=words: pane.header.accessibleName().endswith(said), what=words)
        sweeps = camera.space.sweeps()
        assert sweeps is not None
        sweep = sweeps.at(generated.taken_ns(camera))
        assert sweep is not None
        cloud = reader.cloud(sweep.index, max_points=120_000)  # type: ignore[union-attr]
        chosen = np.arange(0, len(cloud.points), len(cloud.points) // 40)
        points = cloud.points[chosen].astype(np.float64) + cloud.origin
        own = np.asarray(cloud.fields["time_ns"])[chosen]
        assert np.ptp(own) > 10_000_000
        times = [to_session(int(each)) if motion else sweep.session_ns for each in own]
        world = [
            generated.truth.in_world(point[None], frame, when)[0] for point, when in zip(points, times, strict=True)
        ]
        np.testing.assert_allclose(sweep.points[chosen], world, atol=0.02)
    pane.set_look(points=False, motion=True)
