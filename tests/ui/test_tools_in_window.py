"""Tools in the real window with real mouse and keys: what is drawn is stored where the pointer was."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from main_windows import as_found, bench_of, main_window, press
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from strict_windows import copy_of, drag, wait_for
from workstation.core.geometry import Box, Keypoints, Mask, Polygon, Shape
from workstation.core.pixels import mask_pixels
from workstation.ui.actions.table import load_actions
from workstation.ui.icons import has_icon
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.camera import CameraPane
from workstation.ui.panes.camera_view import CameraView
from workstation.ui.tools.catalogue import CATALOGUE

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier


class Desk:
    """The window with one camera enlarged, and a hand that points in picture pixels."""

    def __init__(self, window: MainWindow, pane: CameraPane, camera: CameraView) -> None:
        self.window, self.pane, self.camera = window, pane, camera

    def at(self, x: float, y: float) -> QPoint:
        across, down = self.camera.viewport.to_screen((x, y))
        return QPoint(round(across), round(down))

    def settle(self) -> None:
        """Panels beside may take another width when something else is selected."""
        sizes: list[object] = []

        def same() -> bool:
            sizes.append(self.camera.area.size())
            return len(sizes) > 20 and len(set(map(str, sizes[-20:]))) == 1

        wait_for(same, what="a layout that stays")

    def click(self, *places: tuple[float, float], held: Qt.KeyboardModifier = NONE) -> None:
        self.settle()
        for place in places:
            QTest.mouseMove(self.camera.area, self.at(*place))
            QTest.mouseClick(self.camera.area, LEFT, held, self.at(*place))

    def pull(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.settle()
        drag(self.camera.area, self.at(*start), self.at(*end))

    def key(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        press(self.window, key, held)

    def shapes(self) -> list[Shape]:
        view = bench_of(self.window).view
        assert view is not None
        found = view.annotations_of(self.camera.stream.id)
        return [each.shape for row in found for each in view.keyframes(row.id) if each.shape is not None]

    @property
    def slack(self) -> float:
        """A screen pixel in picture pixels."""
        return 1.0 / self.camera.viewport.scale


@pytest.fixture(scope="module")
def shared(
    qapp: object, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Desk, None, None]:  # fmt: skip
    assert qapp is not None
    folder = tmp_path_factory.mktemp("tools")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(demo_template, folder / "drive"), checked=False) as window:
            found = window.pane("camera")
            assert isinstance(found, CameraPane)
            camera = next(each for each in found.views if each.stream.key == "front_camera")
            bench_of(window).clock.seek(1_000_000_000)
            found.enlarge(camera)
            found.set_look(cuboids=False)
            wait_for(lambda: camera.frames.frame is not None and not camera.frames.pending, what="the picture")
            yield Desk(window, found, camera)


@pytest.fixture
def desk(shared: Desk) -> Generator[Desk, None, None]:
    """Its camera in the focus; whatever a test does with the window is taken back."""
    with as_found(shared.window):
        shared.pane.setFocus()
        yield shared


@pytest.mark.slow
def test_a_story_of_drawing(desk: Desk) -> None:
    window = desk.window
    before = window.toolbar.button("tool.box")
    assert before is not None
    desk.key(Qt.Key.Key_F3)
    assert before.isChecked()
    desk.pull((300, 270), (420, 360))
    desk.key(Qt.Key.Key_C)  # the class of cars
    (box,) = desk.shapes()
    assert isinstance(box, Box)
    assert [box.x, box.y, box.width, box.height] == pytest.approx([300, 270, 120, 90], abs=2 * desk.slack)

    bench_of(window).selection.clear(cause="test")
    desk.key(Qt.Key.Key_C)  # class then draw
    desk.key(Qt.Key.Key_F4)
    desk.click((500, 240), (700, 240), (700, 330), (500, 330))
    desk.key(Qt.Key.Key_Return)
    desk.click((560, 260), held=CTRL)
    desk.click((620, 260), (620, 300))
    desk.key(Qt.Key.Key_Return)
    polygon = next(each for each in desk.shapes() if isinstance(each, Polygon))
    assert len(polygon.outer) == 4
    assert len(polygon.holes) == 1

    desk.key(Qt.Key.Key_F9)
    desk.pull((450, 420), (550, 420))
    mask = next(each for each in desk.shapes() if isinstance(each, Mask))
    blob = bench_of(window).session.store.blob(mask.blob)
    assert blob is not None
    inside = mask_pixels(blob, mask.width, mask.height)
    assert inside[420 - mask.y, 500 - mask.x]
    assert int(np.count_nonzero(inside)) == mask.area_px
    assert window.toolbar.button("tool.brush").isChecked()  # type: ignore[union-attr]  # it stays

    for _ in range(4):  # mask, hole, polygon, box: one gesture each
        desk.key(Qt.Key.Key_Z, CTRL)
    assert desk.shapes() == []
    for _ in range(4):
        desk.key(Qt.Key.Key_Y, CTRL)
    assert sorted(type(each).__name__ for each in desk.shapes()) == ["Box", "Mask", "Polygon"]


@pytest.mark.slow
def test_escape_backspace_and_nudges_reach_the_tool(desk: Desk) -> None:
    bench = bench_of(desk.window)
    bench.hand.set_class("pedestrian")
    desk.key(Qt.Key.Key_F8)
    desk.click((880, 240), (870, 260))
    desk.key(Qt.Key.Key_Backspace)
    desk.click((872, 262))
    desk.key(Qt.Key.Key_Return)
    (skeleton,) = desk.shapes()
    assert isinstance(skeleton, Keypoints)
    assert (skeleton.points[1].x, skeleton.points[1].y) == pytest.approx((872, 262), abs=desk.slack)

    desk.key(Qt.Key.Key_F4)
    desk.click((500, 240), (700, 240), (700, 330))
    desk.key(Qt.Key.Key_Z, CTRL)  # a point of the polygon, not the skeleton
    desk.key(Qt.Key.Key_Z, CTRL)
    desk.key(Qt.Key.Key_Y, CTRL)
    desk.click((600, 330))
    desk.key(Qt.Key.Key_Return)
    (polygon,) = [each for each in desk.shapes() if isinstance(each, Polygon)]
    assert np.asarray(polygon.outer) == pytest.approx(np.array([(500, 240), (700, 240), (600, 330)]), abs=desk.slack)
    (made,) = bench.selected
    desk.key(Qt.Key.Key_Z, CTRL)
    assert desk.shapes() == [skeleton]
    desk.key(Qt.Key.Key_Y, CTRL)
    assert bench.selected == (made,)  # what comes back is selected, so that work goes on with it
    desk.key(Qt.Key.Key_Z, CTRL)
    desk.click((500, 240), (700, 240), (700, 330))
    desk.key(Qt.Key.Key_Escape)
    assert desk.shapes() == [skeleton]
    assert bench.selected  # Esc left the gesture, not yet the selection

    desk.key(Qt.Key.Key_F2)
    desk.key(Qt.Key.Key_Right)
    desk.key(Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    (moved,) = desk.shapes()
    assert isinstance(moved, Keypoints)
    assert (moved.points[0].x - skeleton.points[0].x, moved.points[0].y - skeleton.points[0].y) == pytest.approx(
        (1, 10)
    )


def test_every_tool_has_an_icon_an_action_and_a_key_of_its_own() -> None:
    actions = load_actions().actions
    keys = [key for each in CATALOGUE for key in each.keys]
    assert len(set(keys)) == len(keys)
    for each in CATALOGUE:
        assert has_icon(each.icon), each.icon
        assert actions[f"tool.{each.id}"].keys == each.keys
        assert actions[f"tool.{each.id}"].help
