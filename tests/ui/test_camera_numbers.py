"""The number burned into the picture that a camera shows, read back from a grab of the window, is the one its header
states: after seeks, steps, scrubs and during playback; and where a stream has nothing, no picture stands."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from strict_golden import pixels_of
from strict_windows import show, wait_for
from workstation.app.opening import new_project, open_project
from workstation.app.seen import Seen, seen_rows
from workstation.store.media_files import record_file
from workstation.synth.marks import burn, read
from workstation.synth.writers import VideoWriter
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.camera_view import CameraView
from workstation.ui.workbench import Workbench

SIZE = (480, 270)
FILMS = {"first": (25, 0, 90, 1000), "second": (30, 40_000_000, 90, 3000), "third": (10, 1_000_000_000, 20, 5000)}
"""Key to rate, where the stream's zero is in the session, frames, and the number burned into the first one."""


@pytest.fixture(scope="module")
def films_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three cameras that run at other rates and begin at other times."""
    folder = tmp_path_factory.mktemp("cameras") / "films"
    new_project(folder, name="films", person="somebody", in_force=True)
    ground = np.random.default_rng(1).integers(60, 200, (SIZE[1], SIZE[0], 3), np.uint8)
    with open_project(folder, kind="person", role="lead") as session:
        media = session.project.media_folder
        for key, (rate, _, frames, first) in FILMS.items():
            with VideoWriter(media / f"{key}.mp4", width=SIZE[0], height=SIZE[1], rate=rate) as film:
                for number in range(frames):
                    picture = ground.copy()
                    burn(picture, first + number)
                    film.write(picture)
        session.run("sample.add", key="films")
        for key, (_, zero_ns, _, _) in FILMS.items():
            file = record_file(session.project.path, media / f"{key}.mp4")
            session.run("stream.add", sample="films", key=key, kind="video", files=(file,), clock="own",
                        time_map={"knots": [[0, zero_ns]], "method": "given"})  # fmt: skip
    return folder


@pytest.fixture
def films(qapp: QApplication, films_project: Path) -> Generator[tuple[Workbench, CameraPane], None, None]:
    assert qapp is not None
    with open_project(films_project, kind="person", role="lead") as session:
        bench = Workbench(session)
        assert bench.open_sample("films")
        pane = CameraPane()
        pane.bind(bench)
        show(pane, 1000, 640)
        yield bench, pane
        pane.unbind()
        pane.close()
        bench.close()


def burned(camera: CameraView) -> int | None:
    """The number in the picture as it stands in the window."""
    grab = camera.window().grab().toImage()
    viewport = camera.viewport
    left, top = viewport.corner
    corner = camera.area.mapTo(camera.window(), camera.area.rect().topLeft())
    width, height = SIZE[0] * viewport.scale, SIZE[1] * viewport.scale
    part = grab.copy(round(corner.x() + left), round(corner.y() + top), round(width), round(height))
    plain = part.scaled(*SIZE, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return read(pixels_of(plain.convertToFormat(QImage.Format.Format_RGB888)))


def stated(camera: CameraView) -> int | None:
    """The number in the header."""
    found = re.fullmatch(r"#(\d+)", camera.header.said.item)
    return None if found is None else int(found[1])


def expected(camera: CameraView, time_ns: int) -> int | None:
    """Which frame shows then, from rate and zero alone."""
    rate, zero_ns, frames, _ = FILMS[camera.stream.key]
    number = (time_ns - zero_ns) * rate // 1_000_000_000
    return number if 0 <= number < frames else None


def first_of(camera: CameraView) -> int:
    return FILMS[camera.stream.key][3]


def settled(pane: CameraPane, time_ns: int) -> bool:
    return all(not camera.frames.pending and stated(camera) == expected(camera, time_ns) for camera in pane.views)


def check(pane: CameraPane, time_ns: int) -> None:
    """Once everything has come: every picture is the asked one, and headers and pictures agree."""
    wait_for(lambda: settled(pane, time_ns), what=f"the pictures at {time_ns}")
    for camera in pane.views:
        number = expected(camera, time_ns)
        assert burned(camera) == (None if number is None else number + first_of(camera))


@pytest.mark.slow
def test_after_seeks_and_steps_the_header_names_the_picture(films: tuple[Workbench, CameraPane]) -> None:
    bench, pane = films
    for time_ns in (0, 1_234_567_890, 2_999_999_999, 40_000_000, 39_999_999, 2_000_000_000):
        bench.clock.seek(time_ns)
        check(pane, time_ns)
    pane.focus(pane.views[0])
    for steps in (1, 1, -1, 10, -10, -1):
        before = stated(pane.views[0])
        target = pane.step_time(steps)
        assert before is not None
        assert target is not None
        bench.clock.seek(target)
        check(pane, target)
        assert stated(pane.views[0]) == before + steps


@pytest.mark.slow
def test_while_scrubbing_and_playing_header_and_picture_never_disagree(films: tuple[Workbench, CameraPane]) -> None:
    bench, pane = films
    seen: dict[str, set[int]] = {camera.stream.key: set() for camera in pane.views}

    def look() -> None:
        for camera in pane.views:
            number = stated(camera)
            picture = burned(camera)
            assert picture == (None if number is None else number + first_of(camera))
            if number is not None:
                seen[camera.stream.key].add(number)

    for step in range(40):  # a scrub there and back, never waiting for a picture
        bench.clock.seek(abs(step - 20) * 120_000_000 + 100_000_000)
        QApplication.processEvents()
        look()
    bench.clock.seek(0)
    bench.clock.play()
    for _ in range(40):
        bench.clock.tick(40_000_000)
        QApplication.processEvents()
        look()
    bench.clock.pause()
    check(pane, bench.clock.time_ns)
    look()
    assert len(seen["first"]) > 5  # pictures did come meanwhile


def test_a_camera_says_while_playing_how_far_behind_the_clock_its_paint_is(films: tuple[Workbench, CameraPane]) -> None:
    bench, pane = films
    bench.clock.seek(0)
    check(pane, 0)
    first, second = pane.views[:2]
    for camera in pane.views:
        camera.lag._now_ns = lambda: bench.clock.time_ns  # on the wall passes what passes on the clock
    first.area.setUpdatesEnabled(False)  # its pictures come, and nobody sees them
    bench.clock.play()
    painted: list[int] = []
    second.area.painted.connect(painted.append)
    for _ in range(13):
        bench.clock.tick(40_000_000)
        number = expected(second, bench.clock.time_ns)
        wait_for(lambda number=number: number is None or number in painted, what="the second camera")
    wait_for(lambda: stated(first) == 13, what="the first camera's picture")  # each camera decodes on its own
    assert first.header.said.note == "lag 480 ms"  # at 520 ms what is painted was right until 40 ms
    assert "lag" not in second.header.said.note
    first.area.setUpdatesEnabled(True)
    wait_for(lambda: first.lag.dropped == 12, what="the picture of 0.52 s after that of 0 s")
    for _ in range(13):
        bench.clock.tick(40_000_000)
        wait_for(lambda: not first.frames.pending and first.area._painted_index == expected(first, bench.clock.time_ns))
    assert first.header.said.note == "12 dropped"
    bench.clock.pause()
    assert first.header.said.note == ""


def has_seen(bench: Workbench, camera: CameraView, time_ns: int) -> bool:
    """Whether the exact picture of that time was painted, or there is none."""
    assert bench.seen is not None
    assert bench.readers is not None
    assert bench.view is not None
    if expected(camera, time_ns) is None:
        return True
    rows = {row.stream: row for row in seen_rows(bench.seen, bench.view, bench.readers)}
    return any(start <= time_ns < end for start, end in rows[camera.stream.id].pieces)


def test_seen_is_what_was_painted_and_nothing_else(films: tuple[Workbench, CameraPane]) -> None:
    bench, pane = films
    assert bench.seen is not None
    bench.clock.seek(2_400_000_000)  # what stood there before is not painted anew, so it would not be seen again
    wait_for(lambda: settled(pane, 2_400_000_000), what="the pictures elsewhere")
    bench.seen = Seen(bench.seen.sample)  # as if nobody had ever looked
    assert bench.readers is not None
    assert bench.view is not None
    third = pane.views[2]
    third.area.setUpdatesEnabled(False)  # its pictures come, and nobody sees them
    for time_ns in (0, 1_200_000_000, 1_240_000_000):
        bench.clock.seek(time_ns)
        wait_for(lambda time_ns=time_ns: settled(pane, time_ns), what=f"the pictures at {time_ns}")
        for camera in pane.views[:2]:
            wait_for(lambda camera=camera, time_ns=time_ns: has_seen(bench, camera, time_ns), what=camera.title)
    rows = {row.name: row for row in seen_rows(bench.seen, bench.view, bench.readers)}
    frame = 1_000_000_000 // 25
    # A paint event of what stood elsewhere may have come after nobody had looked; it is not asked about.
    pieces = {
        key: [each for each in rows[key].pieces if not each[0] <= 2_400_000_000 < each[1]]
        for key in ("first", "second")
    }
    assert pieces["first"] == [(0, frame), (30 * frame, 32 * frame)]
    assert rows["first"].whole == 90 * frame
    second = sum(end - start for start, end in pieces["second"]) / rows["second"].whole
    assert second == pytest.approx(2 / 90)  # before its beginning it shows nothing
    assert rows["third"].share == 0
    third.area.setUpdatesEnabled(True)


def test_where_a_stream_has_nothing_no_picture_stands(films: tuple[Workbench, CameraPane]) -> None:
    bench, pane = films
    third = next(camera for camera in pane.views if camera.stream.key == "third")
    bench.clock.seek(2_000_000_000)
    wait_for(lambda: stated(third) == 10)
    bench.clock.seek(500_000_000)
    assert third.frames.frame is None  # at once, not when the next picture comes
    assert stated(third) is None
    assert burned(third) is None
    assert third.header.said.note == "nothing here"
    assert third.empty_text() == "nothing here; nearest #0 at 1.000 s"


def test_the_distance_is_from_the_playhead_to_the_capture(films: tuple[Workbench, CameraPane]) -> None:
    bench, pane = films
    second = next(camera for camera in pane.views if camera.stream.key == "second")
    bench.clock.seek(40_000_000 + 1_000_000_000 + 12_000_000)  # 12 ms after frame 30 of a stream that begins at 40 ms
    wait_for(lambda: stated(second) == 30)
    said = second.header.said
    assert (said.own, said.distance) == ("1.000 s", "−12 ms")


def test_the_wheel_zooms_around_the_pointer_to_pixels(films: tuple[Workbench, CameraPane]) -> None:
    bench, pane = films
    bench.clock.seek(1_000_000_000)
    camera = pane.views[0]
    pane.enlarge(camera)
    wait_for(lambda: stated(camera) == expected(camera, 1_000_000_000) and not camera.frames.pending)
    at = (camera.area.width() * 0.3, camera.area.height() * 0.6)
    under = camera.viewport.to_picture(at)
    for _ in range(40):
        camera.wheel(1, at, ctrl=False)
    assert camera.viewport.scale == pytest.approx(64.0)
    still = camera.viewport.to_picture(at)
    assert still == pytest.approx(under, abs=0.02)

    def sharp() -> bool:
        frame = camera.frames.frame
        return frame is not None and frame.image.width() == frame.picture.region.width_px < 60

    wait_for(sharp, what="the part that is seen, at full resolution")
    frame = camera.frames.frame
    assert frame is not None
    x, y = int(under[0]), int(under[1])
    value = frame.picture.pixels[y - frame.picture.region.top, x - frame.picture.region.left]
    grab = pixels_of(camera.area.grab().toImage())
    left, top = camera.viewport.to_screen((x, y))
    shown = grab[round(top) + 3, round(left) + 3]  # a corner of the pixel, beside its digits
    assert np.abs(shown.astype(int) - value.astype(int)).max() <= 1
    zoom = camera.zoom
    assert bench.open_sample("films")  # the zoom, and which camera is enlarged, are kept over samples
    assert (pane.views[0].zoom, pane.enlarged) == (zoom, pane.views[0])
