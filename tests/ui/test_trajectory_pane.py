"""The trajectory pane on the real drive: places read back from the pixels against the published poses, clicks that go
to a time, things that can be selected."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from main_windows import as_found, bench_of, main_window, press
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from strict_windows import copy_of, wait_for
from workstation.app.resources import resource
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.trajectory import TrajectoryPane

pytestmark = pytest.mark.slow
"""All in one window, which takes some seconds to open."""
LEFT = Qt.MouseButton.LeftButton
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def published() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Capture times, places and headings of the published ego poses, read here without the program.

    The publisher's vehicle looks along its y axis.
    """
    folder = resource("demo", "sf_drive")
    rows = json.loads((folder / "sensors" / "ego_pose.json").read_text(encoding="utf-8"))
    times = [each["t_s"] for each in rows]
    places = np.array([[each["position"][axis] for axis in "xyz"] for each in rows])
    forward = []
    for each in rows:
        w, x, y, z = (each["heading"][axis] for axis in "wxyz")
        forward.append(math.atan2(1 - 2 * (x * x + z * z), 2 * (x * y - w * z)))  # where (0, 1, 0) goes
    return np.array(times, float), places, np.array(forward)


@pytest.fixture(scope="module")
def shared(
    qapp: QApplication, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:  # fmt: skip
    assert qapp is not None
    folder = tmp_path_factory.mktemp("trajectory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(demo_template, folder / "drive"), checked=False) as made:
            made.resize(1200, 860)
            yield made


@pytest.fixture
def window(shared: MainWindow) -> Iterator[MainWindow]:
    """The path alone; whatever a test does with the window is taken back."""
    with as_found(shared):
        shared.show_pane("trajectory")
        shared.maximise(shared.pane("trajectory"))
        yield shared


@pytest.fixture
def pane(window: MainWindow) -> TrajectoryPane:
    found = window.pane("trajectory")
    assert isinstance(found, TrajectoryPane)
    sizes: list[str] = []

    def steady() -> bool:
        sizes.append(repr(found.canvas.size()))
        return found.canvas.width() > 900 and len(sizes) > 20 and len(set(sizes[-20:])) == 1

    wait_for(steady, what="the layout")
    found.setFocus()
    found.things.setChecked(True)
    found.fit()
    return found


def painted(pane: TrajectoryPane, colour: str) -> np.ndarray:
    """(n, 2) logical pixels of that colour."""
    image = pane.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, : image.width(), :3]
    want = np.array(QColor(colour).getRgb()[2::-1], int)
    rows, columns = np.nonzero(np.abs(pixels.astype(int) - want).sum(axis=2) < 40)
    return np.column_stack((columns, rows)) / image.devicePixelRatio()


def test_the_path_is_true_to_metres(window: MainWindow, pane: TrajectoryPane, published: tuple) -> None:
    """The painted line's ends are as far apart as the poses, the scale bar as long as it says, both by pixels."""
    _, places, _ = published
    pane.things.setChecked(False)
    bench_of(window).clock.seek(0)
    line = painted(pane, bench_of(window).theme.wave)
    view = pane.canvas.view
    wide = (places[:, 0].max() - places[:, 0].min()) / view.m_per_px
    tall = (places[:, 1].max() - places[:, 1].min()) / view.m_per_px
    # The arrow of the playhead hides the beginning of the path.
    assert abs(np.ptp(line[:, 0]) - wide) <= 16
    assert abs(np.ptp(line[:, 1]) - tall) <= 16
    far = places[-1, :2]
    end = line[np.argmax(line[:, 0])]
    x = view.width_px / 2 + (far[0] - view.x_m) / view.m_per_px
    y = view.height_px / 2 - (far[1] - view.y_m) / view.m_per_px
    assert math.hypot(end[0] - x, end[1] - y) <= 3
    ink = painted(pane, bench_of(window).theme.ink)
    bar = ink[ink[:, 1] > view.height_px - 16]
    metres = np.ptp(bar[:, 0]) * view.m_per_px
    nearest = min(
        (factor * 10.0**power for power in range(-3, 4) for factor in (1, 2, 5)), key=lambda m: abs(m - metres)
    )
    assert abs(metres - nearest) <= 3 * view.m_per_px


def test_place_and_heading_at_the_playhead_are_the_published_ones(
    window: MainWindow, pane: TrajectoryPane, published: tuple
) -> None:
    times, places, headings = published
    pane.things.setChecked(False)
    for number in (40, 60, 75):
        bench_of(window).clock.seek(round(times[number] * SECOND))
        standing = pane.paths[0].at(bench_of(window).clock.time_ns)
        assert standing is not None
        np.testing.assert_allclose(standing.place_m, places[number], atol=0.02)
        assert standing.heading_rad is not None
        off = (standing.heading_rad - headings[number] + math.pi) % (2 * math.pi) - math.pi
        assert abs(off) < 0.005
        arrow = painted(pane, bench_of(window).theme.playhead)
        view = pane.canvas.view
        x = view.width_px / 2 + (places[number, 0] - view.x_m) / view.m_per_px
        y = view.height_px / 2 - (places[number, 1] - view.y_m) / view.m_per_px
        assert abs(arrow[:, 0].mean() - x) < 4
        assert abs(arrow[:, 1].mean() - y) < 4
        along = np.array([math.cos(headings[number]), -math.sin(headings[number])])
        reach = (arrow - (x, y)) @ along
        assert reach.max() > 1.5 * -reach.min()  # the tip is in front


def test_a_click_on_the_path_goes_to_that_time(window: MainWindow, pane: TrajectoryPane, published: tuple) -> None:
    times, places, _ = published
    pane.things.setChecked(False)
    view = pane.canvas.view
    for number in (50, 70, 79):
        x, y = view.to_px(places[number : number + 1])[0].tolist()
        QTest.mouseClick(pane.canvas, LEFT, pos=QPoint(round(x), round(y)))
        assert abs(bench_of(window).clock.time_ns / SECOND - times[number]) <= 0.11
    press(window, Qt.Key.Key_Comma)
    assert abs(bench_of(window).clock.time_ns / SECOND - times[78]) <= 0.11


def test_things_are_selected_here_and_shown_when_selected_elsewhere(window: MainWindow, pane: TrajectoryPane) -> None:
    bench, canvas = bench_of(window), pane.canvas
    bench.clock.seek(4 * SECOND)
    placed = canvas._placed
    assert placed is not None
    px = canvas.view.to_px(placed.centers)
    seen = [i for i in canvas._keep if 30 < px[i][0] < canvas.width() - 80 and 80 < px[i][1] < canvas.height() - 60]
    chosen = next(i for i in seen if canvas.thing_at(QPointF(*px[i].tolist())) == placed.ids[i])
    QTest.mouseClick(canvas, LEFT, pos=QPoint(*(round(each) for each in px[chosen].tolist())))
    assert set(bench.selected) == {placed.ids[chosen]}
    away = next(i for i in canvas._keep if not (0 <= px[i][0] <= canvas.width() and 0 <= px[i][1] <= canvas.height()))
    bench.select([placed.ids[away]], cause="timeline")
    x, y = canvas.view.to_px(placed.centers[away : away + 1])[0].tolist()
    assert 0 <= x <= canvas.width()
    assert 0 <= y <= canvas.height()
    press(window, Qt.Key.Key_T, Qt.KeyboardModifier.ShiftModifier)  # T alone would name a class
    assert canvas._placed is None


def test_dragging_moves_the_ground_and_not_the_time(window: MainWindow, pane: TrajectoryPane) -> None:
    bench, canvas = bench_of(window), pane.canvas
    bench.clock.seek(3 * SECOND)
    before = canvas.view.to_m(400, 300)
    QTest.mousePress(canvas, LEFT, pos=QPoint(400, 300))
    QTest.mouseMove(canvas, QPoint(430, 310))
    QTest.mouseMove(canvas, QPoint(480, 340))
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(480, 340))
    assert canvas.view.to_m(480, 340) == pytest.approx(before)
    assert bench.clock.time_ns == 3 * SECOND
