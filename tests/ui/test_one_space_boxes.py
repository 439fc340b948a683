"""Between space and pictures: boxes adopted from cuboids, labels missing where a camera should see them, colours of
points, cameras the rig does not know; against an independent projection, on the real drive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from one_space_truth import Opened, opened
from PySide6.QtWidgets import QApplication
from scipy.spatial.transform import Rotation

from strict_windows import copy_of, show, wait_for
from workstation.app.entity_table import EntityTable, time_of
from workstation.app.in_view import CamerasInView
from workstation.core.annotation import Annotation
from workstation.core.geometry import Box, Cuboid
from workstation.ui.actions import one_space
from workstation.ui.actions.action import Hands
from workstation.ui.panes.camera import CameraPane

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def real(qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The real drive at four seconds."""
    assert qapp is not None
    folder = copy_of(demo_template, tmp_path_factory.mktemp("space") / "drive")
    yield from opened(folder, "sf_drive", 4_020_000_000)


class OnlyCameras:
    """The frame around the panes, as far as these actions ask it."""

    def __init__(self, pane: CameraPane) -> None:
        self._pane = pane

    def pane(self, kind: str) -> CameraPane | None:
        return self._pane if kind == "camera" else None


def hands(scene: Opened) -> Hands:
    return Hands(bench=scene.bench, pane=scene.pane, frame=OnlyCameras(scene.pane))  # type: ignore[arg-type]


def true_box(scene: Opened, camera: str, annotation: str, taken_ns: int) -> Floats | None:
    """Left, top, right, bottom of what shows of a labelled cuboid; ``None`` where a corner is behind the camera or
    nothing shows. Between two sweeps the corners go straight in the world."""
    view = scene.bench.view
    assert view is not None
    record = view.annotations[annotation]
    keyframes = view.keyframes(annotation)
    own = np.array([scene.lidar.time_map.to_session(each.time_ns) for each in keyframes])
    after = int(np.clip(np.searchsorted(own, taken_ns), 1, len(own) - 1))
    ends = []
    for row in (after - 1, after):
        shape = keyframes[row].shape
        assert isinstance(shape, Cuboid)
        ends.append(scene.truth.in_world(_turned(shape), record.frame or scene.lidar.frame or "", int(own[row])))
    share = (taken_ns - own[after - 1]) / (own[after] - own[after - 1])
    pixels = scene.truth.pixels(ends[0] * (1 - share) + ends[1] * share, camera, taken_ns)
    if not np.isfinite(pixels).all():
        return None
    return scene.truth.bounds(pixels, camera)


def _turned(cuboid: Cuboid) -> Floats:
    signs = np.array([[(i >> 2 & 1) - 0.5, (i >> 1 & 1) - 0.5, (i & 1) - 0.5] for i in range(8)])
    w, x, y, z = cuboid.rotation
    found: Floats = Rotation.from_quat([x, y, z, w]).apply(signs * cuboid.size) + cuboid.center
    return found


def boxes_of(scene: Opened, entity: str, stream: str) -> Annotation | None:
    assert scene.bench.view is not None
    shown = scene.bench.view.annotations_of_entity(entity)
    return next((each for each in shown if each.kind == "box" and each.stream == stream), None)


def sides(box: object) -> Floats:
    assert isinstance(box, Box)
    return np.array((box.x, box.y, box.x + box.width, box.y + box.height))


def test_a_projected_box_is_adopted_in_the_cameras_that_see_it(real: Opened) -> None:
    bench, front = real.bench, real.camera("front_camera")
    view = bench.view
    assert view is not None
    assert bench.placed is not None
    assert front.scene.camera is not None
    cuboid = next(
        each.annotation
        for each in bench.placed.projected(front.scene.camera, real.taken_ns(front))
        if (box := true_box(real, "front_camera", each.annotation, real.taken_ns(front))) is not None
        and box[0] > 0 and box[2] < 960 and 8 < each.depth_m < 25
    )  # fmt: skip
    entity = view.annotations[cuboid].entity
    assert entity is not None
    bench.select([cuboid], cause="test")
    head = bench.session.store.head()
    one_space.adopt_everywhere(hands(real))
    adopted = {camera.stream.key: boxes_of(real, entity, camera.stream.id) for camera in real.pane.views}
    for camera in real.pane.views:
        expected = true_box(real, camera.stream.frame or "", cuboid, real.taken_ns(camera))
        record = adopted[camera.stream.key]
        if record is None:
            assert expected is None or min(expected[2] - expected[0], expected[3] - expected[1]) < 2.0
            continue
        (keyframe,) = view.keyframes(record.id)
        frame = camera.frames.frame
        assert frame is not None
        assert keyframe.time_ns == frame.own_ns
        assert expected is not None
        np.testing.assert_allclose(sides(keyframe.shape), expected, atol=0.1)
        assert (keyframe.source.name, keyframe.source.parameters["cuboid"]) == ("projection", cuboid)
        assert camera.scene.drawn(record.id) is not None
    assert adopted["front_camera"] is not None
    assert adopted["back_camera"] is None
    bench.session.undo()
    assert boxes_of(real, entity, front.stream.id) is None
    assert bench.session.store.head() != head  # a step of its own, taken back as one
    bench.selection.clear(cause="test")


