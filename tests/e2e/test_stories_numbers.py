"""In the whole window the number burned into a picture is the one its header states, whatever moves the playhead; and
the window's thread answers while the drive plays."""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from hands import LEFT, PLAIN, Person, sit_down
from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from strict_golden import pixels_of
from strict_windows import copy_of, let_work
from workstation.app.opening import new_project, open_project
from workstation.store.media_files import record_file
from workstation.synth.marks import burn, read
from workstation.synth.writers import VideoWriter
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.camera_view import CameraView

SIZE = (480, 270)
FILMS = {"first": (25, 0, 75, 1000), "second": (30, 40_000_000, 80, 3000)}
"""Key to rate, where the stream's zero is in the session, frames, and the number burned into the first one."""


@pytest.fixture
def me(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Generator[Person, None, None]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("numbers")
    monkeypatch.setenv("WORKSTATION_HOME", str(folder / "home"))
    project = new_project(folder / "films", name="films", person="somebody", in_force=True)
    ground = np.random.default_rng(1).integers(60, 200, (SIZE[1], SIZE[0], 3), np.uint8)
    with open_project(project, kind="person", role="lead") as session:
        session.run("sample.add", key="films")
        for key, (rate, zero_ns, frames, first) in FILMS.items():
            path = session.project.media_folder / f"{key}.mp4"
            with VideoWriter(path, width=SIZE[0], height=SIZE[1], rate=rate) as film:
                for number in range(frames):
                    picture = ground.copy()
                    burn(picture, first + number)
                    film.write(picture)
            session.run("stream.add", sample="films", key=key, kind="video", clock="own",
                        files=(record_file(session.project.path, path),),
                        time_map={"knots": [[0, zero_ns]], "method": "given"})  # fmt: skip
    with sit_down(project) as person:
        yield person


def cameras(me: Person) -> list[CameraView]:
    pane = me.pane("camera")
    assert isinstance(pane, CameraPane)
    return pane.views


def burned(camera: CameraView, window: QImage) -> int | None:
    """The number in the picture as it stands in a picture of the window."""
    viewport = camera.viewport
    corner = camera.area.mapTo(camera.window(), QPoint(0, 0))
    left, top = viewport.corner
    width, height = SIZE[0] * viewport.scale, SIZE[1] * viewport.scale
    part = window.copy(round(corner.x() + left), round(corner.y() + top), round(width), round(height))
    plain = part.scaled(*SIZE, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return read(pixels_of(plain.convertToFormat(QImage.Format.Format_RGB888)))


def stated(camera: CameraView) -> int | None:
    found = re.fullmatch(r"#(\d+)", camera.header.said.item)
    return None if found is None else int(found[1])


def look(me: Person) -> dict[str, int | None]:
    """What the headers state; what the pictures say must be the same."""
    window = me.screen()
    found = {}
    for camera in cameras(me):
        found[camera.stream.key] = number = stated(camera)
        first = FILMS[camera.stream.key][3]
        assert burned(camera, window) == (None if number is None else number + first), camera.stream.key
    return found


def due(time_ns: int) -> dict[str, int | None]:
    """Which frames show then, from rate and zero alone."""
    numbers = {key: (time_ns - zero_ns) * rate // 1_000_000_000 for key, (rate, zero_ns, _, _) in FILMS.items()}
    return {key: number if 0 <= number < FILMS[key][2] else None for key, number in numbers.items()}


@pytest.mark.slow
def test_header_and_picture_agree_after_seeks_steps_scrubs_and_while_playing(me: Person) -> None:
    me.press("F11")  # the cameras have the whole window: the numbers are large enough to read
    for place, time_ns in (
        ("1.234", 1_234_000_000),
        ("0.039", 39_000_000),
        ("frame 60", 2_400_000_000),
        ("2", 2 * 10**9),
    ):
        me.go_to(place).waits(lambda time_ns=time_ns: look(me) == due(time_ns), place)  # type: ignore[misc]
    for key, step in ((".", 1), (">", 10), (",", -1), ("<", -10)):
        before = stated(cameras(me)[0])
        assert before is not None
        me.press(key).waits(lambda want=before + step: stated(cameras(me)[0]) == want, key)  # type: ignore[misc]
        look(me)
    me.press("F11")
    me.keep_picture("numbers")
    seen: set[int | None] = set()
    ruler, strip = ruler_of(me)
    for share in [*range(10, 90, 5), *range(90, 10, -5)]:  # there and back, never waiting for a picture
        at = QPoint(strip.x() + (ruler.width() - strip.x()) * share // 100, strip.y())
        if share == 10 and not seen:
            QTest.mousePress(ruler, LEFT, PLAIN, at)
        QTest.mouseMove(ruler, at)
        QApplication.processEvents()
        seen.add(look(me)["first"])
    QTest.mouseRelease(ruler, LEFT, PLAIN, strip + QPoint(40, 0))
    assert len(seen) > 3
    me.press("Home", "Space")
    played = {look(me)["first"] for _ in range(40) if let_work(10) is None}
    me.press("Space")
    assert len(played) > 3  # pictures did come meanwhile
    me.waits(lambda: look(me) == due(me.bench.clock.time_ns), "the picture it stopped at")


def ruler_of(me: Person) -> tuple[QWidget, QPoint]:
    """The ruler of the timeline, and a place on it."""
    ruler = me.pane("timeline").findChild(QWidget, "timeline_ruler")
    assert ruler is not None
    return ruler, QPoint(4, 8)


class Beats(QObject):
    """A heart in the event loop: how much work the thread did between two beats."""

    def __init__(self) -> None:
        super().__init__()
        self.worked: list[float] = []
        self._cpu = time.thread_time()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)
        self._timer.start(4)

    @Slot()
    def _beat(self) -> None:
        cpu = time.thread_time()
        self.worked.append(cpu - self._cpu)
        self._cpu = cpu

    def stop(self) -> None:
        self._timer.stop()


@pytest.mark.slow
def test_the_window_answers_while_the_drive_plays(
    qapp: QApplication, demo_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    with sit_down(copy_of(demo_template, tmp_path / "drive")) as me:
        me.waits_for_pictures().press("Space")
        started = me.bench.clock.time_ns
        beats = Beats()
        me.waits(lambda: me.bench.clock.time_ns - started > 3_000_000_000, "three seconds of it")
        beats.stop()
        me.press("Space").keep_picture("while_playing")
    # How long a machine that is busy elsewhere holds the thread back is nobody's; what it did itself counts.
    assert max(beats.worked) < 0.25