def test_boxes_along_a_track_stay_within_a_pixel_or_two_of_the_projection(real: Opened) -> None:
    bench, front = real.bench, real.camera("front_camera")
    view, placed = bench.view, bench.placed
    assert view is not None
    assert placed is not None
    assert bench.readers is not None
    assert front.scene.camera is not None
    seen = placed.projected(front.scene.camera, real.taken_ns(front))
    cuboid = next(
        each.annotation for each in seen if 8 < each.depth_m < 25 and len(view.keyframes(each.annotation)) > 40
    )
    entity = view.annotations[cuboid].entity
    assert entity is not None
    bench.select([cuboid], cause="test")
    bench.focus_on(front.stream.id)
    one_space.adopt_here(hands(real))
    record = boxes_of(real, entity, front.stream.id)
    assert record is not None
    by_hand = {"kind": "box", "x": 5.0, "y": 6.0, "width": 70.0, "height": 80.0}
    (first,) = view.keyframes(record.id)
    bench.run("keyframe.set", annotation=record.id, time_ns=first.time_ns, shape=by_hand)
    one_space.adopt_along(hands(real))
    track = view.annotations[record.id]
    keyframes = view.keyframes(record.id)
    drawn = next(each for each in keyframes if each.time_ns == first.time_ns)
    assert sides(drawn.shape).tolist() == [5.0, 6.0, 75.0, 86.0]  # what a hand drew stays
    table = bench.readers.reader(front.stream).table  # type: ignore[union-attr]
    assert 2 < len(keyframes) < len(table)
    compared = 0
    around = [each.time_ns for each in keyframes]
    place = around.index(first.time_ns)
    untouched = (around[max(0, place - 1)], around[min(len(around) - 1, place + 1)])
    for own_ns in table.times_ns.tolist():
        shown = view.moment(track, own_ns)
        taken = front.stream.time_map.to_session(own_ns)
        expected = None if shown.shape is None else true_box(real, "front_camera", cuboid, taken)
        if expected is None or untouched[0] < own_ns < untouched[1]:
            continue
        assert np.abs(sides(shown.shape) - expected).max() <= 2.0
        compared += 1
    assert compared > 10
    one_space.adopt_along(hands(real))
    assert [each.time_ns for each in view.keyframes(record.id)] == around  # done again it is the same
    for _ in range(4):
        bench.session.undo()
    assert boxes_of(real, entity, front.stream.id) is None
    bench.selection.clear(cause="test")


@pytest.mark.slow
def test_a_label_is_missing_where_the_cuboid_projects_and_nowhere_else(real: Opened) -> None:
    """Every word of the table about a camera, against the projection of all keyframes by way of the truth."""
    bench = real.bench
    view = bench.view
    assert view is not None
    assert bench.placed is not None
    table = EntityTable(view, CamerasInView(bench.placed, view.streams.values()))
    titles = [each.title for each in table.columns()]
    said: dict[str, int] = {}
    for row in table.rows(())[::17]:
        cuboids = [each for each in view.annotations_of_entity(row.key) if each.kind == "cuboid"]
        for camera in real.pane.views:
            cell = row.cells[titles.index(camera.stream.key)]
            word = cell.text.split(" at ")[0]
            sizes = {when: size for each in cuboids for when, size in seen_sizes(real, each, camera.stream.frame or "")}
            most = max(sizes.values(), default=0.0)
            said[word] = said.get(word, 0) + 1
            if word == "missing":
                stream, when = time_of(table, row, cell)
                assert stream == camera.stream.id
                assert when is not None
                assert sizes[when] == pytest.approx(most, rel=0.05)
                assert most > 15.5
                assert "seen" in row.group.split()
            elif word == "out of view":
                assert most < 16.5
            else:
                assert not word or word.startswith("labelled")
    assert said["missing"] > 5
    assert said["out of view"] > 5


def seen_sizes(scene: Opened, record: Annotation, camera: str) -> Iterator[tuple[int, float]]:
    """At which keyframes the middle of a cuboid is in a picture, and how large it is there."""
    assert scene.bench.view is not None
    lens = scene.truth.focal_px(camera)
    for keyframe in scene.bench.view.keyframes(record.id):
        when = scene.lidar.time_map.to_session(keyframe.time_ns)
        if not isinstance(keyframe.shape, Cuboid):
            continue
        world = scene.truth.in_world(np.array([keyframe.shape.center]), record.frame or scene.lidar.frame or "", when)
        pixel = scene.truth.pixels(world, camera, when)[0]
        inside = np.isfinite(pixel).all() and (pixel >= 0).all() and (pixel <= scene.truth.size_px(camera)).all()
        depth = scene.truth.in_camera(world, camera, when)[0, 2]
        yield when, max(keyframe.shape.size) * lens / depth if inside else 0.0


@pytest.mark.slow
def test_points_take_the_colours_that_the_camera_saw(real: Opened) -> None:
    from workstation.app.camera_colours import UNSEEN
    from workstation.app.cloud_paint import ColourBy
    from workstation.media.base import View
    from workstation.ui.panes.cloud import CloudPane

    bench = real.bench
    assert bench.readers is not None
    cloud = CloudPane()
    cloud.bind(bench)
    show(cloud, 700, 500)
    wait_for(lambda: cloud.moment is not None, what="the cloud")
    cloud.set_look(colour_by=ColourBy.CAMERA)
    try:
        wait_for(lambda: _colours(cloud) is not None, what="the colours", timeout_ms=40_000)
        colours, sweep, ground = _colours(cloud), cloud.moment.lead_sweep, cloud.moment.ground
        assert colours is not None
        world = sweep.points.astype(np.float64) + ground.origin
        front = real.camera("front_camera")
        reader = bench.readers.reader(front.stream)
        times = np.array([front.stream.time_map.to_session(int(each)) for each in reader.table.times_ns])
        index = int(np.abs(times - sweep.session_ns).argmin())
        pixels = real.truth.pixels(world, "front_camera", int(times[index]))
        picture = reader.picture(index, View(None, 960, 540)).pixels.astype(float)
        inside = np.isfinite(pixels).all(1) & (pixels > 4).all(1) & (pixels < (956, 536)).all(1)
        inside[inside] &= ~(colours[inside] == UNSEEN).all(1)
        column, row = pixels[inside].astype(int).T
        lifted = np.clip(255 * (picture[row, column] / 255) ** 0.75, 24, 255)
        off = np.abs(lifted - colours[inside]).max(1)
        assert inside.sum() > 500
        assert (off <= 12).mean() > 0.6  # the rest was seen by the neighbours, nearer in time, where they overlap
        behind = np.isnan(pixels).all(1)
        assert len(np.unique(colours[behind], axis=0)) > 50  # and the other cameras colour what this one cannot see
    finally:
        cloud.unbind()
        cloud.close()


def _colours(cloud: Any) -> NDArray[np.uint8] | None:
    moment = cloud.moment
    known = None if moment is None else moment.points.painting.from_cameras
    return None if known is None else known(moment.lead_sweep)


def test_a_camera_that_the_rig_does_not_know_says_so_and_shows_nothing_of_space(real: Opened) -> None:
    bench, back = real.bench, real.camera("back_camera")
    assert bench.view is not None
    rig = bench.view.rig()
    assert rig is not None
    known = tuple(each for each in rig.cameras if each["name"] != "back_camera")  # type: ignore[index]
    real.pane.set_look(cuboids=True)
    assert back.scene.shadows
    bench.run("rig.add", sample="sf_drive", key=rig.key, frames=rig.frames, cameras=known)
    # While a small picture stands in for the exact one the header says that, and what is wrong after it.
    wait_for(lambda: "not calibrated" in back.header.accessibleName(), what="the reason")
    assert not back.scene.shadows
    assert "not calibrated" not in real.camera("front_camera").header.accessibleName()
    bench.session.undo()
    wait_for(lambda: "not calibrated" not in back.header.accessibleName(), what="the reason to go")
    assert back.scene.shadows
    real.pane.set_look(cuboids=False)
